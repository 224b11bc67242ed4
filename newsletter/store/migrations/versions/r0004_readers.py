"""Readers: what they chose, how they agreed, whom never to mail, limits, and mails to one of them. Revision 0004."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from newsletter.store.migrations.seals import seal, unseal

revision = "0004"
down_revision = "0003"

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC

KINDS = "'asked', 'joined', 'chose', 'paused', 'resumed', 'moved', 'left', 'returned', 'blocked', 'unblocked'"
LETTERS = "'confirm', 'known', 'link', 'data', 'move', 'moved', 'catch-up'"
STATES = "'waiting', 'claimed', 'sending', 'accepted', 'failed', 'uncertain', 'dropped'"
STILL_HERE = "EXISTS (SELECT 1 FROM subscriber WHERE id = OLD.subscriber_id AND address <> '')"
OPEN = sa.text("state IN ('waiting', 'sending')")
MOVES = sa.text("kind = 'move'")
NOTICES = (
    "'preview', 'edited', 'started', 'held', 'late', 'paused', 'failures', 'stopped', 'empty', 'clock', 'locked', "
    "'mail', 'backup', 'intake'"
)


def upgrade() -> None:
    _subscribers()
    _segments()
    _consents()
    _attempts()
    _suppressions()
    _rates()
    _letters()
    _notices()
    _imports()


def _blank(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _subscribers() -> None:
    # Column by column: the table cannot be made anew while others refer to it.
    op.add_column("subscriber", sa.Column("owed_from", INSTANT))
    op.add_column("subscriber", sa.Column("paused_until", INSTANT))
    op.add_column("subscriber", _blank("without"))
    op.add_column("subscriber", sa.Column("plain", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("subscriber", _blank("why"))
    for name, column, status in (("pause", "paused_until", "paused"), ("asked", "joined_at", "unconfirmed")):
        where = sa.text(f"status = '{status}'")
        op.create_index(f"ix_subscriber_{name}", "subscriber", [column], sqlite_where=where, postgresql_where=where)
    op.execute("UPDATE subscriber SET owed_from = joined_at WHERE status <> 'unconfirmed'")


def _segments() -> None:
    """Stories are segments, too: made anew for another CHECK; no other table refers to it."""
    op.add_column("resent", _blank("variant"))
    op.execute("CREATE TABLE segment_before AS SELECT * FROM segment")
    op.drop_table("segment")
    op.create_table(
        "segment",
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issue.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("post_id", sa.Text, nullable=False),
        sa.Column("correction", sa.Integer, nullable=False, server_default=sa.text("0")),
        _blank("topics"),
        sa.Column("minutes", sa.Integer, nullable=False, server_default=sa.text("0")),
        *map(_blank, ("subject", "preheader", "title")),
        sa.PrimaryKeyConstraint("issue_id", "key"),
        sa.CheckConstraint("kind IN ('story', 'recap', 'erratum')", name="kind"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO segment (issue_id, key, kind, post_id, correction) "
        "SELECT issue_id, key, kind, post_id, correction FROM segment_before"
    )
    op.drop_table("segment_before")


def _consents() -> None:
    """A table with more columns and another CHECK, as SQLite wants it: made anew, its lines carried over."""
    op.execute("CREATE TABLE consent_before AS SELECT * FROM consent")
    op.drop_table("consent")  # its triggers go with it
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscriber.id"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        *map(_blank, ("text", "page", "network", "text_hash", "address")),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="kind"),
        sqlite_strict=True,
    )
    op.create_index("ix_consent_subscriber_id", "consent", ["subscriber_id"])
    op.execute(
        "INSERT INTO consent (id, subscriber_id, at, kind, way, text) "
        "SELECT id, subscriber_id, at, kind, way, text FROM consent_before"
    )
    op.drop_table("consent_before")
    signups = sa.text("kind = 'asked' AND way IN ('form', 'embed')")
    op.create_index("ix_consent_signups", "consent", ["at"], sqlite_where=signups, postgresql_where=signups)
    # Nobody changes a line, and lines go only with the address of the reader whom they are about.
    seal("consent", "UPDATE")
    seal("consent", "DELETE", STILL_HERE)


def _attempts() -> None:
    """The answers of mail servers name addresses: of a reader who was forgotten they may be blanked."""
    unseal("attempt", "UPDATE")
    seal("attempt", "UPDATE", STILL_HERE)


def _suppressions() -> None:
    op.create_table(
        "suppression",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sqlite_strict=True,
    )


def _imports() -> None:
    op.create_table(
        "import_run",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("fates", sa.Text, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sqlite_strict=True,
    )


def _rates() -> None:
    op.create_table(
        "rate",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("full_at", INSTANT, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_rate_full_at", "rate", ["full_at"])


def _letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscriber.id"), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _blank("reason"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("first_at", INSTANT),
        sa.Column("next_at", INSTANT),
        sa.Column("code", sa.Integer),
        _blank("reply"),
        sa.Column("done_at", INSTANT),
        _blank("content"),
        sa.CheckConstraint(f"kind IN ({LETTERS})", name="kind"),
        sa.CheckConstraint(f"state IN ({STATES})", name="state"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_letter_subscriber_id", "letter", ["subscriber_id"])
    op.create_index("ix_letter_open", "letter", ["state", "next_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_letter_moves", "letter", ["at"], sqlite_where=MOVES, postgresql_where=MOVES)
    op.create_table(
        "letter_post",
        sa.Column("letter_id", sa.Integer, sa.ForeignKey("letter.id"), nullable=False),
        sa.Column("post_id", sa.Text, nullable=False),
        sa.Column("corrections", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("letter_id", "post_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_letter_post_post", "letter_post", ["post_id"])


def _notices() -> None:
    """As `_consents`: another CHECK. Copies refer to notices, so both are made anew."""
    op.execute("CREATE TABLE notice_before AS SELECT * FROM notice")
    op.execute("CREATE TABLE notice_copy_before AS SELECT * FROM notice_copy")
    op.drop_table("notice_copy")
    op.drop_table("notice")
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        _blank("mark"),
        sa.UniqueConstraint("key"),
        sa.CheckConstraint(f"kind IN ({NOTICES})", name="kind"),
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
        _blank("reply"),
        sa.Column("done_at", INSTANT),
        sa.PrimaryKeyConstraint("notice_id", "recipient"),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'accepted', 'failed')", name="state"),
        sqlite_strict=True,
    )
    unsettled = sa.text("state IN ('waiting', 'sending')")
    op.create_index("ix_notice_copy_open", "notice_copy", ["state"], sqlite_where=unsettled, postgresql_where=unsettled)
    op.execute("INSERT INTO notice SELECT * FROM notice_before")
    op.execute("INSERT INTO notice_copy SELECT * FROM notice_copy_before")
    op.drop_table("notice_before")
    op.drop_table("notice_copy_before")
