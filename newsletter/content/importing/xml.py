"""XML from strangers, one element at a time.

Promises that no entity is expanded, nothing is loaded from elsewhere and no more than one element of a
list is in memory; what is broken is a Problem with its line (P302, P303).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from newsletter.content.lines import FORBIDDEN
from newsletter.errors import Problem, SourceErrors

Element = etree._Element

_PREFIXES = {
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/2005/Atom": "atom",
    "http://search.yahoo.com/mrss/": "media",
}
_WORDPRESS = "http://wordpress.org/export/"


class Document:
    """A document that is read once, from its root to its end. Raises SourceErrors where it is broken."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._file = file
        self._events = etree.iterparse(
            stream,
            events=("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self.root = self._root()

    def parts(self, depth: int) -> Iterator[Element]:
        """The whole elements `depth` levels below the root; each is gone once the next is asked for."""
        level = 0
        for event, element in self._walk():
            level += 1 if event == "start" else -1
            if event == "end" and level == depth - 1:
                yield element
                _forget(element)

    def _root(self) -> Element:
        for _, element in self._walk():
            dtd = element.getroottree().docinfo.internalDTD
            if dtd is not None and dtd.entities():  # type: ignore[attr-defined]  # the stubs lack it
                raise SourceErrors(self._problem("P303", "The file declares entities, which no export needs", 1))
            return element
        raise SourceErrors(self._problem("P302", "The file is empty", 0))

    def _walk(self) -> Iterator[tuple[str, Element]]:
        try:
            for event, element in self._events:
                yield str(event), element
        except etree.XMLSyntaxError as error:
            message = f"The XML is broken: {error.msg or 'it ends too early'}"
            line = error.lineno or next((fault.line for fault in self._events.error_log if fault.line), 0)
            raise SourceErrors(self._problem("P302", message, line)) from error

    def _problem(self, code: str, message: str, line: int) -> Problem:
        fixes = ("export the file once more", "or correct that line in an editor")
        if "encoding" in message:
            fixes = ("export the file once more", "or save it as UTF-8, which it says that it is, in an editor")
        return Problem(code, FORBIDDEN.sub("?", message), self._file, line, fixes=fixes)


def _forget(element: Element) -> None:
    parent = element.getparent()
    element.clear()
    if parent is not None:
        for before in element.itersiblings(preceding=True):
            parent.remove(before)


def name(element: Element) -> str:
    """`title`, `content:encoded`, `wp:status`: the name with a prefix of ours, whatever the file's is."""
    space, _, local = str(element.tag).rpartition("}")
    space = space.lstrip("{")
    if space.startswith(_WORDPRESS):
        return f"excerpt:{local}" if space.rstrip("/").endswith("excerpt") else f"wp:{local}"
    prefix = _PREFIXES.get(space, space)
    return f"{prefix}:{local}" if prefix else local


def words(element: Element | None) -> str:
    """All text in an element, cleared of characters that no post may have."""
    return (
        FORBIDDEN.sub("", "".join(map(str, element.itertext(with_tail=False)))).strip() if element is not None else ""
    )


def line(element: Element) -> int:
    """Where an element begins in the file; 0 when unknown."""
    return int(getattr(element, "sourceline", None) or 0)


def fields(element: Element) -> dict[str, Element]:
    """The children by name; of several with one name the first."""
    found: dict[str, Element] = {}
    for child in element:
        found.setdefault(name(child), child)
    return found
