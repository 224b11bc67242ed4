"""sources | load | report: read everything, change nothing."""

from __future__ import annotations

from datetime import datetime

from newsletter.content.library import Loaded, load
from newsletter.errors import SourceErrors, stops
from newsletter.model import Library, Site
from newsletter.ports import Reviews, Sources


def check(*, sources: Sources, reviews: Reviews, site: Site, now: datetime) -> Loaded:
    """All posts with every problem found in them."""
    return load(sources.read(), site, approvals=reviews.all(), now=now)


def library_of(loaded: Loaded) -> Library:
    """The Library, if no problem stops it. Raises SourceErrors with all problems of the run."""
    if stops(loaded.problems):
        raise SourceErrors(loaded.problems)
    return loaded.library
