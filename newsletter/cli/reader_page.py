"""`reader show`: the page of a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import click

from newsletter import words
from newsletter.cli.door import Door, command
from newsletter.cli.reader import next_issue, reader_data
from newsletter.model import WEEKLY, Consent, Subscriber, SubscriberStatus

_LAST = 8
"""How many mails and letters are shown."""


@command("show")
@click.argument("address")
def show(door: Door, address: str) -> None:
    """What a reader gets and when next, how they agreed, and the mails to them. --json holds all that is kept.

    \b
    newsletter reader show ada@readers.example
    newsletter reader show ada@readers.example --json
    """
    from newsletter.usecases import readers

    roster = door.app.roster
    one = readers.known(roster, address)
    held = roster.held(one.id)
    zone = door.app.config.site.timezone
    lines = [
        _state(one, held, door, zone),
        *_gets(one, door),
        *(f"  {line}" for line in _record(roster.consents(one.id), zone)),
        *(f"  {line}" for line in _mails(held, zone)),
    ]
    door.answer(reader_data(one) | {"held": held}, *lines)


def _state(one: Subscriber, held: Mapping[str, Any], door: Door, zone: tzinfo) -> str:
    """The state line, in words."""

    def day(at: datetime | None) -> str:
        return words.long_date(at.astimezone(zone)) if at else "a day that nobody wrote down"

    told = {
        SubscriberStatus.ACTIVE: f"active, joined {day(one.joined_at)}",
        SubscriberStatus.PAUSED: f"paused{f' until {day(one.paused_until)}' if one.paused_until else ''}, "
        f"joined {day(one.joined_at)}",
        SubscriberStatus.UNCONFIRMED: f"asked {day(one.joined_at)} and has not confirmed; deleted "
        f"{day(one.joined_at + door.app.config.confirm_within)} if they do not",
        SubscriberStatus.LEFT: f"left {day(one.left_at)}{f': {one.why}' if one.why else ''}",
        SubscriberStatus.BLOCKED: f"blocked: {held['suppressed'] or 'for no reason on record'}",
    }
    return f"{one.address}: {told[one.status]}   (reader {one.id})"


def _gets(one: Subscriber, door: Door) -> Iterator[str]:
    """What they chose, and when they get mail next; nothing of those who get none."""
    if one.status not in (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED):
        return
    topics = f"all topics but {', '.join(one.without)}" if one.without else "all topics"
    yield f"  gets      {one.edition}, {topics}, {'plain text' if one.plain else 'with pictures'}"
    if one.status is SubscriberStatus.PAUSED and one.paused_until is None:
        yield "  next      nothing until they or you resume"
    else:
        yield f"  next      {next_issue(door, one.edition, max(door.now, one.paused_until or door.now))}"


def _record(consents: Sequence[Consent], zone: tzinfo) -> Iterator[str]:
    """How they agreed, what they chose and when they left."""
    for line in consents:
        shown = f": “{words.shorten(line.text, 60)}”" if line.text else ""
        place = "".join(f", {part}" for part in (line.page, line.network) if part)
        yield f"{line.kind.value:<9} {words.when(line.at, zone)}, through {line.way}{place}{shown}"


def _mails(held: Mapping[str, Any], zone: tzinfo) -> Iterator[str]:
    for letter in held["letters"][-_LAST:]:
        yield f"letter    {letter['kind']}, asked for {words.when(letter['at'], zone)}: {_outcome(letter)}"
    for mail in held["deliveries"][-_LAST:]:
        number = f"{mail['number']}" if mail["edition"] == WEEKLY else f"{mail['edition']}/{mail['number']}"
        yield f"issue     {number}: {_outcome(mail)}"


def _outcome(row: Mapping[str, Any]) -> str:
    """`accepted: 250 2.0.0 queued as 4F2`."""
    answer = " ".join(f"{row['code'] or ''} {row['reply']}".split())
    why = row["reason"] or answer
    return f"{row['state']}{f': {why}' if why else ''}"
