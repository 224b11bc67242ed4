"""`status`, `explain`, `schedule next`: what happens next, and why something happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, Group, command
from newsletter.cli.issue import counts_words, issue_data, number_of
from newsletter.errors import NewsletterError
from newsletter.model import DeliveryState, Issue, IssueState, SubscriberStatus

if TYPE_CHECKING:
    from newsletter.issues.selection import Selection
    from newsletter.usecases.report import Explanation, Status

SILENT = timedelta(seconds=90)
"""`work` looks every 30 s; after three missed looks something is wrong."""


@command("status")
def status(door: Door) -> int:
    """What happens next, what needs you, what happened last. Exit 4 when `work` has stopped looking.

    \b
    newsletter status
    newsletter status --json
    """
    from newsletter.usecases import report
    from newsletter.usecases.choose import choose

    app = door.app
    broken = 0
    try:
        library = app.library(door.now)
    except NewsletterError as error:
        library, broken = app.loaded(door.now).library, len(error.problems)
    selection = choose(app.press(library, door.now))
    told = report.status(
        ledger=app.ledger, roster=app.roster, cadence=app.config.cadence, selection=selection, now=door.now
    )
    door.answer(_status_data(told), *_status_lines(door, told, broken))
    stopped = told.last_tick is not None and door.now - told.last_tick > SILENT
    return 4 if stopped else 0


def _status_data(told: Status) -> dict[str, object]:
    return {
        "next": {"number": told.next_number, "slot": told.next_slot.key, "due": told.next_slot.due},
        "stories": [choice.post.slug for choice in told.selection.stories],
        "waiting": [choice.post.slug for choice in told.selection.waiting],
        "readers": dict(told.readers),
        "attention": [{"number": i.number, "state": i.state.value, "reason": i.reason} for i in told.attention],
        "going": [i.number for i in told.going],
        "last": issue_data(told.last, told.counts) if told.last else None,
        "last_tick": told.last_tick,
    }


def _status_lines(door: Door, told: Status, broken: int) -> list[str]:
    site, zone = door.app.config.site, door.app.config.cadence.zone
    sandbox = "SANDBOX" if door.app.config.mail.sandbox else "LIVE"
    lines = [
        f"{site.title}  ·  {sandbox}  ·  {words.moment(door.now.astimezone(zone))}",
        f"Next issue   {told.next_number}, {words.when(told.next_slot.due, zone, door.now)}",
        f"             {_stories(told.selection)} to {words.count(told.readers.get('active', 0), 'reader')}",
    ]
    lines += [f"On its way   issue {one.number}: {_going(one, door)}" for one in told.going]
    lines += _needs(told, broken)
    if told.last and told.last.started_at:
        took = words.span(told.last.finished_at - told.last.started_at) if told.last.finished_at else "–"
        day = words.moment(told.last.started_at.astimezone(zone))
        lines.append(f"Last issue   {told.last.number}, {day}: {counts_words(told.counts)}. In {took}.")
    elif told.last_slot:
        lines.append(f"Last slot    {told.last_slot.key}: {told.last_slot.outcome.value} {told.last_slot.reason}")
    lines.append(f"Machine      {_machine(door, told)}")
    return lines


def _stories(selection: Selection) -> str:
    approved, waiting = len(selection.stories), len(selection.waiting)
    return words.stories(approved) + (f", {waiting} waiting for approval," if waiting else "")


def _going(one: Issue, door: Door) -> str:
    if one.state is IssueState.SENDING:
        return "sending"
    return f"starts {words.when(one.send_at, door.app.config.cadence.zone, door.now)}" if one.send_at else "ready"


def _needs(told: Status, broken: int) -> list[str]:
    rows = []
    if broken:
        rows.append(f"{words.count(broken, 'problem')} in the posts: newsletter check")
    for one in told.attention:
        if one.state is IssueState.NEEDS_ATTENTION:
            uncertain = (
                told.counts.get(DeliveryState.UNCERTAIN, 0) if told.last and told.last.number == one.number else 0
            )
            what = words.count(uncertain, "delivery", "deliveries") if uncertain else "deliveries"
            rows.append(f"{what} of issue {one.number} uncertain: newsletter issue show {one.number}")
        else:
            rows.append(f"issue {one.number} is {one.state.value}, {one.reason}: newsletter issue send {one.number}")
    rows += [f"{c.post.title}: {c.reason}: newsletter post approve {c.post.slug}" for c in told.selection.waiting]
    return [f"{'Needs you' if n == 0 else '':<12} {row}" for n, row in enumerate(rows)]


def _machine(door: Door, told: Status) -> str:
    if told.last_tick is None:
        return "work has never run here: newsletter work"
    ago = door.now - told.last_tick
    late = " (is it running?)" if ago > SILENT else ""
    return f"work: last look {words.span(max(ago, timedelta(0)))} ago{late}"


@command("explain")
@click.argument("address")
@click.argument("number", metavar="ISSUE")
def explain(door: Door, address: str, number: str) -> None:
    """Why a reader did or did not get an issue, with the mail server's own words.

    \b
    newsletter explain reader@example.org 46
    """
    from newsletter.usecases import enroll, report

    app = door.app
    reader = enroll.known(app.roster, address)
    told = report.explain(ledger=app.ledger, roster=app.roster, reader=reader, number=number_of(number))
    delivery = told.delivery
    data = {
        "address": reader.address,
        "status": reader.status.value,
        "issue": told.issue.number,
        "issue_state": told.issue.state.value,
        "state": delivery.state.value if delivery else None,
        "reason": delivery.reason if delivery else _why_not(told),
        "attempts": [{"at": a.at, "outcome": a.outcome, "code": a.code, "reply": a.reply} for a in told.attempts],
    }
    door.answer(data, *_explained(door, told))


def _explained(door: Door, told: Explanation) -> list[str]:
    zone = door.app.config.cadence.zone
    reader, delivery = told.reader, told.delivery
    issue = told.issue
    rows = [f"{reader.address} and issue {issue.number} ({issue.state.value}, slot {words.when(issue.slot.due, zone)})"]
    for line in told.consents:
        rows.append(f"  {line.kind:<9} {words.moment(line.at.astimezone(zone))}, through {line.way}")
    if delivery is None:
        return [*rows, f"  not in the audience: {_why_not(told)}"]
    fixed = words.moment(issue.started_at.astimezone(zone)) if issue.started_at else "–"
    rows.append(f"  in the audience, fixed {fixed}")
    for attempt in told.attempts:
        reply = " ".join(str(part) for part in (attempt.code, attempt.reply) if part)
        rows.append(f"  try {attempt.n}     {attempt.at.astimezone(zone):%H:%M:%S}  {reply or '–'}  {attempt.outcome}")
    reason = f" ({delivery.reason})" if delivery.reason else ""
    rows.append(f"  now       {delivery.state.value}{reason}")
    if delivery.state is DeliveryState.UNCERTAIN:
        rows.append("  It may have arrived or not: the program or the connection broke after the text was handed over.")
    return rows


def _why_not(told: Explanation) -> str:
    if told.issue.started_at is None:
        return "the issue has not started yet"
    if told.reader.joined_at > told.issue.started_at:
        return "joined after it started"
    if told.reader.status is SubscriberStatus.ACTIVE:
        return "was not active when it started"
    return f"{told.reader.status.value} when it started"


@click.group("schedule", cls=Group, table={"next": ("newsletter.cli.look:schedule_next", "the next slots")})
def schedule() -> None:
    """When issues go out."""


@command("next")
@click.option("--count", default=6, show_default=True, type=click.IntRange(1, 520), help="How many.")
def schedule_next(door: Door, count: int) -> None:
    """The next slots in local time and UTC, with what the clocks do to them.

    \b
    newsletter schedule next
    newsletter schedule next --count 52 --json
    """
    from newsletter.usecases.report import upcoming

    app = door.app
    zone = app.config.cadence.zone
    rows = upcoming(ledger=app.ledger, cadence=app.config.cadence, now=door.now, count=count)
    data = [{"slot": r.slot.key, "local": r.slot.local.isoformat(), "due": r.slot.due, "note": r.note} for r in rows]
    name = str(zone).rpartition("/")[2]
    lines = [f"{'slot':<10}  {f'local ({name})':<24}  {'UTC':<18}  state"]
    for row in rows:
        state = f"{row.record.outcome.value} {row.record.reason}".strip() if row.record else "–"
        utc = f"{row.slot.due:%a} {row.slot.due.day} {row.slot.due:%H:%M}"
        lines.append(f"{row.slot.key:<10}  {words.moment(row.slot.local):<24}  {utc:<18}  {state}  {row.note}".rstrip())
    door.answer(data, *lines)
