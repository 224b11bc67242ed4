"""A file in memory, read as the import reads one on the disk."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC
from itertools import islice

from newsletter.readers.importing.dates import Order
from newsletter.readers.importing.headers import Columns, columns_of
from newsletter.readers.importing.rows import Entry, Rows
from newsletter.readers.importing.survey import Survey, survey
from newsletter.readers.importing.table import SAMPLE, Shape, records, seal_of, shape_of


def shaped(content: bytes, name: str = "list.csv") -> Shape:
    _, encoding = seal_of([content[:SAMPLE], content[SAMPLE:]], name)
    return shape_of(content[:SAMPLE].decode(encoding, "ignore"), encoding)


def table(content: bytes | str, name: str = "list.csv") -> list[list[str]]:
    """All records."""
    content = content.encode() if isinstance(content, str) else content
    return list(records(io.BytesIO(content), shaped(content, name), name))


def surveyed(
    content: bytes | str, given: Mapping[str, str] | None = None, dates: Order | None = None, name: str = "list.csv"
) -> tuple[Survey, Sequence[Entry]]:
    """The survey of a file, and what each row says."""
    rows = table(content, name)
    columns: Columns = columns_of(rows[0], given or {}, name)
    behind = 0 if columns.headless else 1
    found = survey(islice(rows, behind, None), columns, dates, name)
    reader = Rows(columns, found.order, UTC)
    return found, [reader.entry(number, row) for number, row in enumerate(rows[behind:], 1 + behind)]
