"""The engine: whose mailboxes a chunk is for, when it opens, and how fast mails are handed over. Revision 0005."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC


def upgrade() -> None:
    op.add_column("chunk", sa.Column("provider", sa.Text, nullable=False, server_default="other"))
    op.add_column("chunk", sa.Column("opens_at", INSTANT))
    op.add_column("issue", sa.Column("audience_opens_at", INSTANT))
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("full_at", INSTANT),
        sa.Column("taken", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("pace", sa.Integer),
        sa.Column("paced_at", INSTANT),
        sa.PrimaryKeyConstraint("key", name="pk_throttle"),
        sqlite_strict=True,
    )
