"""What was meant to be replaced and was not: marks of templates, of unfinished texts, and values that were missing.

What an author wrote is his: a post may show `{{ code }}`, and None is also an English word. Posts have checks of
their own (P118); here the mail that was made of them is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from newsletter.errors import Problem
from newsletter.issues.mail import Mail, one_line, stop
from newsletter.issues.page import parse, strings
from newsletter.issues.view import DigestView
from newsletter.model import Digest

_MARKS = re.compile(r"\{\{|\{%|\}\}|%\}|@@|\bTK\b|\blorem ipsum\b", re.IGNORECASE)
_SENTINELS = re.compile(r"__[A-Z]+(?:_[A-Z]+)*__|//x\.invalid|<!--\s*(?:end )?segment\b")
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_NONE = re.compile(r"\bNone\b")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_FIX = "finish the post, or mend the template that left it"


def check(mail: Mail) -> Iterator[Problem]:
    """I304 for each place in which something was left."""
    for place, run in _places(mail) if _suspicious(mail) else ():
        if _MARKS.search(run) and (left := _MARKS.search(_without(run, _authored(mail.view)))):
            yield stop("I304", f"{left[0]!r} is left in the {place}", "Somebody meant to write something there.", _FIX)
    for run in mail.words:
        if _NONE.search(run) and _NONE.search(_without(run, (*_authored(mail.view), *_edited(mail.view)))):
            yield stop("I304", f"'None' stands in {run[:60]!r}", "A value was missing when the mail was made.", _FIX)


def _suspicious(mail: Mail) -> bool:
    """Whether there is a mark at all, wherever: most mails need no closer look."""
    digest = mail.digest
    return any(map(_MARKS.search, (_STYLE.sub("", digest.html), digest.text, digest.subject, digest.preheader)))


def _places(mail: Mail) -> Iterator[tuple[str, str]]:
    """All that is written in a mail, piece by piece, with the name of the place."""
    yield from (("HTML part", run) for run in _runs(mail.page))
    yield from (("text part", one_line(paragraph)) for paragraph in _PARAGRAPHS.split(mail.digest.text))
    yield from (("subject", mail.digest.subject), ("preheader", mail.digest.preheader))


def in_what_is_read(digest: Digest) -> Iterator[Problem]:
    """I304 for a mark of a reader's own words in a Digest that holds these already."""
    for place, body in (("HTML part", digest.html), ("text part", digest.text)):
        if left := _SENTINELS.search(body):
            why = "It stands where a reader's own words belong."
            yield stop("I304", f"{left[0]!r} is left in the {place}", why, _FIX)


def _runs(page: etree._Element) -> Iterator[str]:
    """Everything that is written in a page: its texts, its attributes and its comments, but no style sheet."""
    for run in strings(page, "//text()[not(parent::style)] | //@*"):
        if run.strip():
            yield one_line(run)
    for comment in page.iter(etree.Comment):
        yield one_line(comment.text or "")


def _authored(view: DigestView) -> tuple[str, ...]:
    """What the posts' authors wrote, longest first."""
    texts: set[str] = {view.last_issue.title} if view.last_issue else set()
    for story in view.stories:
        texts |= {story.title, story.summary, story.take_text, story.image_alt, story.body_text}
        texts |= {one.title for one in story.earlier}
        texts |= {story.recap.title, story.recap.sentence} if story.recap else set()
        texts |= set(_runs(parse(story.body_html))) if story.body_html else set()
    texts |= {text for one in view.errata for text in (one.title, one.text)}
    return tuple(sorted(filter(None, map(one_line, texts)), key=len, reverse=True))


def _edited(view: DigestView) -> tuple[str, ...]:
    """What an editor wrote about the issue: words may be anything, marks are not meant there."""
    return tuple(filter(None, map(one_line, (*view.note, view.subject, view.preheader))))


def _without(run: str, authored: tuple[str, ...]) -> str:
    """The run less what an author wrote."""
    if any(run in whole for whole in authored):
        return ""
    for whole in authored:
        run = run.replace(whole, "")
    return run
