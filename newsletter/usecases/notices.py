"""ledger | what happened | told once | handed over: what editors and operators hear of, without asking.

`tell` writes down what nobody was told yet, `hand_over` gives each copy to the mail server or the webhook. Both may be
called at any time and again: a fact has one key, and a copy is marked before it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.delivery import notice as mails
from newsletter.errors import NewsletterError, Outside, Problem
from newsletter.issues import notice as wording
from newsletter.model import (
    WEBHOOK,
    WEEKLY,
    Issue,
    IssueAct,
    IssueState,
    Message,
    Notice,
    NoticeCopy,
    NoticeKind,
    NoticeState,
    Outcome,
    Receipt,
    Site,
    Turn,
)
from newsletter.ports import Client, Clock, Ledger, Notices, Session, Transport

NEWS = timedelta(days=3)
"""What happened longer ago is told nobody any more: it is history."""

SHOWN = timedelta(days=7)
"""How long `status` speaks of a copy that could not be handed over."""

_EDITORS_ONLY = frozenset({NoticeKind.PREVIEW, NoticeKind.EDITED})
_STOPPED = frozenset({IssueAct.CANCEL, IssueAct.SKIP, IssueAct.WEB_ONLY})


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom to tell, and how."""

    notices: Notices
    site: Site
    transport: Transport
    client: Client
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


def happened(ledger: Ledger, site: Site, now: datetime) -> Iterator[Notice]:
    """A Notice of each turn in an issue's life, and of each slot without an issue, that people want to hear of."""
    issues = {issue.number: issue for issue in ledger.issues(WEEKLY)}
    for turn in ledger.turns():
        issue = issues.get(turn.number)
        if issue and now - turn.hand.at < NEWS and (told := _of_turn(turn, issue, ledger, site)):
            yield told
    for record in ledger.slots(WEEKLY):
        week = timedelta(weeks=1)  # a slot that was found late is one week old at the most
        if now - record.due < NEWS + week and (told := wording.slot_passed(record, now, site)):
            yield told


def _of_turn(turn: Turn, issue: Issue, ledger: Ledger, site: Site) -> Notice | None:
    key, at = f"turn:{turn.id}", turn.hand.at
    if turn.act is IssueAct.START:
        return wording.started(key, issue, at, site)
    if turn.after is IssueState.HELD and turn.before is not IssueState.HELD:
        return wording.held(key, issue, at, site, reason=turn.note)
    if turn.act is IssueAct.PAUSE:
        return wording.paused(key, issue, ledger.counts(WEEKLY, issue.number), at, reason=turn.note)
    if turn.act is IssueAct.FINISH:
        return wording.failures(key, issue, ledger.counts(WEEKLY, issue.number), at, site)
    if turn.act in _STOPPED:
        return wording.stopped(key, issue, turn.after, turn.hand.who, turn.note, at, site)
    return None


# --- handing over ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Handed:
    """What a round did with the copies that were due."""

    accepted: int = 0
    waiting: int = 0
    failed: int = 0
    trouble: Problem | None = None  # of the mail server, for everybody


def hand_over(desk: Desk, clock: Clock) -> Handed:
    """Give every copy that is due to the mail server or the webhook. Only for the holder of the sender lock.

    Trouble outside is returned, never raised: what could not be handed over waits, longer each time, for 48 hours.
    """
    counts = {state: 0 for state in NoticeState}
    trouble: Problem | None = None
    with ExitStack() as stack:
        sessions: list[Session] = []

        def session() -> Session:
            if not sessions:
                sessions.append(stack.enter_context(desk.transport.open()))
            return sessions[0]

        for copy in desk.notices.due(clock()):
            begun = desk.notices.begin(copy)
            if begun is None:
                continue
            if copy.to == WEBHOOK:
                receipt = _call(desk, begun, clock())
            else:
                receipt, trouble = _mail(desk, begun, session, trouble)
            settled = _settled(begun, receipt, clock())
            desk.notices.settle(settled)
            counts[settled.state] += 1
    return Handed(counts[NoticeState.ACCEPTED], counts[NoticeState.WAITING], counts[NoticeState.FAILED], trouble)


def _mail(
    desk: Desk, copy: NoticeCopy, session: Callable[[], Session], trouble: Problem | None
) -> tuple[Receipt, Problem | None]:
    """What the mail server said; where it is in trouble already, that, without asking it for each."""
    if trouble:
        return Receipt(Outcome.DEFERRED, None, trouble.message), trouble
    try:
        message = _message(desk, copy)
    except NewsletterError as error:
        return Receipt(Outcome.REFUSED, None, error.problems[0].message), None
    try:
        return session().send(message), None
    except Outside as error:
        return Receipt(Outcome.DEFERRED, None, error.problems[0].message), error.problems[0]


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
        status = desk.client.send(desk.webhook, content, mails.signed(content, notice, desk.webhook_key(), now))
    except NewsletterError as error:
        return Receipt(Outcome.DEFERRED, None, error.problems[0].message)
    outcome = Outcome.ACCEPTED if 200 <= status < 300 else Outcome.REFUSED if status == 410 else Outcome.DEFERRED
    return Receipt(outcome, status, f"it answered {status}")


def _settled(copy: NoticeCopy, receipt: Receipt, now: datetime) -> NoticeCopy:
    """What an answer means. One without an answer is tried again and says so: a notice is better had twice than lost."""
    reply = " ".join(str(part) for part in (receipt.code, receipt.reply) if part) if copy.to != WEBHOOK else receipt.reply
    if receipt.outcome is Outcome.ACCEPTED:
        return replace(copy, state=NoticeState.ACCEPTED, reply=reply, done_at=now, next_at=None)
    again = None if receipt.outcome is Outcome.REFUSED else mails.next_try(copy.attempts, copy.notice.at, now)
    if again is None:
        return replace(copy, state=NoticeState.FAILED, reply=reply, done_at=now, next_at=None)
    return replace(copy, state=NoticeState.WAITING, reply=reply, next_at=again)


def broken(copies: Sequence[NoticeCopy]) -> bool:
    """Whether mail itself is broken, as far as notices know: one was tried, and waits."""
    return any(copy.state is NoticeState.WAITING and copy.attempts and copy.to != WEBHOOK for copy in copies)
