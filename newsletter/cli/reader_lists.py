"""`reader import | export`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, columns, command
from newsletter.cli.live import Counting
from newsletter.errors import Outside, Problem, UsageError, nearest
from newsletter.readers.importing.dates import Order, moment
from newsletter.readers.importing.deciding import Fate
from newsletter.readers.importing.headers import FIELDS

if TYPE_CHECKING:
    from newsletter.usecases.import_readers import Imported, Wanted

_SAID: Mapping[Fate, str] = {
    Fate.PENDING: "→ Unconfirmed: each gets one confirmation mail",
    Fate.GONE: "→ Left: kept, so that no later list brings them back",
    Fate.BOUNCED: "→ Blocked: kept, and never mailed",
    Fate.HERE: "unchanged",
    Fate.DISPUTED: "NOT touched: said no there, and is a reader here",
    Fate.LEFT: "NOT added: they unsubscribed on record",
    Fate.BLOCKED: "NOT added: bounced or complained",
    Fate.FORGOTTEN: "NOT added: they asked to be forgotten",
    Fate.UNASKED: "NOT added: known there, and never signed up",
    Fate.TWICE: "NOT added again",
}


@command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--go/--dry-run", default=False, help="Do it; without it, only say what would be done.")
@click.option("--consent", default="", metavar="TEXT", help="How they agreed, if you have proof: then nobody is asked.")
@click.option("--column", "given", multiple=True, metavar="WHAT=HEADER", help="email=E-mail; status= leaves one out.")
@click.option("--dates", default=None, type=click.Choice([each.value for each in Order]), help="How dates are written.")
def import_readers(door: Door, file: Path, go: bool, consent: str, given: Sequence[str], dates: str | None) -> None:
    """Move in the readers of Mailchimp, Substack, Ghost, Buttondown, listmonk or any CSV. A dry run without --go.

    \b
    newsletter reader import old-list.csv
    newsletter reader import old-list.csv --column email=E-mail --dates day-first --go
    """
    from newsletter.usecases.import_readers import Wanted

    wanted = Wanted(go, consent.strip(), dict(map(_column, given)), Order(dates) if dates else None)
    counting = Counting(door, "rows")
    try:
        with counting:
            imported = door.app.import_readers(file, wanted, door.now, door.who, progress=counting)
    except KeyboardInterrupt:
        if go and counting.all:
            door.say(f"\nStopped after {counting.done:,} of {counting.all:,} rows. The same command goes on there.")
        raise
    door.answer(_data(imported, wanted, file), *_lines(imported, wanted, file))


def _column(given: str) -> tuple[str, str]:
    name, equals, header = given.partition("=")
    if not equals or name not in FIELDS:
        guess = nearest(name, FIELDS)
        fix = f"Did you mean {guess}?" if guess and equals else "--column email=HEADER"
        known = f"Known: {', '.join(FIELDS)}."
        raise UsageError(Problem("R125", f"--column {given} says of no column what it is", why=known, fixes=(fix,)))
    return name, header


def _data(imported: Imported, wanted: Wanted, file: Path) -> dict[str, object]:
    used = imported.survey.columns
    return {
        "file": str(file),
        "dry_run": not wanted.go,
        "program": used.program,
        "rows": imported.survey.rows,
        "went_on_at": imported.begun_at,
        "fates": {fate.value: imported.fates.get(fate, 0) for fate in Fate},
        "rejected_file": str(_rejected(file)) if imported.rejected else None,
        "columns": {name: used.headers[place] for name, place in used.used.items()},
        "unused": list(used.unused),
        "encoding": imported.shape.encoding,
        "dates": imported.survey.order.value,
    }


def _rejected(file: Path) -> Path:
    return file.with_name(f"{file.stem}.rejected.csv")


def _lines(imported: Imported, wanted: Wanted, file: Path) -> Iterator[str]:
    program = imported.survey.columns.program
    rest = "" if wanted.go else " (nothing done yet)"
    done = "Imported" if wanted.go else "Would import"
    source = f"{file.name}, an export of {program}" if program else file.name
    yield f"{done} {imported.added:,} of {words.count(imported.survey.rows, 'row')} from {source}{rest}"
    if imported.begun_at:
        went = "went on there" if wanted.go else "--go goes on there"
        yield f"It was cut off before, after {imported.begun_at:,} rows, and {went}; the counts are of both."
    yield from columns(list(_fates(imported, wanted, file)))
    yield from _columns(imported)
    yield from _remarks(imported)
    if imported.added and not wanted.go:
        yield f"Do it: {_again(file, wanted)} --go"
    elif wanted.go and (asked := _asked(imported, wanted)):
        yield from _mails(asked)


def _mails(asked: int) -> Iterator[str]:
    from newsletter.usecases.import_readers import PACE

    rate = round(timedelta(seconds=1) / PACE)
    last = words.span(asked * PACE)
    yield f"The confirmation mails go out while newsletter work runs, {rate} a second: the last one after {last}."


def _asked(imported: Imported, wanted: Wanted) -> int:
    return imported.fates.get(Fate.PENDING, 0) + (0 if wanted.consent else imported.fates.get(Fate.NEW, 0))


def _fates(imported: Imported, wanted: Wanted, file: Path) -> Iterator[tuple[str, str, str]]:
    most = max((len(f"{count:,}") for count in imported.fates.values()), default=1)
    for fate in Fate:
        if count := imported.fates.get(fate, 0):
            yield f"  {fate.value}", f"{count:,}".rjust(most), _said(fate, imported, wanted, file)


def _said(fate: Fate, imported: Imported, wanted: Wanted, file: Path) -> str:
    if fate is Fate.NEW:
        if wanted.consent:
            return f'→ Active: they get the next issue; consent on record: "{wanted.consent}"'
        return _SAID[Fate.PENDING] + ("" if wanted.go else '   (--consent "text" if you have proof)')
    if fate in _SAID:
        return _SAID[fate]
    rows = ", ".join(f"{row:,}" for row in imported.examples.get(fate, ()))
    more = " …" if imported.fates[fate] > len(imported.examples.get(fate, ())) else ""
    where = f"{'row' if imported.fates[fate] == 1 else 'rows'} {rows}{more} " if rows else ""
    return f"{where}→ {_rejected(file).name} with a reason per row"


def _columns(imported: Imported) -> Iterator[str]:
    found = imported.survey
    used = [f'{name} ← "{found.columns.of(name)}"{_read(imported, name)}' for name in found.columns.used]
    unused = f" Not used: {', '.join(map(_quoted, found.columns.unused))}." if found.columns.unused else ""
    yield f"Columns used: {', '.join(used)}.{unused}"


def _quoted(header: str) -> str:
    return f'"{header}"'


def _read(imported: Imported, name: str) -> str:
    """How a column of dates was read, where that could have been otherwise: said with one of its values."""
    sighting = imported.survey.dates.get(name)
    order = imported.survey.order
    if not sighting or not sighting.example or order is Order.ISO:
        return ""
    read = moment(sighting.example, order, UTC)
    said = f": {sighting.example} = {read.day} {read:%B}" if read else ""
    return f" (read as {'day/month' if order is Order.DAY_FIRST else 'month/day'}{said})"


def _remarks(imported: Imported) -> Iterator[str]:
    found = imported.survey
    if found.columns.headless:
        yield "Its first row holds an address and is taken for a reader; columns are named 1, 2, 3 …"
    if imported.shape.encoding == "cp1252":
        yield "warn  It is not UTF-8 and was read as Latin-1 (Windows-1252); look at addresses with accents."
    for name, sighting in found.dates.items():
        if sighting.unread:
            values = words.count(sighting.unread, "value")
            yield f'warn  {values} of "{found.columns.of(name)}" cannot be read as a date.'


def _again(file: Path, wanted: Wanted) -> str:
    parts = ["newsletter", "reader", "import", str(file)]
    parts += ["--consent", wanted.consent] if wanted.consent else []
    for name, header in wanted.columns.items():
        parts += ["--column", f"{name}={header}"]
    parts += ["--dates", wanted.dates.value] if wanted.dates else []
    return shlex.join(parts)


@command("export")
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option("--status", default=None, type=click.Choice(["unconfirmed", "active", "paused", "left", "blocked"]))
def export(door: Door, file: str, status: str | None) -> None:
    """All readers as CSV, for a spreadsheet or another site. Names are never kept, so that there are none.

    \b
    newsletter reader export readers.csv
    newsletter reader export --status active | wc -l
    """
    if file == "-" and door.json:
        fixes = ("newsletter reader list --json", "name a file to write to")
        raise UsageError(Problem("R131", "An export is CSV; nothing is said in JSON of one to stdout", fixes=fixes))
    lines = door.app.export_readers(status)
    if file == "-":
        for line in lines:
            click.echo(line.encode(), nl=False)
        return
    count = _written(Path(file), lines) - 1
    door.answer({"file": file, "readers": count}, f"Wrote {words.count(count, 'reader')} to {file}")


def _written(path: Path, lines: Iterator[str]) -> int:
    """How many lines; the file is its owner's alone, and none that is there is replaced."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fix = "name another file, or remove that one"
        raise UsageError(Problem("R130", f"{path} is there already", file=str(path), fixes=(fix,))) from None
    except OSError as error:
        raise Outside(Problem("C901", f"The system refused: {error.strerror}", file=str(path))) from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        return sum(1 for line in lines if stream.write(line))
