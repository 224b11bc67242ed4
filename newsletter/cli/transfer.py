"""`move-to-postgres`: what a site remembers goes from its file into a database on a server."""

from __future__ import annotations

import re

import click

from newsletter import words
from newsletter.cli.door import Door, command, stopwatch
from newsletter.errors import Problem, UsageError


@command("move-to-postgres")
@click.argument("url")
@click.option("--dry-run", is_flag=True, help="Look at the database, say what would be copied, change nothing.")
def move_to_postgres(door: Door, url: str, dry_run: bool) -> None:
    """Copy all records into an empty PostgreSQL database and compare them; the SQLite file is closed for good.

    Nobody sends and nobody signs up while it lasts. A password comes from ~/.pgpass or PGPASSWORD.

    \b
    newsletter move-to-postgres postgresql+psycopg://newsletter@db.internal/newsletter --dry-run
    newsletter move-to-postgres postgresql+psycopg://newsletter@db.internal/newsletter
    """
    app = door.app
    if app.config.server:
        raise UsageError(Problem("C525", "The records of this site are in PostgreSQL already. Nothing was done."))
    if dry_run:
        counts = app.would_transfer(url)
        rows = words.count(sum(counts.values()), "row")
        door.answer({"counts": dict(counts), "dry_run": True}, f"Would copy {rows} in {len(counts)} tables.")
        return
    with stopwatch() as took:
        saved, counts = app.transfer(url, door.now, lambda table, rows: _tell(door, table, rows))
        rows = words.count(sum(counts.values()), "row")
        door.answer(
            {"counts": dict(counts), "backup": str(saved), "dry_run": False},
            f"Moved {rows} in {len(counts)} tables; all were read back and compared ({took()})",
            f"{app.config.sqlite_file} is closed: nobody can write to it any more. A backup: {saved}",
            "",
            "Next:  write into newsletter.toml, before the first [section], or set NEWSLETTER_DATABASE:",
            f'       database = "{_without_password(url)}"',
            "       then start what you stopped, and look: newsletter status",
        )


def _tell(door: Door, table: str, rows: int) -> None:
    if rows:
        door.say(f"  {table}: {words.count(rows, 'row')}, compared")


def _without_password(url: str) -> str:
    """It has no place in newsletter.toml."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1@", url)
