"""Posts to measure with: N of them, 600 words each, five tags, links between them; the same for the same N.

    python -m bench.corpus FOLDER 1000

makes a site for Newsletter. `bench.publish` writes the same texts with the front matter that its peers read.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

WORDS = 600
TAGS = 5
_EPOCH = date(2000, 1, 1)
_TOPICS = tuple(
    f"{kind} {thing}" for kind in ("Small", "Fast", "Old", "New") for thing in ("cars", "vans", "roads", "cells")
)
_SYLLABLES = ("ba", "den", "co", "lur", "mi", "sta", "ro", "ven", "ti", "gas", "po", "kel", "ne", "fi", "har", "zu")


@dataclass(frozen=True, slots=True)
class Text:
    """One post before it has the front matter of any program."""

    slug: str
    title: str
    day: date
    tags: tuple[str, ...]
    body: str
    earlier: tuple[str, ...]  # slugs of posts that it leads to, each older

    @property
    def name(self) -> str:
        return f"{self.day.isoformat()}-{self.slug}.md"


def texts(count: int) -> Iterator[Text]:
    """`count` posts, oldest first, three a day."""
    for number in range(count):
        yield _text(number)


def _text(number: int) -> Text:
    chance = random.Random(number)
    earlier = tuple(_slug(n) for n in sorted({chance.randrange(number) for _ in range(2)})) if number else ()
    tags = tuple(chance.sample(_TOPICS, TAGS))
    title = f"{' '.join(_word(chance) for _ in range(5)).capitalize()} {number}"
    return Text(_slug(number), title, _EPOCH + timedelta(days=number // 3), tags, _body(chance, earlier), earlier)


def _slug(number: int) -> str:
    return f"post-{number:05}"


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4)))


def _body(chance: random.Random, earlier: tuple[str, ...]) -> str:
    """Headings, emphasis, a list, a table, a quotation, code and links around paragraphs of plain words."""
    led = " ".join(f"See [{slug}](/posts/{slug}/)." for slug in earlier)
    parts = [
        _paragraph(chance, 100),
        f"## {_words(chance, 4).capitalize()}",
        _paragraph(chance, 100),
        "\n".join(f"- {_words(chance, 12)}" for _ in range(5)),
        _paragraph(chance, 90) + f" {led}",
        f"## {_words(chance, 4).capitalize()}",
        f"| {_words(chance, 1)} | {_words(chance, 1)} |\n|---|---|\n"
        + "\n".join(f"| {_words(chance, 3)} | {_words(chance, 3)} |" for _ in range(4)),
        "> " + _paragraph(chance, 40),
        f"```\n{_words(chance, 10)}\n```",
        _paragraph(chance, 80) + f" Read [{_words(chance, 2)}](https://example.org/{_word(chance)}).",
        _paragraph(chance, 70),
    ]
    return "\n\n".join(parts) + "\n"


def _words(chance: random.Random, count: int) -> str:
    return " ".join(_word(chance) for _ in range(count))


def _paragraph(chance: random.Random, count: int) -> str:
    words = [_word(chance) for _ in range(count)]
    words[3] = f"**{words[3]}**"
    words[11] = f"*{words[11]}*"
    words[19] = f"`{words[19]}`"
    for place in range(9, count - 1, 13):
        words[place] += "."
    return " ".join(words).capitalize() + "."


def site(folder: Path, count: int) -> None:
    """A site of `count` posts that Newsletter publishes without a warning."""
    settings(folder)
    for text in texts(count):
        (folder / "posts" / text.name).write_text(post(text), encoding="utf-8")


def settings(folder: Path) -> None:
    """The settings of such a site, and room for its posts."""
    (folder / "posts").mkdir(parents=True)
    (folder / "newsletter.toml").write_text(CONFIG, encoding="utf-8")


def post(text: Text) -> str:
    """The file of a post: what it leads to is in its front matter as well as in its text."""
    links = f"see_also: [{', '.join(text.earlier)}]\n" if text.earlier else ""
    return f"---\ntitle: {text.title}\ndate: {text.day}\ntags: [{', '.join(text.tags)}]\n{links}---\n\n{text.body}"


CONFIG = """\
review = "off"

[site]
title = "Bench"
url = "https://bench.example"
timezone = "Europe/Madrid"
authority = "bench.example,2022"

[sender]
name = "Bench"
address = "editor@bench.example"
reply_to = "editor@bench.example"
postal_address = "Bench, 1 Calle Mayor, 28013 Madrid, Spain"
list_id = "weekly.bench.example"

[cadence]
weekday = "friday"
time = "08:00"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    site(given.folder, given.count)


if __name__ == "__main__":
    main()
