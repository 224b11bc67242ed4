"""address | canonical | roster: join, leave, come back; each with its line of consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import Problem, UsageError, nearest
from newsletter.model import WEEKLY, LogEntry, Subscriber, SubscriberStatus
from newsletter.ports import Clock, Ledger, Roster
from newsletter.readers.subscriptions import canonical
from newsletter.readers.tokens import UNSUBSCRIBE, Tokens

UNDO = timedelta(minutes=30)
"""How long a press on Undo brings a reader back (an unsubscribe link may be forwarded; later it only lets leave)."""


def add(*, roster: Roster, ledger: Ledger, address: str, consent: str, by: str, now: datetime) -> Subscriber | None:
    """A reader whose agreement the operator vouches for. None when already known: nothing is changed then.

    Raises UsageError (R1xx) for an address that cannot be mailed.
    """
    ledger.start(WEEKLY, now)
    reader = roster.add(checked_address(address), edition=WEEKLY, status="active", way="cli", text=consent, now=now)
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
    left = roster.leave(reader.id, way="cli", now=now)
    if left:
        ledger.log(LogEntry(now, by, "cli", "leave", f"reader {reader.id}", reader.status, "left"))
    return reader, left


def checked_address(address: str) -> str:
    found = canonical(address)
    if isinstance(found, Problem):
        raise UsageError(found)
    return found


@dataclass(frozen=True)
class Unsubscribe:
    """What the link in a mail can do. A wrong token of any kind gives None."""

    roster: Roster
    tokens: Tokens
    clock: Clock

    def look(self, token: str) -> Subscriber | None:
        """Whose link it is; changes nothing."""
        signed = self.tokens.read(UNSUBSCRIBE, token, self.clock())
        reader = self.roster.get(signed.said[0]) if signed else None
        return reader if reader and signed and reader.token_version == signed.said[1] else None

    def leave(self, token: str, *, way: str) -> Subscriber | None:
        """The reader as they were before; afterwards they have left. Repeating is harmless."""
        reader = self.look(token)
        if reader is not None:
            self.roster.leave(reader.id, way=way, now=self.clock())
        return reader

    def may_undo(self, token: str) -> bool:
        """Whether the reader left within the last half hour."""
        reader = self.look(token)
        left = reader.left_at if reader and reader.status is SubscriberStatus.LEFT else None
        return left is not None and self.clock() - left <= UNDO

    def undo(self, token: str) -> Subscriber | None:
        """Back within half an hour of leaving; the reader as they are now."""
        reader = self.look(token)
        if reader and self.may_undo(token):
            self.roster.come_back(reader.id, way="link", now=self.clock())
        return self.look(token)
