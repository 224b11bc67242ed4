"""Edge: the folder of posts on disk.

Promises to read regular files below `posts/` and nothing outside of the site's folder, in path order.
Octets that are not UTF-8 come through as lone surrogates and files over the limit cut just above it, so
that the pure half tells of them with a line, beside everything else. Files are opened when their text is asked for;
their stamps tell whether that is needed. A file of which the system's clock cannot tell whether it changed has none.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from newsletter.content.late import late_source
from newsletter.errors import Outside, Problem, Refused, SourceErrors
from newsletter.model import Source

_READ = 2 * 1024 * 1024 + 1  # octets; one more than a post may have
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")
# It begins where a word does: tried from every letter of a word of a megabyte, it would take minutes.
_WORD = re.compile(r"""(?<![^\s()<>\[\]"'=/])[^\s()<>\[\]"'=/]*\.(?:jpe?g|png|gif|webp|avif)""", re.IGNORECASE)
_RESTLESS = 2.0  # seconds
_PICTURE_LIMIT = 20 * 1024 * 1024


class Folder:
    """`posts/` of the site whose folder is `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._posts = self._root / "posts"

    def read(self) -> Sequence[Source]:
        """All posts, in path order, not opened yet; none when there is no folder.

        Raises SourceErrors (P129, P138, all at once) for a post that is no regular file or a link out of the folder,
        or whose name is not UTF-8, and Outside (P130) when the disk refuses, as does asking a Source for its text.
        """
        try:
            return self._read()
        except OSError as error:
            raise self._unreadable(error) from error

    def write_new(self, path: PurePosixPath, text: str) -> None:
        """Write a post that does not exist yet, at `path` relative to the site; raises Refused (P131) if it does."""
        target = self._root.joinpath(path)
        if not target.resolve().is_relative_to(self._posts):
            raise Refused(Problem("P131", "A post is written below posts/ only", str(path)))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError as error:
            fixes = ("give the new post another title or --date",)
            message = "A post of that name exists; nothing was changed"
            raise Refused(Problem("P131", message, str(path), fixes=fixes)) from error

    def change(self, path: PurePosixPath, old: str, new: str) -> None:
        """Replace the text of a post, unless somebody saved another one meanwhile; raises Refused (P146) then."""
        target = self._root.joinpath(path)
        beside = target.with_name(f".{target.name}.new")
        try:
            if _octets(target, _READ) != old.encode("utf-8", "surrogateescape"):
                message = "The post was saved meanwhile; nothing was changed"
                raise Refused(Problem("P146", message, str(path), fixes=("look at it, then call the command again",)))
            beside.write_bytes(new.encode("utf-8", "surrogateescape"))
            beside.chmod(target.stat().st_mode & 0o777)
            beside.replace(target)
        except OSError as error:
            raise self._unwritable(error) from error

    def _read(self) -> Sequence[Source]:
        found = sorted(self._walk(), key=lambda entry: entry.path.replace("/", "\0"))
        if problems := [problem for entry in found if (problem := self._refusal(entry))]:
            raise SourceErrors(problems)
        settled = (time.time() - _RESTLESS) * 1e9
        folders = [entry.path.rpartition("/")[0] for entry in found]
        beside = {folder: self._beside(folder, settled) for folder in set(folders)}
        return [self._source(entry, beside[folder], settled) for entry, folder in zip(found, folders, strict=True)]

    def _walk(self) -> Iterator[os.DirEntry[str]]:
        waiting = [str(self._posts)] if self._posts.exists() else []
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                shown = [entry for entry in entries if not entry.name.startswith(".")]
            waiting += [entry.path for entry in shown if _is_folder(entry)]
            yield from (entry for entry in shown if entry.name.endswith(".md") and not _is_folder(entry))

    @cached_property
    def _within(self) -> bool:
        """Whether `posts/` itself is in the site; then only links can lead out of it."""
        return self._posts.resolve().is_relative_to(self._root)

    def _is_own(self, entry: os.DirEntry[str]) -> bool:
        if self._within and not entry.is_symlink():
            return entry.is_file()
        real = Path(os.path.realpath(entry.path))  # `resolve` raises for a link to itself
        return real.is_file() and real.is_relative_to(self._root)

    def _refusal(self, entry: os.DirEntry[str]) -> Problem | None:
        path = entry.path[len(self._prefix) :]
        if not _is_utf_8(path):
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            why = "Another system could not tell what it is called."
            return Problem("P138", "The name of the post is not UTF-8", shown, why=why, fixes=("rename it",))
        if not self._is_own(entry):
            message = "The post is a link that leaves the site, or not a file"
            return Problem("P129", message, path, fixes=("copy the file into posts/",))
        return None

    def _beside(self, folder: str, settled: float) -> _Beside:
        with os.scandir(folder) as entries:
            files = [e for e in entries if e.name.lower().endswith(_PICTURES) and not e.name.startswith(".")]
        own = sorted((entry.name, entry) for entry in files if self._is_own(entry))
        stamps = [f"{name}:{_stamp(entry.stat(), settled)}" for name, entry in own]
        names: dict[str, list[str]] = {}
        for name, _ in own:
            names.setdefault(_WORD.findall(name)[-1], []).append(name)
        restless = any(stamp.endswith(":") for stamp in stamps)
        whole = hashlib.sha256("\0".join(stamps).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return _Beside(Path(folder), "" if restless else whole, names)

    def _source(self, entry: os.DirEntry[str], beside: _Beside, settled: float) -> Source:
        file = entry.path[len(self._prefix) :]
        stamp = _stamp(entry.stat(), settled)
        stamp = f"{stamp}:{beside.stamp}" if stamp and beside.stamp else ""
        return late_source(file, stamp, partial(self._opened, file, stamp, beside))

    @cached_property
    def _prefix(self) -> str:
        return f"{self._root}/"

    def _opened(self, file: str, stamp: str, beside: _Beside) -> Source:
        try:
            text = _octets(self._root / file, _READ).decode("utf-8", "surrogateescape")
            assets = {name: _octets(beside.folder / name, _PICTURE_LIMIT) for name in beside.named(text)}
        except OSError as error:
            raise self._unreadable(error) from error
        return Source(PurePosixPath(file), text, assets, stamp)

    def _unreadable(self, error: OSError) -> Outside:
        path = self._relative(Path(error.filename or self._posts))
        fixes = ("make it readable for the user that runs newsletter",)
        return Outside(Problem("P130", f"Cannot be read: {error.strerror}", str(path), fixes=fixes))

    def _unwritable(self, error: OSError) -> Outside:
        path = self._relative(Path(error.filename or self._posts))
        fixes = ("check who may write there, and the space on the disk",)
        return Outside(Problem("P147", f"Cannot be written: {error.strerror}", str(path), fixes=fixes))

    def _relative(self, path: Path) -> PurePosixPath:
        inside = path.is_relative_to(self._root)
        return PurePosixPath((path.relative_to(self._root) if inside else path).as_posix())


@dataclass(frozen=True, slots=True)
class _Beside:
    """The pictures of one folder; `stamp` changes with any of them."""

    folder: Path
    stamp: str
    names: Mapping[str, Sequence[str]]  # by the last word of the name, as it can be found in a text

    def named(self, text: str) -> list[str]:
        """Those whose name stands in `text`, as it is or percent-encoded; sorted."""
        if not self.names:
            return []
        words = {*_WORD.findall(text), *(_WORD.findall(unquote(text)) if "%" in text else ())}
        likely = (name for word in words for name in self.names.get(word, ()))
        return sorted(name for name in likely if name in text or quote(name) in text)


def _stamp(found: os.stat_result, settled: float) -> str:
    """What changes when a file does; nothing for one that changed just now, and could again within the same tick."""
    if max(found.st_mtime_ns, found.st_ctime_ns) > settled:
        return ""
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}.{found.st_size}.{found.st_ino}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _is_utf_8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _octets(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)
