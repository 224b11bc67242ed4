"""`templates list | copy | diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.door import Door, Group, columns, command

if TYPE_CHECKING:
    from newsletter.copies import Difference

_TABLE = {
    "list": ("newsletter.cli.templates:list_templates", "every template and block: built-in or own, what it is for"),
    "copy": ("newsletter.cli.templates:copy", "put a built-in one into the site, to change it there"),
    "diff": ("newsletter.cli.templates:diff", "own templates against the built-in ones"),
}


@click.group("templates", cls=Group, table=_TABLE)
def templates() -> None:
    """Pages and blocks of the mail, each of which a site can have in its own way."""


@command("list")
def list_templates(door: Door) -> None:
    """Every page, and every block of the mail: built-in or your own, and what it is for.

    \b
    newsletter templates list
    newsletter templates list --json
    """
    from newsletter import copies

    found = copies.templates(door.app.config.root / "templates")
    rows = [(one.name, one.standing.value, one.about) for one in found]
    door.answer([dict(zip(("name", "standing", "about"), row, strict=True)) for row in rows], *columns(rows))


@command("copy")
@click.argument("name", metavar="NAME")
@click.option("--dry-run", is_flag=True, help="Say what would be written.")
def copy(door: Door, name: str, dry_run: bool) -> None:
    """Put a built-in template into the site's templates/, where it wins. It replaces no file that is there.

    \b
    newsletter templates copy email/blocks/take.html
    newsletter templates copy web/style.css
    """
    from newsletter import copies

    root = door.app.config.root
    path = copies.copy(name, root / "templates", dry_run=dry_run).relative_to(root).as_posix()
    door.answer(
        {"path": path, "dry_run": dry_run},
        f"{'Would write' if dry_run else 'Wrote'} {path}. Look at it: newsletter preview",
    )


@command("diff")
@click.argument("name", metavar="[NAME]", default="")
def diff(door: Door, name: str) -> None:
    """What your templates say otherwise than the built-in ones, and whether these have changed since you copied them.

    \b
    newsletter templates diff
    newsletter templates diff email/blocks/take.html
    """
    from newsletter import copies

    found = copies.differences(door.app.config.root / "templates", name)
    data = [{"name": one.name, "standing": one.standing.value, "diff": list(one.lines)} for one in found]
    lines = [line for one in found for line in _worded(one)]
    door.answer(data, *(lines or ["No template of this site's own: newsletter templates copy NAME makes one."]))


def _worded(one: Difference) -> list[str]:
    from newsletter.copies import Standing

    if one.standing is Standing.BUILT_IN:
        return [f"{one.name} is the built-in one: newsletter templates copy {one.name} makes your own."]
    notes = {
        Standing.OUTDATED: f"{one.name}: the built-in template has changed since you copied it.",
        Standing.UNKNOWN: f"{one.name} replaces no built-in template; your others may use it.",
    }
    note = [notes[one.standing]] if one.standing in notes else []
    same = [] if note else [f"{one.name} says what the built-in one says."]
    return [*note, *(one.lines or same)]
