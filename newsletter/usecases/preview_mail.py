"""the slot to come | what would be in | drafted and checked | a Notice that shows it: what editors see the day before.

The mail is the real one, of what is approved and dated by its slot. It comes once, and again when its text is another;
not for each save, and a last time when the issue is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from newsletter import variants, words
from newsletter.errors import NewsletterError, Problem
from newsletter.issues import cadence as cadences
from newsletter.issues import slot_notice
from newsletter.issues.selection import Selection, standing_in_the_way
from newsletter.model import Cadence, Digest, Issue, IssueState, Notice, NoticeKind, Slot
from newsletter.ports import Ledger, Notices

if TYPE_CHECKING:
    from newsletter.usecases.choose import Press

QUIET = timedelta(minutes=15)
"""Between two previews of one slot, unless it is about to be frozen: who is at work saves more than once."""

_UNSENT = frozenset({IssueState.READY, IssueState.HELD})


def slot_of(issues: Sequence[Issue], upcoming: Slot, now: datetime) -> Slot:
    """The slot whose mail comes next: of an issue that waits for its time, else the next that is free. What a hand sent
    was seen by that hand.
    """
    waiting = (one.slot for one in issues if one.state in _UNSENT and not one.sent_by and one.slot.due > now)
    return min((slot for slot in waiting if not slot.outside), default=upcoming)


def due(cadence: Cadence, slot: Slot, notices: Notices, now: datetime) -> bool:
    """Whether it is time to look if editors have seen what this slot sends."""
    if not cadence.preview or not cadences.preview_at(cadence, slot) <= now < slot.due:
        return False
    before = notices.about(NoticeKind.PREVIEW, slot.key)
    frozen = cadences.freeze_at(cadence, slot) <= now
    return not before or frozen or now - before[-1].at >= QUIET


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a slot would send, as things stand."""

    number: int
    digest: Digest | None  # None when no story is in
    stories: int
    stop: str  # why the clock would not send it
    lines: tuple[str, ...]  # what waits, what the checks say


def preview(
    press: Press, slot: Slot, notices: Notices, *, readers: int, now: datetime, broken: int = 0
) -> Notice | None:
    """The next preview of a slot; None when the last one shows the same. `press.now` is the time of the slot, `broken`
    the number of problems in the posts.
    """
    before = notices.about(NoticeKind.PREVIEW, slot.key)
    told = proposal(press, slot)
    if broken:
        told = _broken(told, broken)
    digest = told.digest
    mark = digest.digest_hash if digest else ""
    if before and (before[-1].mark, _stopped(before[-1].lines)) == (mark, _stopped(told.lines)):
        return None
    return slot_notice.preview(
        f"preview:{slot.key}:{len(before) + 1}",
        slot,
        now,
        press.site,
        edition=press.edition,
        number=told.number,
        digest=digest,
        stories=told.stories,
        readers=readers,
        lines=told.lines,
        stop=told.stop,
        changed=bool(before),
    )


def _broken(told: Proposal, problems: int) -> Proposal:
    """A post that is broken lets no issue be made, whatever else is in it."""
    what = f"{words.count(problems, 'problem')} in the posts: newsletter check"
    return replace(told, stop=f"it cannot be made, {what}", lines=(f"stop  {what}", *told.lines))


def _stopped(lines: Sequence[str]) -> bool:
    """Whether what the checks say keeps it from going out; a person who holds it is told of otherwise."""
    return any(line.startswith("stop ") for line in lines)


def proposal(press: Press, slot: Slot) -> Proposal:
    """The issue of a slot: as it was frozen, or as it would be made. Nobody is asked for a test: this mail is one."""
    from newsletter.usecases.choose import choose, standing  # these load the mail room, and most looks are too early
    from newsletter.usecases.inspect import not_asked
    from newsletter.usecases.prepare import draft_of, next_number

    press = replace(press, inspection=replace(press.inspection, tried=not_asked))
    issues = press.ledger.issues(press.edition)
    made = next((one for one in issues if one.slot.key == slot.key and one.state in _UNSENT), None)
    selection = choose(press)
    if made:
        return _frozen(press.ledger, made, selection)
    number, posts = next_number(issues), [choice.post for choice in selection.stories]
    if len(posts) < max(1, selection.at_least):
        return Proposal(number, None, 0, "", tuple(_waiting(selection)))
    try:
        draft = draft_of(press, slot, posts)
    except NewsletterError as error:
        told = tuple(_problems(error.problems))
        return Proposal(number, None, len(posts), told[0], (*told, *_waiting(selection)))
    stop = standing_in_the_way(standing(press.ledger, press.edition), slot.key) or "; ".join(
        f"{p.code} {p.message}" for p in draft.stops
    )
    lines = (*_problems(draft.problems), *_waiting(selection), *_segments(draft.digest))
    return Proposal(draft.number, draft.digest, len(posts), stop, lines)


def _frozen(ledger: Ledger, issue: Issue, selection: Selection) -> Proposal:
    stop = (issue.reason or "a person held it") if issue.state is IssueState.HELD else ""
    digest = ledger.digest(issue.edition, issue.number)
    lines = ("Its text is frozen: edits change nothing in it.", *_waiting(selection), *_segments(digest))
    return Proposal(issue.number, digest, len(issue.stories), stop, lines)


def _problems(problems: Sequence[Problem]) -> Iterator[str]:
    for problem in problems:
        yield f"{problem.level} {problem.code}  {problem.message}" + (f" ({problem.place})" if problem.place else "")


def _waiting(selection: Selection) -> Iterator[str]:
    for choice in selection.waiting:
        yield f"not in it: {choice.post.title} ({choice.post.slug}), {choice.reason}"


def _segments(digest: Digest) -> Iterator[str]:
    if parts := variants.optional(digest):
        yield f"for some readers only: {words.count(len(parts), 'part')} (a recap, or a correction)"
