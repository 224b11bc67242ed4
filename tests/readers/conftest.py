"""Two sites, served as `newsletter serve` does: this repository's own, and one that is hard to read."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import SiteFolder
from tests.acceptance.test_serve import served
from tests.readers import hard
from tests.readers.programs import ROOT, Found


@dataclass(frozen=True, slots=True)
class Shelf:
    """A published site at an address on this machine."""

    folder: Path
    address: str

    def paths(self, *names: str) -> list[str]:
        """Its feed documents of these names, archived pages too."""
        found = (path for name in names for path in self.folder.rglob(name))
        return sorted(str(path.relative_to(self.folder)) for path in found)

    def told(self, path: str) -> list[Found]:
        """What the feed at a path is to say, as its JSON has it."""
        fields = self.json(f"{path.rpartition('/')[0]}/feed.json".lstrip("/"))
        return [_item(item) for item in fields["items"]]

    def json(self, path: str) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = json.loads((self.folder / path).read_bytes())
        return fields


def _item(item: Mapping[str, Any]) -> Found:
    return Found(
        id=item["id"],
        title=item["title"],
        link=item["url"],
        published=datetime.fromisoformat(item["date_published"]).astimezone(UTC),
        updated=datetime.fromisoformat(item["date_modified"]).astimezone(UTC),
        body=item["content_html"],
        author=item["authors"][0]["name"],
        topics=tuple(item.get("tags", ())),
        picture=next((one["url"] for one in item.get("attachments", ())), ""),
    )


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Shelf]]:
    """A Shelf by its site's name, made when it is first asked for: tests come in any order."""
    with ExitStack() as until_the_end:

        @cache
        def open_shelf(name: str) -> Shelf:
            own = tmp_path_factory.getbasetemp()
            shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
            folder = own / f"{name}-site"
            site = _sample(folder) if name == "sample" else _hard(folder, shared / "hard")
            client = until_the_end.enter_context(served(site))
            return Shelf(folder / "feeds", str(client.base_url))

        yield open_shelf


@pytest.fixture(params=["sample", "hard"])
def shelf(request: pytest.FixtureRequest, opened: Callable[[str], Shelf]) -> Shelf:
    """Each of the two sites."""
    return opened(request.param)


def _sample(folder: Path) -> SiteFolder:
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "newsletter.toml", folder)
    shutil.copytree(ROOT / "posts", folder / "posts")
    shutil.copytree(ROOT / "tests/golden/feeds", folder / "feeds")  # the demo's published folder, with its issues
    return SiteFolder(folder)


def _hard(folder: Path, shared: Path) -> SiteFolder:
    """A copy of what is published once: whoever comes second, in another process of this run, waits for it."""
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            hard.write(shared).ok("publish", now=hard.NOW)
    shutil.copytree(shared, folder)
    return SiteFolder(folder)
