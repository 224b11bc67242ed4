"""`reviews.toml`: approvals as lines of a committed file, so that they travel with the posts.

A new approval is added below what stands there, comments included: the change is as small as it looks in a diff.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter.errors import ConfigError, NewsletterError, Outside, Problem
from newsletter.model import Approval
from newsletter.store import toml
from newsletter.store.folder import alone_in, replace

_HEAD = """\
# Who has approved which text. Written by `newsletter post approve`; commit it together with the posts.
# An approval is good for exactly the text that has this hash: when the text changes, it is asked for again.
"""

_KEYS = {"post": str, "hash": str, "by": str, "at": datetime}

_HEADING = re.compile(r"^\s*\[\[\s*approval\s*\]\]", re.MULTILINE)


class ReviewsFile:
    """`ports.Reviews` on one file; a missing file holds no approval."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> Sequence[Approval]:
        """In the order of the file. Raises ConfigError with every fault of it, Outside when it cannot be read."""
        return self._parse(self._read())

    def add(self, approval: Approval) -> None:
        """Append one approval, once: the same text approved again by the same person changes nothing.

        Raises ConfigError and leaves the file alone when it has faults; Outside when the disk refuses.
        """
        with self._told("written"), alone_in(self._path.parent):
            text = self._read()
            said = {(each.post_id, each.content_hash, each.by) for each in self._parse(text)}
            if (approval.post_id, approval.content_hash, approval.by) not in said:
                replace(self._path, f"{text.rstrip() or _HEAD.rstrip()}\n\n{_block(approval)}")

    def _read(self) -> str:
        with self._told("read"):
            try:
                return self._path.read_text("utf-8")
            except FileNotFoundError:
                return ""
            except UnicodeDecodeError as error:
                raise ConfigError(self._fault("this file is not UTF-8", why=error.reason)) from error

    def _parse(self, text: str) -> Sequence[Approval]:
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(self._unreadable(error, text)) from error
        lines = [text.count("\n", 0, match.end()) + 1 for match in _HEADING.finditer(text)]
        tables = document.get("approval", [])
        if document.keys() - {"approval"} or not _is_list_of_tables(tables) or len(lines) != len(tables):
            raise ConfigError(self._fault("only [[approval]] tables may stand in this file", line=1))
        found = [(table, line, _wrong(table)) for table, line in zip(tables, lines, strict=True)]
        problems = [self._fault(f"this approval {wrong}", line=line) for _, line, wrong in found if wrong]
        if problems:
            raise ConfigError(problems)
        return [_approval(table) for table, _, _ in found]

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except NewsletterError:
            raise
        except OSError as error:
            problem = Problem(
                "C512",
                f"the approvals cannot be {what}",
                file=str(self._path),
                why=error.strerror or str(error),
                fixes=("check the folder's permissions and the space on the disk",),
            )
            raise Outside(problem) from error

    def _unreadable(self, error: tomllib.TOMLDecodeError, text: str) -> Problem:
        why, line, column = toml.place(error, text)
        excerpt = text.split("\n")[line - 1]
        return self._fault("this file is not TOML", line=line, column=column, excerpt=excerpt, why=why)

    def _fault(self, message: str, *, line: int = 0, column: int = 0, excerpt: str = "", why: str = "") -> Problem:
        return Problem(
            "C511",
            message,
            file=str(self._path),
            line=line,
            column=column,
            excerpt=excerpt,
            why=why,
            fixes=('each approval is [[approval]] with post = "…", hash = "…", by = "…", at = 2026-01-31T09:00:00Z',),
        )


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _wrong(table: Mapping[str, Any]) -> str:
    """What is wrong with it, in words that follow "this approval"; empty when it is right."""
    unknown = sorted(table.keys() - _KEYS.keys())
    missing = [key for key in _KEYS if key not in table]
    if unknown:
        return f"has an unknown key: {unknown[0]}"
    if missing:
        return f"lacks {' and '.join(missing)}"
    odd = next((key for key, kind in _KEYS.items() if not isinstance(table[key], kind) or not table[key]), None)
    if odd:
        return f"has a wrong value for {odd}"
    return "has a time without a zone" if table["at"].utcoffset() is None else ""


def _approval(table: Mapping[str, Any]) -> Approval:
    return Approval(table["post"], table["hash"], table["by"], table["at"].astimezone(UTC))


def _block(approval: Approval) -> str:
    at = approval.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return (
        "[[approval]]\n"
        f"post = {toml.written(approval.post_id)}\n"
        f"hash = {toml.written(approval.content_hash)}\n"
        f"by = {toml.written(approval.by)}\n"
        f"at = {at}\n"
    )
