"""Edge: a second tree beside the published folder, which takes its place while that is brought up to date.

The standby shares all files with the folder by hard links. A publish changes the standby first, unseen, lets the two
change places in one step, changes the folder, and lets them change back: whoever asks by path meets the old site or
the new one, and never a mixture, also when the publish is killed. Between publishes the folder is the same one as ever,
for whoever holds it: a container that mounted it, a server that stands in it. These see files change one by one.

Which folders of the two trees were alike when the last publish ended is remembered by their stamps; others are read.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR

from newsletter.publish.exchange import CANNOT, exchange
from newsletter.publish.links import MARK, link, match
from newsletter.publish.manifest import MANIFEST, parse
from newsletter.publish.placing import Move, flush, remove


@dataclass(slots=True)
class Standby:
    """The standby of `folder`, at `place`, which nothing else uses. All methods raise OSError for a disk that fails."""

    folder: Path
    place: Path
    relinked: bool = False  # whether `ready` gave links to files of the folder: their time of change is another
    _alike: dict[str, str] = field(default_factory=dict)  # folder below the root -> its stamps in both trees

    def recover(self) -> None:
        """End what a killed publish began: the folder comes back to its place, holding what took it."""
        mark = self.folder / MARK
        if not mark.is_file():
            return
        with suppress(OSError, ValueError):  # the folder is gone, or is not what it was
            if mark.read_text("ascii") == _identity(self.place) and self._bring_back():
                return
        mark.unlink()  # what stands in its place is the folder from now on

    def _bring_back(self) -> bool:
        self._forget()
        for path in _recorded(self.place) - _recorded(self.folder):  # first: its record is the next that changes
            remove(self.place, path)
        match(self.place, self.folder, {}, exact=False)
        return self._exchange()

    def ready(self) -> bool:
        """Make it hold what the folder holds; whether that can be, here."""
        self._alike, changed = self._compared(self._remembered())
        try:
            self._forget()
            self.place.mkdir(parents=True, exist_ok=True)
            looked, self.relinked = match(self.place, self.folder, self._alike, changed, exact=True)
            (self.place / MARK).write_text(_identity(self.folder), "ascii")
        except OSError as fault:
            shutil.rmtree(self.place, ignore_errors=True)
            if fault.errno in CANNOT:
                return False
            raise
        self._alike |= {path: self._stamp(path) for path in looked}
        return True

    def step_in(self, move: Move) -> bool:
        """Hold what is published next, safe on the disk, and take the folder's place; whether that was possible."""
        for path in move.appear:
            link(move.waiting(path), self.place / path)
        for path in move.go:
            remove(self.place, path)
        link(move.record, self.place / MANIFEST)
        move.flush(self.place)
        flush(self.place)
        return self._exchange()

    def step_back(self, move: Move) -> None:
        """The folder, which by now holds the same, comes back to its place."""
        if self._exchange():
            self._remember(move)

    def _exchange(self) -> bool:
        done = exchange(self.folder, self.place)
        if done:
            flush(self.folder.parent)
            flush(self.place.parent)
        return done

    # -- what is remembered

    def _compared(self, known: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """Folders that stand as they are known to in both trees, and those that are there and do not."""
        there, alike = {""}, {}
        for path in sorted(known):
            if path.rpartition("/")[0] in there and (stamp := self._stamp(path)):
                there.add(path)
                if stamp == known[path]:
                    alike[path] = stamp
        return alike, sorted(there - alike.keys())

    def _stamp(self, path: str) -> str:
        """How a folder stands in both trees; empty where it is none."""
        try:
            found = [os.lstat(f"{root}/{path}") for root in (self.folder, self.place)]
        except OSError:
            return ""
        return " ".join(f"{one.st_ino}.{one.st_ctime_ns}" for one in found) * all(S_ISDIR(one.st_mode) for one in found)

    @property
    def _memory(self) -> Path:
        return self.place.with_name(f"{self.place.name}.json")

    def _remembered(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            found = json.loads(self._memory.read_bytes())
            if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
                return found
        return {}

    def _remember(self, move: Move) -> None:
        touched = set(_above((*move.appear, *move.go)))
        alike = {path: stamp for path, stamp in self._alike.items() if path not in touched}
        alike |= {path: stamp for path in touched if (stamp := self._stamp(path))}
        self._memory.write_text(json.dumps(alike), "utf-8")

    def _forget(self) -> None:
        self._memory.unlink(missing_ok=True)


def _above(paths: tuple[str, ...]) -> Iterator[str]:
    """Every folder that these files lie in, however deep; not the root."""
    waiting = set(paths)
    while waiting:
        waiting = {path.rpartition("/")[0] for path in waiting} - {""}
        yield from waiting


def _recorded(root: Path) -> set[str]:
    """What publishes made there. Raises ValueError for a manifest that is none."""
    try:
        return {*parse((root / MANIFEST).read_bytes()).files}
    except FileNotFoundError:
        return set()


def _identity(folder: Path) -> str:
    """What tells this folder from another of the same name; empty when there is none."""
    with suppress(OSError):
        found = os.lstat(folder)
        return f"{found.st_dev}.{found.st_ino}"
    return ""
