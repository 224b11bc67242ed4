"""The first schema: issues, readers, deliveries, the log. Revision 0001."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from newsletter.store.migrations.seals import seal

revision = "0001"
down_revision = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds since 1970 UTC

APPEND_ONLY = ("consent", "attempt", "log")


def upgrade() -> None:
    _issues()
    _readers()
    _deliveries()
    _signs()
    for table in APPEND_ONLY:
        seal(table, "UPDATE")
        seal(table, "DELETE")


def _table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> None:
    op.create_table(name, *parts, sqlite_strict=True, **options)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _blank(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _number(name: str, start: str | None = None) -> sa.Column[int]:
    default = None if start is None else sa.text(start)
    return sa.Column(name, sa.Integer, nullable=False, server_default=default)


def _id(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True)


def _line() -> sa.Column[int]:
    """The number of a line in a table that only grows."""
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


def _ref(name: str, target: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=optional)


def _at(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, INSTANT, nullable=optional)


def _one_of(column: str, words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _partial_index(name: str, table: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _issues() -> None:
    _table("edition", sa.Column("name", sa.Text, primary_key=True), _at("started_at"))
    _table(
        "issue",
        _id(),
        _text("edition"),
        _number("number"),
        _text("slot_key"),
        _at("slot_due"),
        _text("slot_zone"),
        _text("state"),
        _text("subject"),
        _text("preheader"),
        _blank("reason"),
        *(_at(name, optional=True) for name in ("ready_at", "send_at", "started_at", "finished_at")),
        _blank("sent_by"),
        _number("audience", "0"),
        _at("audience_at", optional=True),
        *(sa.Column(f"audience_{name}", sa.Integer) for name in ("expected", "upto", "cursor")),
        _at("audience_frozen_at", optional=True),
        sa.UniqueConstraint("edition", "number"),
        _one_of("state", "draft ready sending sent held paused needs-attention cancelled web-only skipped"),
    )
    _table(
        "slot",
        _text("edition"),
        _text("key"),
        _at("due"),
        _text("outcome"),
        _blank("reason"),
        _ref("issue_id", "issue.id", optional=True),
        sa.PrimaryKeyConstraint("edition", "key"),
        _one_of("outcome", "issued coalesced empty held skipped"),
    )
    _stories()


def _stories() -> None:
    _table(
        "issue_post",
        _ref("issue_id", "issue.id"),
        _number("position"),
        *(_text(name) for name in ("edition", "post_id", "content_hash", "slug", "title")),
        _number("carried", "1"),
        sa.PrimaryKeyConstraint("issue_id", "position"),
        sa.CheckConstraint("carried IN (0, 1)", name="carried"),
    )
    _partial_index("uq_issue_post_carried", "issue_post", ["edition", "post_id"], "carried = 1", unique=True)
    _table(
        "digest",
        sa.Column("issue_id", sa.Integer, sa.ForeignKey("issue.id"), primary_key=True),
        _text("html"),
        _text("text"),
        _text("digest_hash"),
    )


def _readers() -> None:
    _table(
        "subscriber",
        _id(),
        _text("address"),
        _text("folded"),
        _text("status"),
        _text("edition"),
        _at("joined_at"),
        _at("left_at", optional=True),
        _number("token_version", "1"),
        sa.UniqueConstraint("folded"),
        _one_of("status", "unconfirmed active paused left blocked"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriber_audience", "subscriber", ["edition", "status", "id"])
    _table(
        "consent",
        _line(),
        _ref("subscriber_id", "subscriber.id"),
        _at("at"),
        _text("kind"),
        _text("way"),
        _blank("text"),
        _one_of("kind", "joined left returned"),
    )
    op.create_index("ix_consent_subscriber_id", "consent", ["subscriber_id"])


def _deliveries() -> None:
    _table("chunk", _id(), _ref("issue_id", "issue.id"), _number("epoch", "0"))
    op.create_index("ix_chunk_issue_id", "chunk", ["issue_id"])
    _table(
        "delivery",
        _ref("issue_id", "issue.id"),
        _ref("subscriber_id", "subscriber.id"),
        _ref("chunk_id", "chunk.id", optional=True),
        _text("state"),
        _blank("reason"),
        _number("epoch", "0"),
        _number("attempts", "0"),
        _at("first_at", optional=True),
        _at("next_at", optional=True),
        sa.Column("code", sa.Integer),
        _blank("reply"),
        _at("done_at", optional=True),
        sa.PrimaryKeyConstraint("issue_id", "subscriber_id"),
        _one_of("state", "waiting claimed sending accepted failed uncertain dropped"),
        sqlite_with_rowid=False,
    )
    _partial_index("ix_delivery_waiting", "delivery", ["chunk_id", "next_at"], "state = 'waiting'")
    _partial_index("ix_delivery_in_flight", "delivery", ["chunk_id", "state"], "state IN ('claimed', 'sending')")
    _table(
        "attempt",
        _line(),
        _number("issue_id"),
        _number("subscriber_id"),
        _at("at"),
        _text("outcome"),
        sa.Column("code", sa.Integer),
        _blank("reply"),
        sa.ForeignKeyConstraint(["issue_id", "subscriber_id"], ["delivery.issue_id", "delivery.subscriber_id"]),
    )
    op.create_index("ix_attempt_delivery", "attempt", ["issue_id", "subscriber_id"])


def _signs() -> None:
    _table("beat", sa.Column("process", sa.Text, primary_key=True), _at("at"))
    _table(
        "log",
        _line(),
        _at("at"),
        *(_text(name) for name in ("who", "channel", "action", "object")),
        _blank("before"),
        _blank("after"),
    )
