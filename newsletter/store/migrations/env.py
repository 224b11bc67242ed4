"""Runs the revisions inside the transaction of the caller; Alembic executes this file."""

from __future__ import annotations

from alembic import context

from newsletter.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
context.run_migrations()
