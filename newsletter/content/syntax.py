"""What the house adds to the text of Markdown: `[[slug]]`, and headings with ids that carry the slug.

Promises to leave code alone, and that a `[[slug]]` is a part of its own kind, `Mention`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from slugify import slugify

from newsletter.content import dates
from newsletter.content.lines import Lines, Spot
from newsletter.content.parts import Part, Parts
from newsletter.tongue import Tongue

_WIKI = re.compile(r"\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]\n]{1,300}))?\]\]")
_WIKI_OCTETS = re.compile(rb"\[\[[^\[\]\n]{1,2000}\]\]")
_ANCHOR = re.compile(r"<(/?)a\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A post that another one links to, as the link needs it."""

    title: str
    day: date
    url: str


@dataclass(slots=True)
class Mentions:
    """The `[[…]]` of one post: how to find what they name, and what they named."""

    find: Callable[[str], Target | None]
    day: date
    tongue: Tongue
    names: list[str] = field(default_factory=list)


def mentions(parts: Parts, found: Mentions) -> Parts:
    """`parts` with each `[[slug]]`, `[[slug|text]]`, `[[slug|when]]` as a `Mention`: (URL or None, words)."""
    if b"[[" not in parts.raw:
        return parts
    done: list[Part] = []
    links = skipped = 0
    for index, part in enumerate(parts.all):
        if index < skipped:
            continue
        links = max(0, links + _link_depth(part))
        skipped = _after_mention(parts, index)
        if skipped:
            place = part._replace(kind="Mention", end=parts.all[skipped - 1].end)
            done.append(place._replace(data=_mention(parts.text(place), found, bool(links))))
        else:
            done.append(part)
    return parts._replace(all=done)


def _link_depth(part: Part) -> int:
    """What a part adds to the number of links that are open."""
    if part.kind in {"+Link", "-Link"}:
        return 1 if part.kind == "+Link" else -1
    anchor = _ANCHOR.match(part.data) if part.kind == "InlineHtml" else None
    return (-1 if anchor[1] else 1) if anchor else 0


def _after_mention(parts: Parts, index: int) -> int:
    """The index behind a `[[…]]` that begins with a part, and neither has half an emphasis in it nor is escaped."""
    start = parts.all[index].start
    match = _WIKI_OCTETS.match(parts.raw, start) if parts.all[index].data == "[" else None
    if not match or not _WIKI.fullmatch(match.group().decode()) or _is_escaped(parts, index):
        return 0
    depth, after = 0, index
    while depth >= 0 and after < len(parts.all) and parts.all[after].start < match.end():
        after += 1
        depth += {"+": 1, "-": -1}.get(parts.all[after - 1].kind[0], 0)
    after += min(depth, 0)  # what closes there was opened before
    return after if depth <= 0 and parts.all[after - 1].end == match.end() else 0


def _is_escaped(parts: Parts, index: int) -> bool:
    start = parts.all[index].start
    return parts.raw[start - 1 : start] == b"\\" and not (index and parts.all[index - 1].end == start)


def _mention(written: str, found: Mentions, in_link: bool) -> tuple[str | None, str]:
    """A link, or its words alone inside another link and for a name that is unknown (told elsewhere)."""
    name, text = (group.strip() for group in _WIKI.fullmatch(written).groups(""))  # type: ignore[union-attr]  # it did
    found.names.append(name)
    target = found.find(name)
    if not target:
        return None, text or name
    words = dates.when(target.day, found.day, found.tongue) if text == "when" else text or target.title
    return None if in_link else target.url, words


def places(lines: Lines, below: int) -> dict[str, Spot]:
    """Name -> where `[[name` first stands below line `below`."""
    found: dict[str, Spot] = {}
    for number, line in enumerate(lines.lines[below:], below + 1):
        for match in _WIKI.finditer(line):
            name = match.group(1)
            found.setdefault(name.strip(), Spot(number, match.start(1) + 1, len(name)))
    return found


def headings(parts: Parts, slug: str) -> Parts:
    """The post's top heading becomes h2 (the page's h1 is the title), and each gets an id that carries the slug."""
    levels = [int(part.data["level"][1]) for part in parts.all if part.kind == "+Heading"]
    if not levels:
        return parts
    highest = min(levels)
    seen: Counter[str] = Counter()
    done = list(parts.all)
    opened = 0
    for index, part in enumerate(done):
        if part.kind == "+Heading":
            opened = index
        elif part.kind == "-Heading":
            name = slugify(_source(parts, opened, index), max_length=60, word_boundary=True) or "part"
            seen[name] += 1
            tag = f"h{min(6, int(part.data[1]) - highest + 2)}"
            data = (tag, f"{slug}-{name}" + (f"-{seen[name]}" if seen[name] > 1 else ""))
            done[opened], done[index] = done[opened]._replace(data=data), part._replace(data=data)
    return parts._replace(all=done)


def _source(parts: Parts, start: int, end: int) -> str:
    """What stands between two parts, as it was written."""
    return parts.text(Part("", None, parts.all[start + 1].start, parts.all[end - 1].end)) if end > start + 1 else ""
