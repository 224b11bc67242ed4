"""The text of a Post as plain text: what `body` made, on 72 columns.

Lists keep their marks, quotes their `>`, code its lines; a link is a number in brackets, and its address stands below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from newsletter.issues.columns import underlined, wrap
from newsletter.issues.page import elements, parse, strings, text_of

_BLOCK_NAMES = "blockquote dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table ul"
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_BREAK = "\v"
_DIGITS = re.compile(r"[0-9]{1,9}")


def prose(html: str) -> str:
    """The words of mail-safe HTML: paragraphs, an empty line between two, and the addresses of its links last."""
    writer = _Writer()
    writer.inside(elements(parse(f"<div>{html}</div>"), "//body/*")[0], "")
    notes = "\n".join(f"[{number}] {url}" for url, number in writer.notes.items())
    return "\n\n".join([*writer.blocks, *([notes] if notes else [])])


@dataclass(slots=True)
class _Writer:
    blocks: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)  # address -> its number
    mark: str = ""  # what the next line begins with instead of its indent: that of a list

    def inside(self, element: etree._Element, indent: str) -> None:
        """Every block of an element; words beside blocks are paragraphs of their own."""
        words = element.text or ""
        for child in element:
            if child.tag in _BLOCKS:
                self.paragraph(words, indent)
                self.block(child, indent)
                words = child.tail or ""
            else:
                words += self.words(child)
        self.paragraph(words, indent)

    def block(self, element: etree._Element, indent: str) -> None:
        match element.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self.add(underlined(text_of(element), "~"), indent)
            case "pre":
                self.add("".join(strings(element, ".//text()")).strip("\n"), f"{indent}    ")
            case "hr":
                self.add("* * *", indent)
            case "table":
                self.add("\n".join(wrap(row, "  ", "") for row in self.rows(element)), indent)
            case "ul" | "ol":
                self.listed(element, indent)
            case "blockquote":
                self.blocks.append(f"\n{indent}>\n".join(self.within(element, f"{indent}> ")))
            case _:
                self.inside(element, indent + ("    " if element.tag == "dd" else ""))

    def within(self, element: etree._Element, indent: str) -> list[str]:
        """The blocks of an element, for whoever joins them in a way of their own."""
        before = len(self.blocks)
        self.inside(element, indent)
        found = self.blocks[before:]
        del self.blocks[before:]
        return found

    def listed(self, element: etree._Element, indent: str) -> None:
        """The items one below the other, apart where they have paragraphs."""
        first = element.get("start", "")
        apart = "\n\n" if elements(element, "./li/p") else "\n"
        items = []
        for number, item in enumerate(elements(element, "./li"), int(first) if _DIGITS.fullmatch(first) else 1):
            mark = "- " if element.tag == "ul" else f"{number}. "
            self.mark = f"{indent}{mark}"
            items.append(apart.join(self.within(item, indent + " " * len(mark))))
            self.mark = ""
        self.blocks.append(apart.join(items))

    def rows(self, table: etree._Element) -> Iterator[str]:
        for row in elements(table, ".//tr"):
            yield " | ".join(" ".join(self.said(cell).split()) for cell in row)

    def words(self, element: etree._Element) -> str:
        """An element inside a line, and the text after it."""
        return self.said(element) + (element.tail or "")

    def said(self, element: etree._Element) -> str:
        own = (element.text or "") + "".join(self.words(child) for child in element)
        match element.tag:
            case "br":
                return _BREAK
            case "img":
                return f"[{alt}]" if (alt := element.get("alt")) else ""
            case "q":
                return f"“{own}”"
            case "sup":
                return f"^{own.strip('[]')}"
            case "a":
                return own + self.note(element.get("href", ""), own.strip())
        return own

    def note(self, url: str, said: str) -> str:
        """` [1]` after a link, unless its words are its address."""
        if not url or url.split(":", 1)[-1].strip("/") == said.split(":", 1)[-1].strip("/"):
            return ""
        return f" [{self.notes.setdefault(url, len(self.notes) + 1)}]"

    def paragraph(self, words: str, indent: str) -> None:
        lines = [" ".join(line.split()) for line in words.split(_BREAK)]
        if any(lines):
            first, *others = lines
            self.blocks.append("\n".join([wrap(first, indent, self.mark or None), *(wrap(o, indent) for o in others)]))
            self.mark = ""

    def add(self, text: str, indent: str) -> None:
        """Lines as they are, below the mark of the list if that was not set yet."""
        first, *others = text.splitlines() or [""]
        self.blocks.append("\n".join([(self.mark or indent) + first, *(f"{indent}{line}".rstrip() for line in others)]))
        self.mark = ""
