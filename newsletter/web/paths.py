"""URL paths: what a request names, where the root is from there, and what no published file is called."""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import Scope

INDEX = "index.html"

_PRIVATE_ENDINGS = (".lock", ".tmp", ".part", "~")


def path_of(scope: Scope) -> str:
    """The decoded path below the root of the site, starting with a slash."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def root_of(path: str) -> str:
    """The relative way from a path to the root: right whether or not a proxy strips a prefix."""
    return "../" * (path.count("/") - 1) or "./"


def segments_of(path: str) -> tuple[str, ...] | None:
    """The way from the folder to the file that a path names; None where no published file can be.

    Names that start with a dot, and lock and temporary files, are nobody's business: they do not exist here.
    """
    segments = path.removeprefix("/").split("/")
    if segments[-1] == "":
        segments[-1] = INDEX
    return tuple(segments) if all(map(_is_public, segments)) else None


def folder_address(name: str) -> str:
    """The way from `…/name` to `…/name/`.

    Relative, so that neither Host nor scheme can lead it astray; quoted whole, so that a name such as
    `javascript:` stays a name.
    """
    return f"{quote(name, safe='')}/"


def _is_public(segment: str) -> bool:
    if not segment or segment.startswith(".") or segment.endswith(_PRIVATE_ENDINGS):
        return False
    return segment.isprintable() and "\\" not in segment
