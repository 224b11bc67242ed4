"""One record of a file → an Entry: an address, how its owner stood there, and what else is used of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from newsletter.addresses import caseless
from newsletter.errors import Problem
from newsletter.model import EACH_POST, MONTHLY, WEEKLY
from newsletter.readers.importing.addresses import Addresses, cleaned
from newsletter.readers.importing.dates import Order, moment
from newsletter.readers.importing.headers import Columns, folded
from newsletter.readers.importing.standing import Judge, Standing

CELL = 1000
"""Characters of a cell that is used."""

_EDITIONS = {
    WEEKLY: "weekly, week, every week, every friday, digest, wochentlich, hebdomadaire, semanal, settimanale",
    EACH_POST: "each post, each-post, every post, daily, instant, immediately, sofort, taglich, quotidien, diario",
    MONTHLY: "monthly, month, once a month, every month, monatlich, mensuel, mensual, mensile",
}
_BY_WORD = {folded(word): edition for edition, words in _EDITIONS.items() for word in words.split(",")}
_KEY = re.compile(r"[\w-]+")
_PLAIN = frozenset({"text", "plain", "plaintext"})


class Entry(NamedTuple):
    """One row, as far as it was understood."""

    row: int  # as a spreadsheet counts, the header being 1
    address: str = ""  # canonical
    standing: Standing = Standing.WANTS
    joined: datetime | None = None
    left: datetime | None = None
    paused_until: datetime | None = None
    edition: str = WEEKLY
    without: tuple[str, ...] = ()
    plain: bool = False
    fault: str = ""  # why it makes nobody a reader
    wrong: bool = False  # its address is the fault

    @property
    def folded(self) -> str:
        """What tells two readers apart."""
        return caseless(self.address)


class Rows:
    """Reads the records of one file."""

    def __init__(self, columns: Columns, order: Order, zone: tzinfo) -> None:
        self.columns = columns
        self._order = order
        self._zone = zone
        self._judge = Judge(columns.program, columns.everyone)
        self._addresses = Addresses()
        self._width = len(columns.headers)
        self._least = max(columns.used.values()) + 1
        self._used = tuple(columns.used.items())

    def cells(self, record: Sequence[str]) -> Mapping[str, str] | str:
        """The cells that are used, by field; or what is wrong with the record."""
        if not record:
            return "its quotation marks do not fit together"
        if len(record) > self._width and any(record[self._width :]):
            return f"it has {len(record)} cells, and there are {self._width} columns"
        if len(record) < self._least:
            return f"it has {len(record)} cells only, and there are {self._width} columns"
        cells = {}
        for name, place in self._used:
            cells[name] = cell = cleaned(record[place])
            if len(cell) > CELL:
                return f"one of its cells has more than {CELL:,} characters"
        return cells

    def standing(self, cells: Mapping[str, str]) -> Standing | None:
        """None when the word of the status is not known."""
        return self._judge.together(cells)

    def key(self, cells: Mapping[str, str]) -> str:
        """The address as two rows with the same one have it, whether or not it is one."""
        address = cells["email"]
        if address.isascii():
            return address.lower()
        found = self._addresses.canonical(address)
        return address if isinstance(found, Problem) else caseless(found)

    def entry(self, row: int, record: Sequence[str]) -> Entry:
        """What a record says."""
        cells = self.cells(record)
        if isinstance(cells, str):
            return Entry(row, fault=cells)
        address = self._addresses.canonical(cells["email"]) if cells["email"] else "there is no address"
        if isinstance(address, Problem):
            return Entry(row, fault=_worded(address), wrong=True)
        if not cells["email"]:
            return Entry(row, fault=address, wrong=True)
        standing = self.standing(cells)
        if standing is None:
            return Entry(row, address, fault=f'the status "{cells["status"]}" is not known')
        return self._entry(row, address, standing, cells)

    def _entry(self, row: int, address: str, standing: Standing, cells: Mapping[str, str]) -> Entry:
        get = cells.get
        return Entry(
            row,
            address,
            standing,
            self._moment(get("joined")),
            self._moment(get("left")),
            self._moment(get("paused")),
            _BY_WORD.get(folded(cells["edition"]), WEEKLY) if get("edition") else WEEKLY,
            tuple(filter(_KEY.fullmatch, cells["without"].split())) if get("without") else (),
            folded(cells["format"]) in _PLAIN if get("format") else False,
        )

    def _moment(self, text: str | None) -> datetime | None:
        return moment(text, self._order, self._zone) if text else None


def _worded(problem: Problem) -> str:
    return "; ".join((problem.message, *((problem.why,) if problem.why else ()), *problem.fixes))
