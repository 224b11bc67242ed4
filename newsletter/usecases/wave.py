"""an issue | its warnings of one code | a waiver for each, in the ledger and the log: what a person lets pass."""

from __future__ import annotations

from newsletter.errors import Problem, Refused, UsageError
from newsletter.issues import waiving
from newsletter.model import LogEntry, Waiver, issue_name
from newsletter.ports import Waivers
from newsletter.usecases.choose import Press
from newsletter.usecases.recheck import checked


def wave(
    press: Press, waivers: Waivers, number: int | None, code: str, *, reason: str, who: str, dry_run: bool = False
) -> tuple[int, tuple[Problem, ...]]:
    """Let the warnings of this code pass in an issue (None: the next one). Its number, and what was let pass.

    Raises Refused (I344, I345) for what cannot be waved, UsageError (I110, I343).
    """
    one = checked(press, number)
    name = issue_name(one.edition, one.number)
    if refusal := waiving.may_wave(name, code, one.problems, reason):
        raise (UsageError if refusal.code == "I343" else Refused)(refusal)
    found = tuple(p for p in one.problems if (p.code, p.level) == (code, "warn") and not p.waved)
    digest_hash = one.digest.digest_hash if one.digest else ""
    for problem in () if dry_run else found:
        finding = waiving.finding(problem)
        waivers.add(press.edition, Waiver(one.number, code, finding, digest_hash, who, press.now, reason.strip()))
        press.ledger.log(LogEntry(press.now, who, "cli", "wave", f"issue {name}", f"{code} {finding}", reason))
    return one.number, found
