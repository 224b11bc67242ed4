"""The schema, once for SQLite and PostgreSQL: what may be repeated is decided here and nowhere else.

Times are integers, milliseconds since 1970 in UTC; words such as states are TEXT with a CHECK; ids of readers
are never reused, since they stand in the links of old mails. On SQLite every table is STRICT.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from newsletter.model import (
    ConsentKind,
    DeliveryState,
    IssueState,
    LetterKind,
    NoticeKind,
    NoticeState,
    Outcome,
    PlanKind,
    ReviewAct,
    SegmentKind,
    SlotOutcome,
    SubscriberStatus,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """Since 1970 UTC, rounded down. Raises ValueError for a naive datetime."""
    if at.utcoffset() is None:
        raise ValueError(f"a time without a zone cannot be stored: {at.isoformat()}")
    return (at - _EPOCH) // _TICK


def instant(kept: int) -> datetime:
    """The datetime in UTC that was kept as these milliseconds."""
    return _EPOCH + kept * _TICK


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as whole milliseconds since 1970 UTC (rounded down) and given back in UTC.

    Raises ValueError for a naive datetime: which instant it means is anybody's guess.
    """

    impl = BigInteger().with_variant(Integer(), "sqlite")  # STRICT tables know INTEGER only
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else instant(value)


Line = BigInteger().with_variant(Integer(), "sqlite")
"""The number of a line in a table that only grows."""


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(word.value) for word in words)})", name=column)


def _blank(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

edition = Table(
    "edition",
    metadata,
    Column("name", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("posts_from", Instant),  # posts of earlier times count as carried; none: reckoned from the first slot
    sqlite_strict=True,
)

issue = Table(
    "issue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("slot_key", Text, nullable=False),
    Column("slot_due", Instant, nullable=False),
    Column("slot_zone", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    _blank("reason"),
    Column("ready_at", Instant),
    Column("send_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    _blank("sent_by"),
    Column("audience", Integer, nullable=False, server_default=text("0")),
    # How far the audience is written: as of when, how many, up to which reader, and who was the last.
    Column("audience_at", Instant),
    Column("audience_expected", Integer),
    Column("audience_upto", Integer),
    Column("audience_cursor", Integer),
    Column("audience_frozen_at", Instant),
    Column("audience_opens_at", Instant),  # for all but the first readers, whom it is tried on; none: for all at once
    UniqueConstraint("edition", "number"),
    _one_of("state", IssueState),
    sqlite_strict=True,
)

slot = Table(
    "slot",
    metadata,
    Column("edition", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("due", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    _blank("reason"),
    Column("issue_id", Integer, ForeignKey("issue.id")),
    PrimaryKeyConstraint("edition", "key"),
    _one_of("outcome", SlotOutcome),
    sqlite_strict=True,
)

slot_plan = Table(
    "slot_plan",
    metadata,
    Column("edition", Text, nullable=False),
    Column("key", Text, nullable=False),  # of a slot, or `all`
    Column("kind", Text, nullable=False),
    Column("moved_to", Instant),
    _blank("reason"),
    Column("who", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("edition", "key", "kind"),
    _one_of("kind", PlanKind),
    sqlite_strict=True,
)

instance = Table(
    "instance",
    metadata,
    Column("mark", Text, primary_key=True),
    sqlite_strict=True,
)

issue_post = Table(
    "issue_post",
    metadata,
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("edition", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("carried", Integer, nullable=False, server_default=text("1")),  # 0: cancelled in time, back in the pool
    Column("corrections", Integer, nullable=False, server_default=text("0")),  # that the text told of already
    PrimaryKeyConstraint("issue_id", "position"),
    CheckConstraint("carried IN (0, 1)", name="carried"),
    sqlite_strict=True,
)
Index(
    "uq_issue_post_carried",
    issue_post.c.edition,
    issue_post.c.post_id,
    unique=True,
    sqlite_where=text("carried = 1"),
    postgresql_where=text("carried = 1"),
)

digest = Table(
    "digest",
    metadata,
    Column("issue_id", Integer, ForeignKey("issue.id"), primary_key=True),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest_hash", Text, nullable=False),
    sqlite_strict=True,
)

segment = Table(
    "segment",
    metadata,
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("correction", Integer, nullable=False, server_default=text("0")),  # of that post, numbered from 1
    # Of a story: its topics (keys, with a blank between), and what the mail says where it is the first.
    _blank("topics"),
    Column("minutes", Integer, nullable=False, server_default=text("0")),
    _blank("subject"),
    _blank("preheader"),
    _blank("title"),
    PrimaryKeyConstraint("issue_id", "key"),
    _one_of("kind", SegmentKind),
    sqlite_strict=True,
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False),  # as its owner writes it
    Column("folded", Text, nullable=False),  # without case: Ada@x and ada@x are one reader
    Column("status", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("joined_at", Instant, nullable=False),
    Column("left_at", Instant),
    Column("token_version", Integer, nullable=False, server_default=text("1")),
    Column("owed_from", Instant),
    Column("paused_until", Instant),
    _blank("without"),  # topics that this reader does not want, with a blank between
    Column("plain", Integer, nullable=False, server_default=text("0")),
    _blank("why"),  # they left, if they said so
    UniqueConstraint("folded"),
    _one_of("status", SubscriberStatus),
    Index("ix_subscriber_audience", "edition", "status", "id"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

_PAUSED, _UNCONFIRMED = text("status = 'paused'"), text("status = 'unconfirmed'")
Index("ix_subscriber_pause", subscriber.c.paused_until, sqlite_where=_PAUSED, postgresql_where=_PAUSED)
Index("ix_subscriber_asked", subscriber.c.joined_at, sqlite_where=_UNCONFIRMED, postgresql_where=_UNCONFIRMED)

consent = Table(
    "consent",
    metadata,
    Column("id", Line, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("way", Text, nullable=False),
    _blank("text"),
    _blank("page"),
    _blank("network"),
    _blank("text_hash"),
    _blank("address"),
    _one_of("kind", ConsentKind),
    sqlite_strict=True,
)

SIGNUPS = text("kind = 'asked' AND way IN ('form', 'embed')")
"""Sign-ups by the pages, in the very words of the index, which SQLite uses for no others."""

Index("ix_consent_signups", consent.c.at, sqlite_where=SIGNUPS, postgresql_where=SIGNUPS)

suppression = Table(
    "suppression",
    metadata,
    Column("hash", Text, primary_key=True),  # keyed, of an address without case; it outlives the reader's row
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_strict=True,
)

rate = Table(
    "rate",
    metadata,
    Column("key", Text, primary_key=True),  # what is limited, as a keyed hash where it is an address or a network
    Column("full_at", Instant, nullable=False),  # the theoretical arrival time of GCRA
    sqlite_strict=True,
)
Index("ix_rate_full_at", rate.c.full_at)

throttle = Table(
    "throttle",
    metadata,
    Column("key", Text, primary_key=True),  # what is throttled: a relay, a provider's mailboxes, a day
    Column("full_at", Instant),  # the theoretical arrival time of GCRA
    Column("taken", Integer, nullable=False, server_default=text("0")),  # Messages that a day has taken
    Column("pace", Integer),  # microseconds between two, since somebody asked for less; none: as configured
    Column("paced_at", Instant),  # when `pace` changed last
    sqlite_strict=True,
)

letter = Table(
    "letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    _blank("reason"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("first_at", Instant),
    Column("next_at", Instant),
    Column("code", Integer),
    _blank("reply"),
    Column("done_at", Instant),
    _blank("content"),  # the digest of a catch-up, as JSON
    _one_of("kind", LetterKind),
    _one_of("state", DeliveryState),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

OPEN_LETTERS = "ix_letter_open"
"""The index of what is still to be handed over, named in the queries that are asked every second."""

Index(
    OPEN_LETTERS,
    letter.c.state,
    letter.c.next_at,
    sqlite_where=text("state IN ('waiting', 'sending')"),
    postgresql_where=text("state IN ('waiting', 'sending')"),
)

MOVES = text("kind = 'move'")
"""Letters that ask for another address, in the very words of the index."""

Index("ix_letter_moves", letter.c.at, sqlite_where=MOVES, postgresql_where=MOVES)

letter_post = Table(
    "letter_post",
    metadata,
    Column("letter_id", Integer, ForeignKey("letter.id"), nullable=False),
    Column("post_id", Text, nullable=False),
    Column("corrections", Integer, nullable=False, server_default=text("0")),  # that the text told of already
    PrimaryKeyConstraint("letter_id", "post_id"),
    sqlite_strict=True,
)
Index("ix_letter_post_post", letter_post.c.post_id)

import_run = Table(
    "import_run",
    metadata,
    Column("key", Text, primary_key=True),  # hash of the file and of what was said about it
    Column("name", Text, nullable=False),
    Column("at", Instant, nullable=False),  # of the last step
    Column("rows", Integer, nullable=False),
    Column("fates", Text, nullable=False),  # what became of them, as JSON
    Column("rejected", Integer, nullable=False),
    sqlite_strict=True,
)

chunk = Table(
    "chunk",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False, index=True),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("provider", Text, nullable=False, server_default=text("'other'")),  # whose mailboxes its readers have
    Column("opens_at", Instant),  # nothing of it is claimed before
    _blank("worker"),  # who of many holds it; on SQLite the one sender holds all, and nobody is named
    sqlite_strict=True,
)

worker = Table(
    "worker",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", Instant, nullable=False),  # by the clock of the database, which all ask
    Column("connections", Integer, nullable=False),
    _blank("queues"),  # with a blank between; none for a process that sends only as long as no worker does
    sqlite_strict=True,
)

HELD = text("worker <> ''")
Index("ix_chunk_held", chunk.c.worker, sqlite_where=HELD, postgresql_where=HELD)

delivery = Table(
    "delivery",
    metadata,
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False),
    Column("chunk_id", Integer, ForeignKey("chunk.id")),  # none for a row that was dropped before it had one
    Column("state", Text, nullable=False),
    _blank("reason"),
    Column("epoch", Integer, nullable=False, server_default=text("0")),  # of the claim that holds the row
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("first_at", Instant),
    Column("next_at", Instant),
    Column("code", Integer),
    _blank("reply"),
    Column("done_at", Instant),
    _blank("variant"),  # what departs from the usual for this reader, in order, with a blank between
    Column("settled_at", Instant),  # when a person left a doubtful one as it is
    PrimaryKeyConstraint("issue_id", "subscriber_id"),
    _one_of("state", DeliveryState),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

WAITING = "ix_delivery_waiting"
"""The index that claims go through; named in the queries, since SQLite would walk the primary key instead."""

IN_FLIGHT = "ix_delivery_in_flight"
"""The index that finds what a crash left behind without reading the years before it."""

Index(
    WAITING,
    delivery.c.chunk_id,
    delivery.c.next_at,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index(
    IN_FLIGHT,
    delivery.c.chunk_id,
    delivery.c.state,
    sqlite_where=text("state IN ('claimed', 'sending')"),
    postgresql_where=text("state IN ('claimed', 'sending')"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Line, primary_key=True),
    Column("issue_id", Integer, nullable=False),
    Column("subscriber_id", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Integer),
    _blank("reply"),
    ForeignKeyConstraint(["issue_id", "subscriber_id"], ["delivery.issue_id", "delivery.subscriber_id"]),
    Index("ix_attempt_delivery", "issue_id", "subscriber_id"),
    sqlite_strict=True,
)

proof = Table(
    "proof",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the issue; it need not be made yet
    Column("digest_hash", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Integer),
    _blank("reply"),
    _one_of("outcome", Outcome),
    Index("ix_proof_digest", "digest_hash"),
    sqlite_strict=True,
)

resent = Table(
    "resent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", Integer, ForeignKey("issue.id"), nullable=False),
    Column("subscriber_id", Integer, ForeignKey("subscriber.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Integer),
    _blank("reply"),
    _blank("variant"),  # in which the copy was made
    _one_of("outcome", Outcome),
    Index("ix_resent_issue", "issue_id", "subscriber_id"),
    sqlite_strict=True,
)

editor_note = Table(
    "editor_note",
    metadata,
    Column("issue_id", Integer, ForeignKey("issue.id"), primary_key=True),
    Column("text", Text, nullable=False),
    sqlite_strict=True,
)

version = Table(
    "version",
    metadata,
    Column("post_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
    PrimaryKeyConstraint("post_id", "number"),
    UniqueConstraint("post_id", "content_hash"),
    sqlite_strict=True,
)

review_step = Table(
    "review_step",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("post_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("version", Integer, nullable=False),
    _blank("note"),
    _one_of("act", ReviewAct),
    ForeignKeyConstraint(["post_id", "version"], ["version.post_id", "version.number"]),
    Index("ix_review_step_post", "post_id"),
    sqlite_strict=True,
)

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("about", Text, nullable=False),
    Column("content", Text, nullable=False),  # what is told, as JSON
    _blank("mark"),
    UniqueConstraint("key"),
    _one_of("kind", NoticeKind),
    Index("ix_notice_about", "kind", "about"),
    sqlite_strict=True,
)

notice_copy = Table(
    "notice_copy",
    metadata,
    Column("notice_id", Integer, ForeignKey("notice.id"), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at", Instant),
    _blank("reply"),
    Column("done_at", Instant),
    PrimaryKeyConstraint("notice_id", "recipient"),
    _one_of("state", NoticeState),
    sqlite_strict=True,
)
Index(
    "ix_notice_copy_open",
    notice_copy.c.state,
    sqlite_where=text("state IN ('waiting', 'sending')"),
    postgresql_where=text("state IN ('waiting', 'sending')"),
)

waiver = Table(
    "waiver",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("finding", Text, nullable=False),
    Column("digest_hash", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("edition", "number", "code", "finding"),
    sqlite_strict=True,
)

beat = Table(
    "beat",
    metadata,
    Column("process", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("every", Integer, nullable=False, server_default=text("30")),  # seconds until the next one is due
    sqlite_strict=True,
)

log = Table(
    "log",
    metadata,
    Column("id", Line, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    _blank("before"),
    _blank("after"),
    _blank("note"),
    Column("issue_id", Integer),  # of a Turn, whose states `before` and `after` are
    sqlite_strict=True,
)
