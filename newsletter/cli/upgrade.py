"""`upgrade`: a database that an older newsletter made, for this one."""

from __future__ import annotations

import click

from newsletter.cli.door import Door, command


@command("upgrade")
@click.option("--backed-up", is_flag=True, help="You have a backup: make none.")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
def upgrade(door: Door, backed_up: bool, dry_run: bool) -> None:
    """Bring the database up to date for this version, after a backup. Stop newsletter on all machines first.

    \b
    newsletter upgrade --dry-run
    newsletter upgrade
    """
    app = door.app
    found, wanted = app.schema()
    data = {"from": found, "to": wanted, "dry_run": dry_run}
    if found in (None, wanted):
        door.answer(data | {"upgraded": False}, f"The database is up to date: schema {wanted}.")
        return
    if dry_run:
        door.answer(data | {"upgraded": False}, f"Would bring the database from schema {found} to {wanted}.")
        return
    saved = app.upgrade(door.now, backed_up=backed_up)
    door.answer(
        data | {"upgraded": True, "backup": str(saved) if saved else None},
        f"The database is up to date: schema {found} has become {wanted}.",
        *([f"Before that it was backed up to {saved}"] if saved else []),
        "Start newsletter again, of this version on every machine.",
    )
