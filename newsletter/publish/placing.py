"""Edge: files that wait beside a tree come to their places in it, and others leave. No link in it is followed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from newsletter.publish.manifest import MANIFEST
from newsletter.publish.wanted import announced_last

MANY = 64  # files above which one flush of all disks costs less than one of each file
_BETWEEN, _AFTER = ".between", ".after"


@dataclass(frozen=True, slots=True)
class Move:
    """What a publish changes: the paths that appear, in that order, and those that go; the files wait in `stage`."""

    stage: Path
    appear: Sequence[str]
    go: Sequence[str]

    def waiting(self, path: str) -> Path:
        return beside(self.stage, path)

    @property
    def record(self) -> Path:
        """The manifest for when all is done."""
        return self.stage / _AFTER

    @property
    def is_large(self) -> bool:
        return len(self.appear) > MANY

    def record_with(self, between: bytes, after: bytes) -> None:
        """Write down what may stand in the tree meanwhile, and what stands there at last."""
        write(self.stage / _BETWEEN, between)
        write(self.stage / _AFTER, after)

    def flush_waiting(self) -> None:
        """Many files were not flushed when they were written."""
        if self.is_large:
            os.sync()

    def elsewhere(self, stage: Path) -> Move:
        """The same, once the folder with the waiting files was moved."""
        return Move(stage, self.appear, self.go)

    def carry_out(self, root: Path) -> None:
        """One file after the other, each by a rename; its manifest knows of every file before it appears."""
        (self.stage / _BETWEEN).replace(root / MANIFEST)
        for path in self.appear:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            self.waiting(path).replace(root / path)
        for path in reversed(announced_last(self.go)):
            remove(root, path)
        self.flush(root)
        (self.stage / _AFTER).replace(root / MANIFEST)
        flush(root)

    def flush(self, root: Path) -> None:
        """Whatever it changed in the tree is on the disk."""
        if self.is_large:
            os.sync()
            return
        for folder in {(root / path).parent for path in (*self.appear, *self.go)}:
            if folder.is_dir():
                flush(folder)


def beside(stage: Path, path: str) -> Path:
    """Where a file waits: all in one folder, since thousands of them take longer to make and remove than the files."""
    return stage / hashlib.sha256(path.encode()).hexdigest()


def write(place: Path, content: bytes, *, flush: bool = True) -> None:
    with place.open("xb") as stream:
        stream.write(content)
        if flush:
            stream.flush()
            os.fsync(stream.fileno())


def flush(folder: Path) -> None:
    """Without it a rename may be forgotten at a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folders(root: Path, path: str) -> list[Path]:
    """The folders between a file and the root of its tree, the innermost first."""
    return [root / parent for parent in PurePosixPath(path).parents if parent.parts]


def remove(root: Path, path: str) -> None:
    """The file, and its folders as far as they are left empty. A link on the way is left alone."""
    above = folders(root, path)
    if any(folder.is_symlink() for folder in above):
        return
    (root / path).unlink(missing_ok=True)
    for folder in above:
        if not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()
