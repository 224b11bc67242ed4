"""What the house adds to Markdown: `[[slug]]`, `::: take`, and ids that carry the slug.

Promises rules for markdown-it that read everything they need from `env` and keep nothing, so that one
engine serves all posts. Code spans and blocks are safe: the rules never see them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.footnote.index import render_footnote_anchor
from slugify import slugify

from newsletter.content import dates
from newsletter.content.lines import Lines, Spot

TAKE_OPEN, TAKE_CLOSE = "container_take_open", "container_take_close"

_WIKI = re.compile(r"\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]\n]{1,300}))?\]\]")
_MARKER = re.compile(r"\[!take\b([^\]\n]*)\][ \t]*(?:\n|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A post that another one links to, as the link needs it."""

    title: str
    day: date
    url: str


@dataclass(slots=True)
class Mentions:
    """The `[[…]]` of one post: how to find what they name, and what they named (`env["mentions"]`)."""

    find: Callable[[str], Target | None]
    day: date
    names: list[str] = field(default_factory=list)


def wiki_links(md: MarkdownIt) -> None:
    """`[[slug]]`, `[[slug|text]]`, `[[slug|when]]`."""
    md.inline.ruler.before("link", "wiki", _wiki)


def _wiki(state: StateInline, silent: bool) -> bool:
    match = _WIKI.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    if not match:
        return False
    if not silent:
        name, text = match.group(1).strip(), (match.group(2) or "").strip()
        mentions = cast(Mentions, state.env["mentions"])
        mentions.names.append(name)
        _link(state, mentions.find(name), name, text, mentions.day)
    state.pos = match.end()
    return True


def _link(state: StateInline, target: Target | None, name: str, text: str, day: date) -> None:
    """A link token, or its words alone inside another link and for a name that is unknown (told elsewhere)."""
    linked = target is not None and not state.linkLevel
    if target and linked:
        state.push("link_open", "a", 1).attrs = {"href": target.url}
    if target:
        text = dates.when(target.day, day) if text == "when" else text or target.title
    state.push("text", "", 0).content = text or name
    if linked:
        state.push("link_close", "a", -1)


def places(lines: Lines, below: int) -> dict[str, Spot]:
    """Name -> where `[[name` first stands below line `below`."""
    found: dict[str, Spot] = {}
    for number, line in enumerate(lines.lines[below:], below + 1):
        for match in _WIKI.finditer(line):
            name = match.group(1)
            found.setdefault(name.strip(), Spot(number, match.start(1) + 1, len(name)))
    return found


def takes(md: MarkdownIt) -> None:
    """`::: take` and `> [!TAKE]` become the same pair of tokens, options in `info`."""
    container_plugin(md, "take")
    md.core.ruler.before("inline", "take_quote", _take_quotes)


def _take_quotes(state: StateCore) -> None:
    tokens = state.tokens
    for index in range(len(tokens) - 2):
        opening, paragraph, inline = tokens[index : index + 3]
        if opening.type != "blockquote_open" or paragraph.type != "paragraph_open":
            continue
        match = _MARKER.match(inline.content)
        if match:
            _rename(tokens, index, match.group(1))
            inline.content = inline.content[match.end() :]
            paragraph.hidden = tokens[index + 3].hidden = not inline.content


def _rename(tokens: list[Token], start: int, options: str) -> None:
    level = tokens[start].level
    for token in tokens[start + 1 :]:
        if token.type == "blockquote_close" and token.level == level:
            tokens[start].type, tokens[start].info, tokens[start].markup = TAKE_OPEN, f"take {options.strip()}", ">"
            token.type = TAKE_CLOSE
            return


def settle_headings(tokens: list[Token], slug: str) -> None:
    """The post's top heading becomes h2 (the page's h1 is the title), and each gets an id that carries the slug."""
    headings = [(n, token) for n, token in enumerate(tokens) if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1]) for _, token in headings), default=2)
    seen: Counter[str] = Counter()
    for n, token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"
        if token.type == "heading_open":
            name = slugify(tokens[n + 1].content, max_length=60, word_boundary=True) or "part"
            seen[name] += 1
            token.attrSet("id", f"{slug}-{name}" + (f"-{seen[name]}" if seen[name] > 1 else ""))


def classes_for_columns(tokens: list[Token]) -> None:
    """Alignment of table columns as a class; the sanitiser lets no style attribute through."""
    for token in tokens:
        style = token.attrs.pop("style", None) if token.type in {"th_open", "td_open"} else None
        if style:
            token.attrSet("class", f"align-{str(style).partition(':')[2]}")
        if token.type == "th_open":
            token.attrSet("scope", "col")


def footnote_number(_renderer: Any, tokens: list[Token], index: int, _options: Any, _env: Any) -> str:
    """`[1]`, every time a note is named: the plugin would write `[1:1]` the second time."""
    return f"[{tokens[index].meta['id'] + 1}]"


def footnote_way_back(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """The arrow that ends a note, kept on the line of the last word."""
    return f"\N{NO-BREAK SPACE}{render_footnote_anchor(renderer, tokens, index, options, env).lstrip()}"


def raw(clean: Callable[[str], str]) -> Callable[..., str]:
    """A render rule for raw HTML that passes through `clean`."""

    def rule(_renderer: Any, tokens: list[Token], index: int, _options: Any, _env: Any) -> str:
        return clean(tokens[index].content)

    return rule
