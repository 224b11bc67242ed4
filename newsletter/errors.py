"""Every error a person can see.

A **Problem** is a value: code, place, reason, fix. Rooms return Problems; doors print them. An exception
carries Problems across floors and knows the exit status they end in:

    NewsletterError                 exit 1  what you gave me is wrong
    ├─ SourceErrors                         posts: all of them at once; nothing was written
    ├─ ConfigError                          newsletter.toml or the environment
    ├─ UsageError                   exit 2  an unknown command, option, name
    ├─ Refused                      exit 3  a safeguard said no
    └─ Outside                      exit 4  mail server, disk, database: try again

Codes are stable and searchable: P posts, I issues, S sending, F feeds, R readers, C configuration.
`docs/errors.md` lists them; a test compares that list with the codes in the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong, where, why, and what to do about it."""

    code: str
    message: str
    file: str = ""
    line: int = 0  # 1-based; 0 when the whole file is meant
    column: int = 0  # 1-based; 0 when the whole line is meant
    width: int = 0  # characters to underline
    excerpt: str = ""  # the source line
    why: str = ""
    fixes: tuple[str, ...] = ()
    level: str = "stop"  # or warn
    waved: str = ""  # who let this warning pass, and why

    @property
    def place(self) -> str:
        """`file:line`, or what is known of it."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def as_json(self) -> dict[str, object]:
        return {
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "why": self.why,
            "fixes": list(self.fixes),
            **({"waved": self.waved} if self.waved else {}),
        }


class NewsletterError(Exception):
    """The root of what a person can see; `exit_status` is what the command ends with."""

    exit_status = 1

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{p.place}: {p.code} {p.message}".lstrip(": ") for p in self.problems))

    def __reduce__(self) -> tuple[type[NewsletterError], tuple[object, ...]]:
        return type(self), (self.problems,)  # it travels from the process where it was found


class SourceErrors(NewsletterError):
    """Problems in posts, all of one run together; nothing was published."""


class ConfigError(NewsletterError):
    """Problems in `newsletter.toml`, the environment, or files that they name."""


class UsageError(NewsletterError):
    """The call itself was wrong; nothing was done."""

    exit_status = 2


class Refused(NewsletterError):
    """A safeguard said no; nothing was done."""

    exit_status = 3


class Outside(NewsletterError):
    """Trouble outside of the program that may pass: mail server, disk, database."""

    exit_status = 4
    answer: tuple[int, str] | None = None
    """What a mail server said as it broke off over a Message, for the ledger alone: it may name a reader."""


def stops(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those problems that stop a build."""
    return tuple(p for p in problems if p.level == "stop")


def warnings(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those problems that stop nothing, and that nobody has let pass yet."""
    return tuple(p for p in problems if p.level == "warn" and not p.waved)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, for messages that refuse an unknown one."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.55)), None)
