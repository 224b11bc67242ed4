"""A first walk through the whole file: how many rows it has, how its dates are to be read, who is in it twice.

Nothing is decided before it is over, so that a fault in the last row is found before the first one is added.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from newsletter.readers.importing.dates import Order, Sighting
from newsletter.readers.importing.headers import Columns
from newsletter.readers.importing.rows import Rows
from newsletter.readers.importing.standing import SEVERITY, Standing
from newsletter.readers.importing.table import ROWS, refused

_DATES = ("joined", "left", "paused")
_BUCKETS = 256
_WHOLE = (1 << 64) - 1
_SEEN = 8
_STANDINGS = tuple(Standing)


class Doubles:
    """Who is in a file more than once, in eight bytes a row: a hash of 64 bits, and the worst said of them."""

    def __init__(self) -> None:
        self._rows: list[array[int]] = [array("Q") for _ in range(_BUCKETS)]
        self._doubled: dict[int, int] = {}

    def see(self, key: str, standing: Standing) -> None:
        """One row, on the first walk."""
        mark = hash(key) & _WHOLE
        self._rows[mark % _BUCKETS].append((mark // _BUCKETS) << 3 | SEVERITY[standing])

    def close(self) -> None:
        """The first walk is over."""
        for bucket, rows in enumerate(self._rows):
            before = -1
            for packed in sorted(rows):  # of one address the worst comes last
                if packed >> 3 == before:
                    self._doubled[before * _BUCKETS + bucket] = packed & 7
                before = packed >> 3
        self._rows.clear()

    def again(self, key: str) -> Standing | None:
        """On the second walk: None for somebody who is in it once; else the worst that is said of them, and once more.

        Raises KeyError for one who came by before.
        """
        mark = hash(key) & _WHOLE
        said = self._doubled.get(mark)
        if said is None:
            return None
        if said & _SEEN:
            raise KeyError(key)
        self._doubled[mark] = said | _SEEN
        return _STANDINGS[said]


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first walk found."""

    columns: Columns
    rows: int
    order: Order
    doubles: Doubles = field(repr=False)
    dates: Mapping[str, Sighting] = field(default_factory=dict)


def survey(
    records: Iterable[Sequence[str]],
    columns: Columns,
    wanted: Order | None,
    file: str,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Survey:
    """Walk through the records behind the header.

    Raises NewsletterError: R126 for more rows than are read at once, R127 when the order of its dates cannot be told.
    """
    rows = Rows(columns, Order.ISO, UTC)
    sightings = {name: Sighting() for name in _DATES if name in columns.used}
    doubles, number = Doubles(), 0
    for number, record in enumerate(records, 1):
        cells = rows.cells(record)
        if isinstance(cells, str):
            continue
        doubles.see(rows.key(cells), rows.standing(cells) or Standing.WANTS)
        for name, sighting in sightings.items():
            if cells[name]:
                sighting.see(cells[name], number + 1)
        if number % 1000 == 0:
            progress(number)
            if number > ROWS:
                break
    if number > ROWS:
        raise refused("R126", f"{file} has more than {ROWS:,} rows", file=file, fix="split it into several files")
    doubles.close()
    return Survey(columns, number, wanted or _order(sightings, columns, file), doubles, sightings)


def _order(sightings: Mapping[str, Sighting], columns: Columns, file: str) -> Order:
    """One order for all columns of a file: the program that wrote one wrote the others."""
    day = next(((name, s.day_first) for name, s in sightings.items() if s.day_first), None)
    month = next(((name, s.month_first) for name, s in sightings.items() if s.month_first), None)
    either = next(((name, s.either) for name, s in sightings.items() if s.either), None)
    if day and month:
        said = (f'row {seen[0]:,} of "{columns.of(name)}" is {seen[1]}' for name, seen in (day, month) if seen)
        why = f"One is day first, the other month first: {', '.join(said)}."
        raise refused("R127", f"the dates in {file} are written in two ways", file=file, why=why, fix=_SAY)
    if either and either[1] and not day and not month:
        name, (row, text) = either[0], either[1]
        why = f'"{columns.of(name)}" in row {row:,} is {text}, and no other row says which of the two is the day.'
        raise refused("R127", f"the dates in {file} can be read in two ways", file=file, why=why, fix=_SAY)
    return Order.MONTH_FIRST if month else Order.DAY_FIRST


_SAY = "--dates day-first, month-first or iso (other dates are then left unread)"
