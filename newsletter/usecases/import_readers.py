"""a file | survey | decide row by row | write step by step: the readers of another program move in.

Nobody who said no is mailed; nothing is added twice, however often it is begun, or wherever it was cut off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from newsletter.model import WEEKLY, ImportRun, LogEntry
from newsletter.ports import Imports, ImportStep, ListFile, Rejected
from newsletter.readers.importing.dates import Order
from newsletter.readers.importing.deciding import ADDED, REASONS, Fate, Terms, fate_of, reader_of
from newsletter.readers.importing.headers import Columns, columns_of
from newsletter.readers.importing.rows import Entry, Rows
from newsletter.readers.importing.standing import Standing, worse
from newsletter.readers.importing.survey import Doubles, Survey, survey
from newsletter.readers.importing.table import SAMPLE, Shape, records, seal_of, shape_of

STEP = 2000
"""Rows of one commit."""

PACE = timedelta(seconds=0.5)
"""Between two confirmation mails of an import: a million take six of the fourteen days in which they can be confirmed,
and a thousand eight minutes. A list that is asked all at once looks like spam to those who receive for it.
"""

_EXAMPLES = 3

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how many rows of it are, and of how many (0: not known yet)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for."""

    go: bool = False  # else a dry run
    consent: str = ""  # what proves that those in the file agreed; without it each is asked
    columns: Mapping[str, str] = field(default_factory=dict)  # field -> header, "" for none
    dates: Order | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where they arrive."""

    editions: frozenset[str]  # that are switched on
    zone: tzinfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done, or in a dry run would be."""

    survey: Survey
    shape: Shape
    fates: Mapping[Fate, int]
    examples: Mapping[Fate, Sequence[int]]  # the first rows of each, of those that this run looked at
    begun_at: int = 0  # rows that an earlier run had done

    @property
    def added(self) -> int:
        return sum(self.fates.get(fate, 0) for fate in ADDED)

    @property
    def rejected(self) -> int:
        """Rows in the file of those that were not added."""
        return sum(self.fates.values()) - self.added - self.fates.get(Fate.HERE, 0)


def import_readers(
    file: ListFile,
    wanted: Wanted,
    imports: Imports,
    rejected: Rejected,
    place: Place,
    progress: Progress = lambda _what, _done, _all: None,
) -> Imported:
    """Move in whom a file names.

    Raises NewsletterError and UsageError (R12x) for a file or a call that cannot be understood: then nothing was
    written. Raises Outside: what was committed until then stays, and the same call goes on behind it.
    """
    digest, encoding = seal_of(file.blocks(), file.name)
    shape = _shape(file, encoding)
    with closing(_records(file, shape)) as head:
        columns = columns_of(next(head, []), wanted.columns, file.name)
    behind = 0 if columns.headless else 1
    seen = _survey(file, shape, columns, behind, wanted, progress)
    key = _key(digest, wanted, seen)
    run = imports.unfinished(key) or ImportRun(key, file.name)
    rejected.begin(columns.headers, run.rejected)
    walk = _Walk(imports, rejected, _terms(file.name, seen, wanted, place), run)
    with closing(_records(file, shape)) as all_records:
        rows = _rows(islice(all_records, behind, None), Rows(columns, seen.order, place.zone), seen.doubles, 1 + behind)
        walk.all(rows, lambda done: progress("Adding" if wanted.go else "Looking", done, seen.rows), write=wanted.go)
    return Imported(seen, shape, walk.fates, walk.examples, run.rows)


def logged(name: str, imported: Imported, by: str, now: datetime) -> LogEntry:
    """The line of the log about an import that was done."""
    counts = ", ".join(f"{count} {fate.value}" for fate, count in imported.fates.items() if count)
    return LogEntry(now, by, "cli", "import", f"readers of {name}", "", counts)


def _shape(file: ListFile, encoding: str) -> Shape:
    with file.open() as stream:
        return shape_of(stream.read(SAMPLE).decode(encoding, "ignore"), encoding)


def _records(file: ListFile, shape: Shape) -> Generator[list[str], None, None]:
    with file.open() as stream:
        yield from records(stream, shape, file.name)


def _survey(file: ListFile, shape: Shape, columns: Columns, behind: int, wanted: Wanted, progress: Progress) -> Survey:
    def told(done: int) -> None:
        progress("Reading", done, 0)

    with closing(_records(file, shape)) as all_records:
        return survey(islice(all_records, behind, None), columns, wanted.dates, file.name, told)


def _key(digest: str, wanted: Wanted, seen: Survey) -> str:
    """The same for the same file of which the same was said."""
    said = (digest, wanted.consent, sorted(seen.columns.used.items()), seen.order.value)
    return sha256(repr(said).encode()).hexdigest()


def _terms(name: str, seen: Survey, wanted: Wanted, place: Place) -> Terms:
    program = seen.columns.program
    source = f"{name} ({program})" if program else name
    return Terms(source, wanted.consent, place.editions, WEEKLY, place.now)


class _Row(NamedTuple):
    entry: Entry
    record: Sequence[str]
    standing: Standing | None  # None for somebody who is in the file before


def _rows(all_records: Iterable[Sequence[str]], rows: Rows, doubles: Doubles, first: int) -> Iterator[_Row]:
    for number, record in enumerate(all_records, first):
        entry = rows.entry(number, record)
        yield _Row(entry, record, entry.standing if entry.fault else _standing(entry, doubles))


def _standing(entry: Entry, doubles: Doubles) -> Standing | None:
    try:
        worst = doubles.again(entry.folded)
    except KeyError:
        return None
    return entry.standing if worst is None else worse(entry.standing, worst)


class _Walk:
    """The second walk through a file."""

    def __init__(self, imports: Imports, rejected: Rejected, terms: Terms, run: ImportRun) -> None:
        self._imports = imports
        self._rejected = rejected
        self._terms = terms
        self._run = run
        self.fates: Counter[Fate] = Counter({Fate(name): count for name, count in run.fates.items()})
        self.examples: dict[Fate, list[int]] = {}

    def all(self, rows: Iterator[_Row], progress: Callable[[int], None], *, write: bool) -> None:
        """Step by step; what an earlier run has done is passed by."""
        for _ in islice(rows, self._run.rows):
            pass
        while chunk := list(islice(rows, STEP)):
            with self._imports.step(self._terms.now, write=write) as step:
                self._take(step, chunk, write=write)
            progress(self._run.rows)
        if write:
            with self._imports.step(self._terms.now, write=True) as step:
                step.finish(self._run.key)
        self._rejected.settled()

    def _take(self, step: ImportStep, chunk: Sequence[_Row], *, write: bool) -> None:
        known = dict(step.look([row.entry.folded for row in chunk if row.standing and not row.entry.fault]))
        arrivals = []
        for row in chunk:
            fate = fate_of(row.entry, row.standing, known.get(row.entry.folded, ""))
            self._note(row, fate)
            if fate in ADDED and row.standing:
                known[row.entry.folded] = row.standing.value  # two ways to write one address, in one step
                arrivals.append((row.entry, row.standing))
        self._run = replace(self._run, rows=self._run.rows + len(chunk))
        if write:
            self._write(step, arrivals)

    def _note(self, row: _Row, fate: Fate) -> None:
        self.fates[fate] += 1
        if fate in ADDED or fate is Fate.HERE:
            return
        self._rejected.write(row.entry.row, row.entry.fault or REASONS[fate], row.record)
        rows = self.examples.setdefault(fate, [])
        if len(rows) < _EXAMPLES:
            rows.append(row.entry.row)

    def _write(self, step: ImportStep, arrivals: Sequence[tuple[Entry, Standing]]) -> None:
        step.put([reader_of(entry, standing, self._terms) for entry, standing in arrivals], PACE)
        fates = {fate.value: count for fate, count in self.fates.items()}
        self._run = replace(self._run, fates=fates, rejected=self._rejected.settled())
        step.record(self._run)
