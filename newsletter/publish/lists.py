"""A list of Posts as pages: one while it is short; the newest and a page for each year when it is long.

The page of a year keeps its address, and changes only with its own Posts and when a year beside it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from zoneinfo import ZoneInfo

from newsletter.model import Post, Site
from newsletter.publish import keys, views
from newsletter.publish.contexts import Leaf, ListContext
from newsletter.publish.discovery import Alternate
from newsletter.publish.paths import page_file, root_of
from newsletter.publish.views import Group, Page, Way
from newsletter.tongue import Tongue, tongue_of

WHOLE = 100  # Posts that one page holds; of more, the first page shows the newest
NEWEST = 30
MONTHLY = 24  # Posts of a year that need no months as headings


@dataclass(frozen=True, slots=True)
class Listing:
    """Posts, newest first, what they have in common, and where their pages are."""

    name: str
    about: str  # "on Batteries", "by News desk": what follows "5 posts", in the readers' tongue
    path: str  # of the first page
    years: str  # the folder in which each year has one
    posts: Sequence[Post]
    up: Way | None = None
    feeds: tuple[Alternate, ...] = ()


def leaves(site: Site, listing: Listing) -> Iterator[Leaf]:
    """The page, or the pages, of one list."""
    common: tuple[object, ...] = (listing.name, listing.about)
    if len(listing.posts) <= WHOLE:
        faces = map(keys.face, listing.posts)
        yield Leaf(page_file(listing.path), partial(_whole, site, listing), (*common, *faces))
        return
    by_year = _by_year(site, listing.posts)
    counts = {year: len(posts) for year, posts in by_year.items()}
    newest = (*common, counts, *map(keys.face, listing.posts[:NEWEST]))
    yield Leaf(page_file(listing.path), partial(_newest, site, listing, counts), newest)
    years = [*by_year]
    for older, year, newer in zip((*years[1:], 0), years, (0, *years[:-1]), strict=True):
        seen = (*common, older, newer, *map(keys.face, by_year[year]))
        one = partial(_year, site, listing, year, by_year[year], older, newer)
        yield Leaf(page_file(f"{listing.years}{year}/"), one, seen)


def _whole(site: Site, listing: Listing) -> ListContext:
    page = _page(site, listing, listing.path, listing.name)
    groups = views.by_year(views.references(site, listing.posts))
    return ListContext(site, page, listing.name, _sentence(site, listing, listing.posts), groups, up=listing.up)


def _newest(site: Site, listing: Listing, counts: Mapping[int, int]) -> ListContext:
    page, tongue = _page(site, listing, listing.path, listing.name), tongue_of(site)
    newest = listing.posts[:NEWEST]
    last = _year_of(newest[-1], site.timezone)
    ways = tuple(Way(str(year), f"{listing.years}{year}/", tongue.number(count)) for year, count in counts.items())
    return ListContext(
        site,
        page,
        listing.name,
        _sentence(site, listing, listing.posts),
        (Group(tongue.say("Newest"), views.references(site, newest)),),
        ways=ways,
        older=Way(tongue.say("All of %(year)s", year=str(last)), f"{listing.years}{last}/"),
        up=listing.up,
    )


def _year(site: Site, listing: Listing, year: int, posts: Sequence[Post], older: int, newer: int) -> ListContext:
    tongue, path = tongue_of(site), f"{listing.years}{year}/"
    name = tongue.listed(tongue.isolated(listing.name), str(year))
    groups = _months(tongue, views.references(site, posts))
    months = groups if len(posts) > WHOLE else ()
    return ListContext(
        site,
        _page(site, listing, path, name),
        name,
        _sentence(site, listing, posts, str(year)),
        groups,
        ways=tuple(Way(one.heading, f"{path}#{one.mark}", tongue.number(len(one.lines))) for one in months),
        older=_way(listing, older),
        newer=_way(listing, newer),
        up=Way(tongue.say("All posts %(about)s", about=listing.about), listing.path),
    )


def _page(site: Site, listing: Listing, path: str, title: str) -> Page:
    about = tongue_of(site).say("Posts %(about)s: %(title)s.", about=listing.about, title=title)
    if path == listing.path:
        about = _sentence(site, listing, listing.posts)
    return Page(title, about, canonical=site.address_of(path), root=root_of(path), feeds=listing.feeds)


def _sentence(site: Site, listing: Listing, posts: Sequence[Post], year: str = "") -> str:
    tongue = tongue_of(site)
    told = {"posts": tongue.posts(len(posts)), "about": listing.about}
    if not posts:
        return ""
    if year:
        return tongue.say("%(posts)s %(about)s in %(year)s, newest first.", **told, year=year)
    return tongue.say("%(posts)s %(about)s, newest first.", **told)


def _way(listing: Listing, year: int) -> Way | None:
    return Way(str(year), f"{listing.years}{year}/") if year else None


def _months(tongue: Tongue, lines: Sequence[views.Reference]) -> tuple[Group, ...]:
    if len(lines) <= MONTHLY:
        return (Group("", tuple(lines)),)
    months = groupby(lines, lambda line: int(line.iso[5:7]))
    return tuple(Group(tongue.month(month), tuple(some)) for month, some in months)


def _by_year(site: Site, posts: Sequence[Post]) -> dict[int, tuple[Post, ...]]:
    return {year: tuple(some) for year, some in groupby(posts, lambda post: _year_of(post, site.timezone))}


def _year_of(post: Post, zone: ZoneInfo) -> int:
    """On the readers' calendar; it differs from that of UTC on two days only."""
    at = post.published
    return at.year if 1 < at.month < 12 else at.astimezone(zone).year
