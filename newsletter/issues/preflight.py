"""What is looked at before an Issue may be ready: the final bytes, not the template that made them.

Each check is a function of one Mail; all run, and all their Problems are returned together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from lxml import etree

from newsletter.errors import Problem
from newsletter.issues import budget, links
from newsletter.issues.page import elements, parse, strings, text_of
from newsletter.issues.view import NOTE_WORDS, PREHEADER_MAX, PREHEADER_MIN, SUBJECT_MAX, SUBJECT_MIN, DigestView
from newsletter.model import Digest, Sentinel

_MARKUP = re.compile(r"\{\{|\{%|\}\}|%\}|@@")
_UNFINISHED = re.compile(r"\bTK\b|\blorem ipsum\b", re.IGNORECASE)
_NONE = re.compile(r"\bNone\b")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HARD = re.compile(r"(?:^|[;\s-])color\s*:\s*(#000(?:000)?|#fff(?:fff)?|black|white)\s*(?:;|$)", re.IGNORECASE)
_FALSE_START = re.compile(r"(?:re|fwd?|aw|sv)\s*:", re.IGNORECASE)
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_TABLE = re.compile(r"<table\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True)
class Mail:
    """A Digest, the view that it was made from, and its HTML taken apart once."""

    digest: Digest
    view: DigestView
    sandbox: bool
    page: etree._Element = field(repr=False)

    @cached_property
    def words(self) -> list[str]:
        """Every run of text that a reader sees or hears, blanks normalised."""
        runs = strings(self.page, "//body//text() | //title/text() | //@alt | //@aria-label")
        return [" ".join(run.split()) for run in runs if run.strip()]

    @property
    def prose(self) -> str:
        """All of it in one line."""
        return " ".join(self.words)


def preflight(digest: Digest, view: DigestView, *, sandbox: bool) -> list[Problem]:
    """All Problems of a Digest, stops first. In the sandbox what speaks of the outside world only warns."""
    mail = Mail(digest, view, sandbox, parse(digest.html))
    found = [problem for check in CHECKS for problem in check(mail)]
    return sorted(found, key=lambda problem: problem.level != "stop")


def _note(mail: Mail) -> Iterator[Problem]:
    if (length := sum(len(paragraph.split()) for paragraph in mail.view.note)) > NOTE_WORDS:
        yield _warn(
            "I334", f"The editor's note has {length} words, more than {NOTE_WORDS}", "The stories begin below it."
        )


def _weight(mail: Mail) -> Iterator[Problem]:
    if problem := budget.check(mail.digest):
        yield problem


def _stories(mail: Mail) -> Iterator[Problem]:
    if not mail.view.stories:
        yield _stop("I303", "There is no story in it", "An empty issue is never sent.")


def _placeholders(mail: Mail) -> Iterator[Problem]:
    html = _STYLE.sub("", mail.digest.html)
    where = (("HTML part", html), ("text part", mail.digest.text), ("subject", mail.digest.subject))
    for place, content in (*where, ("preheader", mail.digest.preheader)):
        for pattern in (_MARKUP, _UNFINISHED):
            if match := pattern.search(content):
                yield _stop("I304", f"{match[0]!r} is left in the {place}", "Somebody meant to write something there.")
    for run in mail.words:
        if _NONE.search(_without_authored(run, mail.view)):
            yield _stop("I304", f"'None' stands in {run[:60]!r}", "A value was missing when the mail was made.")


def _without_authored(run: str, view: DigestView) -> str:
    """The run less what an author wrote: None is also an English word."""
    told = [(story.title, story.summary, story.take_text, story.image_alt) for story in view.stories]
    for authored in (text for texts in (*told, view.note, (view.subject, view.preheader)) for text in texts):
        whole = " ".join(authored.split())
        if run in whole:
            return ""
        run = run.replace(whole, "") if whole else run
    return run


def _unsubscribe(mail: Mail) -> Iterator[Problem]:
    linked = [a for a in mail.page.iter("a") if a.get("href") == Sentinel.UNSUBSCRIBE and text_of(a)]
    for place, present in (("HTML", linked), ("text", Sentinel.UNSUBSCRIBE in mail.digest.text)):
        if not present:
            yield _stop("I305", f"The {place} part has no unsubscribe link", "Each reader must be able to leave.")


def _postal_address(mail: Mail) -> Iterator[Problem]:
    address = mail.view.postal_address
    for place, content in (("HTML", mail.prose), ("text", " ".join(mail.digest.text.split()))):
        if not address or address not in content:
            yield _stop("I306", f"The {place} part has no postal address", "The law asks for it (16 CFR 316.5).")


def _why_line(mail: Mail) -> Iterator[Problem]:
    for place, content in (("HTML", mail.prose), ("text", " ".join(mail.digest.text.split()))):
        if mail.view.why not in content:
            yield _stop("I307", f"The {place} part does not say why it comes", "Who forgot it reports it as spam.")


def _links(mail: Mail) -> Iterator[Problem]:
    anchors = [(text_of(a), a.get("href", "")) for a in mail.page.iter("a")]
    images = [("", image.get("src", "")) for image in mail.page.iter("img")]
    yield from links.check([*anchors, *images], mail.view.home_url, sandbox=mail.sandbox)


def _text_part(mail: Mail) -> Iterator[Problem]:
    text = " ".join(mail.digest.text.split())
    if not text:
        yield _stop("I311", "The text part is empty", "Some readers see only that.")
        return
    for story in mail.view.stories:
        if story.title not in text or story.url not in text:
            yield _stop("I311", f"The text part lacks {story.title!r} or its link", "Both parts say the same.")


def _structure(mail: Mail) -> Iterator[Problem]:
    language = {"lang": mail.view.language, "dir": mail.view.direction}
    wrappers = elements(mail.page, "//body/*[@role='article'][@aria-label]")
    lost = {
        "doctype": not mail.digest.html.startswith("<!DOCTYPE html>"),
        "lang and dir of the page": not _has(mail.page, language),
        "role, label, lang and dir of the wrapper": not any(_has(wrapper, language) for wrapper in wrappers),
        "title": not elements(mail.page, "//head/title[normalize-space()]"),
        "role of a layout table": any('role="presentation"' not in tag for tag in _TABLE.findall(mail.digest.html)),
    }
    for name in (name for name, is_lost in lost.items() if is_lost):
        yield _stop("I312", f"The {name} is missing", "Screen readers and mail clients go by it.")


def _has(element: etree._Element, attributes: dict[str, str]) -> bool:
    return all(element.get(name) == value for name, value in attributes.items())


def _headings(mail: Mail) -> Iterator[Problem]:
    levels = [int(heading.tag[1]) for heading in elements(mail.page, "//h1|//h2|//h3|//h4|//h5|//h6")]
    skipped = any(after - before > 1 for before, after in pairwise(levels))
    if levels.count(1) != 1 or levels[0] != 1 or skipped:
        yield _warn("I313", "The headings do not make one tree below one h1", "Readers by ear go from one to the next.")


def _pictures(mail: Mail) -> Iterator[Problem]:
    for image in mail.page.iter("img"):
        if not image.get("alt", "").strip():
            yield _stop("I314", f"The picture {image.get('src')} has no alt text", "Many readers never load pictures.")


def _subject(mail: Mail) -> Iterator[Problem]:
    subject = mail.digest.subject
    if not subject.strip() or _CONTROL.search(subject):
        yield _stop("I315", "The subject is empty or has control characters", "It is what readers see first.")
    elif not SUBJECT_MIN <= len(subject) <= SUBJECT_MAX:
        yield _warn("I316", f"The subject has {len(subject)} characters", f"{SUBJECT_MIN} to {SUBJECT_MAX} show whole.")
    if subject.isupper():
        yield _warn("I316", "The subject is all capitals", "It reads as shouting and is filtered as spam.")
    if _FALSE_START.match(subject):
        yield _warn("I316", "The subject begins like an answer", "Mail services refuse a false Re: or Fwd:.")


def _preheader(mail: Mail) -> Iterator[Problem]:
    preheader = mail.digest.preheader
    if not PREHEADER_MIN <= len(preheader) <= PREHEADER_MAX:
        span = f"{PREHEADER_MIN} to {PREHEADER_MAX} fill the line beside the subject."
        yield _warn("I317", f"The preheader has {len(preheader)} characters", span)
    if preheader.strip().casefold() == mail.digest.subject.strip().casefold():
        yield _warn("I317", "The preheader repeats the subject", "It is a second chance to say something.")


def _colours(mail: Mail) -> Iterator[Problem]:
    hard = sorted({match[1] for style in strings(mail.page, "//@style") for match in _HARD.finditer(style)})
    if hard:
        yield _warn("I320", f"Hard black or white is used ({', '.join(hard)})", "Mail apps invert it without grace.")


CHECKS: tuple[Callable[[Mail], Iterator[Problem]], ...] = (
    _stories,
    _placeholders,
    _unsubscribe,
    _postal_address,
    _why_line,
    _links,
    _text_part,
    _structure,
    _pictures,
    _subject,
    _weight,
    _headings,
    _preheader,
    _colours,
    _note,
)


_FOOTER = "keep the footer blocks of templates/email/digest.html and digest.txt"
_FIXES: Mapping[str, str] = {
    "I303": "newsletter post approve SLUG",
    "I304": "finish the post, or mend the template that left it",
    "I305": f"{_FOOTER}: digest.unsubscribe_url",
    "I306": f"set [sender] postal_address; {_FOOTER}: digest.postal_address",
    "I307": f"{_FOOTER}: digest.why",
    "I311": "compare templates/email/digest.txt with the built-in one",
    "I312": "compare templates/email/digest.html with the built-in one",
    "I313": "one h1, below it h2, below these h3",
    "I314": "give the post an image_alt",
    "I315": "give the lead story a title of one line",
    "I316": "change the title of the lead story",
    "I317": "change the summary of the lead story",
    "I334": "shorten the note, or make a post of it",
    "I320": "use #1b1b1b for black and #fffdfa for white",
}


def _stop(code: str, message: str, why: str) -> Problem:
    return Problem(code, message, why=why, fixes=(_FIXES[code],))


def _warn(code: str, message: str, why: str) -> Problem:
    return Problem(code, message, why=why, fixes=(_FIXES[code],), level="warn")
