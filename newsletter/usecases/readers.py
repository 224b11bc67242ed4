"""address | canonical | roster: an operator adds a reader, or takes one off; each with its line of consent."""

from __future__ import annotations

from datetime import datetime

from newsletter.errors import Problem, UsageError, nearest
from newsletter.model import WEEKLY, Evidence, LogEntry, Subscriber
from newsletter.ports import Ledger, Roster
from newsletter.readers.subscriptions import canonical


def add(*, roster: Roster, ledger: Ledger, address: str, consent: str, by: str, now: datetime) -> Subscriber | None:
    """A reader whose agreement the operator vouches for. None when already known: nothing is changed then.

    Raises UsageError (R1xx) for an address that cannot be mailed.
    """
    ledger.start(WEEKLY, now)
    reader = roster.add(checked_address(address), edition=WEEKLY, evidence=Evidence("cli", consent), now=now)
    if reader is not None:
        ledger.log(LogEntry(now, by, "cli", "add", f"reader {reader.id}", "", reader.status))
    return reader


def known(roster: Roster, address: str) -> Subscriber:
    """The reader of an address. Raises UsageError (R110) with the nearest one."""
    reader = roster.find(checked_address(address))
    if reader is None:
        guess = nearest(address, (r.address for r in roster.all()))
        raise UsageError(
            Problem(
                "R110",
                f"There is no reader {address}",
                fixes=(f"Did you mean {guess}?",) if guess else ("newsletter reader list",),
            )
        )
    return reader


def leave(*, roster: Roster, ledger: Ledger, address: str, by: str, now: datetime) -> tuple[Subscriber, bool]:
    """Take a reader off, at once, also from an issue on its way. False when they had left before."""
    reader = known(roster, address)
    left = roster.leave(reader.id, evidence=Evidence("cli"), now=now)
    if left:
        ledger.log(LogEntry(now, by, "cli", "leave", f"reader {reader.id}", reader.status, "left"))
    return reader, left


def checked_address(address: str) -> str:
    found = canonical(address)
    if isinstance(found, Problem):
        raise UsageError(found)
    return found
