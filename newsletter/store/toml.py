"""TOML files that both a person and the program write: where a fault stands, and values as they are written."""

from __future__ import annotations

import json
import re
import tomllib

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def place(error: tomllib.TOMLDecodeError, text: str) -> tuple[str, int, int]:
    """What is wrong, the line and the column: the last line, and no column, where the text only ends too early."""
    said = str(error)
    found = _PLACE.search(said)
    if found is None or found[1] is None:
        return _PLACE.sub("", said), text.count("\n") + 1, 0
    return said[: found.start()], int(found[1]), int(found[2])


def written(value: str | int | list[str]) -> str:
    """As TOML, whose basic strings are those of JSON, except that DEL too must be escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
