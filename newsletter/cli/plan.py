"""`issue plan`: what an editor decides about the next issue."""

from __future__ import annotations

from dataclasses import asdict

import click

from newsletter.cli.door import Door, columns, command, told
from newsletter.model import USUAL, Brief


@command("plan")
@click.option("--subject", default=None, help="Instead of the lead's title.")
@click.option("--preheader", default=None, help="What mail programs show behind the subject.")
@click.option("--note", default=None, help="To the readers, above the stories. Empty lines part paragraphs.")
@click.option("--signed", default=None, metavar="KEY", help="Whose note it is, of [people].")
@click.option("--lead", default=None, metavar="SLUG", help="The story that comes first.")
@click.option("--pin", "pins", multiple=True, metavar="SLUG", help="Stories that come next, in this order.")
@click.option("--leave-out", multiple=True, metavar="SLUG", help="Stories that wait for a later issue.")
@click.option("--at-least", type=click.IntRange(1), default=None, help="Stories, or there is no issue.")
@click.option("--at-most", type=click.IntRange(1), default=None, help="Stories; the others wait.")
@click.option("--dry-run", is_flag=True, help="Say what would be decided.")
def plan(door: Door, dry_run: bool, **given: object) -> None:
    """Decide about the next issue: its order, its subject, a note. Writes next-issue.toml.

    What is not named stays as decided before; "" takes it back.

    \b
    newsletter issue plan --lead hybrid-hatch --leave-out letters
    newsletter issue plan --note "The van is back from Norway." --signed editor
    """
    from newsletter.usecases.prepare import next_number

    app = door.app
    number = next_number(app.issues())
    wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    named = {name: value for name, value in wanted.items() if value not in (None, [])}
    brief, remarks = (USUAL, ()) if named else app.briefs.of(number)
    if named:
        wanted = {n: [s for s in v if s] if isinstance(v, list) else v for n, v in named.items()}
        brief = app.briefs.change(number, wanted, dry_run=dry_run)
    rows = [(name, ", ".join(value) if isinstance(value, tuple) else f"{value}") for name, value in _decided(brief)]
    lines = columns([(f"  {name}", value) for name, value in rows])
    verb = "Would decide" if dry_run and named else "Decided"
    door.answer(
        {"number": number, **asdict(brief), "dry_run": dry_run},
        f"{verb} about issue {number}, in next-issue.toml:" if lines else _USUAL.format(number),
        *lines,
        *told(remarks),
        "See it: newsletter issue show next",
    )


_USUAL = "Nothing is decided about issue {}: it has all that are approved, newest first."


def _decided(brief: Brief) -> list[tuple[str, object]]:
    """What differs from an issue about which nobody decided anything."""
    return [(name, value) for name, value in asdict(brief).items() if value != getattr(USUAL, name)]
