"""What an Issue amounts to, in figures, and what is other than in the one before."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter import words
from newsletter.issues.page import parse
from newsletter.model import READERS_LINKS, Digest


@dataclass(frozen=True, slots=True)
class Measure:
    """The figures of one mail."""

    stories: int
    words: int  # of the mail, as a reader reads it
    minutes: int  # to read it and its stories; 0 where nobody counted
    links: int  # different addresses
    images: int
    octets: int  # of the HTML part


def measure(digest: Digest, stories: int, minutes: int = 0) -> Measure:
    """Of a Digest as the reader gets it who gets all of it."""
    page = parse(digest.html)
    targets = {a.get("href", "") for a in page.iter("a")} - READERS_LINKS
    octets = len(digest.html.encode())
    return Measure(stories, len(digest.text.split()), minutes, len(targets), sum(1 for _ in page.iter("img")), octets)


def told(one: Measure) -> str:
    """`5 stories, 612 words (38 min with the stories), 31 links, 1 picture, 14.5 kB`."""
    read = f" ({one.minutes} min with the stories)" if one.minutes else ""
    return ", ".join(
        (
            words.stories(one.stories),
            words.count(one.words, "word") + read,
            words.count(one.links, "link"),
            words.count(one.images, "picture"),
            f"{one.octets / 1000:.1f} kB",
        )
    )


def difference(one: Measure, before: Measure) -> str:
    """`2 stories more, 120 words fewer, 3.1 kB more`; empty when nothing differs."""
    rows = (
        ("story", "stories", one.stories - before.stories),
        ("word", "words", one.words - before.words),
        ("link", "links", one.links - before.links),
        ("picture", "pictures", one.images - before.images),
    )
    parts = [f"{words.count(abs(by), noun, nouns)} {'more' if by > 0 else 'fewer'}" for noun, nouns, by in rows if by]
    octets = one.octets - before.octets
    parts += [f"{abs(octets) / 1000:.1f} kB {'more' if octets > 0 else 'less'}"] if abs(octets) >= 100 else []
    return ", ".join(parts)
