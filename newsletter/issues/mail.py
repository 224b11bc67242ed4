"""A Digest as its checks look at it: its HTML taken apart once, with what it was made from and what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from newsletter.errors import Problem
from newsletter.issues.facts import Facts
from newsletter.issues.page import parse, strings
from newsletter.issues.view import DigestView
from newsletter.model import Digest


@dataclass(frozen=True)
class Mail:
    """What one reader, or a Digest that is addressed to nobody yet, would be looked at as."""

    digest: Digest
    view: DigestView
    facts: Facts
    page: etree._Element = field(repr=False)

    @cached_property
    def words(self) -> list[str]:
        """Every run of text that a reader sees or hears, blanks normalised."""
        runs = strings(self.page, "//body//text() | //title/text() | //@alt | //@aria-label")
        return [one_line(run) for run in runs if run.strip()]

    @cached_property
    def prose(self) -> str:
        """All of it in one line."""
        return " ".join(self.words)

    @cached_property
    def text(self) -> str:
        """The text part in one line."""
        return one_line(self.digest.text)

    @property
    def parts(self) -> Iterator[tuple[str, str]]:
        """What each part says, by its name."""
        yield from (("HTML", self.prose), ("text", self.text))


def opened(digest: Digest, view: DigestView, facts: Facts) -> Mail:
    return Mail(digest, view, facts, parse(digest.html))


def one_line(text: str) -> str:
    return " ".join(text.split())


def stop(code: str, message: str, why: str, *fixes: str) -> Problem:
    return Problem(code, message, why=why, fixes=fixes)


def warn(code: str, message: str, why: str, *fixes: str) -> Problem:
    return Problem(code, message, why=why, fixes=fixes, level="warn")
