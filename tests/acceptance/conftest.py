"""A fresh site for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.harness import SiteFolder


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    """Two posts, the second of which continues the first; nobody reads it yet."""
    folder = SiteFolder(tmp_path / "site").configure()
    folder.post("diesel-van", "2026-11-23", front="topics: [Vans]\n")
    folder.post("hybrid-hatch", "2026-11-24", front="continues: diesel-van\ntopics: [Cars]\n")
    return folder
