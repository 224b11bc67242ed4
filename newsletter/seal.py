"""What a publish was made of and how it left things, as one hash: when nothing moved, nothing need be looked at.

A seal is for the time until the next post, issue or withdrawal comes due, and a day at most. Whatever cannot be told
for sure (a file saved within the last two seconds, a missing file, a seal that cannot be read) breaks it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.content.late import file_of
from newsletter.model import Source
from newsletter.ports import Cache

_KIND = "seal"
_LONGEST = timedelta(days=1)
_RESTLESS = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Seal:
    """Counts of a publish, good while `inputs` and `outputs` are the same and the time is between the two."""

    inputs: str
    outputs: str
    since: str
    until: str
    posts: int
    issues: int
    feeds: int
    files: int

    def holds(self, inputs: str, now: datetime) -> bool:
        """Whether a publish now would do nothing, if the files that it made stand as they did."""
        same = bool(self.outputs) and inputs == self.inputs != ""
        return same and datetime.fromisoformat(self.since) <= now < datetime.fromisoformat(self.until)


def until(now: datetime, coming: Iterable[datetime | None]) -> str:
    """The first of the times to come, in words that `Seal` holds."""
    return min([now + _LONGEST, *(time for time in coming if time and time > now)]).isoformat()


def keep(cache: Cache, seal: Seal) -> None:
    cache.put(_KIND, [("", json.dumps(asdict(seal)))])


def kept(cache: Cache) -> Seal | None:
    """The seal of the last publish, if it is whole."""
    try:
        return Seal(**json.loads(cache.get(_KIND, "") or ""))
    except (ValueError, TypeError):
        return None


def inputs(root: Path, sources: Iterable[Source], templates: Iterable[Path], *others: object) -> str:
    """One hash of posts, templates and the files of settings beside them; empty when one is too fresh to tell."""
    posts = [(file_of(source), source.stamp) for source in sources]
    settled = (time.time() - _RESTLESS) * 1e9
    whole = hashlib.sha256(repr(others).encode())
    try:
        found = [_stamp(path, path.stat()) for path in sorted((*root.glob("*.toml"), *root.glob("*.png")))]
        for folder in templates:
            found += sorted(_stamps(str(folder)))
    except OSError:
        return ""
    if any(changed > settled for changed, _ in found) or not all(stamp for _, stamp in posts):
        return ""
    whole.update(repr(posts).encode(errors="surrogatepass"))
    whole.update(repr(found).encode(errors="surrogatepass"))
    return whole.hexdigest()


def _stamps(folder: str) -> list[tuple[int, str]]:
    if not Path(folder).is_dir():
        return []
    found: list[tuple[int, str]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += _stamps(entry.path)
            else:
                found.append(_stamp(entry.path, entry.stat()))
    return found


def _stamp(path: str | Path, found: os.stat_result) -> tuple[int, str]:
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    return changed, f"{path}\0{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_size}.{found.st_ino}"
