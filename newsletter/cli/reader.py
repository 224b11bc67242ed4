"""`reader list | add`, and where its other commands are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, tzinfo

import click

from newsletter import words
from newsletter.cli.door import Door, Group, as_plain, command
from newsletter.model import EACH_POST, EDITIONS, WEEKLY, Subscriber, SubscriberStatus

_TABLE = {
    "list": ("newsletter.cli.reader:list_readers", "who gets the mail, and who no longer does"),
    "show": ("newsletter.cli.reader_page:show", "everything about one of them"),
    "add": ("newsletter.cli.reader:add", "ask an address, or add one whose agreement you vouch for"),
    "import": ("newsletter.cli.reader_lists:import_readers", "readers of another program move in, from CSV"),
    "export": ("newsletter.cli.reader_lists:export", "all readers as CSV"),
    "catch-up": ("newsletter.cli.catch_up:catch_up", "bring one of them what they were not sent"),
    "pause": ("newsletter.cli.standing:pause", "nothing for a while"),
    "resume": ("newsletter.cli.standing:resume", "end a pause"),
    "leave": ("newsletter.cli.standing:leave", "take a reader off, at once"),
    "forget": ("newsletter.cli.standing:forget", "erase a reader"),
    "block": ("newsletter.cli.standing:block", "never mail an address again"),
    "unblock": ("newsletter.cli.standing:unblock", "it may be mailed again"),
}


@click.group("reader", cls=Group, table=_TABLE)
def reader() -> None:
    """Readers: who gets the mail."""


def reader_data(one: Subscriber) -> dict[str, object]:
    return {
        "id": one.id,
        "address": one.address,
        "status": one.status.value,
        "edition": one.edition,
        "without": list(one.without),
        "plain": one.plain,
        "joined_at": one.joined_at,
        "left_at": one.left_at,
        "paused_until": one.paused_until,
    }


@command("list")
@click.option("--status", default=None, type=click.Choice([status.value for status in SubscriberStatus]))
@click.option("--search", default="", metavar="TEXT", help="Only addresses with this in them.")
def list_readers(door: Door, status: str | None, search: str) -> None:
    """All readers with their status, in the order in which they joined, or asked to.

    \b
    newsletter reader list
    newsletter reader list --status left --search @readers.example --json
    """
    readers = door.app.roster.all(status, search=search)
    if door.json:
        _echo_array(readers)
        return
    zone = door.app.config.site.timezone
    for one in readers:  # as they are read: there may be a million
        door.echo(_line(one, zone))
    counts = door.app.roster.counts()
    door.echo(", ".join(f"{n:,} {name}" for name, n in counts.items() if n) or "no reader yet")


def _line(one: Subscriber, zone: tzinfo) -> str:
    edition = "" if one.edition == WEEKLY else f"  {one.edition}"
    came = "asked" if one.status is SubscriberStatus.UNCONFIRMED else "joined"
    day = words.short_date(one.joined_at.astimezone(zone))
    return f"{one.address:<36} {one.status.value:<11} {came:<6} {day}{edition}"


def _echo_array(readers: Iterator[Subscriber]) -> None:
    """A JSON array, one reader to a line."""
    before = "["
    for one in readers:
        click.echo(f"{before}\n{json.dumps(reader_data(one), ensure_ascii=False, default=as_plain)}", nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


@command("add")
@click.argument("address")
@click.option("--consent", default=None, metavar="TEXT", help="How they agreed: active at once, and this is kept.")
@click.option("--edition", default=WEEKLY, show_default=True, type=click.Choice(EDITIONS), help="How often.")
@click.option("--although-forgotten", "forgotten", is_flag=True, help="They asked to be forgotten, and now want mail.")
@click.option("--dry-run", is_flag=True, help="Check the address, and say what would be done.")
def add(door: Door, address: str, consent: str | None, edition: str, forgotten: bool, dry_run: bool) -> None:
    """Ask an address whether it wants the mail; with --consent, add it as one that has said so.

    \b
    newsletter reader add ada@readers.example
    newsletter reader add ada@readers.example --consent "signed up at the fair, list of 3 March"
    """
    from newsletter.usecases import readers

    app = door.app
    app.rhythm(edition)  # refuses one that is not switched on
    checked = readers.checked_address(address)
    there = app.roster.find(checked)
    if there and (consent or there.status is not SubscriberStatus.UNCONFIRMED):
        _known(door, there)
        return
    readers.may_be_added(app.roster, checked, forgotten=forgotten)
    if dry_run:
        door.answer({"address": checked, "added": False, "dry_run": True}, *_would(door, checked, consent, edition))
        return
    if consent is None:
        made = readers.invite(app.roster, app.ledger, checked, edition=edition, forgotten=forgotten, hand=door.hand)
        lines = [f"Asked {checked}: unconfirmed until the link in the mail is pressed.", *_way(door)]
    else:
        made = readers.add(
            app.roster, app.ledger, checked, edition=edition, consent=consent, forgotten=forgotten, hand=door.hand
        )
        lines = [f"Added {checked}. Their first issue: {next_issue(door, edition, door.now)}"]
    if made is None:  # another process was first
        _known(door, readers.known(app.roster, checked))
        return
    door.answer(reader_data(made) | {"added": True}, *lines)


def _known(door: Door, there: Subscriber) -> None:
    hint = [f"See: newsletter reader show {there.address}"]
    told = f"{there.address} is known already: {there.status.value}. Unchanged."
    door.answer(reader_data(there) | {"added": False}, told, *hint)


def _would(door: Door, address: str, consent: str | None, edition: str) -> list[str]:
    if consent is None:
        return [f"Would ask {address}: one mail with a link, and nothing more until it is pressed."]
    return [f"Would add {address}. Their first issue: {next_issue(door, edition, door.now)}"]


def next_issue(door: Door, edition: str, after: datetime) -> str:
    """When the next issue of an edition comes after a time, in words."""
    if edition not in door.app.config.editions:
        return f"nothing: the {edition} edition is not switched on"
    if edition == EACH_POST:
        return "with the next post"
    slot = door.app.comes_next(after, edition)
    return words.when(slot.due, door.app.config.cadence.zone, door.now) if slot else "when the schedule is resumed"


def _way(door: Door) -> list[str]:
    """How the mail goes out."""
    box = " It lands in the outbox: sandbox is on." if door.app.config.mail.sandbox else ""
    return [f"newsletter work hands the mail over; newsletter deliver does so now.{box}"]
