"""What is found out of a piece of a Message, once for all Messages that have it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

LARGE = 2048
"""Octets from which on a piece is taken for one that other Messages have as well."""

_KEPT = 256  # an issue has as many variants as its readers chose


def remembered(of: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """The same function, which works out its answer for a large piece only once."""
    kept = lru_cache(maxsize=_KEPT)(of)

    @wraps(of)
    def answer(piece: bytes) -> T:
        return kept(piece) if len(piece) >= LARGE else of(piece)

    return answer
