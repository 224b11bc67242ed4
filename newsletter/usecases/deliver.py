"""publish | ask whether its pages are there | start what is due | hand out | finish: drain what is owed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter import words
from newsletter.delivery.message import Run, Urls
from newsletter.delivery.progress import Drained
from newsletter.errors import Problem
from newsletter.issues.selection import paused
from newsletter.model import (
    WEEKLY,
    Addressee,
    Chunk,
    DeliveryState,
    Issue,
    IssueState,
    Message,
    PlanKind,
    Site,
    by_clock,
)
from newsletter.ports import Clock, Ledger, Roster
from newsletter.usecases.answering import Obstacle


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a round of handing out did."""

    started: tuple[Issue, ...]
    held: tuple[Issue, ...]
    finished: tuple[Issue, ...]
    drained: Drained
    next_retry: datetime | None
    put_off: tuple[Problem, ...] = ()  # why an issue whose time has come does not start yet
    stopped: tuple[Issue, ...] = ()  # paused or cancelled while it went out, by whomever


PATIENCE = timedelta(minutes=10)
"""How long an issue waits for its pages to be on the web: a deploy, and what keeps copies of pages, take a while."""


def deliver(
    *,
    ledger: Ledger,
    publish: Callable[[], object],
    drain: Callable[[], Drained],
    clock: Clock,
    late_limit: timedelta,
    why_not: Callable[[Issue], Obstacle | None] = lambda _: None,
    canary: timedelta | None = None,
) -> Delivered:
    """One round. The caller holds the sender lock and has called `ledger.recover` since it took it.

    `publish` is called before an issue starts, so that no mail links to a page that is not there; what it raises
    leaves every reader waiting. Then `why_not` says what keeps it from being sent, if anything does: it is held, or put
    off for a while if that may pass. An issue that is under way goes on even while a post is broken. `drain` is the
    sending engine with its mail servers. With `canary` a hundred readers are sent an issue so long before all others.
    """
    held = (*hold_paused(ledger, clock()), *hold_late(ledger, clock(), late_limit))
    coming = due(ledger, clock())
    doubted = clock_in_doubt(ledger)
    if coming or (not doubted and any(not begun(ledger, issue) for issue in sending(ledger))):
        publish()
    obstacles = {issue: found for issue in coming if (found := why_not(issue))}
    put_off = {issue: one for issue, one in obstacles.items() if one.passes and _is_fresh(issue, clock())}
    held += hold_what_may_not_go(ledger, {i: one for i, one in obstacles.items() if i not in put_off}, clock)
    started = start_due(ledger, clock(), put_off, canary)
    going = sending(ledger)
    drained = drain()
    stopped = _stopped(ledger, going)
    return Delivered(started, held, finish(ledger, clock()), drained, ledger.next_retry(), _said(put_off), stopped)


def _stopped(ledger: Ledger, going: Sequence[Issue]) -> tuple[Issue, ...]:
    """Those of the issues that were going out which somebody, or the breaker, stopped."""
    now = (ledger.issue(one.edition, one.number) for one in going)
    return tuple(one for one in now if one and one.state in {IssueState.PAUSED, IssueState.CANCELLED})


def _is_fresh(issue: Issue, now: datetime) -> bool:
    """Whether an issue's time came so lately that what is in its way may still pass."""
    return issue.send_at is not None and now - issue.send_at < PATIENCE


def _said(put_off: Mapping[Issue, Obstacle]) -> tuple[Problem, ...]:
    return tuple(problem for one in put_off.values() for problem in one.problems)


def hold_what_may_not_go(ledger: Ledger, obstacles: Mapping[Issue, Obstacle], clock: Clock) -> tuple[Issue, ...]:
    """READY issues that readers should not get as things stand: held and told."""
    return _hold(ledger, [(issue, one.reason) for issue, one in obstacles.items()], clock())


def hold_late(ledger: Ledger, now: datetime, late_limit: timedelta) -> tuple[Issue, ...]:
    """READY issues whose time passed while nobody sent: held and told, never fired blindly."""
    late = [issue for issue in due(ledger, now) if is_late(issue, now, late_limit)]
    return _hold(ledger, [(issue, _late_words(issue, now)) for issue in late], now)


def hold_paused(ledger: Ledger, now: datetime) -> tuple[Issue, ...]:
    """READY issues whose slot came while the schedule is paused; what a hand sent goes all the same."""
    pause = next((plan for plan in ledger.plans(WEEKLY) if plan.kind is PlanKind.PAUSE), None)  # of all editions
    waiting = [issue for issue in due(ledger, now) if not issue.sent_by] if pause else []
    return _hold(ledger, [(issue, paused(pause)) for issue in waiting if pause], now)


def _hold(ledger: Ledger, those: Sequence[tuple[Issue, str]], now: datetime) -> tuple[Issue, ...]:
    held = [one for one, reason in those if ledger.hold(one.edition, one.number, reason=reason, hand=by_clock(now))]
    return tuple(issue for one in held if (issue := ledger.issue(one.edition, one.number)))


def is_late(issue: Issue, now: datetime, late_limit: timedelta) -> bool:
    return issue.send_at is not None and now - issue.send_at > late_limit


def due(ledger: Ledger, now: datetime) -> Sequence[Issue]:
    """READY issues whose time has come; none while the clock is in doubt."""
    if clock_in_doubt(ledger):
        return []
    return [i for i in _in_state(ledger, IssueState.READY) if i.send_at and i.send_at <= now]


def clock_in_doubt(ledger: Ledger) -> bool:
    return any(plan.kind is PlanKind.CLOCK for plan in ledger.plans(WEEKLY))


def _late_words(issue: Issue, now: datetime) -> str:
    since = f", found {words.span(now - issue.send_at)} later" if issue.send_at else ""
    return f"it did not start at its time{since}"


def start_due(
    ledger: Ledger, now: datetime, without: Collection[Issue] = (), canary: timedelta | None = None
) -> tuple[Issue, ...]:
    """Fix the audience of each READY issue whose time has come, but for these."""
    ready = [issue for issue in due(ledger, now) if issue not in without]
    started = (ledger.start_send(one.edition, one.number, now=now, canary=canary) for one in ready)
    return tuple(issue for issue in started if issue)


def sending(ledger: Ledger) -> Sequence[Issue]:
    return _in_state(ledger, IssueState.SENDING)


def begun(ledger: Ledger, issue: Issue) -> bool:
    """Whether a hand-over of this issue has an outcome yet."""
    counts = ledger.counts(issue.edition, issue.number)
    return any(
        counts.get(state, 0) for state in (DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN)
    )


def finish(ledger: Ledger, now: datetime) -> tuple[Issue, ...]:
    """Close each issue for which nothing waits any more."""
    ended = (ledger.finish(issue.edition, issue.number, now=now) for issue in sending(ledger))
    return tuple(issue for issue in ended if issue.state is not IssueState.SENDING)


def _in_state(ledger: Ledger, state: IssueState) -> Sequence[Issue]:
    return [issue for issue in ledger.issues() if issue.state is state]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a round would do."""

    held: tuple[Issue, ...]
    readers: Mapping[Issue, int]  # how many readers each would be handed out to


def outlook(*, ledger: Ledger, roster: Roster, now: datetime, late_limit: timedelta) -> Outlook:
    """Look at what `deliver` would do now; changes nothing."""
    come = due(ledger, now)
    held = tuple(issue for issue in come if is_late(issue, now, late_limit))
    readers = {one: roster.counts(one.edition).get("active", 0) for one in come if one not in held}
    for issue in sending(ledger):
        waiting = ledger.deliveries(issue.edition, issue.number, DeliveryState.WAITING)
        readers[issue] = sum(1 for one in waiting if one.next_at is None or one.next_at <= now)
    return Outlook(held, {issue: count for issue, count in readers.items() if count})


class Composer:
    """One reader's Message of one issue; keeps what it has read of frozen Digests."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        site: Site,
        unsubscribe_url: Callable[[int, int], str],
        preferences_url: Callable[[int, int], str],
        message_id_key: str,
    ) -> None:
        self._ledger = ledger
        self._site = site
        self._unsubscribe_url = unsubscribe_url
        self._preferences_url = preferences_url
        self._message_id_key = message_id_key
        self._runs: dict[tuple[str, int], Run] = {}

    def compose(self, chunk: Chunk, addressee: Addressee) -> Message:
        """The same bytes on every call for the same reader and issue."""
        named = (chunk.edition, chunk.issue_number)
        run = self._runs.get(named) or self._begin(named)
        reader = addressee.subscriber_id, addressee.token_version
        return run.message(addressee, Urls(self._unsubscribe_url(*reader), self._preferences_url(*reader)))

    def _begin(self, named: tuple[str, int]) -> Run:
        issue = self._ledger.issue(*named)
        assert issue is not None  # noqa: S101  the chunk names an issue of this ledger
        digest = self._ledger.digest(*named)
        run = Run(site=self._site, issue=issue, digest=digest, message_id_key=self._message_id_key)
        return self._runs.setdefault(named, run)
