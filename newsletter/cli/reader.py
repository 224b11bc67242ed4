"""`reader list | add | leave`."""

from __future__ import annotations

import click

from newsletter import words
from newsletter.cli.door import Door, Group, columns, command
from newsletter.model import Subscriber, SubscriberStatus

_TABLE = {
    "list": ("newsletter.cli.reader:list_readers", "who gets the mail, and who no longer does"),
    "add": ("newsletter.cli.reader:add", "a reader whose agreement you vouch for"),
    "import": (
        "newsletter.cli.reader_lists:import_readers",
        "readers of another program move in, from CSV",
    ),
    "export": ("newsletter.cli.reader_lists:export", "all readers as CSV"),
    "leave": ("newsletter.cli.reader:leave", "take a reader off, at once"),
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
        "joined_at": one.joined_at,
        "left_at": one.left_at,
    }


@command("list")
@click.option("--status", default=None, type=click.Choice(["unconfirmed", "active", "paused", "left", "blocked"]))
def list_readers(door: Door, status: str | None) -> None:
    """All readers with their status.

    \b
    newsletter reader list
    newsletter reader list --status left --json
    """
    readers = [*door.app.roster.all(status)]
    zone = door.app.config.site.timezone
    lines = columns(
        [
            (one.address, one.status.value, f"joined {words.short_date(one.joined_at.astimezone(zone))}")
            for one in readers
        ]
    )
    total = ", ".join(f"{n:,} {name}" for name, n in door.app.roster.counts().items() if n) or "no reader yet"
    door.answer([reader_data(one) for one in readers], *lines, total)


@command("add")
@click.argument("address")
@click.option("--consent", default=None, metavar="TEXT", help="How they agreed; kept as the record of consent.")
@click.option("--dry-run", is_flag=True, help="Check the address only.")
def add(door: Door, address: str, consent: str | None, dry_run: bool) -> None:
    """Add a reader whose agreement you can prove. They get the next issue.

    \b
    newsletter reader add ada@readers.example --consent "signed up at the fair, list of 3 March"
    newsletter reader add ada@readers.example --dry-run
    """
    from newsletter.usecases import readers

    app = door.app
    checked = readers.checked_address(address)
    if there := app.roster.find(checked):
        door.answer(
            reader_data(there) | {"added": False}, f"{there.address} is known already: {there.status.value}. Unchanged."
        )
        return
    first = f"Their first issue: {words.when(app.next_slot(door.now).due, app.config.cadence.zone)}"
    if dry_run:
        door.answer({"address": checked, "added": False, "dry_run": True}, f"Would add {checked}. {first}")
        return
    text = consent or f"Added by hand by {door.who}."
    added = readers.add(roster=app.roster, ledger=app.ledger, address=checked, consent=text, by=door.who, now=door.now)
    reader = added or readers.known(app.roster, checked)  # None: another process added them just now
    door.answer(reader_data(reader) | {"added": added is not None}, f"Added {reader.address}. {first}")


@command("leave")
@click.argument("address")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
def leave(door: Door, address: str, dry_run: bool) -> None:
    """Take a reader off. Nothing more goes to them, not even an issue that is on its way.

    \b
    newsletter reader leave ada@readers.example
    newsletter reader leave ada@readers.example --dry-run
    """
    from newsletter.usecases import readers

    app = door.app
    if dry_run:
        there = readers.known(app.roster, address)
        told = "had left before" if there.status is SubscriberStatus.LEFT else "would leave"
        door.answer(reader_data(there) | {"dry_run": True}, f"{there.address} {told}.")
        return
    there, left = readers.leave(roster=app.roster, ledger=app.ledger, address=address, by=door.who, now=door.now)
    door.answer(
        reader_data(there) | {"left": left},
        f"{there.address} has left. Nothing more will go to them." if left else f"{there.address} had left before.",
    )
