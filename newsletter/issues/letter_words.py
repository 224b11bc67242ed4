"""The sentences of each kind of Letter, in the tongue of the site: who asked for what and when, and what follows.

They know the name of the publication, the reader's own masked address, and the day and time of the request; nothing
that a stranger wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.model import EACH_POST, MONTHLY, LetterKind

Say = Callable[[str], str]
"""Says a sentence in the site's tongue, with %(publication)s, %(address)s, %(day)s, %(time)s and %(zone)s put in, and
%(good_for)s: how long the link works.
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What a Letter says."""

    subject: str
    title: str
    told: tuple[str, ...]  # paragraphs, at least one
    after: str  # below the button
    button: str = ""  # empty for none


def confirm(say: Say, edition: str) -> Words:
    return Words(
        subject=say("Please confirm: %(publication)s"),
        title=say("Do you want %(publication)s by email?"),
        told=(_asked(say, edition), say("Nothing comes unless you press the button.")),
        button=say("Yes, I want it"),
        after=say(
            "The link works for %(good_for)s. That wasn’t you? Do nothing, or press “This wasn’t me” on the page "
            "behind it."
        ),
    )


def _asked(say: Say, edition: str) -> str:
    if edition == EACH_POST:
        return say(
            "On %(day)s at %(time)s (%(zone)s) somebody, we hope you, asked for each new post of %(publication)s at "
            "this address (%(address)s)."
        )
    if edition == MONTHLY:
        return say(
            "On %(day)s at %(time)s (%(zone)s) somebody, we hope you, asked for %(publication)s once a month at "
            "this address (%(address)s)."
        )
    return say(
        "On %(day)s at %(time)s (%(zone)s) somebody, we hope you, asked for %(publication)s once a week at "
        "this address (%(address)s)."
    )


def known(say: Say, _edition: str) -> Words:
    return Words(
        subject=say("You already get %(publication)s"),
        title=say("You are on the list already"),
        told=(
            say(
                "On %(day)s at %(time)s (%(zone)s) somebody, probably you, asked for %(publication)s at this address "
                "(%(address)s)."
            ),
            say("It is on the list already, and nothing has changed."),
        ),
        button=say("Change how often, or pause"),
        after=say("That wasn’t you? There is nothing to do."),
    )


def link(say: Say, _edition: str) -> Words:
    return Words(
        subject=say("Your page at %(publication)s"),
        title=say("Your fresh link"),
        told=(
            say(
                "On %(day)s at %(time)s (%(zone)s) somebody, probably you, asked for a fresh link to the page on which "
                "you choose what comes from %(publication)s, and how often."
            ),
            say("Whoever has this link can choose for you: keep this email to yourself."),
        ),
        button=say("Open my page"),
        after=say("That wasn’t you? Do nothing: nothing has changed."),
    )


def data(say: Say, _edition: str) -> Words:
    return Words(
        subject=say("What %(publication)s holds about you"),
        title=say("What we hold about you"),
        told=(
            say(
                "On %(day)s at %(time)s (%(zone)s) somebody, probably you, asked on your page for everything that we "
                "hold about this address, or to be forgotten."
            ),
            say("Both are behind this link. Nothing is deleted unless you press a button there."),
        ),
        button=say("See it, or be forgotten"),
        after=say("The link works for %(good_for)s. That wasn’t you? Do nothing: nothing has changed."),
    )


def move(say: Say, _edition: str) -> Words:
    return Words(
        subject=say("Please confirm your new address: %(publication)s"),
        title=say("Is this your new address?"),
        told=(
            say(
                "On %(day)s at %(time)s (%(zone)s) a reader of %(publication)s asked to get it at this address "
                "(%(address)s) from now on."
            ),
            say("Nothing comes unless you press the button."),
        ),
        button=say("Yes, send it here"),
        after=say("The link works for %(good_for)s. That wasn’t you? Do nothing: nothing has changed."),
    )


def moved(say: Say, _edition: str) -> Words:
    return Words(
        subject=say("%(publication)s goes to your new address now"),
        title=say("Your new address is confirmed"),
        told=(
            say(
                "On %(day)s at %(time)s (%(zone)s) your new address was confirmed. From now on %(publication)s goes "
                "there, and nothing more comes to this one."
            ),
            say("That wasn’t you? Take it back: it comes to this address again, and the links of whoever did it end."),
        ),
        button=say("Take it back, this was not me"),
        after=say("The link works for %(good_for)s. It was you? Do nothing: all is as you wished."),
    )


WORDS: dict[LetterKind, Callable[[Say, str], Words]] = {
    LetterKind.CONFIRM: confirm,
    LetterKind.KNOWN: known,
    LetterKind.LINK: link,
    LetterKind.DATA: data,
    LetterKind.MOVE: move,
    LetterKind.MOVED: moved,
}
"""Of each kind that has words of its own; the second argument is the edition that the reader asked for."""
