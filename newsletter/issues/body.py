"""The text of a Post as a mail can show it: the same words, in the few elements that every mail program knows.

What a mail cannot do is left out or said in another way: figures become boxes, films a link to the article, notes at
the foot lose their links, for many clients follow none inside a mail. Headings go below that of the story.
"""

from __future__ import annotations

from html import escape

from lxml import etree

from newsletter.issues.page import elements, parse

WIDEST = 536
"""Pixels that a mail has for a picture."""

_LARGE = 200  # pixels from which a picture stands on lines of its own
_BOXES = frozenset({"figure", "section", "details", "figcaption", "summary"})
_KEPT = {
    "a": ("href",),
    "img": ("src", "alt", "width"),
    "ol": ("start", "reversed"),
    "li": ("value",),
    "th": ("colspan", "rowspan", "scope"),
    "td": ("colspan", "rowspan"),
}
_NAMES = {"table": "data", "pre": "code tint ink", "figcaption": "caption meta soft", "summary": "opening"}
_ALIGNED = frozenset({"align-left", "align-center", "align-right"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def mail_html(html: str, *, level: int, url: str, title: str) -> str:
    """Sanitised `html`, absolute URLs and all, for a place below a heading of `level`; `url` and `title` are the
    article's, for what only its page can show.
    """
    body = elements(parse(f"<div>{html}</div>"), "//body/*")[0]
    _without_notes(body)
    _films(body, url, title)
    _headings(body, level)
    for element in elements(body, ".//*"):
        _plain(element)
    _tables(body)
    inside = (etree.tostring(element, encoding="unicode", method="html") for element in body)
    return escape(body.text or "", quote=False) + "".join(inside)


def _without_notes(body: etree._Element) -> None:
    for reference in elements(body, ".//sup[@class='footnote-ref']"):
        etree.strip_tags(reference, "a")
    for way_back in elements(body, ".//a[@class='footnote-backref']"):
        way_back.tag = "gone"
    etree.strip_elements(body, "gone", with_tail=False)
    etree.strip_tags(body, "picture", "source")  # libxml2 takes what follows a <source> for its content


def _films(body: etree._Element, url: str, title: str) -> None:
    for film in elements(body, ".//video|.//audio"):
        tail = film.tail
        film.clear()
        film.tag, film.text, film.tail = "a", title, tail
        film.set("href", url)


def _headings(body: etree._Element, level: int) -> None:
    """Below `level`, and none skipped on the way down."""
    above = level
    for heading in elements(body, "|".join(f".//{name}" for name in _HEADINGS)):
        above = min(level + max(1, int(heading.tag[1]) - 1), above + 1, 6)
        heading.tag = f"h{above}"


def _plain(element: etree._Element) -> None:
    """One element as mail knows it, with no attribute that mail does not need."""
    tag = element.tag
    kept = {name: value for name in (*_KEPT.get(tag, ()), "lang", "dir") if (value := element.get(name)) is not None}
    name = " ".join(part for part in element.get("class", "").split() if part in _ALIGNED)
    if tag in _BOXES:
        element.tag = "div"
    if tag == "img":
        width = _width(kept.pop("width", ""))
        kept |= {"width": str(width)} if width else {}
        name = "image tint ink" if not width or width >= _LARGE else ""
    if tag == "pre":
        kept.setdefault("dir", "ltr")  # code is, whatever is written around it
    name = _NAMES.get(tag, name)
    element.attrib.clear()
    for key, value in {**({"class": name} if name else {}), **kept}.items():
        element.set(key, value)


def _tables(body: etree._Element) -> None:
    """Each in a box that scrolls by itself where it is too wide, and that a keyboard can reach."""
    for table in elements(body, ".//table"):
        box = etree.Element("div", {"class": "wide", "tabindex": "0"})
        box.tail, table.tail = table.tail, None
        parent = table.getparent()
        if parent is not None:
            parent.replace(table, box)
            box.append(table)


def _width(written: str) -> int:
    """Pixels of the attribute, as many as there is room for; 0 for none that can be read."""
    return min(int(written), WIDEST) if written.isascii() and written.isdigit() else 0
