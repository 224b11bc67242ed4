"""What the mail of each edition calls itself and the issue before, and why its reader gets it.

The weekly issue has a number for its readers, the monthly one its month, and a post that comes by itself its day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newsletter import words
from newsletter.issues.cadence import follows
from newsletter.model import Cadence, Issue, Sentinel, Slot
from newsletter.tongue import Tongue


@dataclass(frozen=True, slots=True)
class Named:
    """One issue in its readers' words."""

    line: tuple[str, ...]  # what the issue line begins with
    short: str  # before the title: `Auto Trendy #47`
    label: str  # `Auto Trendy issue 47, 27 November 2026`
    opening: str  # the same as a sentence
    number: int = 0  # that readers are told; 0 for none


def named(tongue: Tongue, cadence: Cadence, publication: str, number: int, day: date) -> Named:
    """Issue `number` of an edition, of this day on the wall calendar."""
    if cadence.nth:
        dated = tongue.month_and_year(day)
        label = tongue.say("%(publication)s, %(day)s", publication=publication, day=dated)
        return Named((words.unbroken(words.capital(dated)),), label, label, f"{label}.")
    if cadence.singly:
        label = tongue.say("%(publication)s, %(day)s", publication=publication, day=tongue.long_date(day))
        return Named((tongue.full_date(day),), publication, label, f"{label}.")
    facts = {"number": str(number), "publication": publication}
    issue = words.unbroken(tongue.say("Issue %(number)s", number=str(number)))
    return Named(
        (issue, tongue.full_date(day)),
        tongue.say("%(publication)s #%(number)s", **facts),
        tongue.say("%(publication)s issue %(number)s, %(day)s", **facts, day=tongue.long_date(day)),
        tongue.say("Issue %(number)s of %(publication)s, %(day)s.", **facts, day=tongue.full_date(day)),
        number,
    )


@dataclass(frozen=True, slots=True)
class Since:
    """How earlier issues of an edition are spoken of; that of the week or month before by its time."""

    tongue: Tongue
    cadence: Cadence
    neighbour: int | None  # number of the issue before, unless it is older than that

    def when(self, number: int | None) -> str:
        """`Last week`; empty for an older issue."""
        if number is None or number != self.neighbour:
            return ""
        return self.tongue.say("Last month") if self.cadence.nth else self.tongue.say("Last week")

    def last(self, number: int) -> str:
        """`From last week`, `From issue 46`."""
        if number == self.neighbour:
            return self.tongue.say("From last month") if self.cadence.nth else self.tongue.say("From last week")
        if self.cadence.nth:
            return self.tongue.say("From the issue before")
        return self.tongue.say("From issue %(number)s", number=str(number))

    def wrong(self, number: int) -> str:
        """How a correction of what that issue carried begins."""
        if number == self.neighbour:
            month = self.tongue.say("Last month we got something wrong in")
            return month if self.cadence.nth else self.tongue.say("Last week we got something wrong in")
        if self.cadence.nth or self.cadence.singly:
            return self.tongue.say("Earlier we got something wrong in")
        return self.tongue.say("In issue %(number)s we got something wrong in", number=str(number))


def since(tongue: Tongue, cadence: Cadence, last: Issue | None, number: int, slot: Slot) -> Since:
    """`last` is the public issue before issue `number`, which takes this slot."""
    if last is None or cadence.singly or last.number != number - 1:
        return Since(tongue, cadence, None)
    near = follows(cadence, last.slot.local.date(), slot.local.date())
    return Since(tongue, cadence, last.number if near else None)


def why(tongue: Tongue, cadence: Cadence, publication: str) -> str:
    """Why a reader gets it: since when, and how often; the reader's own words are still to come."""
    own = {"publication": publication, "address": Sentinel.ADDRESS.value, "day": Sentinel.JOINED.value}
    if cadence.nth:
        return tongue.say("You get %(publication)s once a month because %(address)s joined on %(day)s.", **own)
    if cadence.singly:
        return tongue.say("You get each post of %(publication)s because %(address)s joined on %(day)s.", **own)
    weekday = tongue.weekday(cadence.weekday)
    return tongue.say(
        "You get %(publication)s every %(weekday)s because %(address)s joined on %(day)s.", weekday=weekday, **own
    )
