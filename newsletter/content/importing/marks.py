"""Tags to Markdown: markdownify, with the house's form for everything that the house can read.

Promises Markdown for one block; whether it says what the tags said is asked in `faithful`.
"""

# ruff: noqa: ARG002  the signatures are markdownify's
from __future__ import annotations

import re

from bs4.element import Tag
from markdownify import MarkdownConverter

from newsletter.content.importing.footnotes import MARK

_ALWAYS = re.compile(
    r"([\\`*\[\]])|(?<![^\W_])(_)|(_)(?![^\W_])|(<)(?=[A-Za-z!/?])|(&)(?=[A-Za-z#])|(~)(?=~)|(?<=~)(~)"
)
_FULL = re.compile(r"([\\`*_\[\]<>&~|!#+=:.()-])")
_LINE = re.compile(
    r"(?m)^(\s*)(#{1,6}(?=\s|$)|[>|]|[-+](?=\s|$)|:{3,}|[:~](?=\s)|=+\s*$|-{2,}|\d{1,9}(?=[.)](?:\s|$)))"
)
_RUNS = re.compile(r"`+")
_SPACES = re.compile(r"\s+")


class Marks(MarkdownConverter):
    """`tags`: emphasis is written in tags. `careful`: every sign that could mean something is escaped."""

    def __init__(self, *, tags: bool = False, careful: bool = False) -> None:
        super().__init__(heading_style="ATX", bullets="-", newline_style="backslash")
        self._tags = tags
        self._careful = careful

    def escape(self, text: str, parent_tags: set[str]) -> str:
        if self._careful:
            return _FULL.sub(r"\\\1", text)
        text = _ALWAYS.sub(lambda match: f"\\{match.group()}", text)
        return _LINE.sub(_escape_first, text)

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        alt = _FULL.sub(r"\\\1", _SPACES.sub(" ", str(el.get("alt") or "")).strip())
        return f"![{alt}]({_address(str(el.get('src') or ''))})"

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_noformat" in parent_tags:
            return text
        href, said = str(el.get("href") or ""), el.get_text()
        if said == href and href.startswith(("http://", "https://")) and "_inline" not in parent_tags:
            return f"<{href}>"
        inside = text.strip()
        before = " " if text[:1].isspace() else ""
        after = " " if text[-1:].isspace() else ""
        return f"{before}[{inside}]({_address(href)}){after}" if inside else ""

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if MARK in str(el.get("class") or ""):
            return f"[^{el['value']}]"
        return self._tagged(el, text)

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        code = el.get_text().strip("\n")
        fence = "`" * max(3, 1 + max((len(run) for run in _RUNS.findall(code)), default=0))
        inner = el.find("code")
        told = str(el.get("class") or (inner.get("class") if inner else "") or "")
        return f"\n\n{fence}{told.removeprefix('language-')}\n{code}\n{fence}\n\n"

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        bullet = f"{el.get('value') or '1'}. " if el.parent is not None and el.parent.name == "ol" else "- "
        lines = text.strip("\n ").split("\n")
        indent = " " * len(bullet)
        rows = [lines[0], *(f"{indent}{line}" if line else "" for line in lines[1:])]
        return f"{bullet}{chr(10).join(rows)}\n" if text.strip() else ""

    def convert_figure(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._block(el) if el.find("figcaption") else f"\n\n{text.strip()}\n\n"

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text.strip()}\n\n" if _is_plain_table(el) else self._block(el)

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {_SPACES.sub(' ', text.replace('|', chr(92) + '|')).strip()} |"

    convert_th = convert_td

    def convert_b(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._signed("**", el, text, parent_tags)

    def convert_em(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._signed("*", el, text, parent_tags)

    def convert_del(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._signed("~~", el, text, parent_tags)

    convert_strong, convert_i, convert_s = convert_b, convert_em, convert_del

    def _convert_inline(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._tagged(el, text)

    convert_u = convert_ins = convert_mark = convert_small = convert_sub = convert_abbr = _convert_inline
    convert_cite = convert_q = convert_time = convert_var = convert_kbd = convert_samp = _convert_inline

    def _convert_block(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._block(el)

    convert_details = convert_video = convert_audio = _convert_block

    def _signed(self, sign: str, el: Tag, text: str, parent_tags: set[str]) -> str:
        inside = text.strip()
        if self._tags and inside:
            return self._tagged(el, text)
        if "_noformat" in parent_tags or not inside:
            return text
        before, _, after = text.partition(inside)
        return f"{before}{sign}{inside}{sign}{after}"

    def _tagged(self, el: Tag, text: str) -> str:
        """A tag that Markdown has no sign for."""
        kept = "".join(f' {key}="{_quoted(str(value))}"' for key, value in el.attrs.items() if key != "class")
        return f"<{el.name}{kept}>{text}</{el.name}>" if text else ""

    def _block(self, el: Tag) -> str:
        return f"\n\n{as_html(el)}\n\n"


def as_html(el: Tag) -> str:
    """A block as HTML on one line, which Markdown passes on as it is."""
    whole = str(el)
    if "\n" not in whole:
        return whole
    for pre in el.find_all("pre") if el.name != "pre" else [el]:
        whole = whole.replace(str(pre), str(pre).replace("\n", "&#10;"))
    return _SPACES.sub(" ", whole)


def _is_plain_table(table: Tag) -> bool:
    """Whether Markdown has a table for it: a first row of headings, then rows of as many cells without blocks."""
    rows = [list(row.find_all(["td", "th"])) for row in table.find_all("tr")]
    if not rows or table.find(["table", "ul", "ol", "pre", "blockquote", "caption", "p", "div", "br", "figure"]):
        return False
    if table.find(lambda tag: tag.has_attr("colspan") or tag.has_attr("rowspan")):
        return False
    headings = all(cell.name == "th" for cell in rows[0])
    return (
        headings
        and all(len(row) == len(rows[0]) for row in rows)
        and not any(cell.name == "th" for row in rows[1:] for cell in row)
    )


def _address(url: str) -> str:
    return f"<{url}>" if re.search(r"[()\s]", url) else url


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\n", " ")


def _escape_first(match: re.Match[str]) -> str:
    space, sign = match.groups()
    return f"{space}{sign}\\" if sign.isdigit() else f"{space}\\{sign}"
