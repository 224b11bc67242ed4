"""The cage of premailer: style rules go onto the elements, and nothing is lost unseen on the way.

Called once for each Issue. Before: whatever premailer would drop, damage or fetch is refused. After: each
declaration that matched an element is looked for where the cascade says it must be, and the doctype and the
Sentinels are compared. It opens no file and no socket, prints nothing, and answers the same bytes each time.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lxml import etree
from lxml.cssselect import CSSSelector

from newsletter.errors import ConfigError, Problem
from newsletter.issues import sheet as plain
from newsletter.issues.page import elements, parse
from newsletter.model import Sentinel

PAGE = "templates/email/digest.html"
DOCTYPE = "<!DOCTYPE html>"

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style\b([^>]*)>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)
_LOADER = re.compile(r"<(?:link|base|script|iframe|object|embed|form)\b", re.IGNORECASE)
_KEPT = 'data-premailer="ignore"'

Styles = dict[str, str]  # property -> value, in the order of the cascade


def inline(html: str, sheet: str) -> str:
    """The page with `sheet` in its style attributes; `<style data-premailer="ignore">` blocks are kept as they are.

    Raises ConfigError with every Problem found: I201 to I207 in the sheet, I208 a `<style>` that is not marked, I209
    what would load something, I210 doctype missing or lost, I211 declarations lost, I212 a Sentinel damaged.
    """
    _raise_if(plain.refusals(sheet) + _refused_markup(html))
    inlined = transform(html, sheet)
    _raise_if([*_lost_parts(html, inlined), *_lost_declarations(html, inlined, sheet)])
    return inlined


def transform(html: str, sheet: str) -> str:
    """What `inline` returns, of what it would take, without a look at it before or after."""
    from premailer import Premailer  # a fifth of a second to load, which most commands need not wait

    inlined = Premailer(
        html,
        css_text=[plain.asked_for(sheet, html)],
        allow_network=False,
        allow_loading_external_files=False,
        strip_important=False,
        keep_style_tags=False,
        remove_classes=False,  # the dark and narrow rules select by class
        disable_validation=True,  # else Outlook's mso- properties are reported, or dropped
        disable_basic_attributes=["width", "height"],  # they would undo width="536" on images, which Outlook needs
        cache_css_parsing=False,
        cssutils_logging_level=logging.CRITICAL + 1,
    ).transform(pretty_print=False)
    return str(inlined)


def _refused_markup(html: str) -> list[Problem]:
    found = []
    seen = _COMMENT.sub("", html)
    if not html.lstrip().startswith(DOCTYPE):
        found.append(_problem("I210", f"The page does not begin with {DOCTYPE}", "Any other spelling is dropped."))
    for attributes, body in _STYLE.findall(seen):
        if _KEPT not in attributes:
            found.append(_problem("I208", f"A <style> block is not marked {_KEPT}", "It would be taken apart."))
        if re.search(r"@import|url\s*\(", body, re.IGNORECASE):
            found.append(_problem("I209", "A <style> block loads something from outside", "Mail loads no style."))
    for tag in sorted(set(_LOADER.findall(_STYLE.sub("", seen)))):
        found.append(_problem("I209", f"{tag}> has no place in a mail", "It loads, runs or posts something."))
    return found


def _lost_parts(before: str, after: str) -> Iterator[Problem]:
    if not after.startswith(DOCTYPE):
        yield _problem("I210", "The doctype was lost", "Without it clients fall back to quirks mode.")
    for sentinel in Sentinel:
        if before.count(sentinel) != after.count(sentinel):
            yield _problem("I212", f"{sentinel.name} was damaged", "A reader's own words could not be put in.")
    for attributes, body in _STYLE.findall(_COMMENT.sub("", before)):
        if _KEPT in attributes and body not in after:
            yield _problem("I211", "A kept <style> block was changed", "Dark or narrow rules would be dead.")


def _lost_declarations(before: str, after: str, sheet: str) -> list[Problem]:
    """Compare each element's style with what the cascade says it must be."""
    source, result = parse(before), parse(after)
    expected = _cascade(source, plain.rules(sheet))
    lost: Counter[str] = Counter()
    for old, new in zip(source.iter(etree.Element), result.iter(etree.Element), strict=True):
        wanted = expected.get(old, {}) | _styles(old.get("style", ""))
        lost.update(_missing(wanted, _styles(new.get("style", ""))))
    if not lost:
        return []
    names = ", ".join(f"{name} ({count})" for name, count in sorted(lost.items()))
    total = f"{lost.total()} declaration{'s' if lost.total() > 1 else ''}"
    return [_problem("I211", f"The inliner lost {total}: {names}", "The mail would not look as its sheet says.")]


def _cascade(page: etree._Element, rules: list[plain.Rule]) -> dict[etree._Element, Styles]:
    """What each element must say: rules by specificity, then by order; a later value also takes the later place."""
    styles: dict[etree._Element, Styles] = {}
    for rule in sorted(rules, key=lambda rule: rule.specificity):
        for element in elements(page, CSSSelector(rule.selector).path):
            own = styles.setdefault(element, {})
            for name, value in rule.declarations:
                own.pop(name, None)
                own[name] = value
    return styles


def _missing(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Names whose value is not there, or whose shorthand (`padding`) now comes after its longhand."""
    place = {name: position for position, name in enumerate(found)}
    seen: list[str] = []
    for name, value in wanted.items():
        if name not in found or _canonical(found[name]) != _canonical(value):
            yield name
            continue
        if any(_related(earlier, name) and place[earlier] > place[name] for earlier in seen):
            yield name
        seen.append(name)


def _related(one: str, other: str) -> bool:
    return one.startswith(f"{other}-") or other.startswith(f"{one}-")


def _styles(attribute: str) -> Styles:
    pairs = (declaration.partition(":") for declaration in attribute.split(";") if declaration.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


@lru_cache(maxsize=1024)
def _canonical(value: str) -> str:
    """A value without what may differ in writing: case, blanks, quotes, `0.50`, six digits for three."""
    value = re.sub(r"""["'\s]+""", " ", value.lower())
    value = re.sub(r"\s*([,/()])\s*", r"\1", value).strip()
    value = re.sub(r"(\.\d*?)0+(?!\d)", r"\1", re.sub(r"(?<![\d.])0+(\.\d)", r"\1", value))
    value = re.sub(r"\.(?!\d)", "", value)
    return re.sub(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3(?![0-9a-f])", r"#\1\2\3", value)


def _raise_if(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError(problems)


def _problem(code: str, message: str, why: str) -> Problem:
    return Problem(code, message, file=PAGE, why=why, fixes=("compare it with the built-in template",))
