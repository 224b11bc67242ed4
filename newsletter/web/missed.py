"""The offer to catch up, on the pages of readers: how many stories they were not sent, and what came of a press."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Subscriber
from newsletter.tongue import Tongue
from newsletter.usecases.catch_up import Answer, CatchUp

SHOWN = 4
"""Titles; of more the rest is a number."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Stories that a reader was not sent, for whoever shows them."""

    heading: str
    titles: tuple[str, ...]
    more: str  # `and 3 more`, or empty


def missed(
    tongue: Tongue, catch_up: CatchUp | None, reader: Subscriber, now: datetime, *, new: bool = False
) -> Missed | None:
    """What a press would bring; None where nothing is missing, or nobody can say. Who is `new` joins in mid-story."""
    posts = catch_up.missing(reader, now) if catch_up else ()
    if not posts:
        return None
    titles = tuple(" ".join(post.title.split()) for post in posts[:SHOWN])
    left = len(posts) - len(titles)
    if new:
        heading = tongue.many("The story so far: %(num)s post", "The story so far: %(num)s posts", len(posts))
    else:
        heading = tongue.many("You were not sent %(num)s story", "You were not sent %(num)s stories", len(posts))
    return Missed(
        heading,
        titles,
        tongue.many("and %(num)s more", "and %(num)s more", left) if left else "",
    )


def answered(tongue: Tongue, answer: Answer) -> str:
    """What came of a press, in a sentence."""
    told = {
        Answer.ASKED: tongue.say("One email is on its way, with all that you were not sent."),
        Answer.ON_ITS_WAY: tongue.say("That email is on its way already, or came within a day."),
        Answer.NOTHING: tongue.say("Nothing is missing: you were sent everything."),
    }
    return told[answer]
