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
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_UNNAMED = _ATTRIBUTE.replace("([", "(?:[").replace('("', '(?:"')
_MARK = re.compile(rf"<(?:(/?)([A-Za-z][A-Za-z0-9-]*)((?:{_UNNAMED})*)\s*/?>)?")
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
_HINT = re.compile(r"\[\[|\[!|\[\^|:::|\{\{|\{%|\*\*|# |None")  # one of them is in whatever is left over

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Judged:
    """A body: its faults as (code, message), the ids that it gives to its parts, and the addresses in it."""

    faults: tuple[tuple[str, str], ...]
    ids: tuple[str, ...]
    addresses: tuple[str, ...]


@lru_cache(maxsize=512)
def judge(body: str) -> Judged:
    """What is wrong with the HTML of an item; a post has the same one in every format and feed."""
    scan = _Scan([], [], [], [])
    for closing, name, attributes in _MARK.findall(body):
        scan.mark(closing, name.lower(), attributes)
    faults = [*scan.faults, *hidden(body), *(("F510", f"The tag <{name}> is never closed") for name in scan.open)]
    faults += left_over(body) if _HINT.search(body) else ()
    return Judged(tuple(dict.fromkeys(faults)), tuple(scan.ids), tuple(dict.fromkeys(scan.addresses)))


def left_over(body: str) -> Iterator[tuple[str, str]]:
    """F511 for what stands in the text, outside of code, as the writer wrote it."""
    literal, end = 0, 0
    for mark in [*_MARK.finditer(body), None]:
        text = body[end : mark.start() if mark else None].strip()
        if not literal and (left := _LEFT_OVER.search(text)):
            yield "F511", f"Something stands in the text as it was written: {left.group()[:40]}"
        if mark and mark[2] and mark[2].lower() in _LITERAL:
            literal = max(0, literal + (-1 if mark[1] else 1))
        end = mark.end() if mark else end


def hidden(text: str) -> list[tuple[str, str]]:
    """F513 where a text has a character that XML 1.0 forbids or that no reader can show."""
    found = _HIDDEN.search(text)
    return [("F513", f"A character that no reader can show: U+{ord(found.group()):04X}")] if found else []


@dataclass(slots=True)
class _Scan:
    faults: list[tuple[str, str]]
    ids: list[str]
    addresses: list[str]
    open: list[str]

    def mark(self, closing: str, name: str, attributes: str) -> None:
        if not name:
            self.faults.append(("F510", "A < in the HTML begins no tag"))
        elif not closing:
            self._start(name, attributes)
        elif self.open and self.open[-1] == name:
            self.open.pop()
        else:
            self.faults.append(("F510", f"The tag </{name}> closes nothing that is open"))

    def _start(self, name: str, attributes: str) -> None:
        if name in _REFUSED:
            self.faults.append(("F510", f"The tag <{name}> is refused by feed readers"))
        if name not in _VOID:
            self.open.append(name)
        given = {key.lower(): _value(value) for key, value in _ATTRIBUTES.findall(attributes)} if attributes else {}
        for key, value in given.items():
            self._attribute(key, value)
        if name == "img" and "alt" not in given:
            self.faults.append(("F510", f"The picture {given.get('src', '')} has no alt text"))

    def _attribute(self, name: str, value: str) -> None:
        if name == "id":
            self.ids.append(value)
        elif name.startswith("on") or name in {"srcdoc", "style"}:
            self.faults.append(("F510", f"The attribute {name} is refused by feed readers"))
        elif addresses := _addresses(name, value):
            self.addresses += addresses
            self.faults += [fault for address in addresses for fault in _address_faults(name, address)]


def _address_faults(name: str, address: str) -> Iterator[tuple[str, str]]:
    if _ABSOLUTE.match(address):
        return
    bare = re.sub(r"[\x00-\x20]", "", address).lower()
    if bare.startswith(("javascript:", "vbscript:", "data:")):
        yield "F510", f"The address in {name} would run: {address[:40]}"
    else:
        yield "F508", f"The address in {name} is not absolute: {address[:80]}"


def _addresses(name: str, value: str) -> list[str]:
    if name in _ADDRESSES:
        return [value.strip()]
    if name == "srcset":
        return [candidate.split()[0] for candidate in value.split(", ") if candidate.strip()]
    return []


def _value(written: str) -> str:
    return unescape(written.strip("\"'")) if "&" in written else written.strip("\"'")
