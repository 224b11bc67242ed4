"""Which warnings were let pass, and may be: a Waiver holds for the finding as it was shown, and for no other.

The line of a file is no part of it, so that an edit above does not bring a warning back; the sentence is, with its
figures: an edit that changes what is found voids the Waiver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from newsletter.errors import Problem
from newsletter.model import Waiver


def finding(problem: Problem) -> str:
    """What a Waiver is bound to beside the code: file and sentence."""
    return f"{problem.file}: {problem.message}" if problem.file else problem.message


def applied(problems: Iterable[Problem], waivers: Iterable[Waiver]) -> tuple[Problem, ...]:
    """The same Problems; warnings that were let pass say so. A stop is never let pass."""
    known = {(waiver.code, waiver.finding): waiver for waiver in waivers}

    def waved(problem: Problem) -> Problem:
        waiver = known.get((problem.code, finding(problem)))
        return replace(problem, waved=f"{waiver.who}: {waiver.reason}") if waiver else problem

    return tuple(waved(problem) if problem.level == "warn" else problem for problem in problems)


def may_wave(name: str, code: str, problems: Sequence[Problem], reason: str) -> Problem | None:
    """Why nothing of this code can be let pass: I344 it is not there, I345 it stops, I343 no reason was given."""
    meant = [problem for problem in problems if problem.code == code]
    if not meant:
        codes = ", ".join(sorted({problem.code for problem in problems if problem.level == "warn"}))
        why = f"Its warnings are {codes}." if codes else "It has no warning."
        return Problem("I344", f"Issue {name} has no warning {code}", why=why, fixes=(_check(name),))
    if all(problem.level == "stop" for problem in meant):
        why = "A stop keeps readers from a broken mail; only what causes it can be mended."
        return Problem("I345", f"{code} is a stop: it cannot be waved through", why=why, fixes=meant[0].fixes)
    if not reason.strip():
        why = "Whoever sends the issue reads it on the page on which it is confirmed."
        fix = f'newsletter issue wave {name} {code} --reason "…"'
        return Problem("I343", "A warning is waved through with a reason", why=why, fixes=(fix,))
    return None


def _check(name: str) -> str:
    return f"newsletter issue check {name}"
