"""Edge: how published files stood when the last publish left them, and what each was made of.

Kept in a cache, not in the folder, which is the same for the same posts. A file counts as standing when its record,
the manifest and the disk agree; without a record it is made again, and left alone when its bytes are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from newsletter.ports import Cache
from newsletter.publish.manifest import Manifest

_KIND = "files"


@dataclass(slots=True)
class Records:
    """What a cache knows of output folders; nothing, without one."""

    cache: Cache | None
    _read: tuple[str, dict[str, str]] = ("", {})  # a text and what it says

    def standing(self, folder: Path, keys: Mapping[str, str], manifest: Manifest) -> dict[str, str]:
        """Path -> stamp of those that stand as they were left, made of what the same keys name; files without a key
        never do.
        """
        known, root = self._known(folder), str(folder)
        files, found = manifest.files, {}
        inside: dict[str, set[str]] = {}
        for path, key in keys.items():
            was = known.get(path)
            if was and key and was.startswith(f"{key} {files.get(path)} ") and _is_plain(root, path, inside):
                stamp = was.rpartition(" ")[2]
                if stamp == _stamp(f"{root}/{path}"):
                    found[path] = stamp
        return found

    def keep(self, folder: Path, keys: Mapping[str, str], manifest: Manifest, seen: Mapping[str, str]) -> str:
        """Note how the files stand now, those in `seen` as they were seen to; what `all_stand` will say of them."""
        stamps = {path: seen.get(path) or _stamp(str(folder / path)) for path in manifest.files}
        if self.cache:
            now = {path: f"{keys[path]} {digest} {stamps[path]}" for path, digest in manifest.files.items()}
            if now != self._known(folder):
                self.cache.put(_KIND, [(str(folder), json.dumps(now))])
        return _whole(stamps)

    def _known(self, folder: Path) -> dict[str, str]:
        text = self.cache.get(_KIND, str(folder)) if self.cache else None
        if text != self._read[0]:
            self._read = text or "", _parsed(text or "")
        return self._read[1]


def all_stand(folder: Path, manifest: Manifest) -> str:
    """One hash of how all files of the manifest stand; empty when one of them is gone."""
    root = str(folder)
    return _whole({path: _stamp(f"{root}/{path}") for path in manifest.files})


def _whole(stamps: Mapping[str, str]) -> str:
    if not all(stamps.values()):
        return ""
    return hashlib.sha256(repr(sorted(stamps.items())).encode()).hexdigest()


def _parsed(text: str) -> dict[str, str]:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
            return found
    return {}


def _is_plain(folder: str, path: str, inside: dict[str, set[str]]) -> bool:
    """Whether no link leads to the file's place. `inside` are the folders in each folder, which is read once."""
    parent = path.rpartition("/")[0]
    if not parent:
        return True
    above, _, name = parent.rpartition("/")
    if above not in inside:
        inside[above] = _folders(f"{folder}/{above}") if _is_plain(folder, parent, inside) else set()
    return name in inside[above]


def _folders(path: str) -> set[str]:
    try:
        with os.scandir(path) as entries:
            return {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
    except OSError:
        return set()


def _stamp(path: str) -> str:
    try:
        found = os.lstat(path)
    except OSError:
        return ""
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_size}.{found.st_ino}" if S_ISREG(found.st_mode) else ""
