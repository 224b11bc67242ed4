"""An HTML page as a tree to ask questions of; lxml's answers of many types narrowed to two."""

from __future__ import annotations

from lxml import etree


def parse(html: str) -> etree._Element:
    """The root of a page; an empty one is a page without content."""
    return etree.fromstring(html.strip() or "<p></p>", etree.HTMLParser())


def elements(page: etree._Element, path: str) -> list[etree._Element]:
    """The elements that an XPath finds, in the order of the page."""
    found = page.xpath(path)
    return [each for each in found if isinstance(each, etree._Element)] if isinstance(found, list) else []


def strings(page: etree._Element, path: str) -> list[str]:
    """The attribute values or runs of text that an XPath finds, in the order of the page."""
    found = page.xpath(path)
    return [str(each) for each in found if isinstance(each, str)] if isinstance(found, list) else []


def text_of(element: etree._Element) -> str:
    """All text below an element, in one line."""
    return " ".join("".join(strings(element, ".//text()")).split())
