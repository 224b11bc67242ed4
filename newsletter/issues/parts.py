"""Whether each part of a mail may be left out: then every variant is a whole mail, and says nothing of what is missing.

A part that opens and closes its own elements can be taken out of any page. And a story that some readers go without is
linked to from nowhere but its own parts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from newsletter import segments

_COMMENT = re.compile(r"<!--(?!segment |end segment-->).*?-->", re.DOTALL)
_TOKEN = re.compile(r"<!--(segment) ([^>]*)-->|<!--(end) segment-->|<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^>]*>")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


def torn(html: str) -> Iterator[str]:
    """The keys of parts that begin within one element and end within another."""
    open_elements: list[str] = []
    parts: list[tuple[str, list[str]]] = []
    for token in _TOKEN.finditer(_COMMENT.sub("", html)):
        if token[1]:
            parts.append((token[2], [*open_elements]))
        elif token[3]:
            key, before = parts.pop()
            if before != open_elements:
                yield key
        elif token[5].lower() not in _VOID:
            _step(open_elements, token[5].lower(), closes=bool(token[4]))


def _step(open_elements: list[str], name: str, *, closes: bool) -> None:
    if not closes:
        open_elements.append(name)
    elif open_elements and open_elements[-1] == name:
        open_elements.pop()


def told_outside(body: str, addresses: Collection[str]) -> Iterator[str]:
    """Those of the addresses of stories to which something leads that stands in no story."""
    outside = "".join(text for within, text in segments.split(body) if not _is_of_some(within))
    yield from (address for address in addresses if address in outside)


def _is_of_some(within: tuple[str, ...]) -> bool:
    return any(" " not in key for key in within)
