"""Notes of editors to readers; texts of posts that were looked at, and what was said of them. Revision 0002."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC


def upgrade() -> None:
    op.create_table(
        "editor_note",
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issue.id"), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "version",
        sa.Column("post_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("post_id", "number"),
        sa.UniqueConstraint("post_id", "content_hash"),
        sqlite_strict=True,
    )
    op.create_table(
        "review_step",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("post_id", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("act IN ('asked', 'changes', 'returned', 'approved')", name="act"),
        sa.ForeignKeyConstraint(["post_id", "version"], ["version.post_id", "version.number"]),
        sqlite_strict=True,
    )
    op.create_index("ix_review_step_post", "review_step", ["post_id"])
