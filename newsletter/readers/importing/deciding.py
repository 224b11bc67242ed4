"""What becomes of a row: decided from what the file says of an address, and what is known of it here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model import Subscriber, SubscriberStatus
from newsletter.readers.importing.rows import Entry
from newsletter.readers.importing.standing import Standing


class Fate(StrEnum):
    """What becomes of one row."""

    NEW = "new"
    PENDING = "unconfirmed there"  # asked for it, and never confirmed
    GONE = "said no there"  # kept as somebody who left, so that no later list brings them back
    BOUNCED = "bounced there"  # kept as blocked
    HERE = "already here"
    DISPUTED = "no there, yes here"  # said no there, and is a reader here
    LEFT = "left before"
    BLOCKED = "blocked"
    FORGOTTEN = "forgotten"
    UNASKED = "never signed up"
    TWICE = "twice in it"
    WRONG = "wrong address"
    ODD = "not understood"


ADDED = (Fate.NEW, Fate.PENDING, Fate.GONE, Fate.BOUNCED)
"""Those that are written down."""

REASONS: Mapping[Fate, str] = {
    Fate.DISPUTED: "said no there, and is a reader here: nothing was changed",
    Fate.LEFT: "left before: they unsubscribed on record",
    Fate.BLOCKED: "blocked: bounced or complained",
    Fate.FORGOTTEN: "asked to be forgotten",
    Fate.UNASKED: "never signed up there",
    Fate.TWICE: "is in this file before",
}
"""Why a row is in the file of those that were not added; wrong ones bring their own."""

_KNOWN = {
    SubscriberStatus.LEFT.value: Fate.LEFT,
    SubscriberStatus.BLOCKED.value: Fate.BLOCKED,
    "forgotten": Fate.FORGOTTEN,
}
_NO = {Standing.LEFT: Fate.GONE, Standing.BLOCKED: Fate.BOUNCED}
_NEW = _NO | {Standing.UNASKED: Fate.UNASKED, Standing.UNCONFIRMED: Fate.PENDING}


def fate_of(entry: Entry, standing: Standing | None, known: str) -> Fate:
    """`standing` is the worst that the file says, None in a second row about somebody.

    `known` is a status of SubscriberStatus, "forgotten", or nothing.
    """
    if entry.fault:
        return Fate.WRONG if entry.wrong else Fate.ODD
    if standing is None:
        return Fate.TWICE
    if known in _KNOWN:
        return _KNOWN[known]
    if known:
        return Fate.DISPUTED if standing in _NO else Fate.HERE
    return _NEW.get(standing, Fate.NEW)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was said about everybody in a file."""

    source: str  # the file, and the program that it is from
    consent: str  # what proves that they agreed; empty: each is asked
    editions: frozenset[str]
    usual: str  # the edition of those who named none, or none of these
    now: datetime


def reader_of(entry: Entry, standing: Standing, terms: Terms) -> tuple[Subscriber, str]:
    """Who comes of a row that is written down, and the text of the line of consent."""
    edition = entry.edition if entry.edition in terms.editions else terms.usual
    status, joined, left, owed = _times(entry, standing, terms)
    reader = Subscriber(
        0,
        entry.address,
        status,
        edition,
        joined,
        left_at=left,
        owed_from=owed,
        paused_until=entry.paused_until if status is SubscriberStatus.PAUSED else None,
        without=entry.without,
        plain=entry.plain,
    )
    return reader, _text(entry, status, terms)


def _times(
    entry: Entry, standing: Standing, terms: Terms
) -> tuple[SubscriberStatus, datetime, datetime | None, datetime | None]:
    """Status, joined, left, owed from (none to those who never agreed here).

    Who is still to confirm joins now: that is when they were asked.
    """
    now = terms.now
    since = entry.joined if entry.joined and entry.joined < now else now
    if standing is Standing.LEFT:
        left = entry.left if entry.left and entry.left < now else now
        return SubscriberStatus.LEFT, min(since, left), left, None
    if standing is Standing.BLOCKED:
        return SubscriberStatus.BLOCKED, since, None, None
    if not terms.consent or standing is Standing.UNCONFIRMED:
        return SubscriberStatus.UNCONFIRMED, now, None, None
    return (SubscriberStatus.PAUSED if standing is Standing.PAUSED else SubscriberStatus.ACTIVE), since, None, now


def _text(entry: Entry, status: SubscriberStatus, terms: Terms) -> str:
    since = f", there since {entry.joined.date().isoformat()}" if entry.joined else ""
    proof = f": {terms.consent}" if status in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED} else ""
    return f"{terms.source}, row {entry.row}{since}{proof}"
