"""What somebody is shown who may sign up, in the words of the site; the same words are kept as evidence."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.model import Issue
from newsletter.tongue import Tongue
from newsletter.usecases.showcase import Showcase
from newsletter.web.pages import Pages

COUNTED = 100
"""From how many readers on their number is told."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to get the mail."""

    edition: str
    words: str  # Every Friday
    chosen: bool


@dataclass(frozen=True, slots=True)
class Last:
    """The last Issue, as proof of what comes."""

    number: int
    date: str
    path: str
    subject: str
    stories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be had, what is promised, and what is kept."""

    edition: str
    choices: tuple[Choice, ...]
    get: str  # Get it every Friday
    button: str  # the same, or, where there is something to choose, what the press does
    promise: str
    privacy: tuple[str, ...]
    readers: str  # 1,284 readers; empty for few
    last: Last | None

    @property
    def text(self) -> str:
        """What the reader agreed to, as it stood on the page."""
        choice = next(choice.words for choice in self.choices if choice.chosen)
        return "\n".join((f"[{choice}]", self.promise, *self.privacy, f"[{self.button}]"))


def offer(pages: Pages, showcase: Showcase, wanted: str, keep_network: bool) -> Offer:
    """`wanted` is the edition that was chosen, if it can be had; else the weekly one is."""
    tongue, editions = pages.tongue, showcase.editions
    edition = wanted if wanted in editions else editions[0]
    words = {one: tongue.often(one, showcase.weekday) for one in editions}
    get = tongue.say("Get it %(often)s", often=words[editions[0]])
    return Offer(
        edition=edition,
        choices=tuple(Choice(one, f"{words[one][:1].upper()}{words[one][1:]}", one == edition) for one in editions),
        get=get,
        button=tongue.say("Send me the link") if len(editions) > 1 else get,
        promise=tongue.say("Nothing comes before you press the link in the mail. Leave with one click, any time."),
        privacy=privacy(tongue, keep_network),
        readers=tongue.many("%(num)s reader", "%(num)s readers", showcase.readers)
        if showcase.readers >= COUNTED
        else "",
        last=last(tongue, showcase.latest) if showcase.latest else None,
    )


def privacy(tongue: Tongue, keep_network: bool) -> tuple[str, str, str]:
    """What is kept, who gets it, how it goes."""
    kept = tongue.say("We keep your address, what you chose, and when and how you agreed; nothing else.")
    if keep_network:
        kept = tongue.say(
            "We keep your address, what you chose, when and how you agreed, and the network (not the machine) you "
            "came from; nothing else."
        )
    return (
        kept,
        tongue.say("Nobody else gets it, and the mails do not tell us whether you open them."),
        tongue.say("You can see all of it, and have it deleted, by a link in each mail."),
    )


def last(tongue: Tongue, issue: Issue) -> Last:
    titles = tuple(story.title for story in issue.stories)
    return Last(issue.number, tongue.full_date(issue.slot.local), f"issues/{issue.number}/", issue.subject, titles[:4])
