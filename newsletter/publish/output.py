"""The published folder: an edge, the only module of this room that touches a disk.

A reader never meets half a publish. All files are first written beside (into a hidden folder of the same file
system, flushed to the disk), then moved into place one by one: assets and pages, then lists, then feeds, so
that nothing is announced before it is there; what is gone is removed last, the other way round. A failure while
writing beside leaves the folder as it was. Only files that a publish recorded in `.manifest.json` are ever replaced or
removed; the manifest knows of every file before it appears, so a publish that is cut short is completed by
the next. Two publishes at once take turns. No link in the folder is followed.

Files are made one folder at a time, on several processors, and never held all at once. One whose Recipe has the key
of the last publish, and which stands as that left it, is neither made nor read.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from urllib.parse import quote

from newsletter.errors import Outside, Problem, Refused, SourceErrors, stops
from newsletter.model import Changes, File, Recipe
from newsletter.ports import Cache, Judge, Spread
from newsletter.publish.manifest import MANIFEST, Manifest, parse
from newsletter.publish.paths import ATOM_FEED, FEED_LIST, JSON_FEED, RSS_FEED
from newsletter.publish.records import Records, all_stand

_LOCK = ".lock"
_STAGE = ".stage-"
_BETWEEN, _AFTER = ".between", ".after"
_PLAIN = re.compile(r"[a-z0-9-][a-z0-9.-]*(?:/[a-z0-9-][a-z0-9.-]*)*")  # what nearly all paths are
_FEEDS = frozenset({RSS_FEED, ATOM_FEED, JSON_FEED, FEED_LIST})


_MANY = 64  # files above which one flush of all disks costs less than one of each file


@dataclass(frozen=True, slots=True)
class _Made:
    """A file that was made anew."""

    path: str
    digest: str
    differs: bool  # from what stands in its place


@dataclass(frozen=True, slots=True)
class _Plan:
    moved: list[str]  # in the order in which they appear
    gone: list[str]
    same: Mapping[str, str]  # path -> stamp, of what is left alone
    after: Manifest
    changes: Changes


class Folder:
    """`feeds/`, or wherever a site is published. A `cache` remembers how files stood, for one program and site."""

    def __init__(self, path: Path, cache: Cache | None = None, spread: Spread = map) -> None:
        self._path = path
        self._records = Records(cache)
        self._spread = spread
        self._left = ""  # what `stands` says right after a publish
        self._read: tuple[bytes | None, Manifest] = (None, Manifest({}, {}))

    def published_ids(self) -> Mapping[str, str]:
        """Post id -> slug, as the last publish recorded them; empty before the first. Raises Outside, Refused."""
        with _disk(self._path):
            return self._manifest().posts

    def published_feeds(self) -> Collection[str]:
        """The folders in which the last publish left feeds. Raises Outside, Refused."""
        with _disk(self._path):
            paths = self._manifest().files
        return frozenset(path.removesuffix(RSS_FEED) for path in paths if path.endswith(f"/{RSS_FEED}"))

    def published_texts(self) -> Mapping[str, str]:
        """Post id -> what the last publish was told to remember of its text. Raises Outside, Refused."""
        with _disk(self._path):
            return self._manifest().texts

    def write(
        self,
        files: Iterable[File | Recipe],
        published: Mapping[str, str],
        judge: Judge | None = None,
        texts: Mapping[str, str] = MappingProxyType({}),
    ) -> Changes:
        """Make the folder hold exactly these files; see `ports.Output.write`.

        Raises Refused for paths that leave the folder (F420), for a file in the way that no publish made
        (F422) or an unreadable manifest (F423), SourceErrors for what `judge` found, with nothing changed;
        Outside (F421) when the disk refuses.
        """
        wanted = _checked(files)
        with _disk(self._path), self._turn(), self._stage() as stage:
            before = self._manifest()
            plan = self._plan(wanted, published, before, judge, stage)
            plan = replace(plan, after=replace(plan.after, texts=dict(texts)))
            if before != plan.after or plan.moved:
                self._replace(plan, stage, before)
            self._left = self._records.keep(self._path, _keys(wanted), plan.after, plan.same)
            return plan.changes

    def compare(self, files: Iterable[File | Recipe], judge: Judge | None = None) -> Changes:
        """What `write` would do with these files, or refuse, without doing it. Raises as `write` does."""
        wanted = _checked(files)
        with _disk(self._path):
            return self._plan(wanted, {}, self._manifest(), judge, None).changes

    def stands(self) -> str:
        """What changes when any published file does; empty when one is gone."""
        try:
            return all_stand(self._path, self._manifest())
        except (OSError, Refused):
            return ""

    @property
    def left(self) -> str:
        """What `stands` said when the last `write` ended."""
        return self._left

    def _plan(
        self,
        wanted: Mapping[str, Recipe],
        published: Mapping[str, str],
        before: Manifest,
        judge: Judge | None,
        stage: Path | None,
    ) -> _Plan:
        gone = sorted(before.files.keys() - wanted.keys())
        if any(map(_leaves, gone)):
            raise Refused(_unreadable(self._path / MANIFEST))  # not written by us: it names what is none of ours
        same = self._records.standing(self._path, _keys(wanted), before)
        made, problems = self._make([wanted[path] for path in wanted if path not in same], judge, stage)
        if judge and gone:
            problems += self._left_alone(same, gone, judge)
        if wrong := stops(problems):
            raise SourceErrors(wrong)
        self._refuse_what_is_in_the_way(made, before)
        moved = _announced_last(one.path for one in made if one.differs)
        digests = {path: before.files[path] for path in same} | {one.path: one.digest for one in made}
        new = sum(not (self._path / path).exists() for path in moved)
        removed = sum((self._path / path).is_file() for path in gone)
        changes = Changes(new=new, changed=len(moved) - new, gone=removed, same=len(wanted) - len(moved))
        return _Plan(moved, gone, same, Manifest(digests, dict(published)), changes)

    def _make(
        self, recipes: Sequence[Recipe], judge: Judge | None, stage: Path | None
    ) -> tuple[list[_Made], list[Problem]]:
        """The files of each folder together, and what is wrong with them."""
        folders: dict[PurePosixPath, list[Recipe]] = defaultdict(list)
        for recipe in recipes:
            folders[recipe.path.parent].append(recipe)
        make = partial(self._make_folder, judge=judge, stage=stage, flush=len(recipes) <= _MANY)
        made: list[_Made] = []
        problems: list[Problem] = []
        for some, found in self._spread(make, list(folders.values())):
            made += some
            problems += found
        return made, problems

    def _make_folder(
        self, recipes: Sequence[Recipe], *, judge: Judge | None, stage: Path | None, flush: bool
    ) -> tuple[list[_Made], list[Problem]]:
        files = [File(recipe.path, recipe.make()) for recipe in recipes]
        problems = list(judge(files)) if judge else []
        made = [_Made(str(f.path), _digest(f.content), not self._holds(str(f.path), f.content)) for f in files]
        for file, one in zip(files, made, strict=True):
            if stage and one.differs:
                _write(_beside(stage, one.path), file.content, flush=flush)
        return made, problems

    def _left_alone(self, same: Iterable[str], gone: Sequence[str], judge: Judge) -> list[Problem]:
        """What is wrong, now, with files that need not be made again: they may lead to one that goes."""
        names = {PurePosixPath(path).parent.name or path if path.endswith("index.html") else path for path in gone}
        words = {word.encode() for name in names for word in (name.rpartition("/")[2], quote(name.rpartition("/")[2]))}
        any_word = re.compile(b"|".join(sorted(map(re.escape, words))))

        def look(path: str) -> list[Problem]:
            content = (self._path / path).read_bytes()
            return list(judge([File(PurePosixPath(path), content)])) if any_word.search(content) else []

        pages = [path for path in same if path.endswith((".html", ".xml", ".json", ".opml"))]
        return [problem for found in self._spread(look, pages) for problem in found]

    def _replace(self, plan: _Plan, stage: Path, before: Manifest) -> None:
        between, after = before.joined(plan.after), plan.after.render()
        _write(stage / _BETWEEN, after if between == plan.after else between.render())
        _write(stage / _AFTER, after)
        many = len(plan.moved) > _MANY
        if many:
            os.sync()
        (stage / _BETWEEN).replace(self._path / MANIFEST)
        for path in plan.moved:
            (self._path / path).parent.mkdir(parents=True, exist_ok=True)
            _beside(stage, path).replace(self._path / path)
        for path in reversed(_announced_last(plan.gone)):
            self._remove(path)
        if many:
            os.sync()
        else:
            self._flush({*plan.moved, *plan.gone})
        (stage / _AFTER).replace(self._path / MANIFEST)
        _flush(self._path)

    def _manifest(self) -> Manifest:
        path = self._path / MANIFEST
        try:
            if (content := path.read_bytes()) != self._read[0]:
                self._read = content, parse(content)
            return self._read[1]
        except FileNotFoundError:
            return Manifest({}, {})
        except ValueError as fault:
            raise Refused(_unreadable(path)) from fault

    def _refuse_what_is_in_the_way(self, made: Sequence[_Made], before: Manifest) -> None:
        """A link, a folder where a file goes, or a file that somebody put here by hand is theirs, not ours."""
        ours = before.files.keys()
        blocked = [m.path for m in made if self._blocked(m.path, foreign=m.differs and m.path not in ours)]
        problems = [_in_the_way(self._path / path) for path in sorted(blocked)]
        if problems:
            raise Refused(problems)

    def _blocked(self, path: str, *, foreign: bool) -> bool:
        if any(folder.is_symlink() or (folder.exists() and not folder.is_dir()) for folder in self._folders(path)):
            return True
        place = self._path / path
        return place.is_dir() or (foreign and (place.is_symlink() or place.exists()))

    def _folders(self, path: str) -> list[Path]:
        """The folders between a file and the web root, the innermost first."""
        return [self._path / parent for parent in PurePosixPath(path).parents if parent.parts]

    def _holds(self, path: str, content: bytes) -> bool:
        place = self._path / path
        return not place.is_symlink() and place.is_file() and place.read_bytes() == content

    def _remove(self, path: str) -> None:
        """The file, and its folders as far as they are left empty. A link on the way is left alone."""
        if any(folder.is_symlink() for folder in self._folders(path)):
            return
        (self._path / path).unlink(missing_ok=True)
        for folder in self._folders(path):
            if not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()

    def _flush(self, paths: Iterable[str]) -> None:
        for folder in {(self._path / path).parent for path in paths}:
            if folder.is_dir():
                _flush(folder)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One publish at a time; what a killed one left beside is cleared away."""
        self._path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self._path.glob(f"{_STAGE}*"):
                shutil.rmtree(left)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _stage(self) -> Iterator[Path]:
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=self._path))
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _checked(files: Iterable[File | Recipe]) -> dict[str, Recipe]:
    wanted: dict[str, Recipe] = {}
    twice = []
    for file in files:
        path = str(file.path)
        twice += [path] if path in wanted else []
        wanted[path] = Recipe(file.path, "", partial(_content, file)) if isinstance(file, File) else file
    covered = _folders(wanted) & wanted.keys()
    twice += [path for path in wanted if covered and not covered.isdisjoint(map(str, PurePosixPath(path).parents))]
    problems = [_refused_path("F420", "A file would leave the folder", path) for path in wanted if _leaves(path)]
    problems += [_refused_path("F420", "Two files of this publish have the same path", path) for path in twice]
    if problems:
        raise Refused(problems)
    return wanted


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder that these files lie in, however deep."""
    found: set[str] = set()
    waiting = set(paths)
    while waiting:
        waiting = {path.rpartition("/")[0] for path in waiting} - found - {""}
        found |= waiting
    return found


def _keys(wanted: Mapping[str, Recipe]) -> dict[str, str]:
    return {path: recipe.key for path, recipe in wanted.items()}


def _content(file: File) -> bytes:
    return file.content


def _leaves(path: str) -> bool:
    """Whether a path is not plainly below the folder, could hide there, or is no path at all."""
    if _PLAIN.fullmatch(path):
        return False
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") for part in parts)  # "..", and the folder's own records
    return not parts or path.startswith("/") or hidden or not path.isprintable()


def _announced_last(paths: Iterable[str]) -> list[str]:
    """What others point at first, what points at others last: assets, pages, lists, home, feeds."""

    def rank(path: str) -> tuple[int, int, str]:
        if path.rpartition("/")[2] in _FEEDS:
            return 3, -path.count("/"), path
        kind = 2 if path == "index.html" else 1 if path.endswith(".html") else 0
        return kind, -path.count("/"), path

    return sorted(paths, key=rank)


def _beside(stage: Path, path: str) -> Path:
    """Where a file waits: all in one folder, since thousands of them take longer to make and remove than the files."""
    return stage / hashlib.sha256(path.encode()).hexdigest()


def _write(place: Path, content: bytes, *, flush: bool = True) -> None:
    with place.open("xb") as stream:
        stream.write(content)
        if flush:
            stream.flush()
            os.fsync(stream.fileno())


def _flush(folder: Path) -> None:
    """Without it a rename may be forgotten at a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise Outside(
            Problem(
                "F421",
                f"The folder {folder} could not be written: {fault.strerror or fault}",
                file=str(fault.filename or folder),
                why="Nothing is lost: publishing again completes what was begun.",
                fixes=("make room on the disk, or check who may write there, and publish again",),
            )
        ) from fault


def _refused_path(code: str, message: str, path: str) -> Problem:
    return Problem(code, message, file=path, fixes=("give the post another slug, or its image another name",))


def _in_the_way(place: Path) -> Problem:
    return Problem(
        "F422",
        "Something is in the way that publishing did not make",
        file=str(place),
        why="Only files that an earlier publish recorded are replaced; nothing was changed.",
        fixes=(f"move {place} away; if it is only a left-over build, delete it", "or publish into an empty folder"),
    )


def _unreadable(path: Path) -> Problem:
    return Problem(
        "F423",
        "The record of the last publish cannot be read",
        file=str(path),
        why="Without it no file can be known to be ours, so none was replaced.",
        fixes=("restore it, or empty the folder and publish again: everything in it is made from the posts",),
    )
