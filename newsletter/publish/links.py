"""Edge: one tree of files made to hold what another does, by hard links, folder by folder."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_IMODE

STAGE = ".stage-"
"""How folders begin in which files wait; they are in one of the trees only."""

MARK = ".standby"
"""A file of the standby alone: it says which folder's place it takes."""

_SHARED = ".well-known"
"""The one hidden folder that is shared: others, such as `.git`, are what a program is working on."""


def match(
    target: Path, source: Path, alike: Mapping[str, str], changed: list[str] | None = None, *, exact: bool
) -> tuple[list[str], bool]:
    """Make one tree hold what the other does, by links; when `exact`, nothing else. Which folders were looked into, and
    whether any link was made. Those that are `alike` are passed over. Raises OSError of CANNOT for what no link can do.
    """
    device = os.lstat(source).st_dev
    waiting = changed or [""]
    looked: dict[str, None] = {}
    linked = False
    while waiting:
        path = waiting.pop()
        if path in looked:
            continue
        looked[path] = None
        if os.lstat(source / path).st_dev != device:
            raise OSError(errno.EXDEV, "Something is mounted there", str(source / path))
        inner, some = _match_folder(target, source, path, exact=exact)
        linked |= some
        waiting += [folder for folder in inner if folder not in alike]
    return [*looked], linked


def _match_folder(target: Path, source: Path, path: str, *, exact: bool) -> tuple[list[str], bool]:
    """Of one folder, the folders in it, and whether a link was made."""
    _own_alike(target / path, source / path)
    held = {entry.name: entry for entry in _entries(target, path)}
    inner, linked = [], False
    for entry in _entries(source, path):
        there, place = held.pop(entry.name, None), target / path / entry.name
        if entry.is_dir(follow_symlinks=False):
            if entry.name.startswith(".") and entry.name != _SHARED:
                raise OSError(errno.EPERM, "A program works in that folder", entry.path)
            if there is None or not there.is_dir(follow_symlinks=False):
                _clear(there)
                place.mkdir()
                shutil.copystat(entry.path, place)
            inner.append(f"{path}/{entry.name}".lstrip("/"))
        elif there is None or there.inode() != entry.inode():
            _clear(there)
            os.link(entry.path, place, follow_symlinks=False)
            linked = True
    for left in held.values() if exact else ():
        _clear(left)
    return inner, linked


def _entries(root: Path, path: str) -> Iterator[os.DirEntry[str]]:
    """What a folder holds for readers, and its lock and manifest."""
    with os.scandir(root / path) as entries:
        yield from (e for e in entries if path or not (e.name == MARK or e.name.startswith(STAGE)))


def _own_alike(target: Path, source: Path) -> None:
    """The same people may read both folders."""
    have, want = os.lstat(target), os.lstat(source)
    if (have.st_uid, have.st_gid) != (want.st_uid, want.st_gid):
        os.chown(target, want.st_uid, want.st_gid)
        shutil.copystat(source, target)
    elif S_IMODE(have.st_mode) != S_IMODE(want.st_mode):
        shutil.copystat(source, target)


def _clear(entry: os.DirEntry[str] | None) -> None:
    if entry and entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    elif entry:
        Path(entry.path).unlink()


def link(waiting: Path, place: Path) -> None:
    """A second name for a file that waits, in a tree that nobody sees."""
    try:
        os.link(waiting, place)
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(waiting, place)
    except FileExistsError:
        place.unlink()
        os.link(waiting, place)
