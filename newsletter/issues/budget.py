"""How heavy a Digest is, against what Gmail shows before it clips a mail (about 102 kB of HTML)."""

from __future__ import annotations

from newsletter import variants
from newsletter.errors import Problem
from newsletter.issues.extremes import LONGEST
from newsletter.model import Digest
from newsletter.tongue import spoken

WARN_ABOVE = 80_000
STOP_ABOVE = 100_000


def size(digest: Digest) -> int:
    """Octets of the HTML part, decoded, as the reader gets it for whom it is longest: all of it, and the longest words
    that a reader can have of their own. What it counts is counted in English, some octets more or less.
    """
    html = variants.whole(digest, spoken("en")).html
    return len(html.encode()) + sum(html.count(own) * (len(put.encode()) - len(own)) for own, put in LONGEST.items())


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
