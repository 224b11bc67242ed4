"""Whether the disk has room for what comes back: nobody is mailed whose outcome could not be written down."""

from __future__ import annotations

import os
from pathlib import Path

from newsletter.errors import Outside, Problem

LEAST = 32_000_000
"""Octets that must be free before further rows are claimed: many times what the outcomes of a claim take."""


def must_have_room(file: Path | None) -> None:
    """Raises Outside C509 when the disk of the database is nearly full; one on a server has its own keeper (None)."""
    if file is None:
        return
    disk = os.statvfs(file.parent)
    if (free := disk.f_bavail * disk.f_frsize) < LEAST:
        raise Outside(
            Problem(
                "C509",
                f"the disk is nearly full: {free // 1_000_000} MB are free, and a send needs {LEAST // 1_000_000}",
                file=str(file),
                why="what became of each reader could soon not be recorded; whoever was not mailed yet waits",
                fixes=("free some space; work and serve --work go on by themselves", "then: newsletter deliver"),
            )
        )
