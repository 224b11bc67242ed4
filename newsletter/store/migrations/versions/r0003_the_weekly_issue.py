"""What the weekly issue remembers: notices, and to whom they are owed. Revision 0003."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC

KINDS = (
    "'preview', 'edited', 'started', 'held', 'late', 'paused', 'failures', 'stopped', 'empty', 'clock', 'locked', 'mail'"
)


def upgrade() -> None:
    _notices()


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False, server_default=""),
        sa.UniqueConstraint("key"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="kind"),
        sqlite_strict=True,
    )
    op.create_index("ix_notice_about", "notice", ["kind", "about"])
    op.create_table(
        "notice_copy",
        sa.Column("notice_id", sa.Integer, sa.ForeignKey("notice.id"), nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_at", INSTANT),
        sa.Column("reply", sa.Text, nullable=False, server_default=""),
        sa.Column("done_at", INSTANT),
        sa.PrimaryKeyConstraint("notice_id", "recipient"),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'accepted', 'failed')", name="state"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_notice_copy_open",
        "notice_copy",
        ["state"],
        sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
