"""How heavy a Digest is, against what Gmail shows before it clips a mail (about 102 kB of HTML)."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.errors import Problem
from newsletter.model import Digest, Sentinel

WARN_ABOVE = 80_000
STOP_ABOVE = 100_000


_ROOM: Mapping[Sentinel, int] = {Sentinel.UNSUBSCRIBE: 300, Sentinel.ADDRESS: 260, Sentinel.JOINED: 40}
"""Octets that a reader's own words and links take at most: a host and a token; `x…@` and a domain of 255 octets
(RFC 5321, 4.5.3.1.2); a date.
"""


def size(digest: Digest) -> int:
    """Octets of the HTML part, decoded, as the reader gets it for whom it is longest."""
    return longest(digest.html)


def longest(html: str) -> int:
    """Octets of the HTML once the longest words that a reader can have stand in it."""
    return len(html.encode()) + sum(html.count(own) * (room - len(own)) for own, room in _ROOM.items())


def check(digest: Digest) -> Problem | None:
    """I302 (warn) above 80 kB, I301 (stop) above 100 kB."""
    octets = size(digest)
    if octets <= WARN_ABOVE:
        return None
    too_heavy = octets > STOP_ABOVE
    return Problem(
        "I301" if too_heavy else "I302",
        f"The HTML part is {octets / 1000:.1f} kB (warning above 80, stop above 100)",
        why="Gmail clips a mail at about 102 kB, and the unsubscribe link is at its end.",
        fixes=("shorten summaries or takes", "leave a story for the next issue"),
        level="stop" if too_heavy else "warn",
    )
