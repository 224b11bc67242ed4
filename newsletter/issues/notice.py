"""What editors and operators are told of an issue, in words: what, why, what happens if they do nothing.

Every function makes one Notice from values. The key names the fact, so that whoever notices it again writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from newsletter import words
from newsletter.model import (
    DeliveryState,
    Digest,
    Issue,
    IssueState,
    Notice,
    NoticeKind,
    PlanKind,
    Post,
    Site,
    Slot,
    SlotOutcome,
    SlotPlan,
    SlotRecord,
)


def started(key: str, issue: Issue, at: datetime, site: Site) -> Notice:
    """An issue is on its way."""
    by = f"{_name(site, issue.sent_by)} sent it." if issue.sent_by else "Its time has come."
    readers = words.count(issue.audience, "reader")
    return Notice(
        key,
        NoticeKind.STARTED,
        at,
        f"issue {issue.number}",
        subject=f"Issue {issue.number} is going out to {readers}",
        what=f"Issue {issue.number} is going out to {readers}: {issue.subject}",
        why=by,
        otherwise="it goes on until everybody was served. You hear of it again only if somebody was not.",
        fixes=(f"newsletter issue show {issue.number}", f"newsletter issue cancel {issue.number}"),
        links=_page(issue, site),
    )


def held(key: str, issue: Issue, at: datetime, site: Site, *, reason: str, late: bool) -> Notice:
    """An issue does not go out until a person says so; because it came too late, or for another reason."""
    name = f"Issue {issue.number}"
    return Notice(
        key,
        NoticeKind.LATE if late else NoticeKind.HELD,
        at,
        f"issue {issue.number}",
        subject=f"{name} came late and is held" if late else f"{name} is held",
        what=f"{name} is held: no reader gets it. Its slot was {words.when(issue.slot.due, site.timezone)}.",
        why=_sentence(reason or "no reason was given"),
        otherwise="it stays held. Its stories stay in it, and in no other issue, until it is sent or cancelled.",
        lines=tuple(story.title for story in issue.stories),
        fixes=tuple(f"newsletter issue {verb} {issue.number}" for verb in ("show", "send", "cancel")),
    )


def paused(key: str, issue: Issue, counts: Mapping[DeliveryState, int], at: datetime, *, reason: str) -> Notice:
    """An issue stopped half-way."""
    done = sum(counts.get(state, 0) for state in (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN))
    return Notice(
        key,
        NoticeKind.PAUSED,
        at,
        f"issue {issue.number}",
        subject=f"Issue {issue.number} is paused",
        what=f"Issue {issue.number} is paused: {done:,} of {words.count(issue.audience, 'reader')} have it.",
        why=_sentence(reason or "no reason was given"),
        otherwise="the others go on waiting.",
        lines=_numbers(counts),
        fixes=tuple(f"newsletter issue {verb} {issue.number}" for verb in ("show", "resume", "cancel")),
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
        f"issue {issue.number}",
        subject=f"Issue {issue.number} is through: {told}",
        what=f"Issue {issue.number} is through. Of {words.count(issue.audience, 'reader')}, {told}.",
        why="Each has the mail server's own words beside it."
        + (" Uncertain: the connection broke after the text; it may have arrived or not." if uncertain else ""),
        otherwise="nobody is tried again by itself.",
        lines=_numbers(counts),
        fixes=(f"newsletter issue show {issue.number}",),
        links=_page(issue, site),
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
        f"issue {issue.number}",
        subject=f"Issue {issue.number} {what}",
        what=f"Issue {issue.number} {what}: {_name(site, by) or 'the clock'} stopped it.",
        why=_sentence(reason or "no reason was given"),
        otherwise="no mail of it goes out.",
        fixes=(f"newsletter issue show {issue.number}", "newsletter issue show next"),
    )


def slot_passed(record: SlotRecord, at: datetime, site: Site) -> Notice | None:
    """A slot ended without an issue; None for one whose issue speaks for itself."""
    if record.issue_number is not None or record.outcome in {SlotOutcome.ISSUED, SlotOutcome.COALESCED}:
        return None
    day = words.when(record.due, site.timezone)
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
        why=_sentence(record.reason or "no reason was given"),
        otherwise="stories that wait are in the next issue, once they are approved.",
        fixes=("newsletter issue show next", "newsletter issue send next"),
    )


def edited(post: Post, signed: str, lines: Sequence[str], effect: str, at: datetime, site: Site, slot: Slot) -> Notice:
    """A post is not any more what was approved. `signed` is the hash that was, `effect` what that does to the issue."""
    reviewer = post.reviewer.key if post.reviewer else "REVIEWER"
    return Notice(
        f"edited:{post.id}:{signed}",
        NoticeKind.EDITED,
        at,
        f"post {post.slug}",
        subject=f"Changed after approval: {post.title}",
        what=f"{post.title} ({post.path}) was changed after it was approved. {effect}",
        why="An approval is of one very text; these lines are others now."
        if lines
        else "An approval is of one very text. The lines that changed are not known here.",
        otherwise="the post waits, and the issue goes without it.",
        lines=tuple(lines),
        fixes=(
            f"newsletter post show {post.slug} --diff",
            f"newsletter post approve {post.slug} --as {reviewer}",
        ),
        links=(("The page", site.address_of(f"posts/{post.slug}/")),),
        hold=slot.key,
    )


def preview(
    key: str,
    slot: Slot,
    at: datetime,
    site: Site,
    *,
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
    mark = f"Preview of {number}, changed" if changed else f"Preview of {number}"
    told = f"{words.stories(stories)}, {words.count(readers, 'reader')}"
    if digest is None:
        what = f"There is no story for issue {number}, {local}."
        otherwise = "no issue is made, and no reader gets a mail."
    else:
        what = f"Issue {number}, {local}: {told}. This is the mail as it will go out."
        otherwise = f"it is held, and no reader gets it: {stop}" if stop else f"it goes out {short}."
    return Notice(
        key,
        NoticeKind.PREVIEW,
        at,
        slot.key,
        subject=f"{mark}, {short}: {digest.subject if digest else 'no story'}",
        what=what,
        why="The lead, the stories or their text are others than in the preview before."
        if changed
        else "So that you see it before your readers do.",
        otherwise=otherwise,
        lines=tuple(lines),
        fixes=("newsletter issue show next",),
        hold=slot.key,
        number=number,
        mark=digest.digest_hash if digest else "",
        digest=digest,
    )


def planned(plan: SlotPlan, slot: Slot | None, site: Site) -> Notice | None:
    """A slot (or, without one, all of them) that makes no mail by itself, since somebody decided so."""
    by, reason = _name(site, plan.hand.who), _sentence(plan.reason or "no reason was given")
    key, at = f"plan:{plan.key}:{plan.kind.value}:{plan.hand.at.isoformat()}", plan.hand.at
    if plan.kind is PlanKind.HOLD and slot:
        return Notice(
            key,
            NoticeKind.HELD,
            at,
            slot.key,
            subject=f"Held: the issue of {words.moment(slot.local)}",
            what=f"{by} holds what slot {slot.key} sends, {words.when(slot.due, site.timezone)}.",
            why=reason,
            otherwise="the issue is made at its time, and no reader gets it until somebody lets it go.",
            fixes=(f"newsletter schedule resume {slot.key}", "newsletter issue show next"),
            hold=slot.key,
        )
    if plan.kind is PlanKind.PAUSE:
        return Notice(
            key,
            NoticeKind.PAUSED,
            at,
            "schedule",
            subject="The schedule is paused",
            what=f"{by} paused the schedule: no issue goes out by itself.",
            why=reason,
            otherwise="each slot passes without an issue. Stories wait.",
            fixes=("newsletter schedule resume all",),
        )
    if plan.kind is PlanKind.CLOCK:
        return Notice(
            key,
            NoticeKind.CLOCK,
            at,
            "clock",
            subject="The clock of the machine is in doubt",
            what="The clock of the machine jumped: nothing is published, made or started by itself.",
            why=reason,
            otherwise="nothing goes out until the clock is right again, or a person says that it is.",
            fixes=("newsletter status", "newsletter schedule resume clock"),
        )
    return None


def locked(doubt: str, at: datetime, site: Site) -> Notice:
    """This may be a copy of a site that runs elsewhere. Once a day."""
    return Notice(
        f"locked:{at.astimezone(site.timezone).date()}:{doubt}",
        NoticeKind.LOCKED,
        at,
        "site",
        subject="A copy of the site is locked",
        what="A copy of the site was started. It is locked: it sends nothing to readers.",
        why=_sentence(doubt),
        otherwise="it stays locked. The original, if it runs, is not touched.",
        fixes=("newsletter claim",),
    )


def mail_broken(message: str, at: datetime, site: Site) -> Notice:
    """The mail server takes nothing; for the webhook, since a mail would not arrive. Once a day."""
    day = at.astimezone(site.timezone).date()
    return Notice(
        f"mail:{day}",
        NoticeKind.MAIL,
        at,
        "mail",
        subject="Mail cannot be handed over",
        what="The mail server takes no mail. Readers and notices wait, and nobody is lost.",
        why=_sentence(message),
        otherwise="it is tried again, ever more seldom, and each reader for 48 hours at the most.",
        fixes=("newsletter status",),
    )


def _numbers(counts: Mapping[DeliveryState, int]) -> tuple[str, ...]:
    return tuple(f"{state.value:<10} {n:,}" for state, n in counts.items() if n)


def _page(issue: Issue, site: Site) -> tuple[tuple[str, str], ...]:
    shown = issue.state.public or issue.state is IssueState.READY
    return (("The issue", site.address_of(f"issues/{issue.number}/")),) if shown else ()


def _name(site: Site, key: str) -> str:
    return site.people[key].name if key in site.people else key


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
