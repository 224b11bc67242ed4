"""How an issue is named on the command line: `47`, `next`; of another edition `monthly/3`, `each-post/next`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.errors import Problem, UsageError
from newsletter.model import EACH_POST, MONTHLY, WEEKLY

if TYPE_CHECKING:
    from newsletter.cli.door import Door
    from newsletter.model import Issue
    from newsletter.usecases.choose import Press

_OTHERS = (MONTHLY, EACH_POST)

variant_option = click.option(
    "--variant",
    default="all",
    show_default=True,
    metavar="KEYS",
    help="all, none, or keys with commas: recap:1 is shown, story:2 is left out, plain is the text alone.",
)


def asked(text: str) -> tuple[str, int | None]:
    """The edition and the number as typed; None for `next`. Raises UsageError (I111)."""
    edition, slash, number = text.rpartition("/")
    edition = edition or WEEKLY
    digits = number.isascii() and number.isdigit() and len(number) <= 9
    if edition not in (_OTHERS if slash else (WEEKLY,)) or not (digits or number == "next"):
        fixes = ("newsletter issue list",)
        why = "It is a number, or next; of another edition monthly/3, each-post/12." if slash else ""
        raise UsageError(Problem("I111", f'"{text}" is not an issue number', why=why, fixes=fixes))
    return edition, int(number) if digits else None


def named(text: str) -> tuple[str, int]:
    """The edition and the number of an issue that is there. Raises UsageError (I111)."""
    edition, number = asked(text)
    if number is None:
        raise UsageError(Problem("I111", f'"{text}" is not an issue number', fixes=("newsletter issue list",)))
    return edition, number


def press_of(door: Door, edition: str) -> Press:
    """What making issues of an edition needs. Raises SourceErrors, UsageError (I119)."""
    return door.app.press(door.app.library(door.now), door.now, edition)


def in_json(issue: Issue) -> int | str:
    """An issue in a list of several: its number, or the name of one of another edition."""
    return issue.number if issue.edition == WEEKLY else issue.name
