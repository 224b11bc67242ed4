"""What editors and operators are told of a slot: what it will send, what was decided about it, that it sent nothing.

Every function makes one Notice from values. The key names the fact, so that whoever notices it again writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from newsletter import words
from newsletter.issues.cadence import edition_of
from newsletter.issues.reasons import name_of, reason_of
from newsletter.model import (
    EACH_POST,
    Digest,
    Notice,
    NoticeKind,
    PlanKind,
    Site,
    Slot,
    SlotOutcome,
    SlotPlan,
    SlotRecord,
    issue_name,
    issue_title,
)


def slot_passed(record: SlotRecord, at: datetime, site: Site) -> Notice | None:
    """A slot ended without an issue; None for one whose issue speaks for itself."""
    if record.issue_number is not None or record.outcome in {SlotOutcome.ISSUED, SlotOutcome.COALESCED}:
        return None
    day = words.when(record.due, site.timezone)
    if edition_of(record.key) == EACH_POST:
        return _left_out(record, at, day)
    names = {
        SlotOutcome.EMPTY: (NoticeKind.EMPTY, f"No issue: {record.reason}", "no issue is made"),
        SlotOutcome.HELD: (NoticeKind.HELD, f"No issue: {record.reason}", "no issue is made"),
        SlotOutcome.SKIPPED: (NoticeKind.EMPTY, "No issue: the slot was skipped", "the slot is skipped"),
    }
    kind, subject, what = names[record.outcome]
    return Notice(
        f"slot:{record.key}",
        kind,
        at,
        record.key,
        subject=subject,
        what=f"Slot {record.key}, {day}: {what}, and no reader gets a mail.",
        why=reason_of(record.reason),
        otherwise="stories that wait are in the next issue, once they are approved.",
        fixes=("newsletter issue show next", "newsletter issue send next"),
    )


def _left_out(record: SlotRecord, at: datetime, day: str) -> Notice:
    """A post that is mailed to nobody by itself."""
    return Notice(
        f"slot:{record.key}",
        NoticeKind.EMPTY,
        at,
        record.key,
        subject="A post gets no mail of its own",
        what=f"A post that came out {day} is not mailed by itself.",
        why=reason_of(record.reason),
        otherwise="it is in issues of other editions as any post is.",
        fixes=("newsletter issue list",),
    )


def undecided(slot: Slot, at: datetime, site: Site) -> Notice:
    """A slot has passed, and nothing was decided about it: a post or a template is broken, or nobody looks."""
    day = words.when(slot.due, site.timezone)
    return Notice(
        f"undecided:{slot.key}",
        NoticeKind.LATE,
        at,
        slot.key,
        subject=f"No issue yet: the slot of {words.moment(slot.local)} has passed",
        what=f"Slot {slot.key}, {day}: no issue could be made so far, and no reader gets a mail.",
        why="Something stops it, in the posts or in the templates; newsletter prepare says what.",
        otherwise="it is tried again and again. Mended soon, it goes out; mended late, it waits for a person.",
        fixes=("newsletter prepare", "newsletter check"),
    )


def preview(
    key: str,
    slot: Slot,
    at: datetime,
    site: Site,
    *,
    edition: str,
    number: int,
    digest: Digest | None,
    stories: int,
    readers: int,
    lines: Sequence[str],
    stop: str = "",
    changed: bool = False,
) -> Notice:
    """The mail of a slot as it would go out: `digest`, or None when no story is in.

    `stop` says why the clock would not send it, `lines` what waits and what the checks found.
    """
    local = words.when(slot.due, site.timezone)
    short = words.moment(slot.local)
    title, name = issue_title(edition, number), issue_name(edition, number)
    mark = f"Preview of {title[:1].lower()}{title[1:]}" + (", changed" if changed else "")
    told = f"{words.stories(stories)}, {words.count(readers, 'reader')}"
    if digest is None:
        what = f"There is no story for {title[:1].lower()}{title[1:]}, {local}."
        otherwise = "no issue is made, and no reader gets a mail."
    else:
        what = f"{title}, {local}: {told}. This is the mail as it will go out."
        otherwise = f"it is held, and no reader gets it: {stop}" if stop else f"it goes out {short}."
    return Notice(
        key,
        NoticeKind.PREVIEW,
        at,
        slot.key,
        subject=f"{mark}, {short}: {digest.subject if digest else 'no story'}",
        what=what,
        why="The lead, the stories or their text have changed since the last preview."
        if changed
        else "So that you see it before your readers do.",
        otherwise=otherwise,
        lines=tuple(lines),
        fixes=(f"newsletter issue show {name}",),
        hold=slot.key,
        number=number,
        edition=edition,
        mark=digest.digest_hash if digest else "",
        digest=digest,
    )


def planned(plan: SlotPlan, slot: Slot | None, site: Site) -> Notice | None:
    """A slot (or, without one, all of them) that makes no mail by itself, since somebody decided so."""
    key = f"plan:{plan.key}:{plan.kind.value}:{plan.hand.at.isoformat()}"
    if plan.kind is PlanKind.HOLD and slot:
        return _held(key, plan, slot, site)
    if plan.kind is PlanKind.PAUSE:
        return _paused(key, plan, site)
    return _in_doubt(key, plan) if plan.kind is PlanKind.CLOCK else None


def _held(key: str, plan: SlotPlan, slot: Slot, site: Site) -> Notice:
    return Notice(
        key,
        NoticeKind.HELD,
        plan.hand.at,
        slot.key,
        subject=f"Held: the issue of {words.moment(slot.local)}",
        what=f"{name_of(site, plan.hand.who)} holds what slot {slot.key} sends, {words.when(slot.due, site.timezone)}.",
        why=reason_of(plan.reason),
        otherwise="the issue is made at its time, and no reader gets it until somebody lets it go.",
        fixes=(f"newsletter schedule resume {slot.key}", "newsletter issue show next"),
        hold=slot.key,
    )


def _paused(key: str, plan: SlotPlan, site: Site) -> Notice:
    return Notice(
        key,
        NoticeKind.PAUSED,
        plan.hand.at,
        "schedule",
        subject="The schedule is paused",
        what=f"{name_of(site, plan.hand.who)} paused the schedule: no issue goes out by itself.",
        why=reason_of(plan.reason),
        otherwise="each slot passes without an issue. Stories wait.",
        fixes=("newsletter schedule resume all",),
    )


def _in_doubt(key: str, plan: SlotPlan) -> Notice:
    return Notice(
        key,
        NoticeKind.CLOCK,
        plan.hand.at,
        "clock",
        subject="The clock of the machine is in doubt",
        what="The clock of the machine jumped: nothing is published, made or started by itself.",
        why=reason_of(plan.reason),
        otherwise="nothing goes out until the clock is right again, or a person says that it is.",
        fixes=("newsletter status", "newsletter schedule resume clock"),
    )
