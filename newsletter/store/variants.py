"""Which segments of an issue each reader gets: from what the ledger says they were sent, never by watching them.

Asked for a few hundred readers at a time: to which of them did each issue come that carried a post which a segment is
about? The rest follows from the issues, and `Segment.concerns`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    func,
    select,
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
    carried = _carried(connection, segments)
    came = _came(connection, carried, subscriber_ids[0], subscriber_ids[-1])
    known: dict[tuple[int, ...], tuple[str, ...]] = {}  # readers who were sent the same issues get the same
    found = {}
    for reader in subscriber_ids:
        issues = tuple(each for each, readers in came.items() if reader in readers)
        if issues not in known:
            known[issues] = _chosen(segments, [carried[each] for each in issues])
        found[reader] = known[issues]
    return found


def _chosen(segments: Sequence[Segment], sent: Iterable[Mapping[str, int]]) -> tuple[str, ...]:
    """What a reader gets who was sent these posts, with how many corrections."""
    had: dict[str, int] = {}
    for posts in sent:
        had |= {post: max(corrections, had.get(post, 0)) for post, corrections in posts.items()}
    return tuple(sorted(each.key for each in segments if each.concerns(had)))


def _carried(connection: Connection, segments: Sequence[Segment]) -> Mapping[int, Mapping[str, int]]:
    """The issues that carried what the segments are about: id -> those posts, and the corrections in their text."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_CARRIED, {"posts": sorted({each.post_id for each in segments})}):
        found[row.issue_id][row.post_id] = row.corrections
    return found


def _came(connection: Connection, issues: Iterable[int], first: int, last: int) -> Mapping[int, set[int]]:
    """Which readers of a range each of these issues came to, or may have."""
    came = {}
    for each in issues:
        asked = {"the_issue": each, "first": first, "last": last}
        came[each] = {*connection.scalars(_SENT, asked), *connection.scalars(_SENT_AGAIN, asked)}
    return came


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

_CARRIED = select(issue_post.c.issue_id, issue_post.c.post_id, issue_post.c.corrections).where(
    issue_post.c.post_id.in_(bindparam("posts", expanding=True))
)


def _range(sent: Table, *came: ColumnElement[bool]) -> Select[tuple[int]]:
    reader = sent.c.subscriber_id
    within = reader.between(bindparam("first"), bindparam("last"))
    return select(reader).where(sent.c.issue_id == bindparam("the_issue"), within, *came)


_SENT = _range(delivery, delivery.c.state.in_([DeliveryState.ACCEPTED.value, DeliveryState.UNCERTAIN.value]))
_SENT_AGAIN = _range(resent, resent.c.outcome.in_([Outcome.ACCEPTED.value, Outcome.UNKNOWN.value]))

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
