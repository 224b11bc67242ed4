"""The HTML of parts.

Promises what CommonMark gives for them, not sanitised yet; of raw HTML what `tags` lets through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import takewhile
from urllib.parse import quote

from newsletter.content import tags
from newsletter.content.parts import Part

_WITHIN = {
    "SoftBreak": "\n",
    "HardBreak": "<br />\n",
    "+Emphasis": "<em>",
    "-Emphasis": "</em>",
    "+Strong": "<strong>",
    "-Strong": "</strong>",
    "+Strikethrough": "<s>",
    "-Strikethrough": "</s>",
    "-Link": "</a>",
    "-Paragraph": "</p>\n",
    "-BlockQuote": "</blockquote>\n",
    "-Item": "</li>\n",
    "-DefinitionList": "</dl>\n",
    "-DefinitionListTitle": "</dt>\n",
    "-DefinitionListDefinition": "</dd>\n",
    "-TableRow": "</tr>\n",
    "-Take": "</div>\n",  # where none is lifted out of the text
    "-Note": "</li>\n",
    "-Notes": "</ol>\n</section>\n",
}
_ON_A_LINE = {
    "Rule": "<hr />\n",
    "+Paragraph": "<p>",
    "+BlockQuote": "<blockquote>\n",
    "+Item": "<li>",
    "+Take": "<div>\n",
    "+DefinitionList": "<dl>\n",
    "+DefinitionListTitle": "<dt>",
    "+DefinitionListDefinition": "<dd>",
    "+Notes": '<hr class="footnotes-sep" />\n<section class="footnotes">\n<ol class="footnotes-list">\n',
}
_URL = "A-Za-z0-9;/?:@&=+$,_.!~*'()#-"
_PLAIN_URL = re.compile(f"[{_URL}]*")
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*|mailto:[^?#]*|")
_HOST = re.compile(r"[^/@:\[\]]+(?=(?::\d*)?$)")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def html(parts: Iterable[Part], slug: str) -> str:
    """`parts` as HTML; the ids of notes carry `slug`."""
    return _Writer(parts, slug).whole()


def address(url: str) -> str:
    """`url` in the characters that a URL may have: its host in Punycode, the rest in percent signs (RFC 3986, 2.1)."""
    if _PLAIN_URL.fullmatch(url):
        return url
    url = _LONE_PERCENT.sub("%25", url.strip())
    first = _AUTHORITY.match(url).group()  # type: ignore[union-attr]  # it matches nothing, too
    host = quote(_HOST.sub(_punycode, first), safe=f"{_URL}%[]", errors="replace")
    return host + quote(url[len(first) :], safe=f"{_URL}%", errors="replace")


def _punycode(host: re.Match[str]) -> str:
    labels = host.group().split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


class _Writer:
    def __init__(self, parts: Iterable[Part], slug: str) -> None:
        self._parts = iter(parts)
        self._slug = slug
        self._out: list[str] = []
        self._columns: tuple[str, ...] = ()
        self._cells: Iterator[str] = iter(())  # how the cells to come in this row are aligned
        self._tag = "td"

    def whole(self) -> str:
        for part in self._parts:
            if (text := _WITHIN.get(part.kind)) is not None:
                self._out.append(text)
            elif (text := _ON_A_LINE.get(part.kind)) is not None:
                self._on_a_line(text)
            else:
                _RULES[part.kind](self, part)
        return "".join(self._out)

    def _say(self, text: str) -> None:
        self._out.append(text)

    def _on_a_line(self, text: str) -> None:
        if self._out and self._out[-1][-1:] not in {"\n", ""}:
            self._out.append("\n")
        self._out.append(text)

    def _until(self, kind: str) -> str:
        return "".join(part.data for part in takewhile(lambda part: part.kind != kind, self._parts))

    def text(self, part: Part) -> None:
        self._say(_escaped(part.data))

    def code(self, part: Part) -> None:
        self._say(f"<code>{_escaped(part.data)}</code>")

    def code_block(self, part: Part) -> None:
        language = part.data["Fenced"].split(maxsplit=1)[:1] if isinstance(part.data, dict) else []
        name = f' class="language-{escape(language[0])}"' if language else ""
        self._on_a_line(f"<pre><code{name}>{_escaped(self._until('-CodeBlock'))}</code></pre>\n")

    def raw(self, part: Part) -> None:
        self._say(tags.only_tags(part.data))

    def raw_block(self, _part: Part) -> None:
        self._on_a_line(tags.only_tags(self._until("-HtmlBlock")))

    def heading(self, part: Part) -> None:
        tag, name = part.data
        self._on_a_line(f'<{tag} id="{name}">')

    def heading_end(self, part: Part) -> None:
        self._say(f"</{part.data[0]}>\n")

    def list(self, part: Part) -> None:
        start = "" if part.data == 1 else f' start="{part.data}"'
        self._on_a_line("<ul>\n" if part.data is None else f"<ol{start}>\n")

    def list_end(self, part: Part) -> None:
        self._on_a_line("</ol>\n" if part.data else "</ul>\n")

    def link(self, part: Part) -> None:
        url = part.data["dest_url"]
        url = f"mailto:{url}" if part.data["link_type"] == "Email" else url
        self._say(f'<a href="{escape(address(url))}"{_title(part)}>')

    def mention(self, part: Part) -> None:
        url, words = part.data
        self._say(f'<a href="{escape(url)}">{_escaped(words)}</a>' if url else _escaped(words))

    def image(self, part: Part) -> None:
        source, alt = escape(address(part.data["dest_url"])), escape("".join(self._alt()))
        self._say(f'<img src="{source}" alt="{alt}"{_title(part)} />')

    def _alt(self) -> Iterator[str]:
        """The words up to where the picture ends; there may be others among them."""
        depth = 1
        for part in self._parts:
            depth += {"+Image": 1, "-Image": -1}.get(part.kind, 0)
            if not depth:
                return
            if part.kind in {"Text", "Code", "InlineHtml"}:
                yield part.data
            elif part.kind == "Mention":
                yield part.data[1]
            elif part.kind in {"SoftBreak", "HardBreak"}:
                yield "\n"

    def table(self, part: Part) -> None:
        self._columns = part.data
        self._tag = "th"
        self._on_a_line("<table>\n<thead>\n")

    def row(self, _part: Part) -> None:
        self._cells = iter(self._columns)
        self._say("<tr>\n")

    def cell(self, _part: Part) -> None:
        column = next(self._cells)
        align = "" if column == "None" else f' class="align-{column.lower()}"'
        self._say(f'<th{align} scope="col">' if self._tag == "th" else f"<td{align}>")

    def cell_end(self, _part: Part) -> None:
        self._say(f"</{self._tag}>\n")

    def head_end(self, _part: Part) -> None:
        self._tag = "td"
        self._out += ["</tr>\n</thead>\n", _BODY]

    def table_end(self, _part: Part) -> None:
        if self._out[-1] == _BODY:  # it has a head alone
            self._out.pop()
        else:
            self._say("</tbody>\n")
        self._say("</table>\n")

    def note(self, part: Part) -> None:
        self._out += [f'<li id="fn-{self._slug}-{part.data}" class="footnote-item">', ""]  # its words on the same line

    def reference(self, part: Part) -> None:
        number, link = part.data[0], self._place(part)
        self._say(
            f'<sup class="footnote-ref"><a href="#fn-{self._slug}-{number}" id="fnref-{link}">[{number}]</a></sup>'
        )

    def way_back(self, part: Part) -> None:
        arrow = "\N{LEFTWARDS ARROW WITH HOOK}\N{VARIATION SELECTOR-15}"
        self._say(f'\N{NO-BREAK SPACE}<a href="#fnref-{self._place(part)}" class="footnote-backref">{arrow}</a>')

    def _place(self, part: Part) -> str:
        """Where a note is named: the second time has a name of its own."""
        number, before = part.data
        return f"{self._slug}-{number}" + (f":{before}" if before else "")


_BODY = "<tbody>\n"


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def _title(part: Part) -> str:
    return f' title="{escape(part.data["title"])}"' if part.data["title"] else ""


_RULES: dict[str, Callable[[_Writer, Part], None]] = {
    "Text": _Writer.text,
    "Code": _Writer.code,
    "+CodeBlock": _Writer.code_block,
    "InlineHtml": _Writer.raw,
    "+HtmlBlock": _Writer.raw_block,
    "+Heading": _Writer.heading,
    "-Heading": _Writer.heading_end,
    "+List": _Writer.list,
    "-List": _Writer.list_end,
    "+Link": _Writer.link,
    "Mention": _Writer.mention,
    "+Image": _Writer.image,
    "+Table": _Writer.table,
    "-Table": _Writer.table_end,
    "+TableHead": _Writer.row,
    "-TableHead": _Writer.head_end,
    "+TableRow": _Writer.row,
    "+TableCell": _Writer.cell,
    "-TableCell": _Writer.cell_end,
    "FootnoteReference": _Writer.reference,
    "+Note": _Writer.note,
    "Back": _Writer.way_back,
}
