"""What a publish wants to stand in the folder: which paths it may name, and in what order they appear."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import PurePosixPath

from newsletter.errors import Problem, Refused
from newsletter.model import File, Recipe
from newsletter.publish.paths import ATOM_FEED, FEED_LIST, JSON_FEED, RSS_FEED

_PLAIN = re.compile(r"[a-z0-9-][a-z0-9.-]*(?:/[a-z0-9-][a-z0-9.-]*)*")  # what nearly all paths are
_FEEDS = frozenset({RSS_FEED, ATOM_FEED, JSON_FEED, FEED_LIST})


def checked(files: Iterable[File | Recipe]) -> dict[str, Recipe]:
    """Path -> how it is made. Raises Refused (F420) for paths that leave the folder or that two files have."""
    wanted: dict[str, Recipe] = {}
    twice = []
    for file in files:
        path = str(file.path)
        twice += [path] if path in wanted else []
        wanted[path] = Recipe(file.path, "", partial(_content, file)) if isinstance(file, File) else file
    covered = _folders(wanted) & wanted.keys()
    twice += [path for path in wanted if covered and not covered.isdisjoint(map(str, PurePosixPath(path).parents))]
    problems = [_refused("F420", "A file would leave the folder", path) for path in wanted if leaves(path)]
    problems += [_refused("F420", "Two files of this publish have the same path", path) for path in twice]
    if problems:
        raise Refused(problems)
    return wanted


def leaves(path: str) -> bool:
    """Whether a path is not plainly below the folder, could hide there, or is no path at all."""
    if _PLAIN.fullmatch(path):
        return False
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") for part in parts)  # "..", and the folder's own records
    return not parts or path.startswith("/") or hidden or not path.isprintable()


def announced_last(paths: Iterable[str]) -> list[str]:
    """What others point at first, what points at others last: assets, pages, lists, home, feeds."""

    def rank(path: str) -> tuple[int, int, str]:
        if path.rpartition("/")[2] in _FEEDS:
            return 3, -path.count("/"), path
        kind = 2 if path == "index.html" else 1 if path.endswith(".html") else 0
        return kind, -path.count("/"), path

    return sorted(paths, key=rank)


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder that these files lie in, however deep."""
    found: set[str] = set()
    waiting = set(paths)
    while waiting:
        waiting = {path.rpartition("/")[0] for path in waiting} - found - {""}
        found |= waiting
    return found


def _content(file: File) -> bytes:
    return file.content


def _refused(code: str, message: str, path: str) -> Problem:
    return Problem(code, message, file=path, fixes=("give the post another slug, or its image another name",))
