"""What holds for all tests. How long one takes says nothing where others work too: no property fails for being slow."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

from tests import compiled

ENOUGH = 4 * 1024**3
"""Octets, four times what the sites of one run take."""


def _work_in_memory() -> None:
    """Where there is room for it: no test cuts the power, so nothing is learnt from waiting for a disk."""
    memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return
    if shutil.disk_usage(memory).free > ENOUGH:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


_work_in_memory()
settings.register_profile("newsletter", deadline=None)
settings.load_profile("newsletter")
compiled.once()
