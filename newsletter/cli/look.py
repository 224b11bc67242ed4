"""`status`, `log`: what happens next, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, columns, command
from newsletter.cli.issue import counts_words, issue_data
from newsletter.cli.limits import held_data, held_lines
from newsletter.cli.naming import in_json
from newsletter.cli.report import stopped_words
from newsletter.errors import stops
from newsletter.issues.cadence import preview_at
from newsletter.model import (
    EDITIONS,
    DeliveryState,
    Issue,
    IssueState,
    Letter,
    LogEntry,
    NoticeCopy,
    NoticeKind,
    PlanKind,
    ReviewAct,
    Slot,
    SlotPlan,
    SlotRecord,
    Worker,
    issue_name,
)
from newsletter.usecases.allowance import HeldBack, held_back
from newsletter.usecases.letters import PATIENCE
from newsletter.usecases.notices import SHOWN, mail_is_broken, recipients
from newsletter.usecases.signup import resting

if TYPE_CHECKING:
    from newsletter.issues.selection import Choice
    from newsletter.usecases.report import Beside, Status


@command("status")
def status(door: Door) -> int:
    """What happens next, what needs you, what happened last. Exit 4 when `work` has stopped looking.

    \b
    newsletter status
    newsletter status --json
    """
    told, broken = reading(door)
    others = _others(door)
    owed = door.app.notices.open(door.now, SHOWN)
    stuck = door.app.letters.stuck(door.now, since=SHOWN, waiting=PATIENCE)
    data = _status_data(told) | {
        "notices": [copy_data(copy) for copy in owed],
        "letters": [letter_data(letter) for letter in stuck],
        "signing_up_paused_until": resting(door.app.rates, door.now),
        "others": [_beside_data(one) for one in others],
        "held_back": held_data(_held_back(door)),
        "workers": [_worker_data(one) for one in _workers(door)],
    }
    beside = [_beside_words(door, one) for one in others]
    door.answer(data, *_status_lines(door, told, broken, owed, stuck, beside))
    stopped = told.last_tick is not None and door.now - told.last_tick > told.silent_after
    return 4 if stopped or mail_is_broken(owed) else 0


def _workers(door: Door) -> Sequence[Worker]:
    """Those that send issues beside others; none where a file keeps the records."""
    known = door.app.workers.workers() if door.app.config.server else ()
    return [one for one in known if one.queues]


def _worker_data(one: Worker) -> dict[str, object]:
    silent = round(one.silent.total_seconds(), 1)
    told = {"name": one.name, "connections": one.connections, "queues": list(one.queues), "chunks": one.chunks}
    return told | {"silent_seconds": silent, "lives": one.lives}


def reading(door: Door) -> tuple[Status, int]:
    """How things stand, and how many problems the posts have; those that are sound count."""
    from newsletter.usecases import report
    from newsletter.usecases.choose import choose

    loaded = door.app.loaded(door.now)
    press = door.app.press(loaded.library, door.now)
    return report.status(press, door.app.roster, choose(press), door.app.instance.doubt()), len(stops(loaded.problems))


def _others(door: Door) -> list[Beside]:
    """What comes next of the editions beside the weekly one."""
    from newsletter.usecases import report

    app = door.app
    editions = app.config.editions[1:]
    library = app.as_loaded(door.now).library if editions else None
    return [report.beside(app.press(library, door.now, one), app.roster) for one in editions if library]


def _beside_data(one: Beside) -> dict[str, object]:
    due = {"number": one.number, "slot": one.slot.key, "due": one.slot.due, "stories": one.stories} if one.slot else {}
    return {"edition": one.cadence.edition, "readers": one.readers} | due


def _beside_words(door: Door, one: Beside) -> str:
    """A line of `status` about another edition."""
    readers = words.count(one.readers, "reader")
    if one.slot is None:
        return f"Each post    {words.span(one.cadence.delay)} after it comes out; {readers}"
    when = words.when(one.slot.due, one.cadence.zone, door.now)
    name = issue_name(one.cadence.edition, one.number)
    return f"Next monthly {name}, {when}: {words.stories(one.stories)}; {readers}"


def _status_data(told: Status) -> dict[str, object]:
    return {
        "next": {"number": told.next_number, "slot": told.place.slot.key, "due": told.place.slot.due},
        "undecided": [slot.key for slot in told.undecided],
        "stories": [choice.post.slug for choice in told.selection.stories],
        "waiting": [choice.post.slug for choice in told.selection.waiting],
        "readers": dict(told.readers),
        "attention": [
            {"number": i.number, "edition": i.edition, "state": i.state.value, "reason": i.reason}
            for i in told.attention
        ],
        "going": [in_json(i) for i in told.going],
        "last": issue_data(told.last, told.counts[told.last]) if told.last else None,
        "locked": told.doubt,
        "paused": [{"plan": plan.kind.value, "reason": plan.reason} for plan in told.standing],
        "last_tick": told.last_tick,
        "trouble": {one.name: why for one, why in told.trouble.items()},
    }


def _status_lines(
    door: Door,
    told: Status,
    broken: int,
    owed: Sequence[NoticeCopy],
    stuck: Sequence[Letter],
    others: Sequence[str],
) -> list[str]:
    zone = door.app.config.cadence.zone
    sandbox = "SANDBOX" if door.app.config.mail.sandbox else "LIVE"
    lines = [f"{door.app.config.site.title}  ·  {sandbox}  ·  {words.when(door.now, zone)}", *next_lines(door, told)]
    ready = told.ready(door.now)
    if not any(plan.kind is PlanKind.PAUSE for plan in told.standing):
        lines += _preview_line(door, ready.slot if ready else told.place.slot, owed)
    lines += others
    lines += [
        f"On its way   issue {one.name}: {_going(one, told, door)}" for one in told.going if one != told.ready(door.now)
    ]
    if any(one.state is IssueState.SENDING for one in told.going):
        lines += [f"             {line}" for line in held_lines(_held_back(door), zone, door.now)]
    lines += _needs(door, told, broken, owed, stuck)
    if told.last and told.last.started_at:
        took = f" In {words.span(told.last.finished_at - told.last.started_at)}." if told.last.finished_at else ""
        outcome = counts_words(told.counts[told.last]) or "nobody to send it to"
        lines.append(f"Last issue   {told.last.number}, {words.when(told.last.started_at, zone)}: {outcome}.{took}")
    shown = (told.last, *told.going, *told.attention)
    if told.last_slot and (told.last_slot_issue is None or told.last_slot_issue not in shown):
        lines.append(f"Last slot    {told.last_slot.key}: {outcome_words(told.last_slot, told.last_slot_issue)}")
    lines.append(f"Machine      {_machine(door, told)}")
    return lines


def _held_back(door: Door) -> HeldBack:
    app = door.app
    return held_back(app.config.mail.limits, app.throttle, door.now, app.ledger.next_retry())


def next_lines(door: Door, told: Status) -> list[str]:
    """Two lines: the next issue and its slot; its stories and readers."""
    readers = words.count(told.readers.get("active", 0), "reader")
    if (ready := told.ready(door.now)) and ready.send_at:
        when = words.when(ready.send_at, door.app.config.cadence.zone, door.now)
        return [
            f"Next issue   {ready.number}, {when}",
            f"             ready: {words.stories(len(ready.stories))}, frozen; {readers}",
        ]
    when = words.when(told.place.slot.due, door.app.config.cadence.zone, door.now)
    approved, waiting = len(told.selection.stories), len(told.selection.waiting)
    stories = words.stories(approved) if approved else "no story yet"
    more = f", {waiting} waiting for approval" if waiting else ""
    return [f"Next issue   {told.next_number}, {when}", f"             {stories}{more}; {readers}"]


def _preview_line(door: Door, slot: Slot, owed: Sequence[NoticeCopy]) -> list[str]:
    """When editors get to see it, or that nobody does."""
    cadence, site = door.app.cadence, door.app.config.site
    if not cadence.preview or slot.due <= door.now:
        return []
    to = recipients(site, NoticeKind.PREVIEW, door.app.config.webhook)
    if not to:
        return ["             Nobody gets a preview of it: no editor under [people] has an email."]
    at = preview_at(cadence, slot)
    shown = door.app.notices.about(NoticeKind.PREVIEW, slot.key)
    if shown and any(copy.notice.key == shown[-1].key for copy in owed):
        return ["             Preview mail is made and waits to be handed over: newsletter notices"]
    if shown:
        word, at = "went", shown[-1].at
    else:
        word = "goes" if at > door.now else "should have gone"
    local = words.moment(at.astimezone(cadence.zone))
    return [f"             Preview mail {word} to {words.count(len(to), 'editor')} {local}."]


def outcome_words(record: SlotRecord, one: Issue | None) -> str:
    """`issue 12, sent`, `empty (nothing new since issue 11)`."""
    what = f"issue {one.name}, {one.state.value}" if one else record.outcome.value
    return f"{what} ({record.reason})" if record.reason else what


def _going(one: Issue, told: Status, door: Door) -> str:
    if one.state is IssueState.SENDING or one.send_at is None:
        return f"{one.state.value}: {counts_words(told.counts[one]) or 'readers are being counted'}"
    when = words.when(one.send_at, door.app.config.cadence.zone, door.now)
    return f"starts {when}" if one.send_at > door.now else f"was due {when}: newsletter deliver"


def _needs(door: Door, told: Status, broken: int, owed: Sequence[NoticeCopy], stuck: Sequence[Letter]) -> list[str]:
    rows = [f"this copy of the site is locked, {told.doubt}: newsletter claim"] if told.doubt else []
    rows += [f"{plan_words(plan)}: newsletter schedule resume {_way_out(plan)}" for plan in told.standing]
    if tried := [copy for copy in owed if copy.attempts]:
        last = tried[-1]
        rows.append(f"{words.count(len(tried), 'notice')} not handed over, {last.to}: {last.reply}: newsletter notices")
    rows += letters_stuck(stuck, door.now)
    if until := resting(door.app.rates, door.now):
        zone = door.app.config.site.timezone
        rows.append(f"signing up is paused, far more than usual do; on again {words.when(until, zone)} or later")
    if broken:
        rows.append(f"{words.count(broken, 'problem')} in the posts: newsletter check")
    rows += [f"issue {one.name} reaches nobody: {why}" for one, why in told.trouble.items()]
    rows += _stranded(door)
    if told.undecided:
        since = f" ({len(told.undecided)} since {told.undecided[0].key})" if len(told.undecided) > 1 else ""
        rows.append(f"slot {told.undecided[-1].key} has passed undecided{since}: newsletter prepare")
    for one in told.attention:
        if one.state is IssueState.HELD:
            rows.append(f"issue {one.name} is {_held(one, door.now)}")
        elif one.state is IssueState.READY:
            rows.append(f"issue {one.name} is ready, and waits for a hand: newsletter issue send {one.name}")
        elif one.state is IssueState.PAUSED:
            why = words.first_sentence(stopped_words(one)).rstrip(".")
            rows.append(f"issue {one.name} is {why}: newsletter issue report {one.name}")
        else:
            counts = {s: told.counts[one].get(s, 0) for s in (DeliveryState.UNCERTAIN, DeliveryState.FAILED)}
            rows.append(
                f"issue {one.name} is {one.state.value}, {counts_words(counts)}: newsletter issue settle {one.name}"
            )
    rows += _approvals(door, told.selection.waiting)
    return [f"{'Needs you' if n == 0 else '':<12} {row}" for n, row in enumerate(rows)]


def letters_stuck(stuck: Sequence[Letter], now: datetime) -> list[str]:
    """Letters that wait too long, and those that somebody asked for and did not get; each kind in one line."""
    waiting = [one for one in stuck if one.state is DeliveryState.WAITING]
    ended = [one for one in stuck if one.state is not DeliveryState.WAITING]
    rows = []
    if waiting:
        why = waiting[-1].reply or waiting[-1].reason or "nobody hands them over: newsletter work"
        since = words.span(now - waiting[0].at)
        rows.append(f"{words.count(len(waiting), 'letter')} to readers not handed over, for {since}: {why}")
    if ended:
        last = ended[-1]
        said = f" ({last.reply or last.reason})" if last.reply or last.reason else ""
        what = f"{words.count(len(ended), 'letter')} to readers failed or uncertain, {last.kind.value}{said}"
        rows.append(f"{what}: newsletter reader show {last.address}")
    return rows


def letter_data(letter: Letter) -> dict[str, object]:
    """A letter as JSON shows it."""
    return {
        "kind": letter.kind.value,
        "reader": letter.subscriber_id,
        "address": letter.address,
        "at": letter.at,
        "state": letter.state.value,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "next_at": letter.next_at,
        "reply": letter.reply,
    }


def _stranded(door: Door) -> list[str]:
    """Readers of an edition that was switched off."""
    off = [edition for edition in EDITIONS if edition not in door.app.config.editions]
    counts = {edition: door.app.roster.counts(edition).get("active", 0) for edition in off}
    chose = ((edition, words.count(n, "reader")) for edition, n in counts.items() if n)
    return [
        f"{readers} chose the {edition} edition, which is switched off: they get nothing" for edition, readers in chose
    ]


def _held(one: Issue, now: datetime) -> str:
    """`held by rob: the lead is wrong: newsletter issue ready 12`: before its slot it is let go, afterwards sent."""
    why = one.reason if one.reason.startswith("held") else f"held, {one.reason}"
    return f"{why}: newsletter issue {'ready' if one.slot.due > now else 'send'} {one.name}"


def _way_out(plan: SlotPlan) -> str:
    return "clock" if plan.kind is PlanKind.CLOCK else plan.key


def plan_words(plan: SlotPlan) -> str:
    """`everything is paused by review-desk: holiday`."""
    if plan.kind is PlanKind.CLOCK:
        return f"no issue is made: {plan.reason}"
    what = f"slot {plan.key} is held" if plan.kind is PlanKind.HOLD else "everything is paused"
    return f"{what} by {plan.hand.who}" + (f": {plan.reason}" if plan.reason else "")


def _approvals(door: Door, waiting: Sequence[Choice]) -> list[str]:
    rows = [_approval(door, choice) for choice in waiting[:5]]
    more = len(waiting) - len(rows)
    return [*rows, f"and {words.count(more, 'more post')}: newsletter post list"] if more else rows


def _approval(door: Door, choice: Choice) -> str:
    """Whose turn it is: the author's once changes were asked for, else the reviewer's."""
    post = choice.post
    steps = door.app.versions.steps(post.id)
    if steps and steps[-1].act is ReviewAct.CHANGES:
        return f"{post.slug}, changes asked: newsletter post review {post.slug} --as {post.author.key}"
    reviewer = f" --as {post.reviewer.key}" if post.reviewer else ""
    return f"{post.slug}, {choice.reason}: newsletter post approve {post.slug}{reviewer}"


def _machine(door: Door, told: Status) -> str:
    if told.last_tick is None:
        return "work has never run here: newsletter work"
    ago = door.now - told.last_tick
    late = " (is it running? newsletter work)" if ago > told.silent_after else ""
    looked = f"work: last look {words.span(max(ago, timedelta(0)))} ago{late}"
    return " · ".join([looked, *_crew(door), _backup(door)])


def _crew(door: Door) -> list[str]:
    """How many workers there are, and how many of them give no sign."""
    workers = _workers(door)
    lost = sum(not one.lives for one in workers)
    told = words.count(len(workers) - lost, "worker") + (f", {lost} give no sign" if lost else "")
    return [told] if workers else []


def _backup(door: Door) -> str:
    last = door.app.backups.last()
    return f"backup: {words.when(last, door.app.config.site.timezone)}" if last else "no backup yet: newsletter backup"


@command("notices")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
def notices(door: Door, count: int) -> None:
    """What editors and operators were told, newest first, and what became of each copy.

    \b
    newsletter notices
    newsletter notices --count 100 --json
    """
    app = door.app
    told = app.notices.last(count) if app.has_state else ()
    zone = app.config.site.timezone
    data = [
        {"at": n.at, "kind": n.kind.value, "about": n.about, "what": n.what, "copies": [copy_data(c) for c in copies]}
        for n, copies in told
    ]
    lines = []
    for notice, copies in told:
        lines.append(f"{words.when(notice.at, zone)}  {notice.subject}")
        lines += [f"  {copy.to:<16} {_copy_words(copy)}" for copy in copies] or ["  nobody to tell"]
    door.answer(data, *(lines or ["Nothing was to be told yet."]))


def copy_data(copy: NoticeCopy) -> dict[str, object]:
    """A copy as JSON shows it."""
    return {
        "notice": copy.notice.subject,
        "to": copy.to,
        "state": copy.state.value,
        "attempts": copy.attempts,
        "next_at": copy.next_at,
        "reply": copy.reply,
    }


def _copy_words(copy: NoticeCopy) -> str:
    tried = f" after {words.count(copy.attempts, 'try', 'tries')}" if copy.attempts > 1 else ""
    return f"{copy.state.value}{tried}" + (f"  {copy.reply}" if copy.reply else "")


@command("log")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many lines.")
def log(door: Door, count: int) -> None:
    """Who did what, and when, newest first.

    \b
    newsletter log
    newsletter log --count 200 --json
    """
    app = door.app
    entries = app.ledger.entries(count) if app.has_state else ()
    zone = app.config.site.timezone
    rows = [
        (words.when(e.at, zone), e.who or "the clock", e.channel, f"{e.action} {e.object}", _change(e)) for e in entries
    ]
    door.answer([asdict(entry) for entry in entries], *(columns(rows) if rows else ["Nothing was done yet."]))


def _change(entry: LogEntry) -> str:
    after = entry.after[:15] if entry.after.startswith("sha256:") else entry.after
    change = f"{entry.before} → {after or 'none'}" if entry.before not in {"", after} else after
    return f"{change} ({entry.note})" if entry.note else change
