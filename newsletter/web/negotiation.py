"""What a request's headers ask for: pure answers about content codings, media types and validators.

Anything malformed counts as not asked for; nothing here raises.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_ENTITY_TAG = re.compile(r'"[^"]*"')


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip may be used (RFC 9110, 12.5.3): named, or covered by `*`, with a weight above zero."""
    return _accepts("gzip", accept_encoding)


def accepts_brotli(accept_encoding: str) -> bool:
    """Whether brotli may be used: named `br`, or covered by `*`, and not wanted less than gzip."""
    weights = _weights(accept_encoding)
    return _accepts("br", accept_encoding) and weights.get("br", 0.0) >= weights.get("gzip", 0.0)


def _accepts(coding: str, accept_encoding: str) -> bool:
    weights = _weights(accept_encoding)
    return weights.get(coding, weights.get("*", 0.0)) > 0


def accepts_html(accept: str) -> bool:
    """Whether a person's browser asks: feed readers do not name `text/html`, and `*/*` says nothing."""
    return _weights(accept).get("text/html", 0.0) > 0


def unchanged(etag: str, modified: datetime, *, if_none_match: str, if_modified_since: str) -> bool:
    """Whether the client already holds this representation, so that 304 is the answer (RFC 9110, 13.2.2).

    An entity tag, where there is one, decides alone. A date is compared as *not older than*, because feed
    readers send dates that they took from elsewhere.
    """
    if if_none_match:
        return if_none_match.strip() == "*" or etag in _ENTITY_TAG.findall(if_none_match)
    since = date_of(if_modified_since)
    return since is not None and since >= modified.replace(microsecond=0)


def _weights(header: str) -> dict[str, float]:
    """`text/html;q=0.5, */*` as {"text/html": 0.5, "*/*": 1.0}."""
    weights = {}
    for element in header.lower().split(","):
        name, *parameters = (part.strip() for part in element.split(";"))
        weights[name] = _quality(parameters)
    return weights


def _quality(parameters: list[str]) -> float:
    value = next((text[2:].strip() for text in parameters if text.startswith("q=")), "1")
    try:
        return float(value)
    except ValueError:
        return 0.0


def date_of(text: str) -> datetime | None:
    """The moment of an HTTP date, or None for what is no date."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
