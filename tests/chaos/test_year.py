"""Readers come, choose, pause, move, leave and come back while issues of three editions go out: who gets what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.storm import FEW
from tests.chaos.year import Year

IN_FULL = "CHAOS_SEEDS" in os.environ


@pytest.mark.parametrize("seed", FEW)
def test_each_reader_gets_each_story_that_is_owed_to_them_once_and_nothing_else(tmp_path: Path, seed: int) -> None:
    year = Year(tmp_path, seed, days=120) if IN_FULL else Year(tmp_path, seed + 1, days=12, people=6, busy=0.5)
    year.live()
    assert year.mails
    assert year.done["killed"]
    assert year.done["caught up"]
