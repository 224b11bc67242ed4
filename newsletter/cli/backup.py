"""`backup`, `restore`: everything that cannot be made anew, in one file and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from newsletter import words
from newsletter.cli.door import Door, command, stopwatch


@command("backup")
@click.option("--dry-run", is_flag=True, help="Say where it would go.")
def backup(door: Door, dry_run: bool) -> None:
    """Put all that cannot be made anew into one file: records, keys, posts, settings. It is read back before it counts.

    \b
    newsletter backup
    newsletter backup --json
    """
    app = door.app
    folder = app.config.backup.folder
    if dry_run:
        last = app.backups.last()
        told = f" The last one: {words.when(last, app.config.site.timezone)}." if last else " There is none yet."
        door.answer({"folder": str(folder), "dry_run": True, "last": last}, f"Would write a backup to {folder}.{told}")
        return
    _ = app.database  # a site that was never used has no records; they are made, so that the backup is whole
    with stopwatch() as took:
        made = app.backups.make(door.now, keep=app.config.backup.keep)
        held = _held(made.counts)
        door.answer(
            {"file": str(made.file), "at": made.at, "size": made.size, "counts": dict(made.counts), "dry_run": False},
            f"Backed up {held}: {words.size(made.size)}, read back ({took()})",
            f"  {made.file}",
            _care(made.counts),
        )


@command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
@click.option("--dry-run", is_flag=True, help="Read the backup and say what is in it.")
def restore(door: Door, file: Path, path: Path, dry_run: bool) -> None:
    """Make a site from a backup at PATH, which is new or empty. It is locked until somebody claims it.

    \b
    newsletter restore newsletter-20261127T020000Z.tar.gz autotrendy
    newsletter restore newsletter-20261127T020000Z.tar.gz autotrendy --dry-run
    """
    from newsletter.edges import restored

    with stopwatch() as took:
        counts = restored(file, path, dry_run=dry_run)
        held = _held(counts)
        data = {"path": str(path), "counts": dict(counts), "dry_run": dry_run}
        if dry_run:
            door.answer(data, f"Would restore {held} to {path} ({took()}). The backup is whole.")
            return
        door.answer(
            data,
            f"Restored {held} to {path} ({took()})",
            "It is locked, since the site that it was taken from may still run.",
            "",
            _next(path, counts),
        )


def _held(counts: Mapping[str, int]) -> str:
    files = words.count(counts["files"], "file")
    return f"{files}, {words.count(counts['subscriber'], 'reader')}" if "subscriber" in counts else files


def _care(counts: Mapping[str, int]) -> str:
    if "subscriber" in counts or "dumps" in counts:
        return "It holds keys and addresses: keep a copy on another machine, where only you can read it."
    return "It holds keys, and no records: PostgreSQL keeps those, and pg_dump is not here (docs/postgresql.md)."


def _next(path: Path, counts: Mapping[str, int]) -> str:
    if "dumps" not in counts:
        return f"Next:  cd {path} && newsletter claim"
    return "Next:  pg_restore --dbname=NAME --no-owner newsletter.dump   into an empty database (docs/postgresql.md)"
