"""Readers as a table that runs nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter.model import Subscriber, SubscriberStatus
from newsletter.readers.exporting import HEADER, MARK, line, table

ADA = Subscriber(7, "ada@readers.example", SubscriberStatus.PAUSED, "monthly", datetime(2026, 11, 27, 8, tzinfo=UTC))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_begins_with_an_apostrophe(start: str) -> None:
    [row] = csv.reader(io.StringIO(line([f"{start}cmd|x", "ada"]), newline=""))
    assert row == [f"'{start}cmd|x", "ada"]


def test_every_cell_is_quoted_and_the_file_says_that_it_is_utf_8() -> None:
    paused = replace(ADA, without=("cars", "trains"), plain=True, paused_until=datetime(2027, 1, 5, tzinfo=UTC))
    header, row = table([(paused, "form")])
    assert header.startswith(MARK)
    assert header.count('"') == 2 * len(HEADER)
    assert row == (
        '"ada@readers.example","paused","monthly","cars trains","text","2026-11-27T08:00:00Z","",'
        '"2027-01-05T00:00:00Z","form"\r\n'
    )
