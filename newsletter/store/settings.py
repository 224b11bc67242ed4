"""`newsletter.toml`, changed by the program: a few values, and every comment stays where its writer put it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

from newsletter.errors import Outside, Problem, Refused
from newsletter.store.folder import alone_in, replace
from newsletter.store.toml import written

_TABLE = re.compile(r"\s*\[\s*([\w.-]+)\s*\]\s*(#.*)?")


class SettingsFile:
    """The file of a site's settings; `config` reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, table: str, values: Mapping[str, str]) -> None:
        """Give keys of a table these values, which are text. Raises Refused (C524), Outside; then nothing changed."""
        try:
            with alone_in(self._path.parent):
                text = self._path.read_text(encoding="utf-8")
                changed = with_values(text, table, values)
                if changed is None:
                    raise Refused(_by_hand(table, values, self._path.name))
                replace(self._path, changed)
        except OSError as error:
            said = error.strerror or str(error)
            raise Outside(Problem("C901", f"The system refused: {said}", file=str(self._path))) from error


def with_values(text: str, table: str, values: Mapping[str, str]) -> str | None:
    """The text with these values, or None where the file is written in a way that a line cannot be changed in."""
    lines = text.splitlines(keepends=True)
    for key, value in values.items():
        _put(lines, table, key, value)
    changed = "".join(lines)
    try:
        meant = deepcopy(tomllib.loads(text))
        meant.setdefault(table, {}).update(values)
        return changed if tomllib.loads(changed) == meant else None
    except (tomllib.TOMLDecodeError, AttributeError):
        return None


def _put(lines: list[str], table: str, key: str, value: str) -> None:
    """Change the line of the key, or add one under the table's name, or the table at the end."""
    inside, header = False, None
    line_of_key = re.compile(rf"(\s*{re.escape(key)}\s*=\s*)(\"[^\"\\]*\"|'[^']*'|[^\s#\"']+)(\s*(?:#.*)?\r?\n?)")
    for n, line in enumerate(lines):
        if found := _TABLE.fullmatch(line.rstrip("\r\n")):
            inside = found[1] == table
            header = n if inside else header
        elif inside and (at := line_of_key.fullmatch(line)):
            lines[n] = f"{at[1]}{written(value)}{at[3]}"
            return
    if header is None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines += ["\n", f"[{table}]\n"]
        header = len(lines) - 1
    lines.insert(header + 1, f"{key} = {written(value)}\n")


def _by_hand(table: str, values: Mapping[str, str], name: str) -> Problem:
    return Problem(
        "C524",
        f"[{table}] is written in a way that the program cannot change without harm. Nothing was changed.",
        file=name,
        fixes=tuple(f"write {key} = {written(value)} there by hand" for key, value in values.items()),
    )
