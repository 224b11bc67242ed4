"""`issue report`: what became of a send, in figures, and who is behind each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter import replies, variants, words
from newsletter.cli.door import Door, columns, command
from newsletter.cli.issue import counts_words
from newsletter.cli.naming import named
from newsletter.model import Delivery, DeliveryState

if TYPE_CHECKING:
    from newsletter.usecases.report import Report

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
        door.answer(_data(told), *_lines(door, told))
        return
    one = reports.issue_named(ledger, *named(number))
    rows = ledger.deliveries(one.edition, one.number, DeliveryState(state))
    lines = columns([(row.address, _words(row)) for row in rows])
    door.answer([_row_data(row) for row in rows], *(lines or [f"{one.title} has no {state} delivery."]))


def _lines(door: Door, told: Report) -> list[str]:
    issue, zone = told.issue, door.app.config.cadence.zone
    began = f" · {words.when(issue.started_at, zone)}" if issue.started_at else ""
    took = f", in {words.span(issue.finished_at - issue.started_at)}" if issue.finished_at and issue.started_at else ""
    lines = [f"{issue.title} · {issue.state.value}{began}"]
    lines.append(f"{counts_words(told.counts) or 'Nobody was sent it'}{took}.")
    reasons = [(state, variants.why(reason) or "–", count) for (state, reason), count in told.reasons.items()]
    lines += columns([(f"  {state.value}", f"{reason}: {count:,}") for state, reason, count in reasons])
    lines += columns([(f"  your setup: {code}", wrong) for code, wrong in told.setup.items()])
    if told.copies:
        lines.append(f"Sent again to readers who asked: {told.copies:,}")
    some = [state for state in (DeliveryState.FAILED, DeliveryState.UNCERTAIN) if told.counts.get(state)]
    see = f"newsletter issue report {issue.name}"
    ways = {state: f"{_WAYS_OUT[state]} {issue.name}" for state in told.doubtful}
    lines += columns([(s.value.capitalize(), f"{see} --{s.value}", ways.get(s, "")) for s in some])
    if issue.state.public:
        lines.append(f"Archive  {door.app.config.site.address_of(issue.page)}")
    return lines


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
        "reasons": [
            {"state": state.value, "reason": reason, "readers": count}
            for (state, reason), count in told.reasons.items()
        ],
        "setup": [{"enhanced": code, "wrong": wrong} for code, wrong in told.setup.items()],
        "copies": told.copies,
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
