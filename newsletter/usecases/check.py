"""sources | load | report: read everything, change nothing."""

from __future__ import annotations

from datetime import datetime

from newsletter.content.library import Loaded, load
from newsletter.errors import SourceErrors, stops
from newsletter.model import Library, Site
from newsletter.ports import Cache, Encode, Reviews, Sources, Spread
from newsletter.usecases.illustrate import with_pictures


def check(
    *,
    sources: Sources,
    reviews: Reviews,
    site: Site,
    now: datetime,
    encode: Encode,
    cache: Cache | None = None,
    spread: Spread = map,
) -> Loaded:
    """All posts, with their pictures as they are published, and every problem found in them."""
    read = sources.read()
    loaded = load(read, site, approvals=reviews.all(), now=now, cache=cache, spread=spread)
    return with_pictures(loaded, read, site, encode)


def library_of(loaded: Loaded) -> Library:
    """The Library, if no problem stops it. Raises SourceErrors with all problems of the run."""
    if stops(loaded.problems):
        raise SourceErrors(loaded.problems)
    return loaded.library
