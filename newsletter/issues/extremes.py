"""The two readers between whom all others lie: the one with the longest words of their own, and the one with the least.

What stands in a mail for every reader is looked at as these two get it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from types import MappingProxyType

from newsletter.model import Digest, Sentinel

LONGEST: Mapping[Sentinel, str] = MappingProxyType(
    {
        Sentinel.UNSUBSCRIBE: f"https://{'a' * 63}.{'b' * 63}.museum/u/{'T' * 120}",
        Sentinel.PREFERENCES: f"https://{'a' * 63}.{'b' * 63}.museum/p/{'T' * 120}",
        Sentinel.ADDRESS: f"w…@{'a' * 63}.{'b' * 63}.{'c' * 63}.museum",
        Sentinel.JOINED: "Wednesday 30 September 2026",
    }
)
EMPTIEST: Mapping[Sentinel, str] = MappingProxyType(
    {
        Sentinel.UNSUBSCRIBE: "https://a.de/u/T",
        Sentinel.PREFERENCES: "https://a.de/p/T",
        Sentinel.ADDRESS: "…@a.de",
        Sentinel.JOINED: "1 May 2026",
    }
)

_SENTINEL = re.compile("|".join(re.escape(sentinel) for sentinel in Sentinel))


def read_by(digest: Digest, own: Mapping[Sentinel, str]) -> Digest:
    """The Digest as it is once it holds a reader's own words."""
    return replace(
        digest,
        html=_SENTINEL.sub(lambda found: escape(own[Sentinel(found[0])]), digest.html),
        text=_SENTINEL.sub(lambda found: own[Sentinel(found[0])], digest.text),
    )
