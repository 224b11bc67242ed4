"""A DigestView becomes a Digest: Jinja first, inlining after, then the text part, then the hash.

The order is part of the promise: inlined rows stay rows only once the template has run. Two renders of one view are
byte-equal.
"""

from __future__ import annotations

import hashlib

from jinja2 import Environment

from newsletter.issues import plaintext
from newsletter.issues.inline import inline
from newsletter.issues.view import DigestView, EarlierView, LastIssueView, StoryView, view
from newsletter.model import Digest

__all__ = ["DigestView", "EarlierView", "LastIssueView", "StoryView", "digest_hash", "render", "view"]


def render(view: DigestView, templates: Environment) -> Digest:
    """The Digest of a view. Raises ConfigError (I2xx) when a template or style sheet cannot be inlined whole."""
    html = inline(
        templates.get_template("email/digest.html").render(digest=view),
        templates.get_template("email/style.css").render(digest=view),
    )
    text = plaintext.render(view, templates)
    note = "\n\n".join([*view.note, f"— {view.signed}"] if view.signed else view.note) if view.note else ""
    return Digest(view.subject, view.preheader, html, text, digest_hash(view.subject, view.preheader, html, text), note)


def digest_hash(subject: str, preheader: str, html: str, text: str) -> str:
    """`sha256:` and the hash of the four parts, each ended by a NUL so that none can run into the next."""
    hashed = hashlib.sha256()
    for part in (subject, preheader, html, text):
        hashed.update(part.encode() + b"\0")
    return f"sha256:{hashed.hexdigest()}"
