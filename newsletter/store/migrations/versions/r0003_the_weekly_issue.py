"""The life of a weekly issue: turns in the log, plans for slots, doubts that were settled. Revision 0003."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC


def upgrade() -> None:
    op.add_column("edition", sa.Column("posts_from", INSTANT))
    op.add_column("delivery", sa.Column("settled_at", INSTANT))
    op.add_column("log", sa.Column("note", sa.Text, nullable=False, server_default=""))
    op.add_column("log", sa.Column("issue_id", sa.Integer))
    op.create_table(
        "slot_plan",
        sa.Column("edition", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("moved_to", INSTANT),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("edition", "key", "kind"),
        sa.CheckConstraint("kind IN ('hold', 'move', 'pause', 'clock')", name="kind"),
        sqlite_strict=True,
    )
    op.create_table("instance", sa.Column("mark", sa.Text, primary_key=True), sqlite_strict=True)
