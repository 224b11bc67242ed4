"""`claim`: a person says that this copy of a site is the one that sends."""

from __future__ import annotations

import sys

import click

from newsletter.cli.door import Door, command
from newsletter.errors import Problem, Refused
from newsletter.usecases import claim as claims


@command("claim")
@click.option("--confirm", type=int, default=None, metavar="READERS", help="For scripts: how many readers it has.")
@click.option("--dry-run", is_flag=True, help="Show what both would do.")
def claim(door: Door, confirm: int | None, dry_run: bool) -> None:
    """Unlock a copied or restored site, after a look at what the original may also do.

    \b
    newsletter claim
    newsletter claim --confirm 1284
    """
    app = door.app
    told = claims.twin(app.ledger, app.roster, app.instance)
    data = {"doubt": told.doubt, "readers": told.readers, "dry_run": dry_run}
    if not told.doubt:
        door.answer(data | {"claimed": False}, "This site is no copy: there is nothing to claim.")
        return
    page = [f"This may be a copy: {told.doubt}.", *(f"  {line}" for line in claims.sequence(told))]
    page.append("  Stop the original first, or whoever it still mails gets everything twice.")
    if dry_run:
        door.answer(data | {"claimed": False}, *page, "Would unlock this copy.")
        return
    if refusal := claims.differs(_typed(door, told, page) if confirm is None else confirm, told.readers):
        raise Refused(refusal)
    claims.claim(app.ledger, app.instance, told, door.hand)
    door.answer(
        data | {"claimed": True}, "This is the site now. Held and paused issues wait for you: newsletter status"
    )


def _typed(door: Door, told: claims.Twin, page: list[str]) -> int:
    if door.no_input or not sys.stdin.isatty():
        why = "Claiming is confirmed with the number of readers; without a terminal nobody can be asked."
        fix = f"newsletter claim --confirm {told.readers}"
        raise Refused(Problem("S305", f"Claiming needs a terminal or --confirm {told.readers}", why=why, fixes=(fix,)))
    for line in (*page, ""):
        door.echo(line, err=True)
    typed = str(click.prompt("Type the number of readers to claim this site", err=True)).replace(",", "").strip()
    return int(typed) if typed.isascii() and typed.isdigit() else -1
