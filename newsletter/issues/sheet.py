"""The plain style sheet: the small part of CSS that can be inlined whole, and refusals of all the rest.

The inliner ignores some selectors, drops some values and fetches what `@import` names. A sheet that holds none of
these comes out whole, so whatever is outside of this small language is refused by name and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.errors import Problem

SHEET = "templates/email/style.css"

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_CLASSES = re.compile(r"""\bclass\s*=\s*["']?([^"'>]*)""", re.IGNORECASE)
_CLASS = re.compile(r"\.([\w-]+)")
_DECLARATION = re.compile(r"\s*([A-Za-z-]+)\s*:\s*(\S.*?)\s*", re.DOTALL)
_OUTSIDE = re.compile(r"@import|url\s*\(|src\s*\(|expression\s*\(", re.IGNORECASE)
_SPACED_COLOUR = re.compile(r"(?:rgb|hsl)a?\(\s*[^,)\s]+\s+[^,)]|\b(?:hwb|lab|lch|oklab|oklch|color)\(", re.IGNORECASE)
_FIX_MEDIA = "move it to media.css or dark.css beside it, which are kept as they are"


@dataclass(frozen=True, slots=True)
class Rule:
    """One selector and its declarations, in the order of the sheet."""

    selector: str
    declarations: tuple[tuple[str, str], ...]  # lower-case name, value
    line: int

    @property
    def specificity(self) -> tuple[int, int, int]:
        """Ids, classes and attributes, elements (Selectors Level 3, section 9)."""
        bare = re.sub(r"\[[^\]]*\]", "", self.selector)
        return (
            bare.count("#"),
            bare.count(".") + self.selector.count("["),
            len(re.findall(r"(?:^|[\s>+~])[A-Za-z]", bare)),
        )


def rules(sheet: str) -> list[Rule]:
    """The rules of a sheet that `refusals` finds nothing in, one for each selector."""
    text = _without_comments(sheet)
    return [
        Rule(" ".join(selector.split()), _declarations(match[2]), _line(text, match.start(2)))
        for match in _RULE.finditer(text)
        for selector in match[1].split(",")
    ]


def asked_for(sheet: str, html: str) -> str:
    """The rules of a sheet whose classes stand in a page: the others select nothing, and need not be parsed."""
    found = {name for names in _CLASSES.findall(html) for name in names.split()}

    def may_match(selectors: str) -> bool:
        return any(found.issuperset(_CLASS.findall(selector)) for selector in selectors.split(","))

    matches = _RULE.finditer(_without_comments(sheet))
    return "".join(f"{match[1]}{{{match[2]}}}" for match in matches if may_match(match[1]))


def refusals(sheet: str) -> list[Problem]:
    """Everything in the sheet that would be lost, or would reach outside (I201 to I207)."""
    text = _without_comments(sheet)
    found = [*_at_rules(text), *_reaching_out(text)]
    if _RULE.sub("", re.sub(r"@[^;{}]*;?", "", text)).strip():
        found.append(_refuse("I201", "It is not a plain list of rules: a brace is missing or nested", 1, _FIX_MEDIA))
    for match in _RULE.finditer(text):
        found.extend(_refused_selectors(match[1], _line(text, match.end(1) - len(match[1].lstrip()))))
        found.extend(_refused_values(match[2], _line(text, match.start(2))))
    return found


def _at_rules(text: str) -> Iterator[Problem]:
    for match in re.finditer(r"@(?!import)[\w-]+", text, re.IGNORECASE):
        yield _refuse("I201", f"{match[0]} cannot be inlined", _line(text, match.start()), _FIX_MEDIA)


def _reaching_out(text: str) -> Iterator[Problem]:
    for match in _OUTSIDE.finditer(text):
        name = match[0].rstrip("( ")
        yield _refuse("I202", f"{name} reaches outside of the mail", _line(text, match.start()), "leave it out")


def _refused_selectors(prelude: str, line: int) -> Iterator[Problem]:
    if prelude.lstrip().startswith("@"):
        return
    for selector in (part.strip() for part in prelude.split(",")):
        wrong = "the empty selector" if not selector else next((c for c in ":*|" if c in selector), "")
        if wrong:
            yield _refuse(
                "I203",
                f"The selector {selector!r} cannot be inlined ({wrong})",
                line,
                "select by element, class, id or [attribute]",
            )


def _refused_values(body: str, line: int) -> Iterator[Problem]:
    checks = (
        (
            "I204",
            re.compile(r"var\s*\(|(?:^|[;\s])--\w", re.IGNORECASE),
            "A variable is kept as var(), unread by Outlook",
        ),
        ("I205", _SPACED_COLOUR, "A colour in this notation is dropped"),
        ("I206", re.compile(r"!\s*important", re.IGNORECASE), "!important inline would beat the dark rules"),
    )
    for code, pattern, message in checks:
        for match in pattern.finditer(body):
            at = line + body.count("\n", 0, match.start())
            yield _refuse(code, message, at, "write the value out, for example #a8431c")
    for declaration in body.split(";"):
        if declaration.strip() and not _DECLARATION.fullmatch(declaration):
            yield _refuse("I207", f"{declaration.strip()!r} is not a declaration", line, "write name: value;")


def _declarations(body: str) -> tuple[tuple[str, str], ...]:
    matches = (_DECLARATION.fullmatch(part) for part in body.split(";"))
    return tuple((match[1].lower(), match[2]) for match in matches if match)


def _without_comments(sheet: str) -> str:
    """Comments out, line numbers kept."""
    return _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), sheet)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _refuse(code: str, message: str, line: int, fix: str) -> Problem:
    return Problem(code, message, file=SHEET, line=line, fixes=(fix,))
