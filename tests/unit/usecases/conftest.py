"""A world for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.usecases.world import World, a_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two posts and two readers."""
    made = a_world(tmp_path / "site", ("diesel-van", "2026-11-23"), ("hybrid-hatch", "2026-11-24"))
    made.join("ada@readers.example", "ben@readers.example")
    yield made
    made.app.close()
