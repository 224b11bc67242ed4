"""Raw HTML in a post, brought down to tags that every parser reads alike.

Promises that what reaches the sanitiser is well nested and shallow: an HTML parser repairs anything
else, and hostile nesting makes that repair quadratic. Markdown's own output always passes.
"""

from __future__ import annotations

import re

_ATTRIBUTE = r"""\s+[A-Za-z_:][A-Za-z0-9:._-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?"""
_TAG = re.compile(rf"<(/?)([A-Za-z][A-Za-z0-9-]*)(?:{_ATTRIBUTE})*\s*/?>")
_VOID_NAMES = "area base br col embed hr img input link meta param source track wbr"
_VOID = frozenset(_VOID_NAMES.split())
_BLOCK_NAMES = (
    "p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre table section div figure figcaption details summary hr"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "colgroup"})
_TABLE_PARTS = frozenset({"caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th"})
_DEEPEST = 60
TOO_DEEP = "The post is nested too deep"


def only_tags(html: str) -> str:
    """`html` with its complete tags kept, comments dropped, and every other `<` made a character."""
    html = _without_comments(html)
    kept, end = [], 0
    for tag in _TAG.finditer(html):
        kept += [html[end : tag.start()].replace("<", "&lt;"), tag.group()]
        end = tag.end()
    return "".join([*kept, html[end:].replace("<", "&lt;")])


def _without_comments(html: str) -> str:
    kept, end = [], 0
    while (start := html.find("<!--", end)) >= 0 and (close := html.find("-->", start + 4)) >= 0:
        kept.append(html[end:start])
        end = close + 3
    return "".join([*kept, html[end:]])


def names(html: str) -> dict[str, str]:
    """Each tag name in `html` as an opening tag, lower-case -> as it was written."""
    return {tag.group(2).lower(): tag.group(2) for tag in _TAG.finditer(html) if not tag.group(1)}


def fault(html: str) -> tuple[str, str] | None:
    """Why `html` is not well nested, and the tag to look for; None when it is."""
    stack: list[str] = []
    for tag in _TAG.finditer(html):
        closing, name = tag.group(1), tag.group(2).lower()
        if closing:
            if not stack or stack.pop() != name:
                return f"The HTML tag </{name}> closes nothing that is open", f"</{tag.group(2)}"
        elif reason := _misplaced(name, stack):
            return reason, f"<{tag.group(2)}"
        elif name not in _VOID:
            stack.append(name)
    return (f"The HTML tag <{stack[-1]}> is not closed", f"<{stack[-1]}") if stack else None


def _misplaced(name: str, stack: list[str]) -> str:
    if len(stack) >= _DEEPEST:
        return TOO_DEEP
    if name in _BLOCKS and "p" in stack:
        return f"The HTML tag <{name}> stands inside a paragraph; put empty lines around it"
    if stack and stack[-1] in _TABLE and name not in _TABLE_PARTS:
        return f"The HTML tag <{name}> stands between the cells of a table"
    return ""
