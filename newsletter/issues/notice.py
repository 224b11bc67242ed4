"""What editors and operators are told of an issue, in words: what, why, what happens if they do nothing.

Every function makes one Notice from values. The key names the fact, so that whoever notices it again writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from newsletter import words
from newsletter.issues.reasons import name_of, reason_of
from newsletter.model import DeliveryState, Issue, IssueState, Notice, NoticeKind, Site


def started(key: str, issue: Issue, at: datetime, site: Site) -> Notice:
    """An issue is on its way."""
    by = f"{name_of(site, issue.sent_by)} sent it." if issue.sent_by else "Its time has come."
    readers = words.count(issue.audience, "reader")
    return Notice(
        key,
        NoticeKind.STARTED,
        at,
        f"issue {issue.name}",
        subject=f"{issue.title} is going out to {readers}",
        what=f"{issue.title} is going out to {readers}: {issue.subject}",
        why=by,
        otherwise="it goes on until everybody was served. You hear of it again only if somebody was not.",
        fixes=tuple(f"newsletter issue {verb} {issue.name}" for verb in ("show", "pause", "cancel")),
        links=_page(issue, site),
    )


def held(key: str, issue: Issue, at: datetime, site: Site, *, reason: str, late: bool) -> Notice:
    """An issue does not go out until a person says so; because it came too late, or for another reason."""
    name = issue.title
    ahead = issue.slot.due > at
    due = f"{'is' if ahead else 'was'} {words.when(issue.slot.due, site.timezone)}"
    verbs = ("show", *(["ready"] if ahead else []), "send", "cancel")  # ready lets it go at its time
    return Notice(
        key,
        NoticeKind.LATE if late else NoticeKind.HELD,
        at,
        f"issue {issue.name}",
        subject=f"{name} came late and is held" if late else f"{name} is held",
        what=f"{name} is held: no reader gets it. Its slot {due}.",
        why=reason_of(reason),
        otherwise="it stays held. Its stories stay in it, and in no other issue, until it is sent or cancelled.",
        lines=tuple(story.title for story in issue.stories),
        fixes=tuple(f"newsletter issue {verb} {issue.name}" for verb in verbs),
    )


def paused(key: str, issue: Issue, counts: Mapping[DeliveryState, int], at: datetime, *, reason: str) -> Notice:
    """An issue stopped half-way."""
    done = sum(counts.get(state, 0) for state in (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN))
    return Notice(
        key,
        NoticeKind.PAUSED,
        at,
        f"issue {issue.name}",
        subject=f"{issue.title} is paused",
        what=f"{issue.title} is paused: {done:,} of {words.count(issue.audience, 'reader')} have it.",
        why=reason_of(reason),
        otherwise="the others go on waiting.",
        lines=_numbers(counts),
        fixes=tuple(f"newsletter issue {verb} {issue.name}" for verb in ("show", "resume", "cancel")),
    )


def failures(key: str, issue: Issue, counts: Mapping[DeliveryState, int], at: datetime, site: Site) -> Notice | None:
    """An issue is through, and somebody does not have it, or may not; None where everybody has it."""
    lost = {state: counts.get(state, 0) for state in (DeliveryState.FAILED, DeliveryState.UNCERTAIN)}
    if not any(lost.values()):
        return None
    told = " and ".join(f"{n:,} {state.value}" for state, n in lost.items() if n)
    uncertain = lost[DeliveryState.UNCERTAIN]
    return Notice(
        key,
        NoticeKind.FAILURES,
        at,
        f"issue {issue.name}",
        subject=f"{issue.title} is through: {told}",
        what=f"{issue.title} is through. Of {words.count(issue.audience, 'reader')}, {told}.",
        why="Each has the mail server's own words beside it."
        + (" Uncertain: the connection broke after the text; it may have arrived or not." if uncertain else ""),
        otherwise="nobody is tried again by itself.",
        lines=_numbers(counts),
        fixes=tuple(f"newsletter issue {verb} {issue.name}" for verb in ("show", *(["settle"] if uncertain else []))),
        links=_page(issue, site),
    )


def delayed(issue: Issue, at: datetime, site: Site, reason: str) -> Notice:
    """An issue whose time has come, and that cannot start."""
    due = words.when(issue.send_at or at, site.timezone)
    return Notice(
        f"delayed:{issue.name}:{due}",
        NoticeKind.LATE,
        at,
        f"issue {issue.name}",
        subject=f"{issue.title} has not started",
        what=f"{issue.title} was to go out {due}, and could not start so far. No reader has it.",
        why=reason_of(reason),
        otherwise="it is tried again and again. Mended soon, it goes out; mended late, it waits for a person.",
        fixes=("newsletter deliver", f"newsletter issue show {issue.name}"),
    )


def stopped(key: str, issue: Issue, state: IssueState, by: str, reason: str, at: datetime, site: Site) -> Notice:
    """An issue that readers will not get, or not by mail, because somebody said so."""
    named = {
        IssueState.CANCELLED: "is cancelled",
        IssueState.SKIPPED: "is skipped",
        IssueState.WEB_ONLY: "is web only",
        IssueState.DRAFT: "is a draft again",
    }
    what = named.get(state, f"is {state.value}")
    return Notice(
        key,
        NoticeKind.STOPPED,
        at,
        f"issue {issue.name}",
        subject=f"{issue.title} {what}",
        what=f"{issue.title} {what}: {name_of(site, by) or 'the clock'} stopped it.",
        why=reason_of(reason),
        otherwise="no mail of it goes out.",
        fixes=(f"newsletter issue show {issue.name}", "newsletter issue show next"),
    )


def _numbers(counts: Mapping[DeliveryState, int]) -> tuple[str, ...]:
    return tuple(f"{state.value:<10} {n:,}" for state, n in counts.items() if n)


def _page(issue: Issue, site: Site) -> tuple[tuple[str, str], ...]:
    shown = issue.state.public or issue.state is IssueState.READY
    return (("The issue", site.address_of(issue.page)),) if shown else ()
