"""What a reader gets and when, in sentences that say what will happen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from newsletter.model import EACH_POST, Cadence, Slot, Subscriber, SubscriberStatus
from newsletter.tongue import Tongue


def outlook(tongue: Tongue, reader: Subscriber, cadence: Cadence | None, following: Slot | None) -> str:
    """`You get one email every Friday; the next one comes on 4 December 2026.`"""
    if reader.status is SubscriberStatus.PAUSED:
        return _paused(tongue, reader, cadence, following)
    if cadence is None:
        return tongue.say("What you chose does not come any more: please choose again.")
    gets = _gets(tongue, cadence)
    if following is None:
        return tongue.say("%(gets)s.", gets=gets)
    day = tongue.long_date(following.local.date())
    return tongue.say("%(gets)s; the next one comes on %(day)s.", gets=gets, day=day)


def besides(tongue: Tongue, reader: Subscriber, left_out: Iterable[str]) -> str:
    """What else a reader chose, topics by name: `You left out: Vans. You get plain text, without pictures.`"""
    names = tongue.listed(*left_out)
    topics = tongue.say("You left out: %(topics)s.", topics=names) if names else ""
    plain = tongue.say("You get plain text, without pictures.") if reader.plain else ""
    return " ".join(part for part in (topics, plain) if part)


def day_of(tongue: Tongue, at: datetime, zone: tzinfo) -> str:
    """`5 January 2027`, on the calendar of the publication."""
    return tongue.long_date(at.astimezone(zone).date())


def _paused(tongue: Tongue, reader: Subscriber, cadence: Cadence | None, following: Slot | None) -> str:
    if reader.paused_until is None or cadence is None:
        return tongue.say("No email comes until you choose again on this page.")
    until = day_of(tongue, reader.paused_until, cadence.zone)
    if following is None:
        return tongue.say("No email comes before %(day)s.", day=until)
    day = tongue.long_date(following.local.date())
    return tongue.say("No email comes before %(day)s; the next one comes on %(next)s.", day=until, next=day)


def _gets(tongue: Tongue, cadence: Cadence) -> str:
    """`You get one email every Friday`."""
    if cadence.edition == EACH_POST:
        return tongue.say("You get an email with each new post")
    day = tongue.weekday(cadence.weekday)
    told = {  # a sentence for each ordinal: no tongue puts them together as another does
        0: tongue.say("You get one email every %(weekday)s", weekday=day),
        1: tongue.say("You get one email on the first %(weekday)s of each month", weekday=day),
        2: tongue.say("You get one email on the second %(weekday)s of each month", weekday=day),
        3: tongue.say("You get one email on the third %(weekday)s of each month", weekday=day),
        4: tongue.say("You get one email on the fourth %(weekday)s of each month", weekday=day),
        -1: tongue.say("You get one email on the last %(weekday)s of each month", weekday=day),
    }
    return told[cadence.nth]
