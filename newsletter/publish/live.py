"""What readers can fetch now: an edge that reads the published folder and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from newsletter.publish.feedcheck import is_feed


def documents(folder: Path) -> dict[str, bytes]:
    """Path below the web root -> bytes, of every feed document and the list of feeds. No link is followed."""
    found: dict[str, bytes] = {}
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        below = Path(place).relative_to(folder)
        for path in (below / name for name in names):
            if is_feed(path.as_posix()) and not (folder / path).is_symlink():
                found[path.as_posix()] = (folder / path).read_bytes()
    return found


def answer(folder: Path, address: str) -> bytes | None:
    """The file that a web server gives for a path below the web root, an index page included; None for none."""
    below = PurePosixPath(unquote(address.partition("?")[0]).strip("/"))
    if ".." in below.parts or any(part.startswith(".") for part in below.parts):
        return None
    places = (folder / below, folder / below / "index.html")
    return next((place.read_bytes() for place in places if place.is_file()), None)
