"""a letter and its reader | its words | its link | its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from jinja2 import Environment

from newsletter.delivery.letter import compose, compose_digest
from newsletter.delivery.message import Urls
from newsletter.issues import letter as wording
from newsletter.model import Letter, LetterKind, Message, Site, Subscriber
from newsletter.tongue import tongue_of
from newsletter.words import masked

PATIENCE = timedelta(minutes=10)
"""How long a letter may wait before `status` speaks of it: somebody looks for it in their inbox."""


@dataclass(frozen=True)
class Writer:
    """Writes letters; `url_of` says where the button of one leads."""

    site: Site
    templates: Environment
    url_of: Callable[[Letter, Subscriber], str]
    unsubscribe_url: Callable[[int, int], str]
    message_id_key: str
    confirm_within: timedelta = timedelta(days=14)  # no more: the link itself works no longer

    def compose(self, letter: Letter, reader: Subscriber) -> Message:
        """The same bytes on every call for the same letter and reader.

        Raises ConfigError (C301, I2xx) for templates of which nothing can be made, NewsletterError as
        `delivery.letter.compose`.
        """
        if letter.digest:
            urls = Urls(self.unsubscribe_url(reader.id, reader.token_version), self.url_of(letter, reader))
            return compose_digest(
                site=self.site,
                letter=letter,
                digest=letter.digest,
                reader=reader,
                urls=urls,
                message_id_key=self.message_id_key,
            )
        own = self._own(letter, reader)
        good_for = self.confirm_within if letter.kind is LetterKind.CONFIRM else None
        shown, blank = (
            wording.view(self.site, letter.kind, reader.edition, one, good_for) for one in (own, wording.NOBODY)
        )
        page = wording.html(blank, self.templates)
        return compose(
            site=self.site,
            letter=letter,
            subject=shown.subject,
            text=wording.text(shown, self.templates),
            html=wording.filled(page, own),
            message_id_key=self.message_id_key,
        )

    def _own(self, letter: Letter, reader: Subscriber) -> wording.Own:
        asked = letter.at.astimezone(self.site.timezone)
        return wording.Own(
            url=self.url_of(letter, reader),
            address=masked(letter.address),
            day=tongue_of(self.site).long_date(asked),
            time=f"{asked:%H:%M}",
        )
