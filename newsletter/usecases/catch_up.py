"""library, ledger | what a reader was not sent | one mail of it, frozen | a letter: catch me up.

The rule that nothing comes twice: a Post in a letter counts as sent from the moment in which the letter is written, as
long as it waits, and once it was accepted or its fate is unknown. One that failed or was dropped brought nothing, and
may be asked for again. `store/variants.py` holds to it wherever it is asked what a reader had: the next issue leaves
those stories out for this reader, and tells them what was corrected since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from newsletter.issues import catch_up as wording
from newsletter.issues import fit
from newsletter.issues.missing import grouped, may_be_missing, missing
from newsletter.model import DeliveryState, LetterKind, Library, Post, Site, Story, Subscriber
from newsletter.ports import Ledger, Letters, MailedPictures, Roster
from newsletter.publish.paths import topic_slug
from newsletter.usecases.prepare import named_pictures, require_sender

if TYPE_CHECKING:
    from jinja2 import Environment

DAY = timedelta(days=1)
"""After one catch-up the next may be asked for: what was missed is missed no faster."""

_LOST = frozenset({DeliveryState.FAILED, DeliveryState.DROPPED})


class Answer(StrEnum):
    """What came of a press."""

    ASKED = "asked"  # a letter is on its way
    ON_ITS_WAY = "on-its-way"  # as it was before
    NOTHING = "nothing"  # is missing


@dataclass(frozen=True)
class CatchUp:
    """What one reader can be brought."""

    roster: Roster
    ledger: Ledger
    letters: Letters
    library: Callable[[datetime], Library]
    site: Site
    templates: Environment
    pictures: MailedPictures

    def missing(self, reader: Subscriber, now: datetime) -> tuple[Post, ...]:
        """The stories that a press would bring, oldest first; none while a letter is on its way. Changes nothing."""
        return () if self._comes(reader, now) else self._missing(reader, self.library(now))

    def send(self, reader: Subscriber, now: datetime) -> Answer:
        """Write the letter, once. Raises ConfigError when no mail can be made of the site's templates."""
        if self._comes(reader, now):
            return Answer.ON_ITS_WAY
        library = self.library(now)
        posts = self._missing(reader, library)
        if not posts:
            return Answer.ON_ITS_WAY if self._comes(reader, now) else Answer.NOTHING
        require_sender(self.site)
        day = now.astimezone(self.site.timezone).date()
        digest = fit.fitted(wording.view(self.site, library, grouped(library, posts), day), self.templates).digest
        for post in posts:
            self.pictures.keep(post.id, named_pictures(post, digest))
        stories = [Story(one.id, one.content_hash, one.slug, one.title, len(one.corrections)) for one in posts]
        written = self.roster.write(reader.id, LetterKind.CATCH_UP, now=now, digest=digest, posts=stories)
        if written is None:
            return Answer.NOTHING
        return Answer.ASKED if written.at == now else Answer.ON_ITS_WAY  # another press was first

    def _comes(self, reader: Subscriber, now: datetime) -> bool:
        return any(
            letter.kind is LetterKind.CATCH_UP and letter.state not in _LOST and now - letter.at < DAY
            for letter in self.letters.of(reader.id)
        )

    def _missing(self, reader: Subscriber, library: Library) -> tuple[Post, ...]:
        past = self.ledger.went_out(reader.edition)
        had = self.ledger.had(reader.id, may_be_missing(reader, library, past))
        return missing(reader, library, past, had, topic_slug)
