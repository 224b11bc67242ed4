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

_OPTIONS = re.compile(r"(?:check=(\S+))?")
_CLOSING = re.compile(r"\s*:{3,}\s*")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The body of one post for its readers, and what it refers to."""

    html: str
    text: str
    opening: str  # the first paragraph as plain text
    take: Take | None
    mentions: tuple[Reference, ...]
    files: tuple[tuple[str, str], ...]  # (name, as written) of files beside the post


NOTHING = Rendered("", "", "", None, (), ())


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
    env: dict[str, Any] = {"docId": slug, "mentions": mentions}
    tokens = engine().parse(body, env)
    syntax.settle_headings(tokens, slug)
    syntax.classes_for_columns(tokens)
    rest, lifted = _lift(tokens)
    page = Address(slug, site.address_of(f"posts/{slug}/"), site.url)
    problems = _of_takes(lifted, lines, below)
    html = _html(rest, env, page, lines, below, problems)
    take = _take(lifted[0], env, page, lines, below, problems) if lifted else None
    rendered = Rendered(
        html,
        outline.plain(html),
        _opening(rest, env, page),
        take,
        _references(mentions.names, lines, below),
        tuple(page.files.items()),
    )
    return rendered, problems


@cache
def engine() -> MarkdownIt:
    """The one parser; it keeps no state of a post."""
    md = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    md.use(footnote_plugin, inline=False).use(deflist_plugin).use(syntax.takes).use(syntax.wiki_links)
    md.validateLink = lambda _url: True  # type: ignore[method-assign, assignment]  # the sanitiser decides, and `check` tells
    for kind in ("html_block", "html_inline"):
        md.add_render_rule(kind, syntax.raw(tags.only_tags))
    return md


def _write(tokens: list[Token], env: dict[str, Any]) -> str:
    return str(engine().renderer.render(tokens, engine().options, env))


def _html(
    tokens: list[Token], env: dict[str, Any], page: Address, lines: Lines, below: int, problems: list[Problem]
) -> str:
    html = _write(tokens, env)
    fault = tags.fault(html)
    if fault:
        message, needle = fault
        code = "P116" if "too deep" in message else "P119"
        fixes = ("close each tag inside the one that it was opened in",)
        problems.append(lines.problem(code, message, lines.find(needle, below), fixes=fixes))
        return ""
    for name, written in tags.names(html).items():
        if name not in sanitise.TAGS:
            why = "Posts are read in mail programs and feed readers, which refuse it."
            message = f"The HTML tag <{name}> is left out"
            spot = lines.find(f"<{written}", below)
            problems.append(lines.problem("P126", message, spot, why=why, level="warn"))
    return sanitise.clean(html, page)


def _lift(tokens: list[Token]) -> tuple[list[Token], list[list[Token]]]:
    """The tokens without the takes, and each take with its opening token first."""
    rest: list[Token] = []
    takes: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if token.type == syntax.TAKE_OPEN:
            depth += 1
            if depth == 1:
                takes.append([])
        if token.type not in {syntax.TAKE_OPEN, syntax.TAKE_CLOSE}:
            (takes[-1] if depth else rest).append(token)
        elif depth == 1 and token.type == syntax.TAKE_OPEN:
            takes[-1].append(token)
        depth -= token.type == syntax.TAKE_CLOSE
    return rest, takes


def _of_takes(takes: list[list[Token]], lines: Lines, below: int) -> list[Problem]:
    problems = [
        lines.problem(
            "P114",
            "The post has a second take",
            Spot(_line(second[0], below)),
            why="A take is the house speaking with one voice: one in a post.",
            fixes=("join the two", "make one of them part of the text"),
        )
        for second in takes[1:]
    ]
    for opening, *_ in takes:
        problems += filter(None, (_unclosed(opening, lines, below), _bad_option(opening, lines, below)))
    return problems


def _line(token: Token, below: int) -> int:
    return token.map[0] + below + 1 if token.map else 0


def _unclosed(opening: Token, lines: Lines, below: int) -> Problem | None:
    if opening.markup == ">" or not opening.map:
        return None
    end = opening.map[1] + below
    if end < len(lines.lines) and _CLOSING.fullmatch(lines.lines[end]):
        return None
    message = "The take is not closed: all text below it would become opinion"
    return lines.problem("P119", message, Spot(_line(opening, below)), fixes=("end it with a line :::",))


def _bad_option(opening: Token, lines: Lines, below: int) -> Problem | None:
    written = opening.info.strip()[len("take") :].strip()
    match = _OPTIONS.fullmatch(written)
    if match and (not match.group(1) or _is_day(match.group(1))):
        return None
    fixes = ("::: take check=2027-02-01", "::: take")
    return lines.problem("P119", f"A take knows no option {written}", Spot(_line(opening, below)), fixes=fixes)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _take(
    tokens: list[Token], env: dict[str, Any], page: Address, lines: Lines, below: int, problems: list[Problem]
) -> Take | None:
    html = _html(tokens[1:], env, page, lines, below, problems).strip()
    text = " ".join(outline.plain(html).split())
    if text:
        return Take(html, text)
    problems.append(lines.problem("P119", "The take is empty", Spot(_line(tokens[0], below)), fixes=("delete it",)))
    return None


def _opening(tokens: list[Token], env: dict[str, Any], page: Address) -> str:
    """The words of the first paragraph that has any and stands in no quote or list."""
    for n, token in enumerate(tokens):
        if token.type == "paragraph_open" and token.level == 0:
            html = _write([tokens[n + 1]], env)
            words = "" if tags.fault(html) else outline.plain(sanitise.clean(html, page))
            if words:
                return " ".join(words.split())
    return ""


def shortened(text: str, limit: int = SUMMARY_WORDS) -> str:
    """At most `limit` words; cut ones end in an ellipsis."""
    words = text.split()
    return " ".join(words) if len(words) <= limit else " ".join(words[:limit]).rstrip(",;:–—-.") + "…"


def _references(names: list[str], lines: Lines, below: int) -> tuple[Reference, ...]:
    """Each name once, at the place where it is first written."""
    spots = syntax.places(lines, below) if names else {}
    return tuple(Reference(LinkKind.MENTIONS, name, spots.get(name, Spot())) for name in dict.fromkeys(names))
