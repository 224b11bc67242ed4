"""What was meant to be replaced and was not: marks of templates, of unfinished texts, and values that were missing.

What an author wrote is his: a post may show `{{ code }}`, and None is also an English word. Posts have checks of
their own (P118); here the mail that was made of them is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from newsletter.errors import Problem
from newsletter.issues.facts import Facts
from newsletter.issues.mail import Mail, one_line, opened, stop
from newsletter.issues.page import strings
from newsletter.issues.view import DigestView
from newsletter.model import Digest

_MARKS = re.compile(r"\{\{|\{%|\}\}|%\}|@@|\bTK\b|\blorem ipsum\b", re.IGNORECASE)
_SENTINELS = re.compile(r"__[A-Z]+(?:_[A-Z]+)*__|//x\.invalid|<!--\s*(?:end )?segment\b")
_NONE = re.compile(r"\bNone\b")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_FIX = "finish the post, or mend the template that left it"


def check(mail: Mail) -> Iterator[Problem]:
    """I304 for each place in which something was left."""
    authored = _authored(mail.view)
    runs = [("HTML part", run) for run in _runs(mail.page)]
    runs += [("text part", one_line(paragraph)) for paragraph in _PARAGRAPHS.split(mail.digest.text)]
    for place, run in (*runs, ("subject", mail.digest.subject), ("preheader", mail.digest.preheader)):
        left = _MARKS.search(run)
        if left and (left := _MARKS.search(_without(run, authored))):
            yield stop("I304", f"{left[0]!r} is left in the {place}", "Somebody meant to write something there.", _FIX)
    own = (*authored, *map(one_line, (*mail.view.note, mail.view.subject, mail.view.preheader)))
    for run in mail.words:
        if _NONE.search(run) and _NONE.search(_without(run, own)):
            yield stop("I304", f"'None' stands in {run[:60]!r}", "A value was missing when the mail was made.", _FIX)


def in_what_is_read(digest: Digest, view: DigestView) -> Iterator[Problem]:
    """I304 for a Digest that holds a reader's own words already: a mark of these is left as well."""
    yield from check(opened(digest, view, Facts()))
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
    told = [(story.title, story.summary, story.take_text, story.image_alt) for story in view.stories]
    earlier = [one.title for story in view.stories for one in story.earlier]
    last = [view.last_issue.title] if view.last_issue else []
    texts = {one_line(text) for text in (*(text for texts in told for text in texts), *earlier, *last)}
    return tuple(sorted(filter(None, texts), key=len, reverse=True))


def _without(run: str, authored: tuple[str, ...]) -> str:
    """The run less what an author wrote."""
    if any(run in whole for whole in authored):
        return ""
    for whole in authored:
        run = run.replace(whole, "")
    return run
