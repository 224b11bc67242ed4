"""A DigestView becomes a Digest: Jinja first, inlining after, then the text part, then the hash.

The order is part of the promise: inlined rows stay rows only once the template has run. Two renders of one view are
byte-equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from jinja2 import Environment

from newsletter import segments
from newsletter.errors import ConfigError, Problem
from newsletter.issues import parts, plaintext
from newsletter.issues.inline import inline, transform
from newsletter.issues.view import DigestView, EarlierView, LastIssueView, StoryView, view
from newsletter.model import Digest, Segment, SegmentKind, Tally

__all__ = ["DigestView", "EarlierView", "LastIssueView", "StoryView", "digest_hash", "render", "view"]


def render(view: DigestView, templates: Environment) -> Digest:
    """The Digest of a view. Raises ConfigError (I2xx) when a template or style sheet cannot be inlined whole."""
    html = inline(*unjoined(view, templates))
    text = plaintext.render(for_all(view), templates)
    note = "\n\n".join([*view.note, f"— {view.signed}"] if view.signed else view.note) if view.note else ""
    hashed = digest_hash(view.subject, view.preheader, html, text)
    return Digest(view.subject, view.preheader, html, text, hashed, note, _segments(view, html, text))


def _segments(view: DigestView, html: str, text: str) -> tuple[Segment, ...]:
    """Those of the view that both parts show: one that a site's templates leave out was told to nobody.

    Raises ConfigError I213 when a mark is damaged, when only one part shows a segment, and when a mail without one
    would be torn, or would lead to a story that is not in it.
    """
    try:
        in_html, in_text = segments.keys(html), segments.keys(text)
    except ValueError as error:
        raise ConfigError(_mark_problem(f"A mark of a segment is not as it should be: {error}")) from error
    if odd := sorted(in_html ^ in_text):
        raise ConfigError(_mark_problem(f"Only one part of the mail has the segment {odd[0]}"))
    if lost := [each.key for each in view.segments if each.kind is SegmentKind.STORY and each.key not in in_html]:
        raise ConfigError(_mark_problem(f"{lost[0]} does not stand between its marks, so that nobody could do without"))
    if damaged := next(parts.torn(html), None):
        raise ConfigError(_mark_problem(f"{damaged} begins in one element and ends in another"))
    # A post that is mailed by itself is its own issue's page: whoever goes without it gets no mail at all.
    addresses = [story.url for story in view.stories if story.url != view.issue_url]
    if address := next((each for body in (html, text) for each in parts.told_outside(body, addresses)), None):
        raise ConfigError(_mark_problem(f"{address} is linked to outside of its story"))
    return tuple(each for each in view.segments if each.key in in_html)


def _mark_problem(message: str) -> Problem:
    why = "What some readers get and others do not stands between two lines that no other text may look like."
    fix = "compare your copies in templates/email/ with the built-in ones: newsletter templates diff"
    return Problem("I213", message, why=why, fixes=(fix,))


def inlined(view: DigestView, templates: Environment) -> Digest:
    """The HTML of a view as `render` makes it, taken on trust and without the rest: for whoever only weighs it."""
    html = transform(*unjoined(view, templates))
    return Digest(view.subject, view.preheader, html, "", segments=view.segments)


def unjoined(view: DigestView, templates: Environment) -> tuple[str, str]:
    """The page and its plain sheet."""
    names = ("email/digest.html", "email/style.css")
    page, sheet = (templates.get_template(name).render(digest=for_all(view)) for name in names)
    return page, sheet


def for_all(view: DigestView) -> DigestView:
    """The view as templates get it: with Tallies for what it says of the stories in it."""
    line = view.issue_line.removesuffix(view.counted) + Tally.STORIES
    return replace(view, issue_line=line, preheader=Tally.PREHEADER.value, title=Tally.TITLE.value)


def digest_hash(subject: str, preheader: str, html: str, text: str) -> str:
    """`sha256:` and the hash of the four parts, each ended by a NUL so that none can run into the next."""
    hashed = hashlib.sha256()
    for part in (subject, preheader, html, text):
        hashed.update(part.encode() + b"\0")
    return f"sha256:{hashed.hexdigest()}"
