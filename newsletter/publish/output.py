"""The published folder: an edge.

A reader never meets half a publish. All files are first written beside (into a hidden folder of the same file
system, flushed to the disk). Then the whole site changes in one step, where the system can exchange two folders
(`standby`); where it cannot, files are moved into place one by one: assets and pages, then lists, then feeds, so that
nothing is announced before it is there, and what is gone is removed last, the other way round. A failure while
writing beside leaves the folder as it was. Only files that a publish recorded in `.manifest.json` are ever replaced or
removed; a publish that is cut short is completed by the next. Two publishes at once take turns. No link in the folder
is followed.

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
from newsletter.publish.links import STAGE
from newsletter.publish.manifest import MANIFEST, Manifest, parse
from newsletter.publish.paths import RSS_FEED
from newsletter.publish.placing import MANY, Move, beside, folders, write
from newsletter.publish.records import Records, all_stand
from newsletter.publish.standby import Standby
from newsletter.publish.wanted import announced_last, checked, leaves

_LOCK = ".lock"


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
    """`feeds/`, or wherever a site is published. A `cache` remembers how files stood, for one program and site; at
    `standby` a second tree may stand, on the same file system.
    """

    def __init__(
        self, path: Path, cache: Cache | None = None, spread: Spread = map, standby: Path | None = None
    ) -> None:
        self._path = path
        self._standby = Standby(path.resolve(), standby) if standby else None
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
        wanted = checked(files)
        with _disk(self._path), self._turn(), self._stage() as stage:
            before = self._manifest()
            plan = self._plan(wanted, published, before, judge, stage)
            plan = replace(plan, after=replace(plan.after, texts=dict(texts)))
            if before != plan.after or plan.moved:
                self._replace(plan, stage, before)
            seen = {} if self._standby and self._standby.relinked else plan.same
            self._left = self._records.keep(self._path, _keys(wanted), plan.after, seen)
            return plan.changes

    def compare(self, files: Iterable[File | Recipe], judge: Judge | None = None) -> Changes:
        """What `write` would do with these files, or refuse, without doing it. Raises as `write` does."""
        wanted = checked(files)
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
        if any(map(leaves, gone)):
            raise Refused(_unreadable(self._path / MANIFEST))  # not written by us: it names what is none of ours
        same = self._records.standing(self._path, _keys(wanted), before)
        made, problems = self._make([wanted[path] for path in wanted if path not in same], judge, stage)
        if judge and gone:
            problems += self._left_alone(same, gone, judge)
        if wrong := stops(problems):
            raise SourceErrors(wrong)
        self._refuse_what_is_in_the_way(made, before)
        moved = announced_last(one.path for one in made if one.differs)
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
        make = partial(self._make_folder, judge=judge, stage=stage, flush=len(recipes) <= MANY)
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
                write(beside(stage, one.path), file.content, flush=flush)
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
        move = Move(stage, plan.moved, plan.gone)
        move.record_with(after if between == plan.after else between.render(), after)
        if not self._standby or not self._standby.ready():
            move.flush_waiting()
            move.carry_out(self._path)
        elif self._standby.step_in(move):
            away = self._standby.place
            move.elsewhere(away / stage.name).carry_out(away)
            self._standby.step_back(move)
        else:
            move.carry_out(self._path)

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
        if any(
            folder.is_symlink() or (folder.exists() and not folder.is_dir()) for folder in folders(self._path, path)
        ):
            return True
        place = self._path / path
        return place.is_dir() or (foreign and (place.is_symlink() or place.exists()))

    def _holds(self, path: str, content: bytes) -> bool:
        place = self._path / path
        return not place.is_symlink() and place.is_file() and place.read_bytes() == content

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One publish at a time; what a killed one left beside is cleared away."""
        self._path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._standby:
                self._standby.recover()
            for left in self._path.glob(f"{STAGE}*"):
                shutil.rmtree(left)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _stage(self) -> Iterator[Path]:
        stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=self._path))
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _keys(wanted: Mapping[str, Recipe]) -> dict[str, str]:
    return {path: recipe.key for path, recipe in wanted.items()}


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
