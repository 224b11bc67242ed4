"""Which changes of an Issue are allowed, and the words of each refusal.

A refusal is a Problem, never an exception: the caller asks, prints, and does nothing. Times in refusals are on the
wall clock of the Issue's slot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from newsletter import words
from newsletter.errors import Problem, UsageError
from newsletter.model import DeliveryState, Issue, IssueAct, IssueState

_S = IssueState
_A = IssueAct
LONGEST_DELAY = timedelta(minutes=10)
_CONFIRM = re.compile(r"((?:[a-z-]{1,20}/)?\d{1,9}):(\d{1,9})", re.ASCII)
_ON_ITS_WAY = frozenset({_S.SENDING, _S.PAUSED})
_OVER = frozenset({_S.SENT, _S.NEEDS_ATTENTION})


def may(issue: Issue, act: IssueAct) -> Problem | None:
    """Whether this may be done to an Issue in its present state; else why not (S314), and what may be done instead."""
    if issue.state in act.turns[0]:
        return None
    reason = f" Reason given: {issue.reason}." if issue.reason else ""
    return Problem(
        "S314",
        f"{issue.title} is {issue.state.value}; {_CANNOT[act]}. Nothing was changed.",
        why=f"{_WHY_NOT.get(act, '')}{reason}".strip(),
        fixes=(_INSTEAD.get((act, issue.state), "newsletter issue show {0}").format(issue.name),),
    )


_CANNOT = {
    _A.MAKE: "it is made already",
    _A.READY: "it cannot be made ready",
    _A.UNREADY: "its text cannot be thawed",
    _A.SEND: "it cannot be sent",
    _A.START: "it cannot start",
    _A.HOLD: "it cannot be held",
    _A.PAUSE: "there is nothing to pause",
    _A.RESUME: "there is nothing to resume",
    _A.CANCEL: "there is nothing left to stop",
    _A.SKIP: "it cannot be skipped",
    _A.WEB_ONLY: "it cannot become web only",
    _A.FINISH: "there is nothing to finish",
    _A.SETTLE: "there is nothing to settle",
    _A.RETRY: "there is nothing to try again",
}

_WHY_NOT = {
    _A.UNREADY: "Text is thawed before the first mail, and never after it.",
    _A.HOLD: "What is ready is held; what is going is paused.",
    _A.SKIP: "A draft or a held issue is skipped.",
    _A.WEB_ONLY: "An issue that readers get by mail has its page already.",
}

_INSTEAD = {
    (_A.HOLD, _S.SENDING): "newsletter issue pause {0}",
    (_A.UNREADY, _S.SENDING): "newsletter issue cancel {0}",
    (_A.UNREADY, _S.PAUSED): "newsletter issue cancel {0}",
    (_A.PAUSE, _S.READY): "newsletter issue hold {0}",
    (_A.RESUME, _S.HELD): "newsletter issue ready {0}",
    (_A.SKIP, _S.READY): "newsletter issue cancel {0}",
    (_A.CANCEL, _S.NEEDS_ATTENTION): "newsletter issue settle {0}",
}


def may_send(issue: Issue, counts: Mapping[DeliveryState, int], now: datetime) -> Problem | None:
    """Whether a hand may start this Issue now; else why not (S301 twice, S302 not ready, S303 no story)."""
    if issue.state in _ON_ITS_WAY | _OVER:
        return _already(issue, counts)
    if issue.state not in {_S.READY, _S.HELD}:
        return _not_ready(issue)
    if not issue.stories:
        return Problem("S303", f"{issue.title} has no story", why="An empty issue is never sent.")
    if issue.state is _S.READY and issue.send_at is not None and (issue.sent_by or issue.send_at <= now):
        return _intended(issue, issue.send_at)
    return None


def check_count(name: str, typed: int, actual: int) -> Problem | None:
    """S304 unless the number that a person typed is the number of readers it would go to."""
    if typed == actual:
        return None
    return Problem(
        "S304",
        f"You confirmed {words.count(typed, 'reader')}; issue {name} would go to {actual:,}. Nothing was sent.",
        why="The number is typed so that the list is the one you have in mind.",
        fixes=(f"newsletter issue show {name}",),
    )


def needs_confirmation(name: str, count: int) -> Problem:
    """S305: nobody can be asked here, so the number must come with the command."""
    confirm = f"{name}:{count}"
    return Problem(
        "S305",
        f"Sending issue {name} needs a terminal or --confirm {confirm}",
        why="A send is confirmed with the number of readers; without a terminal nobody can be asked.",
        fixes=(f"newsletter issue send {name} --confirm {confirm}",),
    )


def parse_confirm(text: str) -> tuple[str, int]:
    """`47:1284` as name of an issue and count of readers. Raises UsageError (S306)."""
    match = _CONFIRM.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            Problem(
                "S306",
                f"--confirm {text!r} cannot be read",
                why="It is the issue's number, a colon, and the number of readers, in digits.",
                fixes=("--confirm 47:1284",),
            )
        )
    return match[1], int(match[2])


def parse_delay(text: str) -> timedelta:
    """Seconds to wait before the first mail, 0 to 600. Raises UsageError (S312)."""
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= len("600"):
        delay = timedelta(seconds=int(digits))
        if delay <= LONGEST_DELAY:
            return delay
    raise UsageError(
        Problem(
            "S312",
            f"--delay {text!r} is not between 0 and 600",
            why="It is the number of whole seconds in which the send can still be cancelled.",
            fixes=("--delay 120",),
        )
    )


def _already(issue: Issue, counts: Mapping[DeliveryState, int]) -> Problem:
    accepted = counts.get(DeliveryState.ACCEPTED, 0)
    verb = "has been sent" if issue.state in _OVER else "is already on its way"
    started = f"started {_clock(issue, issue.started_at)}" if issue.started_at else "starting"
    by = f" by {issue.sent_by}" if issue.sent_by else ""
    paused = f"; paused: {issue.reason}" if issue.state is _S.PAUSED else ""
    return Problem(
        "S301",
        f"{issue.title} {verb} ({started}{by}: {accepted:,} accepted of {issue.audience:,}{paused})",
        why="An issue is sent once.",
        fixes=(f"newsletter issue show {issue.name}",),
    )


def _intended(issue: Issue, at: datetime) -> Problem:
    by = f", asked for by {issue.sent_by}" if issue.sent_by else ""
    return Problem(
        "S301",
        f"{issue.title} is already on its way (starts {_clock(issue, at)}{by})",
        why="An issue is sent once.",
        fixes=(f"newsletter issue cancel {issue.name}",),
    )


def _not_ready(issue: Issue) -> Problem:
    why = {
        _S.DRAFT: "A draft is a proposal; its text is not frozen yet.",
        _S.CANCELLED: "It was cancelled, and its number is not used again.",
        _S.WEB_ONLY: "It is published on the web only.",
        _S.SKIPPED: "Its slot was skipped.",
    }[issue.state]
    reason = f" Reason given: {issue.reason}." if issue.reason else ""
    return Problem(
        "S302",
        f"{issue.title} is not ready: it is {issue.state.value}",
        why=f"{why}{reason}",
        fixes=(f"newsletter issue show {issue.name}",),
    )


def _clock(issue: Issue, at: datetime) -> str:
    local = at.astimezone(issue.slot.local.tzinfo)
    return f"{words.moment(local)}:{local:%S} {words.zone_name(local.tzinfo)}"
