"""`reader pause | resume | leave | forget | block | unblock`."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from newsletter import words
from newsletter.addresses import caseless
from newsletter.cli.door import Door, command, moment_of
from newsletter.cli.reader import next_issue, reader_data
from newsletter.errors import Problem, Refused, UsageError
from newsletter.model import Subscriber, SubscriberStatus
from newsletter.usecases import readers

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done.")
_address = click.argument("address")


@command("pause")
@_address
@click.option("--until", default=None, metavar="DATE", help="When it ends by itself; without, it has no end.")
@_dry_run
def pause(door: Door, address: str, until: str | None, dry_run: bool) -> None:
    """Send a reader nothing for a while, not even an issue that is on its way.

    \b
    newsletter reader pause ada@readers.example --until 2027-01-15
    newsletter reader pause ada@readers.example --dry-run
    """
    app, there = door.app, readers.known(door.app.roster, address)
    readers.gets_mail(there)
    end = None if until is None else _end(door, until)
    done = readers.pause(app.roster, app.ledger, there, end, door.hand) if not dry_run else None
    length = f"before {words.when(end, app.config.site.timezone, door.now)}" if end else "until you resume"
    _told(
        door,
        there,
        dry_run=dry_run,
        would=f"Would pause {there.address}: nothing {length}.",
        did=f"{there.address} gets nothing {length}." if done else f"{there.address} was paused so already.",
        extra={"paused_until": end},
    )


def _end(door: Door, until: str) -> datetime:
    moment = moment_of(until, door.app.config.site.timezone)
    if moment is None or moment <= door.now:
        why = "it is over already" if moment else "it is not a date of ISO 8601"
        raise UsageError(Problem("R114", f"A pause cannot end at {until}: {why}", fixes=("--until 2027-01-15",)))
    return moment


@command("resume")
@_address
@_dry_run
def resume(door: Door, address: str, dry_run: bool) -> None:
    """End a reader's pause: the next issue is theirs again.

    \b
    newsletter reader resume ada@readers.example
    newsletter reader resume ada@readers.example --dry-run
    """
    app, there = door.app, readers.known(door.app.roster, address)
    readers.gets_mail(there)
    done = readers.resume(app.roster, app.ledger, there, door.hand) if not dry_run else None
    following = next_issue(door, there.edition, door.now)
    _told(
        door,
        there,
        dry_run=dry_run,
        would=f"Would end the pause of {there.address}.",
        did=f"{there.address} gets mail again; the next issue: {following}" if done else f"{there.address} is active.",
    )


@command("leave")
@_address
@_dry_run
def leave(door: Door, address: str, dry_run: bool) -> None:
    """Take a reader off. Nothing more goes to them, not even an issue that is on its way.

    \b
    newsletter reader leave ada@readers.example
    newsletter reader leave ada@readers.example --dry-run
    """
    app, there = door.app, readers.known(door.app.roster, address)
    gone = there.status in (SubscriberStatus.LEFT, SubscriberStatus.BLOCKED)
    unchanged = f"{there.address} {'had left before' if there.status is SubscriberStatus.LEFT else 'is blocked'}."
    done = readers.leave(app.roster, app.ledger, there, door.hand) if not dry_run else None
    _told(
        door,
        there,
        dry_run=dry_run,
        would=unchanged if gone else f"{there.address} would leave.",
        did=f"{there.address} has left. Nothing more will go to them." if done else unchanged,
        extra={} if dry_run else {"left": bool(done)},
    )


@command("forget")
@_address
@click.option("--confirm", default=None, metavar="ADDRESS", help="For scripts: the address, once more.")
@_dry_run
def forget(door: Door, address: str, confirm: str | None, dry_run: bool) -> None:
    """Erase a reader: address, record and letters. What stays is a number in the figures, and a keyed hash.

    The hash keeps an import from mailing them again; they themselves may sign up any time. This cannot be undone.

    \b
    newsletter reader forget ada@readers.example
    newsletter reader forget ada@readers.example --confirm ada@readers.example
    """
    app, there = door.app, readers.known(door.app.roster, address)
    if not dry_run:
        _same(there, _typed(door, there) if confirm is None else confirm)
        readers.forget(app.roster, app.ledger, there, door.hand)
    verb = "Would forget" if dry_run else "Forgot"
    door.answer(
        {"id": there.id, "forgotten": not dry_run, "dry_run": dry_run},
        f"{verb} {there.address}, reader {there.id}: nothing is kept but a keyed hash.",
        "Backups made before still hold the address until they are deleted.",
    )


def _typed(door: Door, there: Subscriber) -> str:
    if door.no_input or not sys.stdin.isatty():
        why = "It cannot be undone, so the address is typed once more; without a terminal nobody can be asked."
        fix = f"newsletter reader forget {there.address} --confirm {there.address}"
        raise Refused(Problem("R115", "Forgetting needs a terminal or --confirm ADDRESS", why=why, fixes=(fix,)))
    return str(click.prompt(f"This cannot be undone. Type {there.address} to forget them", err=True))


def _same(there: Subscriber, typed: str) -> None:
    if caseless(typed.strip()) != caseless(there.address):
        raise Refused(Problem("R116", f"You typed {typed.strip()}, not {there.address}. Nothing was done"))


@command("block")
@_address
@click.option("--reason", default="by hand", show_default=True, metavar="TEXT", help="Why; kept with the address.")
@_dry_run
def block(door: Door, address: str, reason: str, dry_run: bool) -> None:
    """Never mail an address again, a reader's or not: no import and no sign-up brings it back.

    \b
    newsletter reader block ada@readers.example --reason "complained by telephone"
    newsletter reader block ada@readers.example --dry-run
    """
    app, checked = door.app, readers.checked_address(address)
    there = app.roster.find(checked)
    if reason == readers.FORGOTTEN:
        raise UsageError(Problem("R117", "That reason means something else here", fixes=("newsletter reader forget",)))
    if dry_run:
        done = not app.roster.suppressed(checked)
    elif there:
        done = readers.block(app.roster, app.ledger, there, reason, door.hand)
    else:
        done = app.roster.suppress(checked, reason=reason, now=door.now)
    verb = "would be blocked" if dry_run else "is blocked"
    told = f"{checked} {verb}: {reason}. Nothing more goes there." if done else f"{checked} was blocked before."
    door.answer({"address": checked, "blocked": done and not dry_run, "dry_run": dry_run}, told)


@command("unblock")
@_address
@_dry_run
def unblock(door: Door, address: str, dry_run: bool) -> None:
    """Let an address be mailed again. A reader is what they were before they were blocked.

    \b
    newsletter reader unblock ada@readers.example
    newsletter reader unblock ada@readers.example --dry-run
    """
    app, checked = door.app, readers.checked_address(address)
    there, why = app.roster.find(checked), app.roster.suppressed(checked)
    if not why or why == readers.FORGOTTEN:
        door.answer({"address": checked, "unblocked": False}, f"{checked} is not blocked.")
        return
    if dry_run:
        door.answer({"address": checked, "unblocked": False, "dry_run": True}, f"Would unblock {checked} ({why}).")
        return
    after = readers.unblock(app.roster, app.ledger, there, door.hand) if there else None
    if there is None:
        app.roster.release(checked)
    told = f"{checked} is {after.status.value} again." if after else f"{checked} may be mailed again, if it signs up."
    door.answer({"address": checked, "unblocked": True, "status": after.status.value if after else None}, told)


def _told(
    door: Door, there: Subscriber, *, dry_run: bool, would: str, did: str, extra: dict[str, object] | None = None
) -> None:
    """The reader as they are now, and what was done or would be."""
    now = there if dry_run else door.app.roster.get(there.id) or there
    data = reader_data(now) | (extra or {}) | ({"dry_run": True} if dry_run else {})
    door.answer(data, would if dry_run else did)
