"""What a Letter says, in words before any markup, and its HTML and text.

Nothing in it was written by whoever asked for it: of their words not one may reach the address that they named. The
HTML is inlined once for each kind, with placeholders where a letter's own words go; the text is written for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, partial
from html import escape

from jinja2 import Environment

from newsletter.errors import ConfigError
from newsletter.issues.columns import rule, tidy, underlined, wrap
from newsletter.issues.inline import inline
from newsletter.issues.letter_words import WORDS, Say
from newsletter.issues.view import LogoView, logo, postal_address, reply_line
from newsletter.model import LetterKind, Look, Site
from newsletter.tongue import tongue_of

PAGE, TEXT, SHEET = "email/letters/letter.html", "email/letters/letter.txt", "email/style.css"


@dataclass(frozen=True, slots=True)
class Own:
    """What one letter says and no other."""

    url: str  # where its button leads; empty without one
    address: str  # the reader's, masked
    day: str  # on which it was asked for, in the site's zone and tongue
    time: str  # `14:05`


NOBODY = Own("https://x.invalid/__LINK__/", "__LETTER_ADDRESS__", "__LETTER_DAY__", "__LETTER_TIME__")
"""Placeholders, free of spaces and of what HTML, URLs or premailer would escape."""


@dataclass(frozen=True, slots=True)
class LetterView:
    """One Letter as it is shown."""

    publication: str
    language: str
    direction: str  # ltr or rtl
    look: Look
    logo: LogoView | None
    home_url: str
    subject: str
    title: str
    preheader: str
    paragraphs: tuple[str, ...]
    button: str  # empty for none
    url: str
    after: str
    reply_line: str
    postal_address: str


def view(site: Site, kind: LetterKind, edition: str, own: Own, good_for: timedelta | None = None) -> LetterView:
    """A letter of any kind but CATCH_UP, which is a Digest; `edition` is the one that its reader asked for.

    `good_for` is how long its link works, if that is less than for any letter of its kind.
    """
    said = WORDS[kind](_sayer(site, own, good_for or kind.good_for or timedelta(0)), edition)
    return LetterView(
        publication=site.title,
        language=site.language,
        direction=site.direction,
        look=site.look,
        logo=logo(site),
        home_url=site.address_of(""),
        subject=said.subject,
        title=said.title,
        preheader=said.told[-1],
        paragraphs=said.told,
        button=said.button,
        url=own.url,
        after=said.after,
        reply_line=reply_line(site),
        postal_address=postal_address(site),
    )


def _sayer(site: Site, own: Own, good_for: timedelta) -> Say:
    tongue = tongue_of(site)
    facts = {"publication": site.title, "address": own.address, "day": own.day, "time": own.time}
    return partial(tongue.say, **facts, zone=str(site.timezone), good_for=tongue.span(good_for))


def html(shown: LetterView, templates: Environment) -> str:
    """The page, inlined. Raises ConfigError (I2xx) when a template or style sheet cannot be inlined whole."""
    page, sheet = (templates.get_template(name).render(letter=shown, digest=shown) for name in (PAGE, SHEET))
    return _page(page, sheet)


@lru_cache(maxsize=16)
def _page(page: str, sheet: str) -> str:
    """The same page is that of many letters, and inlining is by far the slowest part of one."""
    try:
        return inline(page, sheet)
    except ConfigError as error:
        raise ConfigError([replace(one, file=f"templates/{PAGE}") for one in error.problems]) from error


def filled(page: str, own: Own) -> str:
    """The page of `view(…, NOBODY)` with the words of one letter."""
    for placeholder, value in ((getattr(NOBODY, name), getattr(own, name)) for name in Own.__slots__):
        page = page.replace(placeholder, escape(value))
    return page


def text(shown: LetterView, templates: Environment) -> str:
    """The text part, ending in one line feed."""
    template = templates.get_template(TEXT)
    return tidy(template.render(letter=shown, wrap=wrap, underlined=underlined, rule=rule))
