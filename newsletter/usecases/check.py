"""sources | load | report: everything is looked at, nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from newsletter.content.library import Last, Loaded, load
from newsletter.errors import NewsletterError, SourceErrors, stops
from newsletter.model import Library, Site, Source
from newsletter.ports import Cache, Encode, Output, Redirects, Reviews, Spread
from newsletter.publish.redirects import former_slugs
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
    output: Output,
    redirects: Redirects,
    last: Last | None = None,
) -> Loaded:
    """All posts, with their pictures as they are published, and every problem found in them.

    They may name each other by slugs that they had: as `output` and `redirects` remember, which are asked if need be.
    """

    def formerly() -> Mapping[str, str]:
        try:
            return former_slugs(site, output.published_ids(), redirects.all())
        except NewsletterError:  # whoever publishes is told
            return {}

    if last:
        last.only_for(formerly())
    approvals = reviews.all()
    loaded = load(sources, site, approvals=approvals, now=now, cache=cache, spread=spread, formerly=formerly, last=last)
    return with_pictures(loaded, sources, site, encode)


def library_of(loaded: Loaded) -> Library:
    """The Library, if no problem stops it. Raises SourceErrors with all problems of the run."""
    if stops(loaded.problems):
        raise SourceErrors(loaded.problems)
    return loaded.library
