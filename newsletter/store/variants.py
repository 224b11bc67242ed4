"""Which segments of an issue each reader gets: from what the ledger says they were sent, never by watching them.

One question for a few hundred readers: which of the posts that segments are about was each of them sent, and how
many corrections did that text tell of? `Segment.concerns` says the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    func,
    select,
    union_all,
)

from newsletter.model import Addressee, DeliveryState, Outcome, Segment, SubscriberStatus
from newsletter.store.rows import Part
from newsletter.store.tables import delivery, issue, issue_post, resent, subscriber


def variants(
    connection: Connection, segments: Sequence[Segment], subscriber_ids: Sequence[int]
) -> Mapping[int, tuple[str, ...]]:
    """Keys of the segments by reader, sorted; who gets none may be missing. `subscriber_ids` is in order."""
    if not (segments and subscriber_ids):
        return {}
    had = _had(connection, segments, subscriber_ids)
    return {each: chosen(segments, had.get(each, {})) for each in subscriber_ids}


def chosen(segments: Sequence[Segment], had: Mapping[str, int]) -> tuple[str, ...]:
    """What a reader gets who was sent these posts."""
    return tuple(sorted(each.key for each in segments if each.concerns(had)))


def _had(
    connection: Connection, segments: Sequence[Segment], subscriber_ids: Sequence[int]
) -> Mapping[int, Mapping[str, int]]:
    asked = {
        "posts": sorted({each.post_id for each in segments}),
        "first": subscriber_ids[0],
        "last": subscriber_ids[-1],
    }
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_SENT, asked):
        had = found[row.subscriber_id]
        had[row.post_id] = max(row.corrections, had.get(row.post_id, 0))
    return found


class Variants(Part):
    def readers(self, edition: str, segments: Sequence[Segment]) -> Iterator[Sequence[Addressee]]:
        """As `ports.Ledger` says."""
        after = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(_ACTIVE, {"edition": edition, "after": after}).all()
                told = variants(connection, segments, [row.subscriber_id for row in rows])
            if not rows:
                return
            yield [_addressee(row, told.get(row.subscriber_id, ())) for row in rows]
            after = rows[-1].subscriber_id

    def variant(self, segments: Sequence[Segment], subscriber_id: int) -> tuple[str, ...]:
        """As `ports.Ledger` says."""
        with self._database.read() as connection:
            return variants(connection, segments, [subscriber_id]).get(subscriber_id, ())

    def variants(self, edition: str, number: int) -> Mapping[tuple[str, ...], int]:
        """As `ports.Ledger` says."""
        counted = (
            select(delivery.c.variant, func.count())
            .join(issue, issue.c.id == delivery.c.issue_id)
            .where(issue.c.edition == edition, issue.c.number == number)
            .group_by(delivery.c.variant)
            .order_by(func.count().desc(), delivery.c.variant)
        )
        with self._database.read() as connection:
            return {tuple(keys.split()): count for keys, count in connection.execute(counted)}


def _addressee(row: Row[Any], variant: tuple[str, ...]) -> Addressee:
    return Addressee(row.subscriber_id, row.address, row.joined_at, row.token_version, variant=variant)


# The statements, spelled out once: building one costs more than running it.

_POSTS = issue_post.c.post_id.in_(bindparam("posts", expanding=True))
_ARRIVED = [each.value for each in (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)]
_TAKEN = [each.value for each in (Outcome.ACCEPTED, Outcome.UNKNOWN)]


def _carried(sent: Table, *came: ColumnElement[bool]) -> Select[tuple[int, str, int]]:
    """The posts of the issues that came to readers by rows of this table."""
    reader = sent.c.subscriber_id
    return (
        select(reader, issue_post.c.post_id, issue_post.c.corrections)
        .select_from(issue_post.join(sent, sent.c.issue_id == issue_post.c.issue_id))
        .where(_POSTS, reader.between(bindparam("first"), bindparam("last")), *came)
    )


_SENT: CompoundSelect[tuple[int, str, int]] = union_all(
    _carried(delivery, delivery.c.state.in_(_ARRIVED)),
    _carried(resent, resent.c.outcome.in_(_TAKEN)),
)

_BATCH = 500
_ACTIVE = (
    select(subscriber.c.id.label("subscriber_id"), subscriber.c.address, subscriber.c.joined_at)
    .add_columns(subscriber.c.token_version)
    .where(
        subscriber.c.edition == bindparam("edition"),
        subscriber.c.status == SubscriberStatus.ACTIVE.value,
        subscriber.c.id > bindparam("after"),
    )
    .order_by(subscriber.c.id)
    .limit(_BATCH)
)
