"""Many workers: who holds a chunk, and who is at work. Revision 0006."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC


def upgrade() -> None:
    op.add_column("chunk", sa.Column("worker", sa.Text, nullable=False, server_default=""))
    held = sa.text("worker <> ''")
    op.create_index("ix_chunk_held", "chunk", ["worker"], sqlite_where=held, postgresql_where=held)
    op.create_table(
        "worker",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("connections", sa.Integer, nullable=False),
        sa.Column("queues", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("name", name="pk_worker"),
        sqlite_strict=True,
    )
