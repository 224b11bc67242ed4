"""How long a test takes says nothing where others work too: no property fails for being slow.

One PostgreSQL server serves a whole run, however many workers it has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.postgres import Server

settings.register_profile("newsletter", deadline=None)
settings.load_profile("newsletter")

_SERVER = pytest.StashKey[Server]()


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
