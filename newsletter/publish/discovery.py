"""Autodiscovery: the feeds that a page names in its head, so that a reader finds them by the page's address.

`web/base.html` names the main feed first; what is here comes after it: the feeds of the page's own topic, author,
story or of the issues (rssboard.org/rss-autodiscovery).
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.model import Post, Site
from newsletter.publish.around import Around
from newsletter.publish.paths import ATOM_FEED, ISSUES, JSON_FEED, RSS_FEED, chain_path
from newsletter.tongue import tongue_of

_FORMATS = (
    (RSS_FEED, "RSS", "application/rss+xml"),
    (ATOM_FEED, "Atom", "application/atom+xml"),
    (JSON_FEED, "JSON Feed", "application/feed+json"),
)


@dataclass(frozen=True, slots=True)
class Alternate:
    """A feed in one format, as `<link rel="alternate">` names it."""

    title: str
    type: str
    href: str


def of_folder(site: Site, name: str, folder: str) -> tuple[Alternate, ...]:
    """The feed in a folder in its three formats: `of_folder(site, "Batteries", "topics/batteries/")`."""
    title = tongue_of(site).titled(site.title, name)
    return tuple(
        Alternate(f"{title} ({words})", kind, site.address_of(f"{folder}{file}")) for file, words, kind in _FORMATS
    )


def of_issues(site: Site) -> tuple[Alternate, ...]:
    """For the home page, the list of issues and each issue."""
    return of_folder(site, tongue_of(site).say("issues"), ISSUES)


def of_story(site: Site, post: Post, around: Around) -> tuple[Alternate, ...]:
    """For a Post that is part of a story: the feed of that story."""
    if not (around.earlier or around.later):
        return ()
    first = around.earlier[-1] if around.earlier else post
    name = tongue_of(site).say("%(title)s, and what followed", title=first.title)
    return of_folder(site, name, chain_path(first.slug))
