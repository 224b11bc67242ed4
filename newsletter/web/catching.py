"""What a reader can be brought at a press, as pages show it: *Catch me up*."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import NewsletterError
from newsletter.model import Subscriber, SubscriberStatus
from newsletter.tongue import Tongue
from newsletter.usecases.catch_up import Answer, CatchUp

SHOWN = 5
"""Titles that a page lists."""

_log = logging.getLogger("newsletter.web")
_READS = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True, slots=True)
class Missed:
    """Stories that cannot come by themselves."""

    count: int
    told: str  # how many, in a sentence
    titles: tuple[str, ...]  # of the first SHOWN


def missed(tongue: Tongue, catch_up: CatchUp | None, reader: Subscriber, now: datetime) -> Missed | None:
    """None where there is nothing, and where the posts cannot be read just now: no page waits for that."""
    if catch_up is None or reader.status not in _READS:
        return None
    try:
        posts = catch_up.missing(reader, now)
    except NewsletterError as error:
        _log.error("What a reader missed cannot be told: %s", error)
        return None
    if not posts:
        return None
    told = tongue.many(
        "%(num)s story that you were not sent will not come by itself.",
        "%(num)s stories that you were not sent will not come by themselves.",
        len(posts),
    )
    return Missed(len(posts), told, tuple(post.title for post in posts[:SHOWN]))


def answered(tongue: Tongue, answer: Answer) -> str:
    """What a press did."""
    told = {
        Answer.ASKED: tongue.say("Done: one mail with all of them is on its way."),
        Answer.ON_ITS_WAY: tongue.say("It is on its way already, or came today."),
        Answer.NOTHING: tongue.say("Nothing is missing: you were sent everything."),
    }
    return told[answer]
