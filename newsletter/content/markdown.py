"""Markdown to what a reader sees: body, take, words; and what the text links to.

Promises sanitised HTML with absolute URLs, the take lifted out of the body, and an end in time linear to
the size of the text. CommonMark with tables, strikethrough, footnotes and definition lists, and the
house's own syntax.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from newsletter.content import outline, sanitise, syntax, tags
from newsletter.content.header import Reference
from newsletter.content.lines import Lines, Spot
from newsletter.content.sanitise import Address
from newsletter.content.syntax import Mentions, Target
from newsletter.errors import Problem
from newsletter.model import LinkKind, Site, Take

BRACKETS = 10_000
"""Opening brackets in one post; each costs the parser up to its nesting limit in look-ahead."""

SUMMARY_WORDS = 60
_MOST = 100  # takes in one post that are told of

_OPTION = re.compile(r"(?:check=(\d{4}-\d\d-\d\d))?")
_CLOSING = re.compile(r"\s*:{3,}\s*")


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
    mentions = Mentions(find, day)
    press = _Press(lines, below, {"docId": slug, "mentions": mentions}, Address.of(slug, site), [])
    rest, takes = _lift(press.tokens(body))
    _look_at(takes, press)
    html = press.html(rest)
    rendered = Rendered(
        html,
        len(outline.read(html).text.split()),
        press.opening(rest),
        press.take(*takes[0]) if takes else None,
        _references(mentions.names, lines, below),
        tuple(press.page.files.items()),
    )
    return rendered, press.problems


@cache
def engine() -> MarkdownIt:
    """The one parser; it keeps no state of a post."""
    md = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    md.use(footnote_plugin, inline=False).use(deflist_plugin).use(syntax.takes).use(syntax.wiki_links)
    md.validateLink = lambda _url: True  # type: ignore[method-assign, assignment]  # the sanitiser decides, and `check` tells
    md.add_render_rule("footnote_caption", syntax.footnote_number)
    md.add_render_rule("footnote_anchor", syntax.footnote_way_back)
    for kind in ("html_block", "html_inline"):
        md.add_render_rule(kind, syntax.raw(tags.only_tags))
    return md


@dataclass(frozen=True, slots=True)
class _Press:
    """What turns the tokens of one post into its HTML, and notes what is wrong with them."""

    lines: Lines
    below: int
    env: dict[str, Any]
    page: Address
    problems: list[Problem]

    def tokens(self, body: str) -> list[Token]:
        tokens = engine().parse(body, self.env)
        syntax.settle_headings(tokens, self.page.slug)
        syntax.classes_for_columns(tokens)
        return tokens

    def html(self, tokens: list[Token]) -> str:
        """Sanitised HTML; nothing when it is nested in a way that no two parsers read alike."""
        html = self.unsafe(tokens)
        fault = tags.fault(html)
        if fault:
            message, needle = fault
            code = "P116" if message == tags.TOO_DEEP else "P119"
            self.tell(code, message, self.find(needle), "close each tag inside the one that it was opened in")
            return ""
        for name, written in tags.names(html).items():
            if name not in sanitise.TAGS:
                message = f"The HTML tag <{name}> is left out: mail programs and feed readers refuse it"
                self.tell("P126", message, self.find(f"<{written}"), level="warn")
        return sanitise.clean(html, self.page)

    def unsafe(self, tokens: list[Token]) -> str:
        return str(engine().renderer.render(tokens, engine().options, self.env))

    def opening(self, tokens: list[Token]) -> str:
        """The words of the first paragraph that has any and stands in no quote or list."""
        for n, token in enumerate(tokens):
            if token.type == "paragraph_open" and token.level == 0:
                html = self.unsafe([tokens[n + 1]])
                words = "" if tags.fault(html) else outline.read(sanitise.clean(html, self.page)).text
                if words:
                    return " ".join(words.split())
        return ""

    def take(self, opening: Token, *tokens: Token) -> Take | None:
        html = self.html(list(tokens)).strip()
        text = " ".join(outline.read(html).text.split())
        if text:
            return Take(html, text, _check(_option(opening)))
        self.tell("P119", "The take is empty", self.spot(opening), "delete it")
        return None

    def tell(self, code: str, message: str, spot: Spot, *fixes: str, why: str = "", level: str = "stop") -> None:
        self.problems.append(self.lines.problem(code, message, spot, why=why, fixes=fixes, level=level))

    def find(self, needle: str) -> Spot:
        return self.lines.find(needle, self.below)

    def spot(self, token: Token) -> Spot:
        return Spot(token.map[0] + self.below + 1 if token.map else 0)


def _lift(tokens: list[Token]) -> tuple[list[Token], list[list[Token]]]:
    """The tokens without the takes, and each take with its opening token first."""
    rest: list[Token] = []
    takes: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if token.type == syntax.TAKE_OPEN:
            depth += 1
            if depth == 1:
                takes.append([token])
        elif token.type == syntax.TAKE_CLOSE:
            depth -= 1
        else:
            (takes[-1] if depth else rest).append(token)
    return rest, takes


def _look_at(takes: list[list[Token]], press: _Press) -> None:
    why = "A take is the house speaking with one voice: one in a post."
    for second in takes[1:_MOST]:
        message, fixes = "The post has a second take", ("join the two", "make one of them part of the text")
        press.tell("P114", message, press.spot(second[0]), *fixes, why=why)
    for opening, *_ in takes[:_MOST]:
        if not _is_closed(opening, press):
            message = "The take is not closed: all text below it would become opinion"
            press.tell("P119", message, press.spot(opening), "end it with a line :::")
        option = _option(opening)
        if not _is_option(option):
            message = f"A take knows no option {option[:60]}"
            press.tell("P119", message, press.spot(opening), "::: take check=2027-02-01", "::: take")


def _is_closed(opening: Token, press: _Press) -> bool:
    if opening.markup == ">" or not opening.map:
        return True
    end = opening.map[1] + press.below
    return end < len(press.lines.lines) and bool(_CLOSING.fullmatch(press.lines.lines[end]))


def _option(opening: Token) -> str:
    return opening.info.strip()[len("take") :].strip()


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
