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
from stat import S_ISDIR, S_ISREG

from newsletter.ports import Cache
from newsletter.publish.manifest import Manifest

_KIND = "files"


@dataclass(frozen=True, slots=True)
class Records:
    """What a cache knows of output folders; nothing, without one."""

    cache: Cache | None

    def standing(self, folder: Path, keys: Mapping[str, str], manifest: Manifest) -> set[str]:
        """Those paths that stand as they were left, made of what the same keys name; files without a key never do."""
        known = self._known(folder)
        likely = [
            path
            for path, key in keys.items()
            if key and path in known and known[path][:2] == [key, manifest.files.get(path)]
        ]
        plain: dict[str, bool] = {"": True}
        return {path for path in likely if _plain(folder, path, plain) and _stamp(folder / path) == known[path][2]}

    def all_stand(self, folder: Path, manifest: Manifest) -> str:
        """One hash of all files of the manifest, if all of them stand; empty if not."""
        known = self._known(folder)
        keys = {path: known[path][0] for path in manifest.files if path in known}
        if len(keys) < len(manifest.files) or len(self.standing(folder, keys, manifest)) < len(manifest.files):
            return ""
        return hashlib.sha256(repr(sorted(known.items())).encode()).hexdigest()

    def keep(self, folder: Path, keys: Mapping[str, str], manifest: Manifest) -> None:
        """Note how the files stand now."""
        if self.cache is None:
            return
        known = self._known(folder)
        now = {path: [keys[path], digest, _stamp(folder / path)] for path, digest in manifest.files.items()}
        if now != known:
            self.cache.put(_KIND, [(str(folder), json.dumps(now))])

    def _known(self, folder: Path) -> dict[str, list[str]]:
        text = self.cache.get(_KIND, str(folder)) if self.cache else None
        with suppress(ValueError):
            found = json.loads(text or "")
            if isinstance(found, dict):
                return found
        return {}


def _plain(folder: Path, path: str, known: dict[str, bool]) -> bool:
    """Whether no link leads to the file's place; each folder is looked at once."""
    parent = path.rpartition("/")[0]
    if parent not in known:
        known[parent] = _plain(folder, parent, known) and _is_folder(f"{folder}/{parent}")
    return known[parent]


def _is_folder(path: str) -> bool:
    try:
        return S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _stamp(path: Path) -> str:
    try:
        found = os.lstat(path)
    except OSError:
        return ""
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_size}.{found.st_ino}" if S_ISREG(found.st_mode) else ""
