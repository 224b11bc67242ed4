"""Markdown to what a reader sees: body, take, words; and what the text links to.

Promises sanitised HTML with absolute URLs, the take lifted out of the body, and an end in time linear to
the size of the text. CommonMark with tables, strikethrough, footnotes and definition lists, and the
house's own syntax.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.content import notes, outline, sanitise, syntax, tags, takes, writing
from newsletter.content.header import Reference
from newsletter.content.lines import Lines, Spot
from newsletter.content.parts import Part, Parts, parse
from newsletter.content.sanitise import Address
from newsletter.content.syntax import Mentions, Target
from newsletter.errors import Problem
from newsletter.model import LinkKind, Site, Take
from newsletter.tongue import tongue_of

BRACKETS = 10_000
"""Opening brackets in one post; what has more is not one."""

SUMMARY_WORDS = 60
_MOST = 100  # takes in one post that are told of

_DEEP = 20  # parts in one another; each is two tags at most, and `tags` counts to sixty
_RAW = frozenset({"+HtmlBlock", "InlineHtml"})

_OPTION = re.compile(r"(?:check=(\d{4}-\d\d-\d\d))?")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The body of one post for its readers, and what it refers to."""

    html: str
    words: int
    opening: str  # the first paragraph as plain text
    take: Take | None
    mentions: tuple[Reference, ...]
    files: tuple[tuple[str, str], ...]  # (name, as written) of files beside the post


NOTHING = Rendered("", 0, "", None, (), ())


def render(
    lines: Lines, below: int, *, slug: str, day: date, site: Site, find: Callable[[str], Target | None]
) -> tuple[Rendered, list[Problem]]:
    """Render what stands below line `below` for a post dated `day`; `find` answers for `[[…]]`.

    Problems: P114 (second take), P116 (too deep), P119 (take or HTML not closed, option), P126 (tag not allowed).
    """
    body = "\n".join(lines.lines[below:])
    if body.count("[") > BRACKETS:
        message = f"The post holds over {BRACKETS:,} opening brackets"
        return NOTHING, [lines.problem("P116", message, lines.find("[", below), fixes=("split the post",))]
    mentions = Mentions(find, day, tongue_of(site))
    parts = read(body, slug, mentions)
    rest, opinions = _lift(parts.all)
    press = _Press(lines, below, parts, Address.of(slug, site), [])
    _look_at(opinions, press)
    html = press.html(rest)
    rendered = Rendered(
        html,
        len(outline.read(html).text.split()),
        press.opening(rest),
        press.take(*opinions[0]) if opinions else None,
        _references(mentions.names, lines, below),
        tuple(press.page.files.items()),
    )
    return rendered, press.problems


def read(text: str, slug: str, mentions: Mentions) -> Parts:
    """The parts of a text with everything in them that is ours; `writing` makes HTML of them."""
    whole = notes.settle(syntax.mentions(parse(text), mentions))
    return takes.find(syntax.headings(whole, slug))


@dataclass(frozen=True, slots=True)
class _Press:
    """What turns the parts of one post into its HTML, and notes what is wrong with them."""

    lines: Lines
    below: int
    source: Parts
    page: Address
    problems: list[Problem]

    def html(self, parts: Sequence[Part]) -> str:
        """Sanitised HTML; nothing when it is nested in a way that no two parsers read alike."""
        html = writing.html(parts, self.page.slug)
        doubtful = _doubtful(parts)
        if doubtful and not self._reads_alike(html, doubtful):
            return ""
        return sanitise.clean(html, self.page)

    def _reads_alike(self, html: str, doubtful: Part) -> bool:
        fault = tags.fault(html)
        if fault:
            message, needle = fault
            code = "P116" if message == tags.TOO_DEEP else "P119"
            spot = self.find(needle)
            spot = spot if spot.line else self.spot(doubtful)
            self.tell(code, message, spot, "close each tag inside the one that it was opened in")
            return False
        for name, written in tags.names(html).items():
            if name not in sanitise.TAGS:
                message = f"The HTML tag <{name}> is left out: mail programs and feed readers refuse it"
                self.tell("P126", message, self.find(f"<{written}"), level="warn")
        return True

    def opening(self, parts: Sequence[Part]) -> str:
        """The words of the first paragraph that has any and stands in no quote or list."""
        for paragraph in _paragraphs(parts):
            html = writing.html(paragraph, self.page.slug)
            is_broken = _doubtful(paragraph) and tags.fault(html)
            words = "" if is_broken else outline.read(sanitise.clean(html, self.page)).text
            if words:
                return " ".join(words.split())
        return ""

    def take(self, opening: Part, *parts: Part) -> Take | None:
        html = self.html(parts).strip()
        text = " ".join(outline.read(html).text.split())
        if text:
            return Take(html, text, _check(opening.data.option))
        self.tell("P119", "The take is empty", self.spot(opening), "delete it")
        return None

    def tell(self, code: str, message: str, spot: Spot, *fixes: str, why: str = "", level: str = "stop") -> None:
        self.problems.append(self.lines.problem(code, message, spot, why=why, fixes=fixes, level=level))

    def find(self, needle: str) -> Spot:
        return self.lines.find(needle, self.below)

    def spot(self, part: Part) -> Spot:
        return Spot(self.below + self.source.line(part))


def _doubtful(parts: Sequence[Part]) -> Part | None:
    """The first part because of which `tags` has to look: raw HTML, or what stands deep in others."""
    depth = 0
    for part in parts:
        depth += {"+": 1, "-": -1}.get(part.kind[0], 0)
        if depth > _DEEP or part.kind in _RAW:
            return part
    return None


def _paragraphs(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """What stands in each paragraph that stands in nothing else."""
    depth = start = 0
    for index, part in enumerate(parts):
        if part.kind == "+Paragraph" and not depth:
            start = index + 1
        depth += {"+": 1, "-": -1}.get(part.kind[0], 0)
        if part.kind == "-Paragraph" and not depth:
            yield parts[start:index]


def _lift(parts: list[Part]) -> tuple[list[Part], list[list[Part]]]:
    """The parts without the takes, and each take with its opening first."""
    rest: list[Part] = []
    lifted: list[list[Part]] = []
    depth = 0
    for part in parts:
        if part.kind == "+Take":
            depth += 1
            if depth == 1:
                lifted.append([part])
        elif part.kind == "-Take":
            depth -= 1
        else:
            (lifted[-1] if depth else rest).append(part)
    return rest, lifted


def _look_at(lifted: list[list[Part]], press: _Press) -> None:
    why = "A take is the house speaking with one voice: one in a post."
    for second in lifted[1:_MOST]:
        message, fixes = "The post has a second take", ("join the two", "make one of them part of the text")
        press.tell("P114", message, press.spot(second[0]), *fixes, why=why)
    for opening, *_ in lifted[:_MOST]:
        option, closed = opening.data
        if not closed:
            message = "The take is not closed: all text below it would become opinion"
            press.tell("P119", message, press.spot(opening), "end it with a line :::")
        if not _is_option(option):
            message = f"A take knows no option {option[:60]}"
            press.tell("P119", message, press.spot(opening), "::: take check=2027-02-01", "::: take")


def _is_option(text: str) -> bool:
    match = _OPTION.fullmatch(text)
    return bool(match) and (not match[1] or _check(text) is not None)  # type: ignore[index]  # it matched


def _check(option: str) -> date | None:
    """The day of `check=2028-12-31`; None where there is none, or no such day."""
    match = _OPTION.fullmatch(option)
    try:
        return date.fromisoformat(match[1]) if match and match[1] else None
    except ValueError:
        return None


def shortened(text: str, limit: int = SUMMARY_WORDS) -> str:
    """At most `limit` words; cut ones end in an ellipsis."""
    words = text.split()
    return " ".join(words) if len(words) <= limit else " ".join(words[:limit]).rstrip(",;:–—-.") + "…"


def _references(names: list[str], lines: Lines, below: int) -> tuple[Reference, ...]:
    """Each name once, at the place where it is first written."""
    spots = syntax.places(lines, below) if names else {}
    return tuple(Reference(LinkKind.MENTIONS, name, spots.get(name, Spot())) for name in dict.fromkeys(names))
