"""Bytes of a file → its records, whatever program wrote it: character set, separator and quotes are found out.

Everything is bounded before it is read: a file of zeros, a row without an end, a million columns cost nothing.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import BinaryIO

from newsletter.errors import NewsletterError, Problem

BYTES = 1_000_000_000
"""The largest file: a million rows of a thousand bytes, which is twice what the programs export."""

ROWS = 1_000_000
COLUMNS = 256
RECORD = 65_536
"""Characters of one record. A quote that is never closed makes the rest of a file one record."""

SAMPLE = 65_536
"""Bytes from which the separator and the quotes are found out."""

_DELIMITERS = ",;\t|"
_RECORDS_IN_SAMPLE = 50
_MAGIC = {
    b"PK\x03\x04": "a zip archive, or a spreadsheet that was not saved as CSV",
    b"\x1f\x8b": "a file compressed with gzip",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a spreadsheet that was not saved as CSV",
}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ESCAPED = re.compile(r'[^\\,;\t|\r\n]\\"[^,;\t|\r\n]')


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is to be read."""

    encoding: str
    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    first: int = 0  # records before the header: the `sep=;` that spreadsheets write


def refused(code: str, message: str, *, file: str, why: str = "", fix: str = "") -> NewsletterError:
    """What is wrong with the whole file."""
    return NewsletterError(Problem(code, message, file=file, why=why, fixes=(fix,) if fix else ()))


def too_large(name: str) -> NewsletterError:
    return refused("R121", f"{name} is larger than {BYTES:,} bytes", file=name, fix="split it into several files")


def seal_of(blocks: Iterable[bytes], name: str) -> tuple[str, str]:
    """SHA-256 (hex) and character set of a file. Raises NewsletterError (R120, R121) for what is no text."""
    digest, encoding, size = sha256(), "", 0
    decoder: codecs.IncrementalDecoder | None = None
    for block in blocks:
        if not size:
            encoding = _encoding(block, name)
            decoder = codecs.getincrementaldecoder(encoding)()
        size += len(block)
        if size > BYTES:
            raise refused(
                "R121", f"{name} is larger than {BYTES:,} bytes", file=name, fix="split it into several files"
            )
        digest.update(block)
        if decoder and not _decodes(decoder, block):
            if encoding.startswith("utf-16"):
                raise refused("R120", f"{name} begins like UTF-16 and is not", file=name, fix="save it as UTF-8")
            encoding, decoder = "cp1252", None
    if decoder and not _decodes(decoder, b"", final=True):
        encoding = "cp1252"
    return digest.hexdigest(), encoding or "utf-8"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(block: bytes, name: str) -> str:
    """By its mark, or by the zeros that UTF-16 puts beside letters. Raises NewsletterError (R120)."""
    for magic, kind in _MAGIC.items():
        if block.startswith(magic):
            fix = "take the CSV file out of it, or save the sheet as CSV, and import that"
            raise refused("R120", f"{name} is {kind}", file=name, why="Only CSV files are read.", fix=fix)
    for mark, encoding in _MARKS.items():
        if block.startswith(mark):
            return encoding
    head = block[:1024]
    if b"\0" not in head:
        return "utf-8"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) // 4 or min(even, odd) > len(head) // 16:
        raise refused("R120", f"{name} is not a text", file=name, why="It holds zero bytes.", fix="export it as CSV")
    return "utf-16-be" if even > odd else "utf-16-le"


def shape_of(sample: str, encoding: str) -> Shape:
    """Separator and quotes of a file that begins so: what splits its records most evenly into most columns."""
    first = 0
    if told := re.match(r"sep=(.)\r?\n", sample):
        first, sample, delimiters = 1, sample[told.end() :], told[1]
    else:
        delimiters = _DELIMITERS
    quote = "'" if re.match(r"\s*'[^'\r\n]*'\s*[,;\t|]\s*'", sample) else '"'
    escape = "\\" if _ESCAPED.search(sample) else None
    shapes = [Shape(encoding, each, quote, escape, first) for each in delimiters]
    return max(shapes, key=lambda shape: _evenness(sample, shape))


def _evenness(sample: str, shape: Shape) -> tuple[float, int]:
    """How many of the first records are as wide as the first one, and how wide that is."""
    lines = sample.splitlines(keepends=True)
    lines = lines[:-1] if len(lines) > 1 else lines  # the last one is cut off
    widths = [len(row) for row, _ in zip(_parsed(iter(lines), shape), range(_RECORDS_IN_SAMPLE), strict=False) if row]
    wide = widths[0] if widths else 0
    return (widths.count(wide) / len(widths), wide) if wide > 1 else (0.0, 0)


def _parsed(lines: Iterator[str], shape: Shape, *, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=shape.delimiter, quotechar=shape.quote, escapechar=shape.escape, strict=strict)


def records(stream: BinaryIO, shape: Shape, name: str) -> Iterator[list[str]]:
    """Every record that is not blank, the header first; one whose quotes do not fit together has no cells.

    At the end the stream is closed. Raises NewsletterError (R122) for a record without an end.
    """
    errors = "replace" if shape.encoding == "cp1252" else "strict"
    with io.TextIOWrapper(stream, shape.encoding, errors=errors, newline="") as text:
        yield from islice(_records(_Lines(text, name), shape), shape.first, None)


def _records(lines: _Lines, shape: Shape) -> Iterator[list[str]]:
    rows = _parsed(iter(lines), shape, strict=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:  # the next line begins a record again
            yield []
        else:
            if row:
                yield row
        lines.length = 0


class _Lines:
    """The lines of a text, as long as they make records of a sane length."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text = text
        self._name = name
        self._number = 0
        self.length = 0  # of the record so far

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(RECORD):
            self._number += 1
            self.length += len(line)
            if self.length >= RECORD:
                raise refused(
                    "R122",
                    f"line {self._number:,} belongs to a row of more than {RECORD:,} characters",
                    file=self._name,
                    why="Most often a quotation mark is missing some lines before.",
                )
            yield line
