"""sources | load | report: everything is looked at, nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from newsletter.content.library import Loaded, load
from newsletter.errors import SourceErrors, stops
from newsletter.model import Library, Site, Source
from newsletter.ports import Cache, Encode, Reviews, Spread
from newsletter.usecases.illustrate import with_pictures


def check(
    *,
    sources: Sequence[Source],
    reviews: Reviews,
    site: Site,
    now: datetime,
    encode: Encode,
    cache: Cache | None = None,
    spread: Spread = map,
) -> Loaded:
    """All posts, with their pictures as they are published, and every problem found in them."""
    loaded = load(sources, site, approvals=reviews.all(), now=now, cache=cache, spread=spread)
    return with_pictures(loaded, sources, site, encode)


def library_of(loaded: Loaded) -> Library:
    """The Library, if no problem stops it. Raises SourceErrors with all problems of the run."""
    if stops(loaded.problems):
        raise SourceErrors(loaded.problems)
    return loaded.library
