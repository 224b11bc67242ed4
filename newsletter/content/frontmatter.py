"""The YAML between the two `---` lines, read as text with the place of every word.

Promises that nothing is ever constructed from a tag, followed through an alias or guessed from its
looks: `title: No` is the word "No" and `title: 12:30` is "12:30". Values are texts or lists of
texts; what they mean is decided in `header`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from newsletter.content.lines import FORBIDDEN, Lines, Spot
from newsletter.errors import Problem, nearest

LIMIT = 64 * 1024
"""Octets of one front matter."""

KEYS = (
    "title",
    "author",
    "reviewer",
    "date",
    "updated",
    "topics",
    "previous",
    "continues",
    "corrects",
    "see_also",
    "verdict",
    "verdict_on",
    "summary",
    "image",
    "image_alt",
    "slug",
    "id",
    "draft",
    "withdrawn",
    "corrections",
)
ALSO_TOPICS = ("tags", "categories")
LISTS = frozenset(
    {"topics", *ALSO_TOPICS, "previous", "continues", "corrects", "see_also", "verdict_on", "corrections"}
)

_DEEPEST = 2  # the mapping and a list in it
_NOTHING = frozenset({"", "~"})
_INDENT = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Word:
    """One text of the front matter and where it stands."""

    text: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Key -> its texts (none for an empty value), key -> its own place, and the number of lines it takes."""

    values: Mapping[str, tuple[Word, ...]]
    spots: Mapping[str, Spot]
    height: int  # lines up to and with the closing `---`; the body starts below

    def word(self, key: str) -> Word | None:
        """The text of a key, or None when it is missing or empty."""
        return next(iter(self.values.get(key, ())), None)

    def spot(self, key: str) -> Spot:
        """Where to point when the value of `key` is wrong or empty; the top of the file when there is no such key."""
        word = self.word(key)
        return word.spot if word else self.spots.get(key, Spot(1))


def parse(lines: Lines) -> tuple[FrontMatter, list[Problem]]:
    """The front matter of a source, and all that is wrong with it: P101, P103, P115, P116."""
    height = _height(lines)
    if not height:
        message = "The post does not begin with front matter between two --- lines"
        fixes = ('begin with ---, title: "…", date: YYYY-MM-DD, ---', 'or make posts with: newsletter new "Title"')
        return FrontMatter({}, {}, 0), [lines.problem("P101", message, Spot(1), fixes=fixes)]
    text = "\n".join(lines.lines[1 : height - 1])
    if len(text.encode()) > LIMIT:
        message = f"The front matter is over {LIMIT // 1024} kB"
        return FrontMatter({}, {}, height), [lines.problem("P116", message, Spot(1))]
    try:
        refused = _refused(text, lines)
        node = None if refused else yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        return FrontMatter({}, {}, height), [_unreadable(error, lines)]
    if refused:
        return FrontMatter({}, {}, height), [refused]
    return _fields(node, lines, height)


def _height(lines: Lines) -> int:
    if lines.lines[0].rstrip() != "---":
        return 0
    closing = (n for n, line in enumerate(lines.lines[1:], 2) if line.rstrip() == "---")
    return next(closing, 0)


def _refused(text: str, lines: Lines) -> Problem | None:
    """What no front matter needs and bombs are made of: anchors, aliases, tags, depth."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return _no(lines, event, "An alias (*name) or anchor (&name) is not allowed", "write the value out")
        if tag := getattr(event, "tag", None):
            return _no(lines, event, f"A YAML tag is not allowed: {tag}", "delete the tag")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return _no(lines, event, "A value is nested too deep", "a value is a text or a list of texts")
    return None


def _no(lines: Lines, event: yaml.Event, message: str, fix: str) -> Problem:
    return lines.problem("P101", message, _spot(event, lines), fixes=(fix,))


def _spot(piece: yaml.Event | yaml.Node, lines: Lines) -> Spot:
    start, end = piece.start_mark, piece.end_mark
    if not start or not end:
        return Spot(1)
    line = start.line + 2  # marks count from 0, and the first line of the file is the opening `---`
    rest = len(lines.lines[line - 1].rstrip()) if line <= len(lines.lines) else 0
    until = end.column if end.line == start.line else rest
    return Spot(line, start.column + 1, max(1, until - start.column))


def _unreadable(error: yaml.YAMLError, lines: Lines) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "the YAML is broken"
    spot = Spot(mark.line + 2, mark.column + 1, 1) if mark else Spot(1)
    fixes = ('put a value that holds ": " or begins with [ { & * # ! | > @ ` into quotes',)
    return lines.problem("P101", f"The front matter cannot be read: {said}", spot, fixes=fixes)


def _fields(node: yaml.Node | None, lines: Lines, height: int) -> tuple[FrontMatter, list[Problem]]:
    if not isinstance(node, yaml.MappingNode):
        message = "The front matter is not a list of key: value lines"
        return FrontMatter({}, {}, height), [lines.problem("P101", message, Spot(1))]
    values: dict[str, tuple[Word, ...]] = {}
    spots: dict[str, Spot] = {}
    problems: list[Problem] = []
    for key_node, value in node.value:
        key, spot = str(key_node.value), _spot(key_node, lines)
        problem = _wrong_key(key, spot, spots, lines) or _wrong_value(key, value, lines)
        spots.setdefault(key, spot)
        if problem:
            problems.append(problem)
        else:
            values[key], bad = _words(value, lines)
            problems += bad
    return FrontMatter(values, spots, height), problems


def _wrong_key(key: str, spot: Spot, seen: Mapping[str, Spot], lines: Lines) -> Problem | None:
    if key in seen:
        message = f"The key {key} stands twice; it was first on line {seen[key].line}"
        return lines.problem("P101", message, spot, fixes=("delete one of the two",))
    if key in KEYS or key in ALSO_TOPICS:
        return None
    meant = nearest(key, KEYS)
    fixes = (f"{meant}: …",) if meant else ("known keys: " + ", ".join(KEYS),)
    return lines.problem("P103", f"Unknown key: {key[:80]}", spot, fixes=fixes)


def _wrong_value(key: str, value: yaml.Node, lines: Lines) -> Problem | None:
    if isinstance(value, yaml.ScalarNode) or (key in LISTS and isinstance(value, yaml.SequenceNode)):
        return None
    wanted = "a text or a list of texts" if key in LISTS else "one text"
    return lines.problem("P101", f"{key} must be {wanted}", _spot(value, lines))


def _words(value: yaml.Node, lines: Lines) -> tuple[tuple[Word, ...], list[Problem]]:
    nodes: list[Any] = value.value if isinstance(value, yaml.SequenceNode) else [value]
    words, problems = [], []
    for node in nodes:
        spot = _spot(node, lines)
        text = _INDENT.sub(" ", str(node.value)).strip()
        if FORBIDDEN.search(text):
            problems.append(lines.problem("P115", "A control character cannot stand in a value", spot))
        if node.style is not None or text not in _NOTHING:
            words.append(Word(FORBIDDEN.sub("", text), spot))
    return tuple(word for word in words if word.text), problems
