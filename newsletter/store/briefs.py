"""`next-issue.toml`: what an editor has decided about the next issue, beside the posts and committed with them.

It names the issue that it is for and holds for no other, so that nobody need delete it in time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from newsletter.errors import ConfigError, Outside, Problem, nearest
from newsletter.model import Brief, Person
from newsletter.store import folder, toml

_TEXTS = ("subject", "preheader", "note", "signed", "lead")
_LISTS = ("pins", "leave_out")
_NUMBERS = ("at_least", "at_most")
_HEAD = "# What is decided about this issue; for another one it means nothing.\n"


class BriefFile:
    """`ports.Briefs` on one file; a missing file decides nothing."""

    def __init__(self, path: Path, people: Mapping[str, Person], usual: Brief) -> None:
        self._path, self._people, self._usual = path, people, usual

    def of(self, number: int) -> tuple[Brief, tuple[Problem, ...]]:
        """What is decided about an issue, and a warning (I331) where the file speaks of another.

        Raises ConfigError (C513) with every fault of the file, Outside when it cannot be read.
        """
        document = self._document()
        if not document:
            return self._usual, ()
        if document["issue"] != number:
            return self._usual, (self._of_another(document["issue"], number),)
        return self._brief(document), ()

    def _brief(self, document: Mapping[str, Any]) -> Brief:
        given: dict[str, Any] = {name: document[name] for name in _names() if name in document}
        given |= {name: tuple(given[name]) for name in _LISTS if name in given}
        if given.get("signed"):
            given["signed"] = self._people[given["signed"]].name
        return replace(self._usual, **given)

    def change(self, number: int, given: Mapping[str, Any], *, dry_run: bool = False) -> Brief:
        """Decide these things about an issue; what the file says of it otherwise stays, what it says of others goes.

        An empty value takes a decision back. Raises as `of`, and ConfigError for values that the file may not have.
        """
        with self._told("written"), folder.alone_in(self._path.parent):
            before = self._document()
            kept = before if before.get("issue") == number else {}
            decided = {name: value for name, value in {**kept, **given}.items() if value not in ("", [], None)}
            wanted = decided | {"issue": number}
            if faults := self._faults(wanted):
                raise ConfigError(faults)
            lines = [f"{name} = {toml.written(wanted[name])}\n" for name in ("issue", *_names()) if name in wanted]
            if not dry_run:
                folder.replace(self._path, _HEAD + "".join(lines))
        return self._brief(wanted)

    def _document(self) -> Mapping[str, Any]:
        text = self._read()
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            said, line, column = toml.place(error, text)
            raise ConfigError(replace(self._fault(f"This is not TOML: {said}"), line=line, column=column)) from error
        if document and (faults := self._faults(document)):
            raise ConfigError(faults)
        return document

    def _read(self) -> str:
        with self._told("read"):
            try:
                return self._path.read_text("utf-8")
            except FileNotFoundError:
                return ""
            except UnicodeDecodeError as error:
                raise ConfigError(self._fault("This is not UTF-8")) from error

    def _faults(self, document: Mapping[str, Any]) -> list[Problem]:
        unknown = [name for name in document if name not in {"issue", *_names()}]
        problems = [self._fault(f"There is no key {name}", nearest(name, _names())) for name in unknown]
        problems += [self._fault(f"{name} must be {what}") for name, what in _wrong(document)]
        signed = document.get("signed")
        if isinstance(signed, str) and signed and signed not in self._people:
            known = f"Under [people] there are: {', '.join(self._people) or 'nobody'}."
            problems.append(self._fault(f"signed: there is no person {signed}", nearest(signed, self._people), known))
        return problems

    def _of_another(self, there: int, number: int) -> Problem:
        return replace(
            self._fault(f"What was decided is for issue {there}; the next one is {number}, so none of it counts"),
            code="I331",
            level="warn",
            fixes=(
                "newsletter issue plan   decides about the next one",
                f"issue = {number}   in {self._path.name} keeps it",
            ),
        )

    def _fault(self, message: str, meant: str | None = None, why: str = "") -> Problem:
        fixes = (f"Did you mean {meant}?",) if meant else ("docs/issues.md tells what may stand here",)
        return Problem("C513", message, file=self._path.name, why=why, fixes=fixes)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            fixes = ("check the folder's permissions and the space on the disk",)
            told = Problem("C514", f"It cannot be {what}", self._path.name, why=error.strerror or "", fixes=fixes)
            raise Outside(told) from error


def _names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Brief))


def _wrong(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not _is_count(document.get("issue")):
        yield "issue", "the number of the issue that this is for"
    for name in _TEXTS:
        if not isinstance(document.get(name, ""), str):
            yield name, "a text"
    for name in _LISTS:
        value = document.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            yield name, 'a list of slugs: ["a-slug", "another"]'
    for name in _NUMBERS:
        if not _is_count(document.get(name, 1)):
            yield name, "a number of stories, from 1"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
