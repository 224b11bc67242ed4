"""Backups: one file holds all that cannot be made anew, and is read back before it counts.

A backup is a compressed tar of the site's own files (settings, posts, templates), its state (a consistent copy of the
database, taken while others write; pictures of mails) and its keys. Not in it: what a publish makes, caches, the
outbox, and what tells a site from its copies, so that a restored one starts locked. It is for its owner's eyes (0600).
Records that a PostgreSQL server keeps are in it as `pg_dump` saves them, where that program is at hand.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from newsletter.errors import Outside, Problem, Refused
from newsletter.model import Backup
from newsletter.store.folder import alone_in

CONTENTS = "CONTENTS.json"
"""The last member: SHA-256 of each other by its name, and counts."""

_NAME = re.compile(r"newsletter-(\d{8}T\d{6}Z)\.tar\.gz")
_STAMP = "%Y%m%dT%H%M%SZ"
_PIECE = 1 << 20
_LARGEST_CONTENTS = 64 << 20
_COUNTED = ("subscriber", "issue", "delivery", "consent", "suppression")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a site lie."""

    root: Path
    database: Path | None  # None: a server keeps the records
    state: Path
    keys: Path
    dump: Callable[[Path], None] | None = None  # saves what a server keeps; None: that is done elsewhere


class Backups:
    """The folder that holds a site's backups."""

    def __init__(self, folder: Path, places: Places) -> None:
        self._folder = folder
        self._places = places

    def last(self) -> datetime | None:
        """When the newest was begun."""
        return max((at for _, at in self._all()), default=None)

    def make(self, now: datetime, *, keep: int) -> Backup:
        """One more, verified; then all but the newest `keep` go. Raises Outside (C531, C532)."""
        with _told(self._folder), alone_in(self._folder):
            self._folder.chmod(0o700)
            file = self._folder / f"newsletter-{now.astimezone(UTC).strftime(_STAMP)}.tar.gz"
            half = file.with_suffix(".part")
            try:
                _pack(half, self._places)
                made = verified(half)
                half.replace(file)
            except BaseException:
                half.unlink(missing_ok=True)
                raise
            for old, _ in sorted(self._all(), key=lambda one: one[1])[:-keep]:
                old.unlink(missing_ok=True)
        return Backup(file, now, file.stat().st_size, made)

    def _all(self) -> Iterator[tuple[Path, datetime]]:
        for file in self._folder.glob("newsletter-*.tar.gz"):
            if match := _NAME.fullmatch(file.name):
                yield file, datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)


def verified(file: Path) -> Mapping[str, int]:
    """Read a whole backup; its counts. Raises Outside (C532) for one that is not what was packed."""
    with _told(file), tarfile.open(file, "r:gz") as packed:
        found, contents = {}, None
        for member in packed:
            if (stream := packed.extractfile(member)) is None:
                raise _damaged(file, f"{member.name} is no file")
            if member.name == CONTENTS:
                contents = json.loads(stream.read(_LARGEST_CONTENTS))
            else:
                found[member.name] = _hashed(stream)
    if contents is None or contents["files"] != found:
        raise _damaged(file, "what is in it is not what its list says")
    return {**contents["counts"], "files": len(found)}


def restore(file: Path, path: Path, *, dry_run: bool = False) -> Mapping[str, int]:
    """Make a site of a backup at `path`, whole or not at all; the counts of the backup.

    Raises Refused (C533) when something is at `path`, or where its settings say that state and keys lie; Outside.
    """
    counts = verified(file)
    lies = _lies(_settings(file))
    with _told(path):
        for place in (path, *(path / each for each in lies.values())):
            if place.is_file() or (place.is_dir() and any(place.iterdir())):
                raise Refused(_in_the_way(place))
        if not dry_run:
            _bring_back(file, path, lies)
    return counts


def _bring_back(file: Path, path: Path, lies: Mapping[str, PurePosixPath]) -> None:
    """As a new folder, or into an empty one, whose maker may own nothing around it, and meant its owner and mode."""
    there = path.is_dir()
    around = path if there else path.parent
    around.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=around, prefix=f".{path.name}-") as beside:
        made = Path(beside, "site")
        made.mkdir()
        _unpack(file, made, lies)
        if there:
            for child in made.iterdir():
                child.replace(path / child.name)
        else:
            made.replace(path)


def _settings(file: Path) -> Mapping[str, Any]:
    """`newsletter.toml` as a backup has it."""
    with _told(file), tarfile.open(file, "r:gz") as packed:
        for member in packed:
            if member.name == "site/newsletter.toml" and (stream := packed.extractfile(member)):
                return tomllib.loads(stream.read().decode())
    raise _damaged(file, "there is no newsletter.toml in it")


def _lies(settings: Mapping[str, Any]) -> Mapping[str, PurePosixPath]:
    """Where state and keys go, relative to the site unless the settings name a place elsewhere."""
    state = PurePosixPath(str(settings.get("paths", {}).get("state", "var")))
    return {"state": state, "keys": PurePosixPath(str(settings.get("keys_file") or state / "keys.toml"))}


def _unpack(file: Path, into: Path, lies: Mapping[str, PurePosixPath]) -> None:
    with tarfile.open(file, "r:gz") as packed:
        for member in packed:
            top, _, rest = member.name.partition("/")
            stream = packed.extractfile(member)
            if stream is None or member.name == CONTENTS:
                continue
            if ".." in PurePosixPath(rest).parts or PurePosixPath(rest).is_absolute():
                raise _damaged(file, f"{member.name} leads out of the folder")
            path = into / (rest if top == "site" else lies["keys"] if top == "keys" else lies["state"] / rest)
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o644 if top == "site" else 0o600
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
                shutil.copyfileobj(stream, out, _PIECE)
                out.flush()
                os.fsync(out.fileno())


def _in_the_way(place: Path) -> Problem:
    return Problem(
        "C533",
        "Something is there already. Nothing was restored.",
        file=str(place),
        why="A restore never writes over a site.",
        fixes=("name a folder that does not exist", f"or move {place} away first"),
    )


def _pack(file: Path, places: Places) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw, TemporaryDirectory(dir=file.parent, prefix=".copy-") as folder:
        counts, records = _records(places, Path(folder))
        hashes: dict[str, str] = {}
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as packed:
            for name, path in [*records, *_files(places)]:
                with path.open("rb") as stream:
                    _add(packed, name, stream, path.stat(), hashes)
            listed = json.dumps({"files": hashes, "counts": counts}).encode()
            about = tarfile.TarInfo(CONTENTS)
            about.size = len(listed)
            packed.addfile(about, io.BytesIO(listed))
        raw.flush()
        os.fsync(raw.fileno())


def _records(places: Places, folder: Path) -> tuple[dict[str, int], Sequence[tuple[str, Path]]]:
    """A copy of the records in `folder`: what it holds, and its name in the backup."""
    if places.database:
        copy = folder / "newsletter.sqlite3"
        return _snapshot(places.database, copy), [(f"state/{copy.name}", copy)]
    if places.dump:
        copy = folder / "newsletter.dump"
        places.dump(copy)
        return {"dumps": 1}, [(f"state/{copy.name}", copy)]
    return {}, []


def _files(places: Places) -> Iterator[tuple[str, Path]]:
    """What is in a backup beside the database, by its name in it."""
    if places.keys.is_file():
        yield "keys/keys.toml", places.keys
    tops = sorted((*places.root.glob("*.toml"), *places.root.glob("*.png")))
    for path in (*(top for top in tops if top != places.keys), *_below(places.root / "posts")):
        yield f"site/{path.relative_to(places.root).as_posix()}", path
    for path in _below(places.root / "templates"):
        yield f"site/{path.relative_to(places.root).as_posix()}", path
    for path in _below(places.state / "mailed"):
        yield f"state/{path.relative_to(places.state).as_posix()}", path


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _add(packed: tarfile.TarFile, name: str, stream: IO[bytes], found: os.stat_result, hashes: dict[str, str]) -> None:
    """A file as it is now: one that grows meanwhile is taken as long as it was."""
    about = tarfile.TarInfo(name)
    about.size, about.mtime, about.mode = found.st_size, int(found.st_mtime), 0o600
    reading = _Hashing(stream)
    packed.addfile(about, reading)
    hashes[name] = reading.digest.hexdigest()


class _Hashing:
    """A stream that remembers the hash of what was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self.digest.update(piece)
        return piece


def _hashed(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _snapshot(database: Path, copy: Path) -> dict[str, int]:
    """A consistent copy, checked by SQLite itself; how many rows are in the tables that matter."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source, closing(_new(copy)) as made:
        source.backup(made, pages=4096, sleep=0.005)
        made.execute("PRAGMA journal_mode = DELETE")
        made.execute("VACUUM")  # what was erased may still lie in unused corners of pages
        faults = [row[0] for row in made.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
        if faults:
            raise _damaged(database, "; ".join(faults))
        return {table: made.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _COUNTED}  # noqa: S608


def _new(file: Path) -> sqlite3.Connection:
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return sqlite3.connect(file)


def _damaged(file: Path, why: str) -> Outside:
    return Outside(Problem("C532", "This backup is not whole", file=str(file), why=why, fixes=("use another one",)))


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise _damaged(file, str(error) or type(error).__name__) from error
    except (OSError, sqlite3.Error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise Outside(Problem("C531", f"The system refused a backup: {said}", file=str(file))) from error
