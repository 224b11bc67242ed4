"""`issue report`: what became of a send, in figures, and who is behind each of them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING

import click

from newsletter import replies, variants, words
from newsletter.cli.door import Door, columns, command
from newsletter.cli.issue import counts_words
from newsletter.cli.limits import held_data, held_lines
from newsletter.cli.naming import named
from newsletter.model import NO_MAILBOX, Answer, Delivery, DeliveryState, Issue, IssueState

if TYPE_CHECKING:
    from newsletter.usecases.allowance import HeldBack
    from newsletter.usecases.report import Report

RESUME = "newsletter issue resume"
_LONGEST = 48
"""Characters of a reply: with the rest of its line on a terminal of 80 columns."""
_WAYS_OUT = {DeliveryState.FAILED: "newsletter issue retry", DeliveryState.UNCERTAIN: "newsletter issue settle"}


@command("report")
@click.argument("number", metavar="N")
@click.option("--accepted", "state", flag_value="accepted", help="Who has it.")
@click.option("--failed", "state", flag_value="failed", help="Whom the mail server refused, and how.")
@click.option("--uncertain", "state", flag_value="uncertain", help="Who may have it.")
@click.option("--waiting", "state", flag_value="waiting", help="Who is still to get it.")
@click.option("--dropped", "state", flag_value="dropped", help="Who was in the audience and is sent nothing.")
def report(door: Door, number: str, state: str | None) -> None:
    """What became of an issue; with a state, each reader in it and the mail server's own words.

    \b
    newsletter issue report 46
    newsletter issue report 46 --failed
    """
    from newsletter.usecases import report as reports

    ledger = door.app.ledger
    if state is None:
        told = reports.report(ledger, *named(number))
        held = {"held_back": held_data(_held_back(door))} if told.issue.state is IssueState.SENDING else {}
        door.answer(_data(told) | held, *_lines(door, told))
        return
    one = reports.issue_named(ledger, *named(number))
    rows = ledger.deliveries(one.edition, one.number, DeliveryState(state))
    lines = columns([(row.address, _words(row)) for row in rows])
    door.answer([_row_data(row) for row in rows], *(lines or [f"{one.title} has no {state} delivery."]))


def _lines(door: Door, told: Report) -> list[str]:
    issue, zone = told.issue, door.app.config.cadence.zone
    began = f" · {words.when(issue.started_at, zone)}" if issue.started_at else ""
    lines = [f"{issue.title} · {issue.state.value}{began}"]
    if issue.state in _WITH_REASON and issue.reason:
        lines += wrapped(f"{issue.state.value.capitalize():<9} ", issue.reason)
    lines.append(f"{counts_words(told.counts) or 'Nobody was sent it'}{_took(told)}.")
    lines += answer_lines(told.answers, zone)
    if issue.state is IssueState.SENDING:
        lines += [f"{line[:1].upper()}{line[1:]}." for line in held_lines(_held_back(door), zone, door.now)]
    if told.trouble:
        lines.append(f"Nobody is served at present: {told.trouble}")
    if told.copies:
        lines.append(f"Sent again to readers who asked: {told.copies:,}")
    lines += [*_ways(told), *_providers(told)]
    if issue.state.public:
        lines.append(f"Archive  {door.app.config.site.address_of(issue.page)}")
    return lines


def _held_back(door: Door) -> HeldBack:
    from newsletter.usecases.allowance import held_back

    app = door.app
    return held_back(app.config.mail.limits, app.throttle, door.now, app.ledger.next_retry())


def stop_lines(issue: Issue) -> list[str]:
    """What is told of an issue that was stopped while it went out."""
    lines = wrapped(f"{issue.title} is ", f"{stopped_words(issue)}.", "  ")
    return [*lines, f"It goes on with: {RESUME} {issue.name}"] if issue.state is IssueState.PAUSED else lines


def stopped_words(issue: Issue) -> str:
    """`paused by review-desk`, `paused, 3 of the last 63 messages were refused …`."""
    state = issue.state.value
    return issue.reason if issue.reason.startswith(state) else f"{state}, {issue.reason}" if issue.reason else state


def wrapped(label: str, text: str, indent: str | None = None) -> list[str]:
    """A sentence or more behind a label, on lines of 80 columns; below it, unless `indent` says where."""
    below = " " * len(label) if indent is None else indent
    wrap = partial(textwrap.wrap, break_long_words=False, break_on_hyphens=False)  # no word is cut, nor an address
    return wrap(text, 80, initial_indent=label, subsequent_indent=below)


_WITH_REASON = {IssueState.PAUSED, IssueState.CANCELLED}


def _took(told: Report) -> str:
    issue = told.issue
    if not (issue.finished_at and issue.started_at):
        return ""
    rate = f", {told.pace:,.1f} a second" if told.pace and told.pace >= 0.1 else ""
    return f", in {words.span(issue.finished_at - issue.started_at)}{rate}"


def end_lines(door: Door, issue: Issue) -> list[str]:
    """What is told of an issue that has just ended."""
    from newsletter.usecases.report import report as reported

    told = reported(door.app.ledger, issue.edition, issue.number)
    ended = f"{issue.title} is {issue.state.value}: {counts_words(told.counts) or 'nobody was sent it'}{_took(told)}."
    lines = [ended, *answer_lines(told.answers, door.app.config.cadence.zone), *_ways(told)]
    return [*lines, f"Archive  {door.app.config.site.address_of(issue.page)}"] if issue.state.public else lines


def answer_lines(answers: Sequence[Answer], zone: tzinfo) -> list[str]:
    """`  failed     550 5.1.1 unknown user: 3 → blocked`: those who have it not, or not for sure, and why."""
    ours = {replies.enhanced(one.reply): wrong for one in answers if (wrong := replies.setup(one.reply))}
    return [
        *columns([(f"  {one.state.value}", _answer(one, zone)) for one in answers]),
        *(f"Not the readers' fault: {code} says that {wrong[0].lower()}{wrong[1:]}." for code, wrong in ours.items()),
    ]


def _answer(one: Answer, zone: tzinfo) -> str:
    said = " ".join(str(part) for part in (one.code, words.shorten(one.reply, _LONGEST)) if part)
    said = said or variants.why(one.reason) or "–"
    blocked = " → blocked" if one.reason == NO_MAILBOX else ""
    again = f", tried again from {words.moment(one.next_at.astimezone(zone))}" if one.next_at else ""
    return f"{said}: {one.readers:,}{blocked}{again if one.state is DeliveryState.WAITING else ''}"


def _ways(told: Report) -> list[str]:
    """Where each of them is named, and what a person can do about it."""
    some = [state for state in (DeliveryState.FAILED, DeliveryState.UNCERTAIN) if told.counts.get(state)]
    name = told.issue.name
    ways = {state: f"{_WAYS_OUT[state]} {name}" for state in told.doubtful}
    rows = [(s.value.capitalize(), f"newsletter issue report {name} --{s.value}", ways.get(s, "")) for s in some]
    paused = [("Go on", f"{RESUME} {name}", "")] if told.issue.state is IssueState.PAUSED else []
    return columns([*rows, *paused])


_BY_PROVIDER = (DeliveryState.ACCEPTED, DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.UNCERTAIN)


def _providers(told: Report) -> list[str]:
    """A row for each provider's mailboxes, where they are of more than one."""
    if len(told.providers) < 2:
        return []
    head = ["Provider", *(state.value for state in _BY_PROVIDER)]
    rows = [[name, *(f"{counts.get(state, 0):,}" for state in _BY_PROVIDER)] for name, counts in told.providers.items()]
    return [f"{row[0]:<9}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in (head, *rows)]


def _words(row: Delivery) -> str:
    return " ".join(str(part) for part in (row.code, row.reply or variants.why(row.reason)) if part) or "–"


def _data(told: Report) -> dict[str, object]:
    issue = told.issue
    return {
        "number": issue.number,
        "edition": issue.edition,
        "state": issue.state.value,
        "started_at": issue.started_at,
        "finished_at": issue.finished_at,
        "audience": issue.audience,
        "deliveries": {state.value: count for state, count in told.counts.items() if count},
        "reason": issue.reason,
        "per_second": told.pace,
        "answers": [_answer_data(one) for one in told.answers],
        "providers": {
            name: {state.value: count for state, count in counts.items()} for name, counts in told.providers.items()
        },
        "to_settle": sorted(state.value for state in told.doubtful),
        "trouble": told.trouble,
        "copies": told.copies,
    }


def _answer_data(one: Answer) -> dict[str, object]:
    return {
        "state": one.state.value,
        "reason": one.reason,
        "code": one.code,
        "enhanced": replies.enhanced(one.reply),
        "reply": one.reply,
        "setup": replies.setup(one.reply),
        "readers": one.readers,
        "next_at": one.next_at,
    }


def _row_data(row: Delivery) -> dict[str, object]:
    return {
        "address": row.address,
        "state": row.state.value,
        "reason": row.reason,
        "code": row.code,
        "enhanced": replies.enhanced(row.reply),
        "reply": row.reply,
        "attempts": row.attempts,
        "done_at": row.done_at,
    }
