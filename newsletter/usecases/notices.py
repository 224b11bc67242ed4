"""ledger | what happened | told once | handed over: what editors and operators hear of, without asking.

`tell` writes down what nobody was told yet, `hand_over` gives each copy to the mail server or the webhook. Both may be
called at any time and again: a fact has one key, and a copy is marked before it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from newsletter.delivery import notice as mails
from newsletter.errors import NewsletterError, Outside, Problem
from newsletter.issues import cadence as cadences
from newsletter.issues import notice as wording
from newsletter.issues import selection, slot_notice
from newsletter.model import (
    ALL_SLOTS,
    WEBHOOK,
    WEEKLY,
    Cadence,
    Issue,
    IssueAct,
    IssueState,
    Message,
    Notice,
    NoticeCopy,
    NoticeKind,
    NoticeState,
    Outcome,
    PlanKind,
    Proof,
    Receipt,
    Site,
    Turn,
)
from newsletter.ports import Caller, Clock, Ledger, Notices, Proofs, Session, Transport
from newsletter.usecases.choose import standing

NEWS = timedelta(days=3)
"""What happened longer ago is told nobody any more: it is history."""

SOON = timedelta(minutes=1)
"""How long an issue may take to be made."""

SHOWN = timedelta(days=7)
"""How long `status` speaks of a copy that could not be handed over."""

_EDITORS_ONLY = frozenset({NoticeKind.PREVIEW, NoticeKind.EDITED})
_STOPPED = frozenset({IssueAct.CANCEL, IssueAct.SKIP, IssueAct.WEB_ONLY})


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom to tell, and how."""

    notices: Notices
    proofs: Proofs
    site: Site
    transport: Transport
    caller: Caller
    webhook: str  # its address; empty for none
    webhook_key: Callable[[], str]
    message_id_key: str
    hold_url: Callable[[str, str], str]  # key of a slot, key of a Person -> the page

    def tell(self, notice: Notice) -> bool:
        """Write it down for everybody whom it concerns. False when it was told before."""
        return self.notices.tell(notice, recipients(self.site, notice.kind, self.webhook))


def recipients(site: Site, kind: NoticeKind, webhook: str) -> list[str]:
    """Who is told of it: editors, and operators unless it is about texts; those who have an address."""
    roles = {"editor"} if kind in _EDITORS_ONLY else {"editor", "operator"}
    people = [person.key for person in site.people.values() if person.role in roles and person.email]
    if kind is NoticeKind.MAIL:
        people = []  # a mail that says so would not arrive
    return [*people, *([WEBHOOK] if webhook else [])]


# --- what happened ---------------------------------------------------------------------------------


def happened(ledger: Ledger, rhythms: Sequence[Cadence], site: Site, now: datetime) -> Iterator[Notice]:
    """A Notice of each turn in an issue's life, of each slot without an issue, and of what was decided about slots."""
    issues = {(issue.edition, issue.number): issue for issue in ledger.issues()}
    late_limit = rhythms[0].late_limit
    for turn in ledger.turns():
        issue = issues.get((turn.edition, turn.number))
        if issue and now - turn.hand.at < NEWS and (told := _of_turn(turn, issue, ledger, site, late_limit)):
            yield told
    for cadence in rhythms:
        yield from _of_slots(ledger, cadence, site, now)


def _of_slots(ledger: Ledger, cadence: Cadence, site: Site, now: datetime) -> Iterator[Notice]:
    for record in ledger.slots(cadence.edition):
        oldest = timedelta(weeks=1 if cadence.edition == WEEKLY else 5)  # that one which was found late can be
        if now - record.due < NEWS + oldest and (told := slot_notice.slot_passed(record, now, site)):
            yield told

    yield from _undecided(ledger, cadence, site, now)
    for plan in ledger.plans(cadence.edition):
        slot = None if plan.key == ALL_SLOTS else cadences.slot_for(cadence, plan.key)
        if now - plan.hand.at < NEWS and (told := slot_notice.planned(plan, slot, site)):
            yield told


def _undecided(ledger: Ledger, cadence: Cadence, site: Site, now: datetime) -> Iterator[Notice]:
    """A Notice of each slot that makes no issue since it cannot; while the clock is in doubt none is to be made."""
    started = ledger.started(cadence.edition)
    if (
        started is None
        or cadence.singly
        or any(plan.kind is PlanKind.CLOCK for plan in standing(ledger, cadence.edition))
    ):
        return
    for slot in selection.due(cadence, ledger.slots(cadence.edition), started, now - SOON):
        if now - slot.due < NEWS:
            yield slot_notice.undecided(slot, now, site)


def _of_turn(turn: Turn, issue: Issue, ledger: Ledger, site: Site, late_limit: timedelta) -> Notice | None:
    key, at = f"turn:{turn.id}", turn.hand.at
    if turn.act is IssueAct.START:
        return wording.started(key, issue, at, site)
    if turn.after is IssueState.HELD and turn.before is not IssueState.HELD:
        by_itself = turn.act is IssueAct.MAKE or turn.hand.channel == "clock"
        late = by_itself and at - issue.slot.due > late_limit
        return wording.held(key, issue, at, site, reason=turn.note, late=late)
    if turn.act is IssueAct.PAUSE:
        return wording.paused(key, issue, ledger.counts(issue.edition, issue.number), at, reason=turn.note)
    if turn.act is IssueAct.FINISH:
        return wording.failures(key, issue, ledger.counts(issue.edition, issue.number), at, site)
    if turn.act in _STOPPED or (turn.act is IssueAct.UNREADY and at >= issue.slot.due):
        return wording.stopped(key, issue, turn.after, turn.hand.who, turn.note, at, site)
    return None


def delayed(ledger: Ledger, site: Site, now: datetime, trouble: Problem) -> Iterator[Notice]:
    """A Notice of each issue that should have started by now, and is kept from it by this Problem."""
    for issue in ledger.issues():
        if issue.state is IssueState.READY and issue.send_at and issue.send_at <= now - SOON:
            yield wording.delayed(issue, now, site, f"{trouble.code} {trouble.message}")


# --- handing over ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handed:
    """What a round did with the copies that were due."""

    accepted: int = 0
    waiting: int = 0
    failed: int = 0
    trouble: Problem | None = None  # of the mail server, for everybody


def hand_over(desk: Desk, clock: Clock, *, only: NoticeKind | None = None) -> Handed:
    """Give every copy that is due to the mail server or the webhook, or those of one kind. Only for the holder of the
    sender lock.

    Trouble outside is returned, never raised: what could not be handed over waits, longer each time, for 48 hours.
    """
    counts = dict.fromkeys(NoticeState, 0)
    with _Relay(desk.transport) as relay:
        for copy in desk.notices.due(clock()):
            if only in {None, copy.notice.kind} and (begun := desk.notices.begin(copy)):
                receipt = _call(desk, begun, clock()) if copy.to == WEBHOOK else _mail(desk, begun, relay, clock())
                settled = _settled(begun, receipt, clock())
                desk.notices.settle(settled)
                counts[settled.state] += 1
    return Handed(counts[NoticeState.ACCEPTED], counts[NoticeState.WAITING], counts[NoticeState.FAILED], relay.trouble)


class _Relay:
    """The mail server for one round: reached when it is needed, and asked no more once it is in trouble."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._session: Session | None = None
        self._stack = ExitStack()
        self.trouble: Problem | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, message: Message) -> Receipt:
        if self.trouble is None:
            try:
                self._session = self._session or self._stack.enter_context(self._transport.open())
                return self._session.send(message)
            except Outside as error:
                self.trouble = error.problems[0]
        return Receipt(Outcome.DEFERRED, None, self.trouble.message)


def _mail(desk: Desk, copy: NoticeCopy, relay: _Relay, now: datetime) -> Receipt:
    try:
        message = _message(desk, copy)
    except NewsletterError as error:
        return Receipt(Outcome.REFUSED, None, error.problems[0].message)
    receipt = relay.send(message)
    shown = copy.notice
    if shown.digest and receipt.outcome is Outcome.ACCEPTED:  # then it is a test of this text
        desk.proofs.keep(
            Proof(shown.edition, shown.number, shown.mark, message.sender, message.recipient, now, receipt)
        )
    return receipt


def _message(desk: Desk, copy: NoticeCopy) -> Message:
    person = desk.site.people.get(copy.to)
    if person is None or not person.email:
        raise NewsletterError(Problem("S450", f"{copy.to} has no address under [people] any more"))
    return mails.compose(
        site=desk.site,
        notice=copy.notice,
        person=person,
        hold_url=desk.hold_url(copy.notice.hold, copy.to) if copy.notice.hold else "",
        message_id_key=desk.message_id_key,
        attempts=copy.attempts,
    )


def _call(desk: Desk, copy: NoticeCopy, now: datetime) -> Receipt:
    """What the webhook answered. 410 says that it is gone for good."""
    if not desk.webhook:
        return Receipt(Outcome.REFUSED, None, "there is no webhook in newsletter.toml any more")
    notice = copy.notice
    hold = desk.hold_url(notice.hold, "webhook") if notice.hold else ""
    content = mails.payload(desk.site, notice, hold, copy.attempts)
    try:
        status = desk.caller.send(desk.webhook, content, mails.signed(content, notice, desk.webhook_key(), now))
    except NewsletterError as error:
        return Receipt(Outcome.DEFERRED, None, error.problems[0].message)
    outcome = Outcome.ACCEPTED if 200 <= status < 300 else Outcome.REFUSED if status == 410 else Outcome.DEFERRED
    return Receipt(outcome, status, f"it answered {status}")


def _settled(copy: NoticeCopy, receipt: Receipt, now: datetime) -> NoticeCopy:
    """What an answer means. Without one it goes again, and says so: better had twice than lost."""
    code = "" if receipt.code is None or copy.to == WEBHOOK else f"{receipt.code} "
    answered = replace(copy, reply=f"{code}{receipt.reply}", next_at=None, done_at=now)
    if receipt.outcome is Outcome.ACCEPTED:
        return replace(answered, state=NoticeState.ACCEPTED)
    again = None if receipt.outcome is Outcome.REFUSED else mails.next_try(copy.attempts, copy.notice.at, now)
    if again is None:
        return replace(answered, state=NoticeState.FAILED)
    return replace(answered, state=NoticeState.WAITING, next_at=again, done_at=None)


def mail_is_broken(copies: Sequence[NoticeCopy]) -> bool:
    """Whether mail itself is broken, as far as notices know: one was tried, and waits."""
    return any(copy.state is NoticeState.WAITING and copy.attempts and copy.to != WEBHOOK for copy in copies)
