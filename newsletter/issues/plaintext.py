"""The text part: shaped by hand from the same view as the HTML, never scraped from it.

The template (`email/digest.txt`, and a block of `email/blocks/` for each of its parts) decides the order; the shaping
functions that it may call are those of `columns`.
"""

from __future__ import annotations

from jinja2 import Environment

from newsletter.issues.columns import rule, tidy, underlined, wrap
from newsletter.issues.view import DigestView
from newsletter.model import Tally


def render(view: DigestView, templates: Environment) -> str:
    """The text of a view, ending in one line feed."""
    template = templates.get_template("email/digest.txt")
    return tidy(template.render(digest=view, wrap=wrap, underlined=underlined, rule=rule, numbered=numbered))


def numbered(lines: str) -> str:
    """Lines that begin with a number, which is another for a reader who does not get all of those before."""
    return f"{Tally.NUMBER}{lines}"
