"""What the test of a year keeps account of: posts as written, mails as they came, readers with what they are owed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from newsletter.model import WEEKLY
from tests.acceptance.harness import parsed, part

ZONE = ZoneInfo("Europe/Madrid")
_TITLE = re.compile(r"^Piece (\d{3})\b.*\n-{5,}$", re.MULTILINE)
_ISSUE = re.compile(r"^(\d+):([a-z-]+):digest:")


@dataclass(frozen=True)
class Piece:
    """A post as it was written: its number, its day, its topics, and the one that it goes on from."""

    number: int
    day: date
    topics: frozenset[str]
    before: int | None = None

    @property
    def out(self) -> datetime:
        return datetime.combine(self.day, time(), tzinfo=ZONE)

    def is_for(self, without: Iterable[str]) -> bool:
        return not self.topics or bool(self.topics - set(without))


@dataclass
class Mail:
    """What one mail says, read from its bytes."""

    to: str
    kind: str  # an edition, or of a letter
    number: int  # of the issue, or 0
    stories: tuple[int, ...]
    message: EmailMessage = field(repr=False)

    @property
    def text(self) -> str:
        return plain(self.message)

    @property
    def html(self) -> str:
        return part(self.message, "html") if self.message.is_multipart() else ""

    def link(self, page: str) -> str:
        found = re.search(rf"https://[\w.-]+(/{page}/[\w.~-]+)", self.text)
        assert found, (page, self.text)
        return found[1]


@dataclass
class Reader:
    """One person, and what they are owed."""

    name: str
    address: str
    status: str = "nobody"
    edition: str = WEEKLY
    without: frozenset[str] = frozenset()
    plain: bool = False
    until: datetime | None = None
    owed_from: datetime | None = None
    link: str = ""  # to their choices
    got: list[Mail] = field(default_factory=list)
    expected: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    excuses: set[tuple[str, int]] = field(
        default_factory=set
    )  # issues that they may not have got, and why not is known
    moves: int = 0
    caught_up: datetime | None = None

    @property
    def stories(self) -> Counter[int]:
        return Counter(number for mail in self.got for number in mail.stories)


def read(to: str, content: bytes) -> Mail:
    """A mail as a person reads it."""
    message = parsed(content)
    told = str(message["Feedback-ID"] or "")
    stories = tuple(int(number) for number in _TITLE.findall(plain(message)))
    if found := _ISSUE.match(told):
        return Mail(to, found[2], int(found[1]), stories, message)
    kind = told.split(":")[0] or str(message["Subject"])
    return Mail(to, kind, 0, stories, message)


def plain(message: EmailMessage) -> str:
    return part(message, "plain").replace("\r\n", "\n")


def numbers(words: str, text: str) -> set[int]:
    """The numbers that follow these words, however the text is broken into lines."""
    return {int(number) for number in re.findall(rf"{words} (\d{{3}})", " ".join(text.split()))}
