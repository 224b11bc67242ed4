"""In which variant each reader gets an issue: from what they chose and what the ledger says they were sent, never by
watching them.

Asked for a few hundred readers at a time. In the usual case nobody chose and no other mail carried these posts: then
nothing is read but the readers themselves. Readers who chose alike and were sent the same get the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from newsletter.model import Addressee, DeliveryState, Outcome, Segment, SegmentKind, SubscriberStatus
from newsletter.segments import STORY
from newsletter.store.rows import Part
from newsletter.store.tables import delivery, issue, issue_post, letter, letter_post, resent, segment, subscriber
from newsletter.variants import HAD_ALL, NO_TOPIC, variant_for, why_nothing

Came = tuple[int, str]
"""An issue, and the variant in which it came."""

Read = tuple[str, int]
"""A post that came in a letter, and how many corrections its text told of."""


Reader = tuple[int, str, int]
"""Id, and what they chose: topics that they do not want, and whether they get the text alone."""

Like = tuple[tuple[Came, ...] | None, tuple[Read, ...] | None, str, int]
"""What a variant follows from: what came to a reader, and what they chose."""

_ANYBODY: Like = (None, None, "", 0)


class Choices:
    """What readers get of an issue with these parts; `besides` is the id of the issue itself, which is no reason."""

    def __init__(self, connection: Connection, parts: Sequence[Segment], *, besides: int | None = None) -> None:
        self._parts = parts
        self._sent = Sent(connection, {one.post_id for one in parts}, besides=besides)
        self._known: dict[Like, tuple[str, str]] = {}
        self.usual, _ = self._of(_ANYBODY)

    def of(self, connection: Connection, readers: Sequence[Reader]) -> Iterator[tuple[int, str, str]]:
        """Id, variant as it is kept, and why they are sent nothing, of readers that come in order of their ids."""
        if not readers:
            return
        came, read = self._sent.to(connection, readers[0][0], readers[-1][0])
        for reader, without, plain in readers:
            yield (reader, *self._of((came.get(reader), read.get(reader), without, plain)))

    def unusual(self, connection: Connection, *who: ColumnElement[bool]) -> Iterator[tuple[int, str, str]]:
        """The same of those among some readers who do not get what is `usual`; the others are not even read.

        It may name others beside them, to whom something came.
        """
        first, last = connection.execute(_ENDS.where(*who)).one()
        if first is None:
            return
        came, read = self._sent.to(connection, first, last)
        chose = {row.id: (row.without, row.plain) for row in connection.execute(_CHOSE.where(*who))}
        for reader in sorted({*came, *read, *chose}):
            variant, why = self._of((came.get(reader), read.get(reader), *chose.get(reader, ("", 0))))
            if why or variant != self.usual:
                yield reader, variant, why

    def _of(self, like: Like) -> tuple[str, str]:
        if like not in self._known:
            self._known[like] = self._chosen(*like)
        return self._known[like]

    def _chosen(
        self, came: tuple[Came, ...] | None, read: tuple[Read, ...] | None, without: str, plain: int
    ) -> tuple[str, str]:
        had, topics = self._sent.had(came or (), read or ()), without.split()
        variant = variant_for(self._parts, had, topics, plain=bool(plain))
        return " ".join(variant), why_nothing(self._parts, had, topics)


class Sent:
    """To whom some posts came: in which issues, in which letters, and what was left out of each for whom."""

    def __init__(self, connection: Connection, posts: Collection[str], *, besides: int | None = None) -> None:
        asked = {"posts": sorted(posts)}
        self._posts = asked["posts"]
        self._carried: defaultdict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
        for row in connection.execute(_CARRIED, asked):
            if row.issue_id != besides:
                self._carried[row.issue_id][row.post_id] = (row.corrections, row.key or "")
        self._in_letters = connection.scalar(_IN_A_LETTER, asked) is not None

    def to(
        self, connection: Connection, first: int, last: int
    ) -> tuple[Mapping[int, tuple[Came, ...]], Mapping[int, tuple[Read, ...]]]:
        """What came to each reader of a range, or may have, or is on its way; who was sent nothing is missing."""
        within = {"first": first, "last": last}
        came: defaultdict[int, tuple[Came, ...]] = defaultdict(tuple)
        for each in self._carried:
            for statement in (_SENT, _SENT_AGAIN):
                for reader, variant in connection.execute(statement, within | {"the_issue": each}):
                    left = variant if STORY in variant else ""  # else it does not matter here
                    came[reader] += ((each, left),)
        read: defaultdict[int, tuple[Read, ...]] = defaultdict(tuple)
        if self._in_letters:
            for reader, post, corrections in connection.execute(_IN_LETTERS, within | {"posts": self._posts}):
                read[reader] += ((post, corrections),)
        return came, read

    def had(self, came: Iterable[Came], read: Iterable[Read]) -> dict[str, int]:
        """The posts that came in these: id -> the most Corrections that a text of it told of."""
        found = [
            (post, corrections)
            for number, variant in came
            for post, (corrections, key) in self._carried[number].items()
            if not key or key not in variant.split()
        ]
        had: dict[str, int] = {}
        for post, corrections in (*found, *read):
            had[post] = max(corrections, had.get(post, 0))
        return had


class Variants(Part):
    def readers(
        self, edition: str, number: int, segments: Sequence[Segment]
    ) -> Iterator[Sequence[tuple[Addressee, str]]]:
        """As `ports.Ledger` says."""
        after = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(_ACTIVE, {"edition": edition, "after": after}).all()
                choices = Choices(connection, segments, besides=_id(connection, edition, number))
                told = list(choices.of(connection, [_choice(row) for row in rows]))
            if not rows:
                return
            yield [(_addressee(row, variant), why) for row, (_, variant, why) in zip(rows, told, strict=True)]
            after = rows[-1].id

    def variant(self, edition: str, number: int, segments: Sequence[Segment], subscriber_id: int) -> tuple[str, ...]:
        """As `ports.Ledger` says."""
        with self._database.read() as connection:
            rows = connection.execute(_ONE, {"reader": subscriber_id}).all()
            choices = Choices(connection, segments, besides=_id(connection, edition, number))
            return next(
                (tuple(variant.split()) for _, variant, _ in choices.of(connection, [_choice(row) for row in rows])), ()
            )

    def had(self, subscriber_id: int, posts: Collection[str]) -> Mapping[str, int]:
        """As `ports.Ledger` says."""
        with self._database.read() as connection:
            sent = Sent(connection, posts)
            came, read = sent.to(connection, subscriber_id, subscriber_id)
            return sent.had(came.get(subscriber_id, ()), read.get(subscriber_id, ()))

    def variants(self, edition: str, number: int) -> Mapping[tuple[str, ...], int]:
        """As `ports.Ledger` says."""
        counted = (
            select(delivery.c.variant, func.count())
            .join(issue, issue.c.id == delivery.c.issue_id)
            .where(issue.c.edition == edition, issue.c.number == number, delivery.c.reason.not_in(_NOTHING))
            .group_by(delivery.c.variant)
            .order_by(func.count().desc(), delivery.c.variant)
        )
        with self._database.read() as connection:
            return {tuple(keys.split()): count for keys, count in connection.execute(counted)}


def _id(connection: Connection, edition: str, number: int) -> int | None:
    made = select(issue.c.id).where(issue.c.edition == edition, issue.c.number == number)
    found: int | None = connection.scalar(made)
    return found


def _choice(row: Row[Any]) -> Reader:
    return (row.id, row.without, row.plain)


def _addressee(row: Row[Any], variant: str) -> Addressee:
    return Addressee(row.id, row.address, row.joined_at, row.token_version, variant=tuple(variant.split()))


_NOTHING = (NO_TOPIC, HAD_ALL)

# The statements, spelled out once: building one costs more than running it.

_POSTS: BindParameter[Any] = bindparam("posts", expanding=True)
_CARRIED = (
    select(issue_post.c.issue_id, issue_post.c.post_id, issue_post.c.corrections, segment.c.key)
    .outerjoin_from(
        issue_post,
        segment,
        and_(
            segment.c.issue_id == issue_post.c.issue_id,
            segment.c.post_id == issue_post.c.post_id,
            segment.c.kind == SegmentKind.STORY.value,
        ),
    )
    .where(issue_post.c.post_id.in_(_POSTS))
)


def _range(sent: Table, *came: ColumnElement[bool]) -> Select[int, str]:
    within = sent.c.subscriber_id.between(bindparam("first"), bindparam("last"))
    return select(sent.c.subscriber_id, sent.c.variant).where(sent.c.issue_id == bindparam("the_issue"), within, *came)


# What is on its way counts: who changed to another edition meanwhile would get it twice.
_LOST = (DeliveryState.FAILED.value, DeliveryState.DROPPED.value)
_SENT = _range(delivery, delivery.c.state.not_in(_LOST))
_SENT_AGAIN = _range(resent, resent.c.outcome.in_([Outcome.ACCEPTED.value, Outcome.UNKNOWN.value]))

_IN_A_LETTER = select(letter_post.c.letter_id).where(letter_post.c.post_id.in_(_POSTS)).limit(1)
_IN_LETTERS = (
    select(letter.c.subscriber_id, letter_post.c.post_id, letter_post.c.corrections)
    .join_from(letter, letter_post)
    .where(
        letter.c.subscriber_id.between(bindparam("first"), bindparam("last")),
        letter.c.state.not_in(_LOST),
        letter_post.c.post_id.in_(_POSTS),
    )
    .order_by(letter.c.id)
)

_ENDS = select(func.min(subscriber.c.id), func.max(subscriber.c.id))
_CHOSE = select(subscriber.c.id, subscriber.c.without, subscriber.c.plain).where(
    or_(subscriber.c.without != "", subscriber.c.plain != 0)
)

_BATCH = 500
_READER = select(subscriber.c.id, subscriber.c.address, subscriber.c.joined_at, subscriber.c.token_version).add_columns(
    subscriber.c.without, subscriber.c.plain
)
_ONE = _READER.where(subscriber.c.id == bindparam("reader"))
_ACTIVE = (
    _READER.where(
        subscriber.c.edition == bindparam("edition"),
        subscriber.c.status == SubscriberStatus.ACTIVE.value,
        subscriber.c.id > bindparam("after"),
    )
    .order_by(subscriber.c.id)
    .limit(_BATCH)
)
