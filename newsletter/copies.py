"""The templates that a site has of its own, beside the built-in ones: which there are, copied, compared.

A copy begins with a line that holds a hash of what it was copied from, so that it can be told when the built-in
template has changed since. A template says in its first comment what it is for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

from newsletter.errors import Outside, Problem, Refused, UsageError, nearest
from newsletter.program import default_folder

_MARK = re.compile(r"(?:\{#|/\*) Copied from the built-in template (?P<hash>[0-9a-f]{16})\. (?:#\}|\*/)\n")
_COMMENT = re.compile(r"\s*(?:\{#-?|/\*)\s*(?P<text>.*?)\s*(?:-?#\}|\*/)", re.DOTALL)
_SENTENCE = re.compile(r"(?<=\.)\s")
_PLAIN = ("email/style.css", "web/style.css", "web/feed.css")  # have comments of their own, and must keep their lines


class Standing(StrEnum):
    """Where a template stands to the built-in one of its name."""

    BUILT_IN = "built-in"
    OWN = "own"
    OUTDATED = "own, built-in changed since"
    UNKNOWN = "own, replaces nothing"


@dataclass(frozen=True, slots=True)
class Template:
    """A template as a site uses it."""

    name: str  # below `templates/`
    standing: Standing
    about: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a site's template says otherwise."""

    name: str
    standing: Standing
    lines: tuple[str, ...]  # unified; none when both say the same, or there is only one


def templates(folder: Path) -> list[Template]:
    """Every template that a site can have of its own, and each that it has in `folder`."""
    return [_template(name, folder) for name in sorted({*_built_in(), *_own(folder)})]


def copy(name: str, folder: Path, *, dry_run: bool = False) -> Path:
    """Put the built-in template into the site's folder, and answer where.

    Raises UsageError (C206) for an unknown name, Refused (C207) when the site has that one, Outside (C208).
    """
    if name not in _built_in():
        raise UsageError(_unknown(name))
    path = folder / name
    if path.exists():
        fix = f"newsletter templates diff {name}"
        raise Refused(Problem("C207", f"This site has its own {name} already", file=f"templates/{name}", fixes=(fix,)))
    if not dry_run:
        source = _read(default_folder() / name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(_mark(name, source) + source)
        except OSError as error:
            told = f"templates/{name} cannot be written: {error.strerror}"
            raise Outside(Problem("C208", told, fixes=("make room, or let this user write there",))) from error
    return path


def differences(folder: Path, name: str = "") -> list[Difference]:
    """Of one template of the site, or of all, against the built-in ones. Raises UsageError (C206)."""
    own = _own(folder)
    if name and name not in own:
        if name in _built_in():
            return [Difference(name, Standing.BUILT_IN, ())]
        raise UsageError(_unknown(name))
    return [_difference(one, folder) for one in own if not name or one == name]


def _difference(name: str, folder: Path) -> Difference:
    standing = _standing(name, folder)
    if standing is Standing.UNKNOWN:
        return Difference(name, standing, ())
    before = _read(default_folder() / name)
    after = _MARK.sub("", _read(folder / name), count=1)
    lines = unified_diff(before.splitlines(), after.splitlines(), f"built-in/{name}", f"templates/{name}", lineterm="")
    return Difference(name, standing, tuple(lines))


def _template(name: str, folder: Path) -> Template:
    standing = _standing(name, folder)
    source = folder / name if standing is Standing.UNKNOWN else default_folder() / name
    return Template(name, standing, _about(_read(source)))


def _standing(name: str, folder: Path) -> Standing:
    if name not in _own(folder):
        return Standing.BUILT_IN
    if name not in _built_in():
        return Standing.UNKNOWN
    mark = _MARK.match(_read(folder / name))
    changed = mark and mark["hash"] != _hash(_read(default_folder() / name))
    return Standing.OUTDATED if changed else Standing.OWN


def _about(source: str) -> str:
    """The first sentence of a template's first comment."""
    comment = _COMMENT.match(_MARK.sub("", source, count=1))
    return _SENTENCE.split(" ".join(comment["text"].split()))[0].rstrip(".:") if comment else ""


def _built_in() -> list[str]:
    """What a site may replace; the pages of `preview` are a tool, not a part of the site."""
    return [name for name in _names(default_folder()) if not name.startswith("web/preview/")]


def _own(folder: Path) -> list[str]:
    """None in a checkout of this program, whose `templates/` are the built-in ones."""
    return [] if folder.resolve() == default_folder().resolve() else list(_names(folder))


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix()


def _mark(name: str, source: str) -> str:
    begin, end = ("/*", "*/") if name in _PLAIN else ("{#", "#}")
    return f"{begin} Copied from the built-in template {_hash(source)}. {end}\n"


def _hash(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _unknown(name: str) -> Problem:
    guess = nearest(name, _built_in()) or next((one for one in _built_in() if f"/{name}." in one), None)
    fixes = (f"Did you mean {guess}?",) if guess else ("newsletter templates list",)
    return Problem("C206", f"There is no template {name}", fixes=fixes)
