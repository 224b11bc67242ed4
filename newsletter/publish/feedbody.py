"""The rules for the HTML of an item: what aggregators refuse, rewrite or show as it stands.

Read with a scanner of our own, since a parser repairs what it is asked to judge. Rules by their codes: F508
addresses are absolute, F510 nothing that runs and every tag in its place, F511 no Markdown left over, F513 no
hidden character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

_ATTRIBUTE = r"""\s+([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>=]+))?"""
_MARK = re.compile(rf"<(?:(/?)([A-Za-z][A-Za-z0-9-]*)((?:{_ATTRIBUTE})*)\s*/?>)?")
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_VOID_NAMES = "area base br col embed hr img input link meta source track wbr"
_VOID = frozenset(_VOID_NAMES.split())
_REFUSED_NAMES = (
    "applet base button embed form frame frameset iframe input link meta object script select style svg textarea"
)
_REFUSED = frozenset(_REFUSED_NAMES.split())
_ADDRESSES = frozenset({"href", "src", "poster", "cite", "longdesc", "background"})
_ABSOLUTE = re.compile(r"(?:https?://[^/\s]|mailto:|tel:)", re.IGNORECASE)
_LITERAL = frozenset({"code", "pre", "kbd", "samp"})
_LEFT_OVER = re.compile(
    r"\[\[[^\[\]]+\]\]|\[!TAKE\]|\[\^[^\]\s]+\]|^:::|\{\{.*?\}\}|\{%.*?%\}|\*\*[^\s*]|^#{1,6} |^None$",
    re.MULTILINE,
)


_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Judged:
    """A body: its faults as (code, message), and the ids that it gives to its parts."""

    faults: tuple[tuple[str, str], ...]
    ids: tuple[str, ...]


@lru_cache(maxsize=128)
def judge(body: str) -> Judged:
    """What is wrong with the HTML of an item; the formats of a feed ask for the same one in turn."""
    scan = _Scan([], [], [], 0)
    end = 0
    for mark in _MARK.finditer(body):
        scan.text(body[end : mark.start()])
        scan.mark(mark)
        end = mark.end()
    scan.text(body[end:])
    scan.faults += hidden(body)
    scan.faults += [("F510", f"The tag <{name}> is never closed") for name in scan.open]
    return Judged(tuple(dict.fromkeys(scan.faults)), tuple(scan.ids))


def hidden(text: str) -> list[tuple[str, str]]:
    """F513 where a text has a character that XML 1.0 forbids or that no reader can show."""
    found = _HIDDEN.search(text)
    return [("F513", f"A character that no reader can show: U+{ord(found.group()):04X}")] if found else []


@dataclass(slots=True)
class _Scan:
    faults: list[tuple[str, str]]
    ids: list[str]
    open: list[str]
    literal: int  # open elements whose text is shown as it stands

    def text(self, text: str) -> None:
        if not self.literal and (left := _LEFT_OVER.search(text.strip())):
            self.faults.append(("F511", f"Something stands in the text as it was written: {left.group()[:40]}"))

    def mark(self, mark: re.Match[str]) -> None:
        closing, name, attributes = mark[1], (mark[2] or "").lower(), mark[3] or ""
        if not name:
            self.faults.append(("F510", "A < in the HTML begins no tag"))
        elif closing:
            self._close(name)
        else:
            self._start(name, attributes)

    def _close(self, name: str) -> None:
        if not self.open or self.open[-1] != name:
            self.faults.append(("F510", f"The tag </{name}> closes nothing that is open"))
            return
        self.open.pop()
        self.literal -= name in _LITERAL

    def _start(self, name: str, attributes: str) -> None:
        if name in _REFUSED:
            self.faults.append(("F510", f"The tag <{name}> is refused by feed readers"))
        if name not in _VOID:
            self.open.append(name)
            self.literal += name in _LITERAL
        given = {found[1].lower(): _value(found[2]) for found in _ATTRIBUTES.finditer(attributes)}
        self.faults += _attribute_faults(given)
        self.ids += [given["id"]] if "id" in given else []
        if name == "img" and "alt" not in given:
            self.faults.append(("F510", f"The picture {given.get('src', '')} has no alt text"))


def _attribute_faults(given: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if name.startswith("on") or name in {"srcdoc", "style"}:
            yield "F510", f"The attribute {name} is refused by feed readers"
        for address in _addresses(name, value):
            bare = re.sub(r"[\x00-\x20]", "", address).lower()
            if bare.startswith(("javascript:", "vbscript:", "data:")):
                yield "F510", f"The address in {name} would run: {address[:40]}"
            elif not _ABSOLUTE.match(address):
                yield "F508", f"The address in {name} is not absolute: {address[:80]}"


def _addresses(name: str, value: str) -> list[str]:
    if name in _ADDRESSES:
        return [value.strip()]
    if name == "srcset":
        return [candidate.split()[0] for candidate in value.split(", ") if candidate.strip()]
    return []


def _value(written: str | None) -> str:
    return unescape((written or "").strip("\"'"))
