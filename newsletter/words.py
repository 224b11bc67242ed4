"""Dates, spans and counts in English words, the same on every machine; and where words are cut.

What editors read is told by these; what readers read by `tongue`, which asks here for English. Nothing here asks the
locale: `strftime` would print other names on another host, and then two builds would differ.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_LONG_WORD = 10  # characters
_ADDRESS = re.compile(r"<?[^\s<>]+@[\w.-]+>?")
_SENTENCE_END = re.compile(r"(?<=[.!?…؟])\s+(?=[^a-z\s])")


def full_date(day: date) -> str:
    """`Friday 27 November 2026`."""
    return f"{WEEKDAYS[day.weekday()]} {long_date(day)}"


def long_date(day: date) -> str:
    """`27 November 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """`20 Nov 2026`."""
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def moment(local: datetime) -> str:
    """`Fri 27 Nov 2026, 08:00`: a wall-clock time, its zone left to the sentence around it."""
    return f"{WEEKDAYS[local.weekday()][:3]} {short_date(local)}, {local:%H:%M}"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 story`, `1,284 readers`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def stories(number: int) -> str:
    return count(number, "story", "stories")


def span(length: timedelta) -> str:
    """`45 s`, `12 min`, `4 h 10 min`, `3 days 2 h`: the two largest units, the rest cut off."""
    seconds = int(length.total_seconds())
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    parts = [
        text
        for number, text in (
            (days, count(days, "day")),
            (hours, f"{hours} h"),
            (minutes, f"{minutes} min"),
            (seconds, f"{seconds} s"),
        )
        if number
    ]
    return " ".join(parts[:2]) or "0 s"


def shorten(text: str, limit: int) -> str:
    """The text on one line, cut after a whole word with an ellipsis if it is longer than `limit` characters."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    if not text[limit - 1].isspace():
        head = head.rpartition(" ")[0] or head
    return head.rstrip(" ,.;:،؛–—-") + "…"


def nameless(text: str) -> str:
    """What a mail server said, without whom it speaks of: of use where it is told to more than the ledger."""
    return _ADDRESS.sub("…", text)


def first_words(text: str, limit: int) -> str:
    """At most `limit` words on one line; of a script that writes none apart, as much as these would take."""
    every = text.split()
    shown = " ".join(every[:limit])
    cut = len(every) > limit or len(shown) > limit * _LONG_WORD
    return shown[: limit * _LONG_WORD].rstrip(" ,.;:،؛–—-") + "…" if cut else shown


def first_sentence(text: str) -> str:
    """The text up to the first stop that ends a sentence, on one line; one before a small letter does not."""
    return _SENTENCE_END.split(" ".join(text.split()), maxsplit=1)[0]


def capital(text: str) -> str:
    """As it stands at the beginning: `Mars 2027` of `mars 2027`."""
    return text[:1].upper() + text[1:]


def unbroken(text: str) -> str:
    """The text with no-break spaces, so that a narrow screen does not part a number from its noun."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def with_spaces(text: str) -> str:
    """The text with plain spaces for all that do not break, as plain text has it."""
    return text.translate(_PLAIN_SPACES)


_PLAIN_SPACES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})


def zone_name(zone: tzinfo | None) -> str:
    """`Madrid` of `Europe/Madrid`."""
    return str(zone).rpartition("/")[2].replace("_", " ")


def when(at: datetime, zone: tzinfo, now: datetime | None = None) -> str:
    """`Fri 27 Nov 2026, 08:00 Madrid (07:00 UTC), in 2 days 21 h`; of the past `… ago`; without `now` no distance."""
    local = at.astimezone(zone)
    name = zone_name(zone)
    utc = "" if name == "UTC" else f" ({at.astimezone(UTC):%H:%M} UTC)"
    if now is None:
        return f"{moment(local)} {name}{utc}"
    distance = span(abs(at - now))
    return f"{moment(local)} {name}{utc}, {f'in {distance}' if at > now else f'{distance} ago'}"


def size(octets: int) -> str:
    """`14.5 kB`, `3.2 MB`, in thousands."""
    if octets < 1_000_000:
        return f"{octets / 1000:,.1f} kB"
    return f"{octets / 1_000_000:,.1f} MB"


def masked(address: str) -> str:
    """`reader@example.org` as `r…@example.org`: enough for its owner, too little for the one it was forwarded to."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
