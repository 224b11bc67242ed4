"""`issue check | wave`: what the checks say of an issue, and what a person lets pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, command, told
from newsletter.cli.naming import asked, press_of
from newsletter.errors import Problem, stops, warnings
from newsletter.model import issue_name, issue_title

if TYPE_CHECKING:
    from newsletter.usecases.recheck import Checked


@command("check")
@click.argument("number", metavar="N|next")
@click.option("--strict", is_flag=True, help="Warnings that nobody let pass stop too.")
@click.option("--links", type=click.Choice(["online"]), default=None, help="Ask the web whether each link answers.")
def check(door: Door, number: str, strict: bool, links: str | None) -> int:
    """Everything that would stop an issue, or should be looked at, in the bytes that readers get.

    \b
    newsletter issue check next
    newsletter issue check 47 --links online --strict
    """
    from newsletter.usecases.life import meant
    from newsletter.usecases.recheck import checked

    app = door.app
    edition, typed = asked(number)
    press = press_of(door, edition)
    wanted = meant(press, typed)
    one = checked(press, wanted)
    if links and one.digest:
        silent = app.silent_links(one.digest)
        one = checked(replace(press, inspection=replace(press.inspection, silent=silent)), wanted)
    door.answer(_data(one), *_lines(one))
    stopping = (*stops(one.problems), *(warnings(one.problems) if strict else ()))
    return 1 if stopping else 0


def _data(one: Checked) -> dict[str, object]:
    return {
        "number": one.number,
        "state": one.state.value,
        "problems": [problem.as_json() for problem in one.problems],
        "figures": asdict(one.figures) if one.figures else None,
        "before": asdict(one.before) if one.before else None,
        "edited": list(one.edited),
    }


def _lines(one: Checked) -> Iterator[str]:
    from newsletter.issues import measure

    yield f"{issue_title(one.edition, one.number)} · {one.state.value} · {summary(one.problems)}"
    yield from told(one.problems)
    if one.digest is None:
        yield "info  No story is in: the slot will be recorded as empty, and nothing is sent."
    if one.figures:
        yield f"info  {measure.told(one.figures)}"
    if one.figures and one.before and one.last:
        other = measure.difference(one.figures, one.before) or "the same in all figures"
        yield f"info  Beside issue {one.last.name}: {other}"
    for title in one.edited:
        yield f"info  “{title}” was edited after the text was frozen; readers get it as it was frozen."
    if warnings(one.problems):
        code = warnings(one.problems)[0].code
        yield f'To let a warning pass:  newsletter issue wave {issue_name(one.edition, one.number)} {code} --reason "…"'


def summary(problems: Sequence[Problem]) -> str:
    """`1 stop, 2 warnings, 1 waved through`, or that nothing was found."""
    levels = Counter("waved" if problem.waved else problem.level for problem in problems)
    names = (("stop", "stop", ""), ("warn", "warning", ""), ("waved", "waved through", "waved through"))
    parts = [words.count(levels[level], noun, plural) for level, noun, plural in names if levels[level]]
    return ", ".join(parts) or "ok: nothing to fix"


@command("wave")
@click.argument("number", metavar="N|next")
@click.argument("code")
@click.option("--reason", default="", help="Why; whoever sends the issue reads it.")
@click.option("--dry-run", is_flag=True, help="Say what would be let pass.")
def wave(door: Door, number: str, code: str, reason: str, dry_run: bool) -> None:
    """Let the warnings of one code pass in one issue. An edit that changes what was found brings them back.

    \b
    newsletter issue wave 47 I316 --reason "The name of the car has nine letters"
    newsletter issue wave next I325 --reason "A classic" --dry-run
    """
    from newsletter.usecases.life import meant
    from newsletter.usecases.wave import wave as let_pass

    app = door.app
    edition, typed = asked(number)
    press = press_of(door, edition)
    wanted = meant(press, typed)
    n, found = let_pass(press, app.waivers, wanted, code.upper(), reason=reason, who=door.who, dry_run=dry_run)
    verb = "Would let pass" if dry_run else "Let pass"
    data = {"number": n, "waved": [problem.as_json() for problem in found], "dry_run": dry_run}
    lines = [
        f"{verb} in issue {issue_name(edition, n)}:",
        *(f"  {problem.code}  {problem.message}" for problem in found),
    ]
    door.answer(
        data, *(lines if found else [f"All of {code.upper()} in issue {issue_name(edition, n)} was let pass before."])
    )
