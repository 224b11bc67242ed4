"""What is looked at before an Issue may be ready: the final bytes, not the template that made them.

Each check is a function of one Mail; all run, and all their Problems are returned together. What they must know of
the world is told them as Facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from lxml import etree

from newsletter.errors import Problem
from newsletter.issues import budget, images, inbox, leftovers, links
from newsletter.issues.facts import Facts, Trial
from newsletter.issues.mail import Mail, opened, stop, warn
from newsletter.issues.page import elements, strings, text_of
from newsletter.issues.view import NOTE_WORDS, DigestView
from newsletter.model import Digest, Sentinel, issue_name

_HARD = re.compile(r"(?:^|[;\s-])color\s*:\s*(#000(?:000)?|#fff(?:fff)?|black|white)\s*(?:;|$)", re.IGNORECASE)
# A post's own tables hold data.
_BARE_TABLE = re.compile(r'<table\b(?! class="data")(?![^>]*role="presentation")[^>]*>', re.IGNORECASE)
_ATTACHED = re.compile(r"\b(?:attached|attachments?)\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:©|\(c\)|copyright)\s*(?:\d{4}\s*[-\N{EN DASH}]\s*)?(\d{4})", re.IGNORECASE)
_FOOTER = "keep the footer blocks of templates/email/digest.html and digest.txt"
_BUILT_IN = "with the built-in one"


def preflight(digest: Digest, view: DigestView, facts: Facts) -> list[Problem]:
    """All Problems of a Digest, stops first. In the sandbox what speaks of the outside world only warns."""
    mail = opened(digest, view, facts)
    found = dict.fromkeys(problem for check in CHECKS for problem in check(mail))
    return sorted(found, key=lambda problem: problem.level != "stop")


def _stories(mail: Mail) -> Iterator[Problem]:
    if not mail.view.stories:
        why = "An empty issue is never sent."
        yield stop("I303", "There is no story in it", why, "newsletter post approve SLUG")


def _unsubscribe(mail: Mail) -> Iterator[Problem]:
    for place in _without(mail, Sentinel.UNSUBSCRIBE):
        message = f"The {place} part has no unsubscribe link"
        yield stop("I305", message, "Each reader must be able to leave.", f"{_FOOTER}: digest.unsubscribe_url")


def _preferences(mail: Mail) -> Iterator[Problem]:
    for place in _without(mail, Sentinel.PREFERENCES):
        message = f"The {place} part has no link to a reader's preferences"
        why = "Who gets too much should be able to get less, and not only nothing."
        yield stop("I338", message, why, f"{_FOOTER}: digest.preferences_url")


def _without(mail: Mail, page: Sentinel) -> Iterator[str]:
    """The parts that do not lead to this page."""
    if not any(a.get("href") == page and text_of(a) for a in mail.page.iter("a")):
        yield "HTML"
    if page not in mail.digest.text:
        yield "text"


def _postal_address(mail: Mail) -> Iterator[Problem]:
    address = mail.view.postal_address
    for place, content in mail.parts:
        if not address or address not in content:
            fix = f"set [sender] postal_address; {_FOOTER}: digest.postal_address"
            yield stop("I306", f"The {place} part has no postal address", "The law asks for it (16 CFR 316.5).", fix)


def _why_line(mail: Mail) -> Iterator[Problem]:
    for place, content in mail.parts:
        if mail.view.why not in content:
            message = f"The {place} part does not say why it comes"
            yield stop("I307", message, "Who forgot it reports it as spam.", f"{_FOOTER}: digest.why")


def _links(mail: Mail) -> Iterator[Problem]:
    yield from links.check(links.in_page(mail.page), mail.view.home_url, mail.facts)


def _text_part(mail: Mail) -> Iterator[Problem]:
    fix = f"compare templates/email/digest.txt {_BUILT_IN}"
    if not mail.text:
        yield stop("I311", "The text part is empty", "Some readers see only that.", fix)
        return
    for story in mail.view.stories:
        if story.title not in mail.text or story.url not in mail.text:
            message = f"The text part lacks {story.title!r} or its link"
            yield stop("I311", message, "Both parts say the same.", fix)


def _structure(mail: Mail) -> Iterator[Problem]:
    language = {"lang": mail.view.language, "dir": mail.view.direction}
    wrappers = elements(mail.page, "//body/*[@role='article'][@aria-label]")
    lost = {
        "doctype": not mail.digest.html.startswith("<!DOCTYPE html>"),
        "lang and dir of the page": not _has(mail.page, language),
        "role, label, lang and dir of the wrapper": not any(_has(wrapper, language) for wrapper in wrappers),
        "title": not elements(mail.page, "//head/title[normalize-space()]"),
        "role of a layout table": bool(_BARE_TABLE.search(mail.digest.html)),
    }
    why, fix = "Screen readers and mail clients go by it.", f"compare templates/email/digest.html {_BUILT_IN}"
    yield from (stop("I312", f"The {name} is missing", why, fix) for name, is_lost in lost.items() if is_lost)


def _has(element: etree._Element, attributes: dict[str, str]) -> bool:
    return all(element.get(name) == value for name, value in attributes.items())


def _trial(mail: Mail) -> Iterator[Problem]:
    sender, trial = mail.facts.sender, mail.facts.trial
    name = issue_name(mail.facts.edition, mail.view.number)
    try_it = (
        f"newsletter issue ready {name}   freezes its text, if that was not done; then",
        f"newsletter issue test {name} --to ADDRESS",
    )
    if trial is Trial.NEVER:
        message = f"No mail server has accepted a mail from {sender} yet"
        why = "Whether it may send under that name is found out by one person, not by all readers."
        yield Problem("S329", message, why=why, fixes=try_it, level=mail.facts.outside)
    elif trial in {Trial.OTHER, Trial.NOBODY}:
        named = "" if trial is Trial.OTHER else "; nobody is named whom one could go to"
        message = f"No test of this exact text was accepted{named}"
        level = mail.facts.outside if trial is Trial.OTHER else "warn"
        fixes = try_it if trial is Trial.OTHER else ("give the people of [people] an email",)
        yield Problem(
            "S307", message, why="What nobody has seen in a mailbox surprises there.", fixes=fixes, level=level
        )


def _weight(mail: Mail) -> Iterator[Problem]:
    if problem := budget.check(mail.digest):
        yield problem


def _headings(mail: Mail) -> Iterator[Problem]:
    levels = [int(heading.tag[1]) for heading in elements(mail.page, "//h1|//h2|//h3|//h4|//h5|//h6")]
    skipped = any(after - before > 1 for before, after in pairwise(levels))
    if levels.count(1) != 1 or levels[0] != 1 or skipped:
        message = "The headings do not make one tree below one h1"
        yield warn("I313", message, "Readers by ear go from one to the next.", "one h1, below it h2, below these h3")


def _colours(mail: Mail) -> Iterator[Problem]:
    hard = sorted({match[1] for style in strings(mail.page, "//@style") for match in _HARD.finditer(style)})
    if hard:
        message = f"Hard black or white is used ({', '.join(hard)})"
        yield warn("I320", message, "Mail apps invert it without grace.", "use #1b1b1b for black and #fffdfa for white")


def _attached(mail: Mail) -> Iterator[Problem]:
    if match := _ATTACHED.search(mail.prose):
        around = mail.prose[max(0, match.start() - 30) : match.end() + 30].strip()
        fix = "link to it, and say so; or wave it through if the word means something else"
        yield warn("I328", f"Something is said to be {match[0]}: “…{around}…”", "The mail carries no attachment.", fix)


def _footer_year(mail: Mail) -> Iterator[Problem]:
    footer = mail.prose.rpartition(mail.view.why)[2]
    for year in sorted({match[1] for match in _YEAR.finditer(footer)}):
        if mail.facts.day and int(year) < mail.facts.day.year:
            message = f"The footer speaks of {year}, and it is {mail.facts.day.year}"
            yield warn("I329", message, "It looks as if nobody kept it.", "change it, or leave the year out")


def _note(mail: Mail) -> Iterator[Problem]:
    if (length := sum(len(paragraph.split()) for paragraph in mail.view.note)) > NOTE_WORDS:
        message = f"The editor's note has {length} words, more than {NOTE_WORDS}"
        yield warn("I334", message, "The stories begin below it.", "shorten the note, or make a post of it")


CHECKS: tuple[Callable[[Mail], Iterator[Problem]], ...] = (
    _stories,
    leftovers.check,
    _unsubscribe,
    _preferences,
    _postal_address,
    _why_line,
    _links,
    _text_part,
    _structure,
    images.check,
    inbox.check,
    _trial,
    _weight,
    _headings,
    _colours,
    _attached,
    _footer_year,
    _note,
)
