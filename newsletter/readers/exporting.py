"""Readers → lines of CSV that a spreadsheet opens as it should, and runs nothing of.

RFC 4180 with every cell quoted, UTF-8 with its mark; a cell that a spreadsheet would take for a formula begins with
an apostrophe (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from newsletter.model import Subscriber

MARK = "\ufeff"
"""Says UTF-8 to spreadsheets."""

HEADER = (
    "address",
    "status",
    "edition",
    "topics left out",
    "format",
    "joined",
    "left",
    "paused until",
    "consent way",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def line(cells: Sequence[str]) -> str:
    """One record."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([_guarded(cell) for cell in cells])
    return text.getvalue()


def table(readers: Iterable[tuple[Subscriber, str]]) -> Iterator[str]:
    """The whole file, record by record, from readers and the ways in which they came; times in UTC."""
    yield MARK + line(HEADER)
    for reader, way in readers:
        yield line(
            [
                reader.address,
                reader.status.value,
                reader.edition,
                " ".join(reader.without),
                "text" if reader.plain else "html",
                _time(reader.joined_at),
                _time(reader.left_at),
                _time(reader.paused_until),
                way,
            ]
        )


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""
