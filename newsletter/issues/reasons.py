"""Names and reasons as notices give them."""

from __future__ import annotations

from newsletter.model import Site


def name_of(site: Site, key: str) -> str:
    return site.people[key].name if key in site.people else key


def sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def reason_of(given: str) -> str:
    """The reason that somebody gave, as a sentence; or that none was given."""
    return sentence(given or "no reason was given")
