"""Footnotes as the web writes them, brought back to notes.

A footnote is a link to a place in the same text that links back to it; nothing else is taken for one.
"""

from __future__ import annotations

from bs4.element import Tag

from newsletter.content.importing.trees import every, tags

MARK = "footnote-ref"


def lift(soup: Tag) -> list[Tag]:
    """Take the notes out of the text, in the order in which they are first mentioned.

    Each mention becomes `<sup class="footnote-ref" value="N">`, N counting from 1.
    """
    mentions = [link for link in every(soup, {"a"}) if str(link.get("href") or "").startswith("#")]
    if not mentions:
        return []
    places = {str(tag["id"]): tag for tag in tags(soup) if tag.has_attr("id")}
    order = {id(tag): n for n, tag in enumerate(tags(soup))}
    notes: list[Tag] = []
    numbers: dict[int, int] = {}
    for link in mentions:
        note = _note(places.get(str(link["href"])[1:]))
        if note is None or order[id(note)] <= order[id(link)]:  # a way back
            continue
        if id(note) not in numbers and not _leads_back(note, link, places):
            continue
        if id(note) not in numbers:
            notes.append(note)
            numbers[id(note)] = len(notes)
        _mark(link, numbers[id(note)])
    boxes = [note.parent for note in notes]
    for note in notes:
        _without_way_back(note).extract()
        note.name = "div"
    for box in boxes:
        _drop_empty(box)
    return notes


def _note(place: Tag | None) -> Tag | None:
    """The block that a link names: a row of a list, or a paragraph."""
    if place is None or place.name in {"li", "p", "div"}:
        return place
    return place.find_parent(["li", "p"]) if place.name in {"a", "sup", "span"} else None


def _leads_back(note: Tag, link: Tag, places: dict[str, Tag]) -> bool:
    for back in note.find_all("a", href=True):
        start = places.get(str(back["href"]).removeprefix("#"))
        if start is not None and (start is link or start in link.parents or link in start.parents):
            return True
    return False


def _mark(link: Tag, number: int) -> None:
    around = link.parent
    whole = around if around is not None and around.name == "sup" and around.get_text() == link.get_text() else link
    whole.name = "sup"
    whole.clear()
    whole.attrs = {"class": MARK, "value": str(number)}


def _without_way_back(note: Tag) -> Tag:
    for back in note.find_all("a", href=True):
        if str(back["href"]).startswith("#"):
            around = back.parent
            back.decompose()
            if around is not None and around.name == "sup" and not around.get_text().strip():
                around.decompose()
    return note


def _drop_empty(box: Tag | None) -> None:
    """The list and its wrappers, now that the notes are out; never the text itself."""
    while box is not None and box.parent is not None and box.parent.name != "[document]":
        if box.get_text().strip() or box.find("img"):
            return
        above = box.parent
        box.decompose()
        box = above
