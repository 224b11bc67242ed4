"""address | canonical | roster: what an operator does to readers; each with its line of consent and of the log.

The log says `reader 345` and never an address: it outlives whoever is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from newsletter.errors import Problem, Refused, UsageError, nearest
from newsletter.model import WEEKLY, Evidence, Hand, LogEntry, Subscriber, SubscriberStatus
from newsletter.ports import Ledger, Roster
from newsletter.readers.subscriptions import canonical

FORGOTTEN = "forgotten"
_LOOKED_AT = 1000
"""How many addresses are compared with one that is unknown."""


def checked_address(address: str) -> str:
    """The one way to write it. Raises UsageError (R1xx) for an address that cannot be mailed."""
    found = canonical(address)
    if isinstance(found, Problem):
        raise UsageError(found)
    return found


def known(roster: Roster, address: str) -> Subscriber:
    """The reader of an address. Raises UsageError (R110) with the nearest one."""
    checked = checked_address(address)
    reader = roster.find(checked)
    if reader is None:
        why = roster.suppressed(checked)
        guess = None if why else nearest(checked, _alike(roster, checked))
        raise UsageError(
            Problem(
                "R110",
                f"There is no reader {address}",
                why=f"This address is remembered as one that is not mailed: {why}." if why else "",
                fixes=(f"Did you mean {guess}?",) if guess else ("newsletter reader list",),
            )
        )
    return reader


def _alike(roster: Roster, address: str) -> Iterator[str]:
    """Addresses that begin alike, and those with the same name elsewhere: not all, there may be a million."""
    local, _, domain = address.partition("@")
    for part in (f"{local}@", local[:3], f"@{domain}"):
        yield from (reader.address for reader in islice(roster.all(search=part), _LOOKED_AT))


def may_be_added(roster: Roster, address: str, *, forgotten: bool) -> None:
    """Raises Refused for an address that must not be mailed: R112 blocked, R111 forgotten and nobody said otherwise."""
    why = roster.suppressed(address)
    if why == FORGOTTEN and not forgotten:
        raise Refused(
            Problem(
                "R111",
                f"{address} asked to be forgotten. Nothing was done",
                why="Whoever was forgotten comes back by their own word: on the sign-up page they may do so any time.",
                fixes=(f"newsletter reader add {address} --although-forgotten   if they told you so since",),
            )
        )
    if why and why != FORGOTTEN:
        raise Refused(_blocked(address, why))


def _blocked(address: str, why: str) -> Problem:
    return Problem(
        "R112",
        f"{address} is blocked. Nothing was done",
        why=f"Mail to it must not be sent: {why}.",
        fixes=(f"newsletter reader unblock {address}   if that was a mistake",),
    )


def add(
    roster: Roster, ledger: Ledger, address: str, *, edition: str, consent: str, forgotten: bool, hand: Hand
) -> Subscriber | None:
    """A reader whose agreement the operator vouches for, active at once. None when known: nothing is changed then."""
    may_be_added(roster, address, forgotten=forgotten)
    for one in (WEEKLY, edition):  # what they are told comes next is made, whatever runs until then
        ledger.start(one, hand.at)
    told = Evidence(hand.channel, consent)
    reader = roster.add(address, edition=edition, evidence=told, now=hand.at, forgotten=forgotten)
    if reader is not None:
        ledger.log(LogEntry(hand.at, hand.who, hand.channel, "add", f"reader {reader.id}", "", reader.status))
    return reader


def invite(
    roster: Roster, ledger: Ledger, address: str, *, edition: str, forgotten: bool, hand: Hand
) -> Subscriber | None:
    """Ask an address whether it wants the mail: unconfirmed until it says so. None for a reader, or one who left."""
    may_be_added(roster, address, forgotten=forgotten)
    there = roster.find(address)
    if there and there.status is not SubscriberStatus.UNCONFIRMED:
        return None
    roster.ask(address, edition=edition, evidence=Evidence(hand.channel), now=hand.at)
    reader = roster.find(address)
    if reader is not None:
        ledger.log(LogEntry(hand.at, hand.who, hand.channel, "ask", f"reader {reader.id}", "", reader.status))
    return reader


def pause(roster: Roster, ledger: Ledger, reader: Subscriber, until: datetime | None, hand: Hand) -> bool:
    """Nothing for a while; at once, also of an issue on its way. Raises Refused (R113) for one who gets no mail."""
    gets_mail(reader)
    done = roster.pause(reader.id, until=until, evidence=Evidence(hand.channel), now=hand.at)
    return _logged(ledger, reader, "pause", "paused", hand, done=done)


def resume(roster: Roster, ledger: Ledger, reader: Subscriber, hand: Hand) -> bool:
    """The next issue is theirs again. False when they are active; raises Refused (R113) for one who gets no mail."""
    gets_mail(reader)
    done = roster.resume(reader.id, evidence=Evidence(hand.channel), now=hand.at)
    return _logged(ledger, reader, "resume", "active", hand, done=done)


def leave(roster: Roster, ledger: Ledger, reader: Subscriber, hand: Hand) -> bool:
    """Take a reader off, at once, also from an issue on its way. False when they had left, or are blocked."""
    done = roster.leave(reader.id, evidence=Evidence(hand.channel), now=hand.at)
    return _logged(ledger, reader, "leave", "left", hand, done=done)


def block(roster: Roster, ledger: Ledger, reader: Subscriber, reason: str, hand: Hand) -> bool:
    """Never mail them again, whatever is imported or asked for. False when they are blocked."""
    done = roster.block(reader.id, reason=reason, evidence=Evidence(hand.channel, reason), now=hand.at)
    return _logged(ledger, reader, "block", "blocked", hand, done=done)


def unblock(roster: Roster, ledger: Ledger, reader: Subscriber, hand: Hand) -> Subscriber | None:
    """The reader as they were before they were blocked; None when they are not."""
    done = roster.unblock(reader.id, evidence=Evidence(hand.channel), now=hand.at)
    after = roster.get(reader.id) if done else None
    _logged(ledger, reader, "unblock", after.status if after else "", hand, done=done)
    return after


def forget(roster: Roster, ledger: Ledger, reader: Subscriber, hand: Hand) -> bool:
    """Erase them; of the log line stays a number. False when somebody else did just now."""
    return _logged(ledger, reader, "forget", "forgotten", hand, done=roster.forget(reader.id, now=hand.at))


def _logged(ledger: Ledger, reader: Subscriber, action: str, after: str, hand: Hand, *, done: bool) -> bool:
    if done:
        line = LogEntry(hand.at, hand.who, hand.channel, action, f"reader {reader.id}", reader.status.value, after)
        ledger.log(line)
    return done


def gets_mail(reader: Subscriber) -> None:
    """Raises Refused (R113) for one who has no mail to pause."""
    if reader.status not in (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED):
        told = f"{reader.address} gets no mail: {reader.status.value}. Nothing was changed"
        raise Refused(Problem("R113", told, fixes=(f"newsletter reader show {reader.address}",)))
