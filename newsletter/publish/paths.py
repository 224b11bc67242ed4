"""Where things are below the web root: `posts/SLUG/`, `issues/N/`, `rss.xml`.

A path that ends in a slash is a page; its File is the `index.html` inside. Pages point at each other with
relative links (`../../style.css`), so that a site works below any prefix and looks right from a disk.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from slugify import slugify

from newsletter.model import Site

HOME, POSTS, ISSUES, FEEDS, SEARCH = "", "posts/", "issues/", "feeds/", "search/"
TAKES, SITEMAP = "takes/", "sitemap.xml"
TOPICS, AUTHORS, CHAINS, YEARS = "topics/", "authors/", "chains/", "years/"
ARCHIVE = "archive/"  # of the main feed
RSS_FEED, ATOM_FEED, JSON_FEED = "rss.xml", "atom.xml", "feed.json"
FEED_LIST = "feeds.opml"

_SYMBOLS = (("+", "plus"), ("#", "sharp"))  # C, C++ and C# are three topics


def post_path(slug: str) -> str:
    return f"{POSTS}{slug}/"


_NO_NAME = str.maketrans("", "", "%.")  # a topic of dots would be the folder above


@lru_cache(maxsize=4096)  # every post names some, and a site has few
def topic_slug(topic: str) -> str:
    """What a topic is called in an address; topics that differ only in capitals or accents share a page."""
    return slugify(topic, replacements=_SYMBOLS) or quote(topic, safe="").translate(_NO_NAME).lower() or "topic"


def topic_path(topic: str) -> str:
    return f"{TOPICS}{topic_slug(topic)}/"


@lru_cache(maxsize=4096)
def author_path(key: str) -> str:
    return f"{AUTHORS}{slugify(key) or 'author'}/"


def chain_path(slug: str) -> str:
    """Where the feed of a story lies: it is called as the first of its Posts."""
    return f"{CHAINS}{slug}/"


def page_file(path: str) -> PurePosixPath:
    """The file that a web server answers with for a page's path."""
    return PurePosixPath(path, "index.html")


def root_of(path: str) -> str:
    """The way from a page to the web root: `./` from the home page, `../../` from a post."""
    return "../" * path.count("/") or "./"


def absolute_root(site: Site) -> str:
    """The web root as a path of its host, for a page shown at any depth: `/`, or `/blog/`."""
    return f"{urlsplit(site.url).path}/"


def local(address: str, site: Site, root: str) -> str:
    """An absolute address on the site as a relative one; any other address unchanged."""
    inside = address.removeprefix(f"{site.url}/")
    return address if inside == address else f"{root}{inside}"
