"""The weekly issue: its life, notices, parts of a mail that only some get, tests, mails sent again. Revision 0003."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC

KINDS = (
    "'preview', 'edited', 'started', 'held', 'late', 'paused', 'failures', 'stopped', 'empty', 'clock', 'locked', "
    "'mail'"
)


def upgrade() -> None:
    _notices()
    _waivers()
    _segments()
    _proofs()
    _resent()
    _life()


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


def _waivers() -> None:
    op.create_table(
        "waiver",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("digest_hash", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("edition", "number", "code", "finding"),
        sqlite_strict=True,
    )


def _segments() -> None:
    op.add_column("issue_post", sa.Column("corrections", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("delivery", sa.Column("variant", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "segment",
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issue.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("post_id", sa.Text, nullable=False),
        sa.Column("correction", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("issue_id", "key"),
        sa.CheckConstraint("kind IN ('recap', 'erratum')", name="kind"),
        sqlite_strict=True,
    )


def _proofs() -> None:
    op.create_table(
        "proof",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest_hash", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *_answer(),
        sqlite_strict=True,
    )
    op.create_index("ix_proof_digest", "proof", ["digest_hash"])


def _resent() -> None:
    op.create_table(
        "resent",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issue.id"), nullable=False),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscriber.id"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        *_answer(),
        sqlite_strict=True,
    )
    op.create_index("ix_resent_issue", "resent", ["issue_id", "subscriber_id"])


def _answer() -> tuple[sa.Column[str], sa.Column[int], sa.Column[str], sa.CheckConstraint]:
    """What a mail server said, word for word."""
    return (
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("reply", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("outcome IN ('accepted', 'deferred', 'refused', 'unknown')", name="outcome"),
    )


def _life() -> None:
    op.add_column("edition", sa.Column("posts_from", INSTANT))
    op.add_column("delivery", sa.Column("settled_at", INSTANT))
    op.add_column("beat", sa.Column("every", sa.Integer, nullable=False, server_default=sa.text("30")))
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
