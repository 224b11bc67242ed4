"""library | the takes whose day has come: what the editor is reminded to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from newsletter.model import Library, Post, Site
from newsletter.publish import takes


@dataclass(frozen=True, slots=True)
class Due:
    """A Take to look back at: it was promised for `day`."""

    post: Post
    day: date
    text: str


def look_back(library: Library, site: Site, now: datetime) -> Sequence[Due]:
    """The takes that are due on the site's calendar, the longest due first."""
    today = now.astimezone(site.timezone).date()
    return [Due(one.post, one.take.check, one.take.text) for one in takes.due(library, site, today) if one.take.check]
