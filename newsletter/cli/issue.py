"""`issue list | show | send | cancel`; `issue plan` has a module of its own."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from newsletter import variants, words
from newsletter.cli.door import Door, Group, columns, command, moment_of, told
from newsletter.cli.naming import asked, named, press_of, variant_option
from newsletter.errors import Outside, Problem, Refused, UsageError
from newsletter.model import EACH_POST, DeliveryState, Digest, Issue, IssueState, issue_name, issue_title

if TYPE_CHECKING:
    from newsletter.issues.selection import Choice
    from newsletter.ports import Clock
    from newsletter.usecases.allowance import Spread
    from newsletter.usecases.look_back import Due
    from newsletter.usecases.send import Plan

LOOK = 2.0
"""Seconds from one look at what another process sends to the next: counting a million rows costs it something."""

_TABLE = {
    "list": ("newsletter.cli.issue:list_issues", "all issues with their outcome"),
    "show": ("newsletter.cli.issue:show", "one issue, or the next one as it would be"),
    "check": ("newsletter.cli.checks:check", "what would stop it, or should be looked at"),
    "wave": ("newsletter.cli.checks:wave", "let a warning pass, with a reason"),
    "plan": ("newsletter.cli.plan:plan", "decide about the next one: order, subject, note"),
    "send": ("newsletter.cli.issue:send", "trigger an issue by hand"),
    "ready": ("newsletter.cli.life:ready", "freeze an issue; edits change nothing in it"),
    "unready": ("newsletter.cli.life:unready", "thaw it again"),
    "hold": ("newsletter.cli.life:hold", "keep it from going out by itself"),
    "skip": ("newsletter.cli.life:skip", "let a slot pass"),
    "pause": ("newsletter.cli.life:pause", "stop handing out for now"),
    "resume": ("newsletter.cli.life:resume", "go on handing out"),
    "test": ("newsletter.cli.proofs:test", "a test to people of the house"),
    "rehearse": ("newsletter.cli.rehearse:rehearse", "the whole send, handing over nothing"),
    "resend": ("newsletter.cli.resend:resend", "once more, to a reader who missed it"),
    "cancel": ("newsletter.cli.issue:cancel", "stop an issue that is about to go, or going"),
    "web-only": ("newsletter.cli.life:web_only", "publish it, and mail it to nobody"),
    "report": ("newsletter.cli.report:report", "what became of a send, and of whom"),
    "settle": ("newsletter.cli.life:settle", "decide about doubtful deliveries"),
    "retry": ("newsletter.cli.life:retry", "try failed deliveries once more"),
    "extra": ("newsletter.cli.life:extra", "an issue outside of the rhythm"),
    "start-from": ("newsletter.cli.life:start_from", "from which post on issues take any"),
}


@click.group("issue", cls=Group, table=_TABLE)
def issue() -> None:
    """Issues: see them, send one by hand, stop one."""


@command("list")
def list_issues(door: Door) -> None:
    """All issues, newest first.

    \b
    newsletter issue list
    newsletter issue list --json
    """
    door.remark_on_copy()
    ledger, zone = door.app.ledger, door.app.config.cadence.zone
    rows = [(one, ledger.counts(one.edition, one.number)) for one in _newest_first(ledger.issues())]
    width = max((len(one.name) for one, _ in rows), default=0)
    lines = columns(
        [
            (
                f"{one.name:>{max(4, width)}}",
                words.moment((one.started_at or one.send_at or one.slot.due).astimezone(zone)),
                one.state.value,
                counts_words(counts) or "–",
                one.stories[0].title if one.stories else "–",
            )
            for one, counts in rows
        ]
    )
    slot = door.app.next_slot(door.now)
    empty = f"No issue yet. The next slot is {words.when(slot.due, zone, door.now)}."
    door.answer([issue_data(one, counts) for one, counts in rows], *(lines or [empty]))


def _newest_first(issues: Sequence[Issue]) -> list[Issue]:
    """By the time of their slots, whatever their edition; those of one edition keep the order of their numbers."""
    return sorted(issues, key=lambda one: (one.slot.due, one.edition, one.number), reverse=True)


def counts_words(counts: Mapping[DeliveryState, int]) -> str:
    """`1,271 accepted, 4 failed`."""
    order = ("accepted", "waiting", "claimed", "sending", "failed", "uncertain", "dropped")
    return ", ".join(f"{n:,} {state}" for state in order if (n := counts.get(DeliveryState(state), 0)))


def issue_data(one: Issue, counts: Mapping[DeliveryState, int]) -> dict[str, object]:
    return {
        "number": one.number,
        "edition": one.edition,
        "slot": one.slot.key,
        "due": one.slot.due,
        "state": one.state.value,
        "reason": one.reason,
        "subject": one.subject,
        "preheader": one.preheader,
        "stories": [story.slug for story in one.stories],
        "send_at": one.send_at,
        "started_at": one.started_at,
        "finished_at": one.finished_at,
        "audience": one.audience,
        "deliveries": {state.value: n for state, n in counts.items() if n},
    }


@command("show")
@click.argument("number", metavar="N|next")
@click.option("--html", "part", flag_value="html", help="The HTML that readers get.")
@click.option("--text", "part", flag_value="text", help="The plain text.")
@click.option("--eml", "part", flag_value="eml", help="The whole message, byte for byte.")
@variant_option
@click.option("--reader", default=None, metavar="ADDRESS", help="As this reader gets it; --text unless said.")
@click.option("--readers", is_flag=True, help="How many readers get what.")
def show(door: Door, number: str, part: str | None, variant: str, reader: str | None, readers: bool) -> None:
    """One issue with every story and what became of its mail; `next` as it would go out now.

    \b
    newsletter issue show next
    newsletter issue show 12 --text --variant none
    """
    from newsletter.cli import proofs
    from newsletter.usecases.prepare import next_number

    door.remark_on_copy()
    if readers:
        proofs.show_readers(door, number)
    elif part or reader:
        proofs.show_part(door, number, part or "text", variant, reader)
    else:
        edition, wanted = asked(number)
        issues = door.app.ledger.issues(edition)
        if edition == EACH_POST and wanted is None and issues:
            waiting = (one for one in issues if one.state in {IssueState.READY, IssueState.HELD})
            _show_made(door, edition, next(waiting, issues[-1]).number)
        elif wanted is None or wanted == next_number(issues):
            _show_next(door, edition)
        else:
            _show_made(door, edition, wanted)


def _show_made(door: Door, edition: str, number: int) -> None:
    from newsletter.usecases.report import issue_named
    from newsletter.usecases.stale import FROZEN, stale

    ledger, zone = door.app.ledger, door.app.config.cadence.zone
    one = issue_named(ledger, edition, number)
    counts = ledger.counts(one.edition, one.number)
    unsettled = ledger.deliveries(one.edition, one.number, DeliveryState.UNCERTAIN)
    data = issue_data(one, counts) | {"uncertain": [d.address for d in unsettled]}
    lines = [
        f"{one.title} · {one.state.value} · slot {one.slot.key}, {words.when(one.slot.due, zone)}",
        *(f"  {n}  {story.title}" for n, story in enumerate(one.stories, 1)),
        f"Subject    {one.subject}",
        f"Preheader  {one.preheader}",
    ]
    if one.reason:
        way_out = f". Send it: newsletter issue send {one.name}" if one.state is IssueState.HELD else ""
        lines.append(f"Reason     {one.reason}{way_out}")
    if one.state is IssueState.READY and one.send_at:
        lines.append(f"Starts     {words.when(one.send_at, zone, door.now)}")
    if one.started_at:
        by = f" by {one.sent_by}" if one.sent_by else ""
        lines.append(f"Started    {words.when(one.started_at, zone)}{by}")
        lines.append(f"Readers    {words.count(one.audience, 'reader')}: {counts_words(counts)}")
    lines += [f"Uncertain  {d.address}: {d.reply or 'the connection was lost after the text'}" for d in unsettled]
    if one.state.public:
        lines.append(f"Page       {door.app.config.site.address_of(one.page)}")
    edited = stale([one], door.app.loaded(door.now).library) if one.state in FROZEN else []
    data["problems"] = [problem.as_json() for problem in edited]
    door.answer(data, *lines, *told(edited))


def _show_next(door: Door, edition: str) -> None:
    from newsletter.issues import budget
    from newsletter.usecases.choose import choose
    from newsletter.usecases.look_back import look_back
    from newsletter.usecases.prepare import draft_of
    from newsletter.usecases.report import status

    app = door.app
    press = press_of(door, edition)
    selection = choose(press)
    told_status = status(press, app.roster, selection)
    slot = told_status.place.slot
    there = app.roster.counts(edition, at=slot.due)
    rows, when = [*selection.stories, *selection.left], words.when(slot.due, app.config.cadence.zone, door.now)
    data: dict[str, object] = {
        "number": told_status.next_number,
        "edition": edition,
        "slot": slot.key,
        "due": slot.due,
        "stories": [{"slug": c.post.slug, "verdict": c.verdict.value, "reason": c.reason} for c in rows],
        "readers": there["active"],
        "paused": there["paused"],
    }
    lines = [
        f"{issue_title(edition, told_status.next_number)} · Draft · slot {when}",
        *columns([_choice_row(n, choice) for n, choice in enumerate(rows, 1)]),
    ]
    if not selection.stories:
        lines.append("No story is in: the slot will be recorded as empty, and nothing is sent.")
    else:
        draft = draft_of(press, slot, [choice.post for choice in selection.stories])
        data |= {"subject": draft.digest.subject, "preheader": draft.digest.preheader}
        data["segments"] = list(variants.optional(draft.digest))
        data |= {"bytes": budget.size(draft.digest), "problems": [p.as_json() for p in draft.problems]}
        lines += [
            f"Subject    {draft.digest.subject}",
            f"Preheader  {draft.digest.preheader}",
            f"Size       {budget.size(draft.digest) / 1000:.1f} kB of 80 kB",
            *_parts_words(draft.digest, edition),
            *told(draft.problems),
        ]
    resting = f"; {there['paused']:,} paused until after the slot" if there["paused"] else ""
    lines.append(f"Readers    {there['active']:,}{resting}")
    made = (one for one in (*told_status.attention, *told_status.going) if one.edition == edition)
    unsent = [one for one in made if one.started_at is None]
    lines += [f"Before it  issue {one.name} is {one.state.value}: newsletter issue show {one.name}" for one in unsent]
    due = look_back(press.library, app.config.site, door.now)
    data["takes_due"] = [{"slug": one.post.slug, "check": one.day.isoformat(), "take": one.text} for one in due]
    door.answer(data, *lines, *_due_words(due))


def _parts_words(digest: Digest, edition: str) -> list[str]:
    """The segments, and how to see for whom they are."""
    keys = ", ".join(variants.optional(digest))
    return [f"For some   {keys}   (newsletter issue show {issue_name(edition, None)} --readers)"] if keys else []


def _due_words(due: Sequence[Due]) -> list[str]:
    """What the house promised to look back at, and how a post answers."""
    lines = [f"Look back  {words.long_date(one.day)}  {one.post.slug}: {words.shorten(one.text, 90)}" for one in due]
    if due:
        lines.append(
            f"           A post answers with   verdict: right|wrong|open   and   verdict_on: {due[0].post.slug}"
        )
    return lines


def _choice_row(n: int, choice: Choice) -> tuple[str, ...]:
    post = choice.post
    by = post.author.name + (f" / {post.reviewer.name}" if post.reviewer else "")
    mark = "–" if choice.verdict.value == "out" else f"{n}"
    title = post.title if len(post.title) <= 48 else f"{post.title[:47].rstrip()}…"
    return (f" {choice.verdict.value:<4} {mark:>2}", title, by, f"{post.minutes:>2} min", choice.reason)


@command("send")
@click.argument("number", metavar="N|next")
@click.option("--confirm", default=None, metavar="N:COUNT", help="For scripts: issue and number of readers.")
@click.option(
    "--delay", default="120", show_default=True, metavar="0..600", help="Seconds in which it can be cancelled."
)
@click.option("--at", "at", default=None, metavar="ISO-8601", help="Start then instead.")
@click.option("--wait", is_flag=True, help="Stay, send from here, and show progress.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, to whom.")
def send(door: Door, number: str, confirm: str | None, delay: str, at: str | None, wait: bool, dry_run: bool) -> int:
    """Trigger an issue by hand. It is sent once; the number of readers is typed to confirm.

    \b
    newsletter issue send next
    newsletter issue send 12 --confirm 12:1284 --delay 0 --wait
    """
    from newsletter.cli.limits import spread_data, spread_of
    from newsletter.issues import lifecycle
    from newsletter.usecases import send as sending

    app = door.app
    pause = lifecycle.parse_delay(delay)
    given = lifecycle.parse_confirm(confirm) if confirm else None
    start = _moment(at, door) if at else None
    edition, wanted = asked(number)
    press = press_of(door, edition)
    plan = sending.plan(press, app.roster, wanted, at=start)
    if given and given[0] != plan.name:
        raise Refused(Problem("S304", f"You confirmed issue {given[0]}; this is issue {plan.name}. Nothing was sent."))
    goes = spread_of(door, plan.audience.readers, start or door.now + pause, edition)
    page = _confirm_page(door, plan, goes)
    if given and (refusal := lifecycle.check_count(plan.name, given[1], plan.audience.readers)):
        raise Refused(refusal)
    if dry_run:
        door.answer(
            _plan_data(plan) | spread_data(goes) | {"dry_run": True},
            *page,
            f"Would send to {words.count(plan.audience.readers, 'reader')}.",
        )
        return 0
    app.own()
    confirmed = given[1] if given else _typed(door, plan, page)
    sent = sending.send(press, plan, confirmed=confirmed, delay=pause, at=start, hand=door.hand)
    return _wait_for(door, sent) if wait else _left_to_work(door, sent)


def _moment(text: str, door: Door) -> datetime:
    if moment := moment_of(text, door.app.config.cadence.zone, timed=True):
        return moment
    raise UsageError(
        Problem("S313", f'--at "{text}" is not a date and time of ISO 8601', fixes=("--at 2026-11-27T08:00",))
    )


def _plan_data(plan: Plan) -> dict[str, object]:
    return {
        "number": plan.number,
        "edition": plan.edition,
        "slot": plan.slot.key,
        "subject": plan.subject,
        "stories": list(plan.stories),
        "readers": plan.audience.readers,
        "not_to": dict(plan.audience.not_to),
        "ahead": plan.ahead,
        "problems": [p.as_json() for p in plan.problems],
    }


def _confirm_page(door: Door, plan: Plan, goes: Spread) -> list[str]:
    from newsletter.cli.limits import spread_lines
    from newsletter.usecases.proof import accepted

    site, zone = door.app.config.site, door.app.config.cadence.zone
    others = ", ".join(f"{n:,} {status}" for status, n in plan.audience.not_to.items())
    first = ", ".join(plan.audience.first) + ("" if plan.audience.readers <= len(plan.audience.first) else ", …")
    lines = [
        issue_title(plan.edition, plan.number)
        + (f" · {plan.issue.state.value}: {plan.issue.reason}" if plan.issue and plan.issue.reason else ""),
        *(f"  {n}  {title}" for n, title in enumerate(plan.stories, 1)),
        f"  Subject  {plan.subject}",
        f"  From     {site.sender.name} <{site.sender.address}>",
        f"  To       {words.count(plan.audience.readers, 'reader')}",
    ]
    if first:
        lines.append(f"           first, alphabetically: {first}")
    if others:
        lines.append(f"           not to {others}")
    mail = door.app.config.mail
    servers = ", ".join(dict.fromkeys(server.host for server in mail.servers))
    lines.append(f"  Through  {'the outbox on this machine (sandbox)' if mail.sandbox else servers}")
    lines += [f"  {line}" for line in spread_lines(goes, mail.limits.day(door.now))]
    tests = [one for one in door.app.proofs.of(plan.digest_hash) if accepted(one)]
    lines += [f"  Tested   {words.when(one.at, zone)} to {one.recipient} (this text)" for one in tests[-3:]]
    lines += told(plan.problems)
    if plan.ahead:
        lines.append(
            f"This is ahead of its slot ({words.when(plan.slot.due, zone, door.now)}), which will then be empty."
            + (" Its text is frozen with that date." if plan.issue else "")
        )
    return lines


def _typed(door: Door, plan: Plan, page: Sequence[str]) -> int:
    from newsletter.issues import lifecycle

    if door.no_input or not sys.stdin.isatty():
        raise Refused(lifecycle.needs_confirmation(plan.name, plan.audience.readers))
    for line in (*page, ""):
        click.echo(line, err=True)
    typed = str(click.prompt("Type the number of readers to send", err=True)).replace(",", "").strip()
    return int(typed) if typed.isascii() and typed.isdigit() else -1


def _left_to_work(door: Door, sent: Issue) -> int:
    app = door.app
    assert sent.send_at is not None  # noqa: S101  send() has just set it
    at_once = sent.send_at <= door.now
    lines = [
        f"Starts {'at once' if at_once else words.when(sent.send_at, app.config.cadence.zone, door.now)}.",
        f"Stop it:  newsletter issue cancel {sent.name}",
    ]
    if not _somebody_sends(door):
        lines.append(
            "warn  No sender is running. Start one: newsletter work   (or newsletter deliver, after that time)"
        )
    door.answer(issue_data(sent, app.ledger.counts(sent.edition, sent.number)), *lines)
    return 0


def _somebody_sends(door: Door) -> bool:
    if door.app.lock.acquire():
        door.app.lock.release()
        return False
    return True


def _wait_for(door: Door, sent: Issue) -> int:
    """Send from here when the time comes. Ctrl-C before it stops the wait, not the issue."""
    from newsletter.cli.machine import handed_out, interruptible, letters_ahead, sent_and_told

    app = door.app
    clock = door.ticking_clock()
    if not _waited(door, sent, clock):
        return 130
    if not app.lock.acquire():
        return _watched(door, sent, clock)
    if uncertain := app.recover(clock()):
        door.say(f"warn  A crash left {words.count(uncertain, 'delivery', 'deliveries')} uncertain.")

    began = time.perf_counter()
    with letters_ahead(door, clock) as letters:
        done, cut = interruptible(lambda stop: sent_and_told(door, clock, stop, stays=True))
    if done.drained.workers and not cut:
        app.lock.release()
        return _watched(door, sent, clock)
    return handed_out(door, done, f"{time.perf_counter() - began:.1f} s", letters, clock(), cut=cut)


def _watched(door: Door, sent: Issue, clock: Clock) -> int:
    """Tell how another process sends it, until it is over or nobody sends. Ctrl-C ends the watching alone."""
    from newsletter.cli.machine import interruptible
    from newsletter.cli.sending import Watch
    from newsletter.usecases.report import issue_named

    app = door.app
    workers = app.attended
    by = f"{words.count(workers, 'worker')}" if workers else f"Another process ({app.lock.holder()})"
    door.say(f"{by} {'are' if workers > 1 else 'is'} sending.")
    watch = Watch(door, clock, [sent])

    def look(stop: threading.Event) -> bool:
        with watch.live():
            while (going := _is_under_way(door, sent)) and (app.attended or _somebody_sends(door)):
                watch.read()
                if stop.wait(LOOK):
                    break
        return going

    going, cut = interruptible(look)
    if cut and going:
        door.echo(f"\nYou stopped watching. {sent.title} goes on sending.", err=True)
        door.echo(f"To stop it: newsletter issue cancel {sent.name}", err=True)
        return 130
    now, counts = issue_named(app.ledger, sent.edition, sent.number), app.ledger.counts(sent.edition, sent.number)
    door.answer(
        issue_data(now, counts), f"{now.title} is {now.state.value}: {counts_words(counts) or 'nobody has it'}."
    )
    if going:
        door.say("Nobody sends it any more. newsletter deliver (or work) goes on where it stopped.")
    return Outside.exit_status if going else 0


def _is_under_way(door: Door, sent: Issue) -> bool:
    from newsletter.usecases.report import issue_named

    now = issue_named(door.app.ledger, sent.edition, sent.number)
    return now.state in {IssueState.READY, IssueState.SENDING}


def _waited(door: Door, sent: Issue, clock: Clock) -> bool:
    """Whether the time of the issue came; False when Ctrl-C was pressed first."""
    assert sent.send_at is not None  # noqa: S101  send() has just set it
    left = sent.send_at - clock()
    if left <= timedelta(0):
        return True
    stop_it = f"newsletter issue cancel {sent.name}"
    door.say(f"Starts in {words.span(left)}. Stop it: {stop_it}")
    try:
        time.sleep(left.total_seconds())
    except KeyboardInterrupt:
        when = words.when(sent.send_at, door.app.config.cadence.zone, clock())
        door.echo(f"\nYou stopped watching. {sent.title} is still to start {when},", err=True)
        door.echo(f"if newsletter work or deliver runs then. Stop it: {stop_it}", err=True)
        return False
    return True


@command("cancel")
@click.argument("number", metavar="N")
@click.option("--reason", default="", help="Why; kept with the issue.")
@click.option("--dry-run", is_flag=True, help="Say what would be stopped.")
def cancel(door: Door, number: str, reason: str, dry_run: bool) -> None:
    """Stop an issue: before its first mail its stories return to the pool, afterwards the rest is dropped.

    \b
    newsletter issue cancel 12 --reason "wrong photograph"
    newsletter issue cancel 12 --dry-run
    """
    from newsletter.usecases import send as sending

    app = door.app
    edition, wanted = named(number)
    one = sending.stoppable(app.ledger, edition, wanted)
    if dry_run:
        have_it = sending.reached(app.ledger.counts(one.edition, one.number))
    else:
        why = reason or f"cancelled by {door.who}"
        cadence = app.rhythm(edition) if edition in app.config.editions else None
        have_it = sending.cancel(app.ledger, one, cadence, reason=why, hand=door.hand)
    door.answer(
        {"number": one.number, "have_it": have_it, "dry_run": dry_run},
        f"{'Would cancel issue' if dry_run else 'Cancelled issue'} {one.name}. "
        + (f"{have_it:,} of {words.count(one.audience, 'reader')} have it." if have_it else "Nobody has it."),
        *([] if have_it else _freed(door, edition, dry_run=dry_run)),
    )


def _freed(door: Door, edition: str, *, dry_run: bool) -> list[str]:
    """What becomes of the stories of an issue that was cancelled."""
    if edition not in door.app.config.editions or door.app.rhythm(edition).singly:
        return [f"Its stories {'would be' if dry_run else 'are'} in no mail of this edition."]
    if dry_run:  # which slot that is depends on whether this one gives its own back
        return ["Its stories would be free for the next issue."]
    slot = words.when(door.app.next_slot(door.now, edition).due, door.app.config.cadence.zone, door.now)
    return [
        f"Its stories are free for the next issue: {slot}",
        f"Sooner:  newsletter issue send {issue_name(edition, None)}",
    ]
