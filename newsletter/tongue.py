"""What readers read, in the language of their publication: sentences from a catalogue, dates and numbers by CLDR.

English is the source and needs neither. A tag is tried from its longest form on: `fr-CA`, then `fr`; where none of them
has a catalogue, everything is English, so that no sentence mixes two languages. Catalogues are part of the program as
its code is: read once, when first asked for. What editors read (commands, errors, logs) is English: see `words`.
"""

from __future__ import annotations

import gettext
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from newsletter import words
from newsletter.model import EACH_POST, MONTHLY, Judgement, Site, direction_of

CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "newsletter"

_FIRST_MONDAY = 1  # of the proleptic Gregorian calendar: date.fromordinal(1) was a Monday
_OTHER_WAY = {"ltr": frozenset({"R", "AL"}), "rtl": frozenset({"L"})}  # bidirectional types of letters (UAX 9, 3.2)
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language as readers get it. Sentences name what is put into them: `%(title)s`; `%%` is a percent sign."""

    language: str  # of the catalogue, `fr`; `en` where there is none
    locale: str  # of dates and numbers, as CLDR names it: `fr_CA`; `en` for our own
    direction: str  # of the page around: `ltr` or `rtl`
    catalogue: gettext.NullTranslations = field(repr=False, compare=False)

    def say(self, sentence: str, **values: str) -> str:
        """The sentence in this tongue; values that are written the other way round are isolated."""
        return self.catalogue.gettext(sentence) % self._isolated(values)

    def many(self, one: str, more: str, number: int, **values: str) -> str:
        """The sentence in the form that goes with `number`, which is `%(num)s` in it."""
        told = self.catalogue.ngettext(one, more, number)
        return told % {"num": self.number(number), **self._isolated(values)}

    def isolated(self, text: str) -> str:
        """The text between U+2068 and U+2069 where a letter in it runs against the page, so that what stands around
        keeps its place (UAX 9, 2.4)."""
        if not self.runs_against(text):
            return text
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"

    def runs_against(self, text: str) -> bool:
        """Whether a letter of the text is written the other way round than the page."""
        if self.direction == "ltr" and text.isascii():
            return False
        other = _OTHER_WAY[self.direction]
        return any(unicodedata.bidirectional(char) in other for char in text)

    def _isolated(self, values: dict[str, str]) -> dict[str, str]:
        return {name: self.isolated(value) for name, value in values.items()}

    # -- dates and numbers

    def full_date(self, day: date) -> str:
        """`Friday 27 November 2026`."""
        return words.full_date(day) if self.locale == "en" else self._date(day, "full")

    def long_date(self, day: date) -> str:
        """`27 November 2026`."""
        return words.long_date(day) if self.locale == "en" else self._date(day, "long")

    def short_date(self, day: date) -> str:
        """`20 Nov 2026`: the month in letters, in every tongue."""
        if self.locale == "en":
            return words.short_date(day)
        from babel.dates import format_skeleton

        return format_skeleton("yMMMd", day, locale=self.locale)

    def month(self, number: int) -> str:
        """`November`, as a heading has it; 1 is January."""
        return words.MONTHS[number - 1] if self.locale == "en" else self._heading(date(1, number, 1), "LLLL")

    def month_and_year(self, day: date) -> str:
        """`November 2026`, as a sentence has it."""
        if self.locale == "en":
            return f"{words.MONTHS[day.month - 1]} {day.year}"
        from babel.dates import format_skeleton

        return format_skeleton("yMMMM", day, locale=self.locale)

    def weekday(self, number: int) -> str:
        """`Friday`, as a sentence has it; 0 is Monday."""
        if self.locale == "en":
            return words.WEEKDAYS[number]
        return self._date(date.fromordinal(_FIRST_MONDAY + number), "EEEE")

    def number(self, number: int) -> str:
        """`1,284`."""
        if self.locale == "en":
            return f"{number:,}"
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self.locale)

    def _date(self, day: date, pattern: str) -> str:
        from babel.dates import format_date

        return format_date(day, pattern, locale=self.locale)

    def _heading(self, day: date, pattern: str) -> str:
        name = self._date(day, pattern)
        return name[:1].upper() + name[1:]

    # -- what is put together in many places

    def stories(self, number: int) -> str:
        return self.many("%(num)s story", "%(num)s stories", number)

    def posts(self, number: int) -> str:
        return self.many("%(num)s post", "%(num)s posts", number)

    def minutes(self, number: int) -> str:
        """How long a whole issue takes: `12 min`."""
        return words.unbroken(self.many("%(num)s min", "%(num)s min", number))

    def span(self, length: timedelta) -> str:
        """`14 days`, `24 hours`: in days from two whole ones up, else in hours begun."""
        days, rest = divmod(length, timedelta(days=1))
        if days > 1 and not rest:
            return self.many("%(num)s day", "%(num)s days", days)
        return self.many("%(num)s hour", "%(num)s hours", -(-length // timedelta(hours=1)))

    def reading(self, minutes: int) -> str:
        """How long one Post takes: `5 min read`."""
        return words.unbroken(self.many("%(num)s min read", "%(num)s min read", minutes))

    def outcome(self, judgement: Judgement) -> str:
        """What became of a Take, in a word: `right`."""
        told = {
            Judgement.RIGHT: self.say("right"),
            Judgement.WRONG: self.say("wrong"),
            Judgement.OPEN: self.say("open"),
        }
        return told[judgement]

    def byline(self, author: str, reviewer: str, *facts: str) -> str:
        """`By News desk · Reviewed by Review desk · 8 Feb 2022`; without a reviewer where nobody reviewed."""
        by = self.say("By %(author)s", author=author)
        return " · ".join(
            (by, *([self.say("Reviewed by %(reviewer)s", reviewer=reviewer)] if reviewer else []), *facts)
        )

    def often(self, edition: str, weekday: int) -> str:
        """How often an edition comes, within a sentence: `every Friday`; of the weekly one on this day, 0 is Monday."""
        if edition == EACH_POST:
            return self.say("with each new post")
        if edition == MONTHLY:
            return self.say("once a month")
        return self.say("every %(day)s", day=self.weekday(weekday))

    def titled(self, label: str, text: str) -> str:
        """`Auto Trendy: Batteries`."""
        return self.say("%(label)s: %(text)s", label=label, text=text)

    def listed(self, *texts: str) -> str:
        """`one, two`."""
        return self.say(", ").join(texts)


def tongue_of(site: Site) -> Tongue:
    """What the readers of a site are spoken to in."""
    return spoken(site.language)


@lru_cache(maxsize=64)
def spoken(language: str) -> Tongue:
    """The tongue of a BCP 47 tag; English for one that has no catalogue."""
    direction = direction_of(language)
    for tag in _shorter(language):
        if tag == "en":
            break
        path = CATALOGUES / tag / "LC_MESSAGES" / f"{DOMAIN}.mo"
        if path.is_file():
            with path.open("rb") as file:
                return Tongue(tag, _locale(language) or tag, direction, gettext.GNUTranslations(file))
    english = _locale(language) if language.lower().startswith("en-") else ""
    return Tongue("en", english or "en", direction, gettext.NullTranslations())


def is_known(language: str) -> bool:
    """Whether readers of this BCP 47 tag are spoken to in their own language."""
    return language.lower().partition("-")[0] == spoken(language).language.partition("_")[0]


def known() -> str:
    """The languages that there are, as a sentence has them: `ar, en and fr`."""
    found = sorted({"en", *(path.parts[-3] for path in CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))})
    return " and ".join([", ".join(found[:-1]), found[-1]])


def _shorter(language: str) -> Iterator[str]:
    """`fr_CA`, `fr`: a tag as catalogues are called, from its longest form on (RFC 4647, 3.4)."""
    parts = language.split("-")
    for length in range(len(parts), 0, -1):
        yield "_".join([parts[0].lower(), *parts[1:length]])


def _locale(language: str) -> str:
    """The nearest that CLDR knows; empty where it knows none."""
    from babel import Locale, UnknownLocaleError

    for tag in _shorter(language):
        try:
            return str(Locale.parse(tag))
        except (ValueError, UnknownLocaleError):
            continue
    return ""
