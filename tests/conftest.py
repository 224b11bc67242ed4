"""What holds for all tests. How long one takes says nothing where others work too: no property fails for being slow.

One PostgreSQL server serves a whole run, however many workers it has.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import compiled
from tests.postgres import Server

ENOUGH = 4 * 1024**3
"""Octets, four times what the sites of one run take."""

_SERVER = pytest.StashKey[Server]()


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


def pytest_configure(config: pytest.Config) -> None:
    told = getattr(config, "workerinput", {}).get("postgres")
    config.stash[_SERVER] = Server(Path(told)) if told else Server.planned()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres"] = str(node.config.stash[_SERVER].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and (server := config.stash.get(_SERVER, None)):
        server.stop()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Server:
    """The server of this run; it starts when it is asked for its port."""
    return request.config.stash[_SERVER]
