"""The turns in an issue's life that a person or the clock decides, from ready to sent.

All pass through `acts.act`, which writes them down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from newsletter import words
from newsletter.model import NO_UTF8, DeliveryState, Hand, Issue, IssueAct, IssueState, SlotOutcome, by_clock
from newsletter.store import tables
from newsletter.store.acts import act
from newsletter.store.anew import reckon
from newsletter.store.audience import forget
from newsletter.store.rows import Part, in_flight, issue_id, read_issues, word
from newsletter.store.tables import IN_FLIGHT, WAITING, chunk, delivery, issue, issue_post

RETRYABLE = (
    (delivery.c.state == DeliveryState.FAILED.value)
    & (delivery.c.reason != NO_UTF8)
    & or_(delivery.c.code.is_(None), delivery.c.code < 500)
)
"""Failed, but not because the reader's mail server said never, or ours cannot be told the address."""

DOUBTFUL = or_(delivery.c.state == DeliveryState.UNCERTAIN.value, RETRYABLE) & delivery.c.settled_at.is_(None)
"""What a person has still to decide about."""


class Lifecycle(Part):
    def schedule_send(self, edition: str, number: int, *, at: datetime, hand: Hand, note: str = "") -> bool:
        """As `ports.Ledger` says. What waits for its slot can be brought forward; what a hand sent cannot be again."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            free = or_(issue.c.send_at.is_(None), issue.c.sent_by == "") & issue.c.audience_at.is_(None)
            intended = act(
                connection,
                found,
                IssueAct.SEND,
                hand,
                free,
                to=IssueState.READY,
                note=note,
                reason="",
                send_at=at,
                sent_by=hand.who,
            )
            if intended:
                _tell_slot(connection, found, outcome=SlotOutcome.ISSUED.value, reason="")
            return intended

    def hold(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        """As `ports.Ledger` says; an audience that was begun is called off, and the intent to send is gone."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            away = {"reason": reason, "send_at": None, "sent_by": ""}
            held = act(connection, found, IssueAct.HOLD, hand, to=IssueState.HELD, note=reason, **away)
            if held:
                forget(connection, found)
                _tell_slot(connection, found, outcome=SlotOutcome.HELD.value, reason=reason)
            return held

    def pause(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            return act(connection, found, IssueAct.PAUSE, hand, to=IssueState.PAUSED, note=reason, reason=reason)

    def resume(self, edition: str, number: int, *, hand: Hand) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            return act(connection, found, IssueAct.RESUME, hand, to=IssueState.SENDING, reason="")

    def cancel(self, edition: str, number: int, *, reason: str, hand: Hand, free_slot: bool = False) -> int:
        """As `ports.Ledger` says; a finished issue stays as it is. Rows in flight end as their receipts say."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            ended = {"reason": reason, "finished_at": hand.at}
            if act(connection, found, IssueAct.CANCEL, hand, to=IssueState.CANCELLED, note=reason, **ended):
                forget(connection, found)
                _tell_slot(connection, found, reason=reason)
                _drop_waiting(connection, found, hand.at)
                if _return_posts(connection, found) and free_slot:
                    connection.execute(delete(tables.slot).where(_own_slot(found)))
            return _count(connection, found, _among(DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN))

    def let_go(self, edition: str, number: int, *, send_at: datetime | None, hand: Hand, note: str = "") -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            frozen = issue.c.state == IssueState.HELD.value
            goes = {"reason": "", "send_at": send_at, "sent_by": ""}
            gone = act(connection, found, IssueAct.READY, hand, frozen, to=IssueState.READY, note=note, **goes)
            if gone:
                _tell_slot(connection, found, outcome=SlotOutcome.ISSUED.value, reason="")
            return gone

    def unready(self, edition: str, number: int, *, reason: str, hand: Hand, free_slot: bool) -> bool:
        """As `ports.Ledger` says. Its row stays, and with it its number: what is made ready next takes both."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            blank = {"reason": reason, "ready_at": None, "send_at": None, "sent_by": "", "subject": "", "preheader": ""}
            thawed = act(connection, found, IssueAct.UNREADY, hand, to=IssueState.DRAFT, note=reason, **blank)
            if thawed:
                forget(connection, found)
                for table in (tables.digest, tables.segment, tables.editor_note, issue_post):
                    connection.execute(delete(table).where(table.c.issue_id == found))
                if free_slot:
                    connection.execute(delete(tables.slot).where(_own_slot(found)))
                else:
                    _tell_slot(connection, found, outcome=SlotOutcome.HELD.value, reason=reason or "thawed")
            return thawed

    def skip(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            ended = {"reason": reason, "finished_at": hand.at, "send_at": None}
            skipped = act(connection, found, IssueAct.SKIP, hand, to=IssueState.SKIPPED, note=reason, **ended)
            if skipped:
                _return_posts(connection, found)
                _tell_slot(connection, found, outcome=SlotOutcome.SKIPPED.value, reason=reason)
            return skipped

    def web_only(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            free = ~_carried_elsewhere(found)
            ended = {"reason": reason, "finished_at": hand.at, "send_at": None}
            shown = act(connection, found, IssueAct.WEB_ONLY, hand, free, to=IssueState.WEB_ONLY, note=reason, **ended)
            if shown:
                forget(connection, found)
                connection.execute(update(issue_post).where(issue_post.c.issue_id == found).values(carried=1))
                _tell_slot(connection, found, outcome=SlotOutcome.ISSUED.value, reason="on the web only")
            return shown

    def settle(self, edition: str, number: int, readers: Collection[int] | None, *, again: bool, hand: Hand) -> int:
        """As `ports.Ledger` says. The attempts so far stay on record; a delivery that goes again counts them anew."""
        those = DOUBTFUL if readers is None else DOUBTFUL & delivery.c.subscriber_id.in_(readers)
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            state = connection.scalar(select(issue.c.state).where(issue.c.id == found))
            if state not in IssueAct.SETTLE.turns[0]:
                return 0
            change = AGAIN if again else {"settled_at": hand.at}
            dropped = reckon(connection, found, those, hand.at) if again else 0
            settled = dropped + _change(connection, found, those, change)
            if settled:
                note = words.count(settled, "delivery", "deliveries") + (" again" if again else " left as they are")
                to, ended = _after(connection, found, IssueState(state), again=again)
                act(connection, found, IssueAct.SETTLE, hand, to=to, note=note, **ended)
            return settled

    def retry(self, edition: str, number: int, *, hand: Hand) -> int:
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            state = connection.scalar(select(issue.c.state).where(issue.c.id == found))
            if state not in IssueAct.RETRY.turns[0]:
                return 0
            dropped = reckon(connection, found, RETRYABLE & DOUBTFUL, hand.at)
            again = dropped + _change(connection, found, RETRYABLE & DOUBTFUL, AGAIN)  # what was settled is settled
            if again:
                to, ended = _after(connection, found, IssueState(state), again=True)
                note = words.count(again, "delivery", "deliveries")
                act(connection, found, IssueAct.RETRY, hand, to=to, note=note, **ended)
            return again

    def finish(self, edition: str, number: int, *, now: datetime) -> Issue:
        """As `ports.Ledger` says. It needs attention when a delivery is uncertain, or failed in a way that may pass."""
        with self._database.write() as connection:
            found = issue_id(connection, edition, number)
            if not connection.scalar(select(_is_open(found))):
                end = IssueState.NEEDS_ATTENTION if _count(connection, found, DOUBTFUL) else IssueState.SENT
                act(connection, found, IssueAct.FINISH, by_clock(now), to=end, finished_at=now)
            return read_issues(connection, issue.c.id == found)[0]


AGAIN: Mapping[str, object] = {
    "state": DeliveryState.WAITING.value,
    "reason": "",
    "attempts": 0,
    "first_at": None,
    "next_at": None,
    "done_at": None,
    "settled_at": None,
}
"""A delivery that goes once more, as if for the first time."""


def _change(connection: Connection, issue_id: int, those: ColumnElement[bool], change: Mapping[str, object]) -> int:
    rows = update(delivery).where(delivery.c.issue_id == issue_id, those).values(change)
    return len(connection.execute(rows.returning(delivery.c.subscriber_id)).all())


def _after(
    connection: Connection, issue_id: int, state: IssueState, *, again: bool
) -> tuple[IssueState, dict[str, object]]:
    """Where an issue stands whose doubts were decided: one that was over goes on, or is sent when none is left."""
    if state is not IssueState.NEEDS_ATTENTION:
        return state, {}
    if again:
        return IssueState.SENDING, {"finished_at": None}
    return (state if _count(connection, issue_id, DOUBTFUL) else IssueState.SENT), {}


def _carried_elsewhere(issue_id: int) -> ColumnElement[bool]:
    """Whether a post of the issue is carried by another one by now."""
    other, own = issue_post.alias("other"), issue_post.alias("own")
    both = (other.c.edition == own.c.edition) & (other.c.post_id == own.c.post_id)
    return (
        select(own.c.issue_id)
        .join_from(own, other, both)
        .where(own.c.issue_id == issue_id, other.c.issue_id != issue_id, other.c.carried == 1)
        .exists()
    )


def _tell_slot(connection: Connection, issue_id: int, **values: str) -> None:
    connection.execute(update(tables.slot).where(_own_slot(issue_id)).values(**values))


def _own_slot(issue_id: int) -> ColumnElement[bool]:
    """The slot of the issue, not those that were missed before it."""
    return (tables.slot.c.issue_id == issue_id) & (tables.slot.c.outcome != SlotOutcome.COALESCED.value)


def _drop_waiting(connection: Connection, issue_id: int, now: datetime) -> None:
    connection.execute(
        update(delivery)
        .where(delivery.c.issue_id == issue_id, _among(DeliveryState.WAITING, DeliveryState.CLAIMED))
        .values(state=DeliveryState.DROPPED.value, reason="cancelled", next_at=None, done_at=now)
    )


def _return_posts(connection: Connection, issue_id: int) -> bool:
    """Unless a single hand-over was begun: then somebody may have read them. Whether they were returned."""
    in_hand = _among(DeliveryState.SENDING, DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN)
    if _count(connection, issue_id, or_(in_hand, delivery.c.attempts > 0)):
        return False
    connection.execute(update(issue_post).where(issue_post.c.issue_id == issue_id).values(carried=0))
    return True


def _is_open(issue_id: int) -> ColumnElement[bool]:
    """Whether something may still come of a delivery of the issue; asked in each round, so no row is read for it."""
    waiting, flying = delivery.alias("waiting"), delivery.alias("flying")
    each = select(chunk.c.id).where(chunk.c.issue_id == issue_id)
    waits = select(waiting.c.chunk_id).with_hint(waiting, f"INDEXED BY {WAITING}", "sqlite")
    flies = select(flying.c.chunk_id).with_hint(flying, f"INDEXED BY {IN_FLIGHT}", "sqlite")
    open_ones = (
        waits.where(waiting.c.chunk_id == chunk.c.id, waiting.c.state == word(DeliveryState.WAITING)).exists(),
        flies.where(flying.c.chunk_id == chunk.c.id, in_flight(flying)).exists(),
    )
    return each.where(or_(*open_ones)).exists()


def _among(*states: DeliveryState) -> ColumnElement[bool]:
    return delivery.c.state.in_([each.value for each in states])


def _count(connection: Connection, issue_id: int, condition: ColumnElement[bool]) -> int:
    rows = select(func.count()).select_from(delivery).where(delivery.c.issue_id == issue_id, condition)
    return connection.scalar(rows) or 0
