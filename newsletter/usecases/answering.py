"""a digest | its links, asked of the web | which of them do not answer as they should."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from newsletter.errors import NewsletterError
from newsletter.issues import links
from newsletter.issues.page import parse
from newsletter.model import Digest, Fetched, Sentinel, Site
from newsletter.ports import Client

AT_ONCE = 8
"""Calls at a time; each ends within ten seconds, so that a hundred links are asked in two minutes at the worst."""


def silent(digest: Digest, site: Site, client: Client) -> dict[str, str]:
    """The addresses of others that do not answer 200, with what they say instead."""
    targets = {url for _, url in links.in_page(parse(digest.html)) if url.startswith(("https://", "http://"))}
    foreign = sorted(url for url in targets - {Sentinel.UNSUBSCRIBE} if not links.is_own(url, site.url))
    return _each(foreign, lambda url: _trouble(url, client))


def not_this_build(
    digest: Digest, site: Site, client: Client, published: Callable[[str], bytes | None]
) -> dict[str, str]:
    """The issue's addresses on the site itself that do not answer with the very bytes which were published.

    `published` answers the file that a web server gives for a path below the web root.
    """
    targets = {url.partition("#")[0] for _, url in links.in_page(parse(digest.html)) if links.is_own(url, site.url)}
    return _each(sorted(targets), lambda url: _other(url, client, published(url.removeprefix(site.url))))


def _each(urls: Collection[str], ask: Callable[[str], str]) -> dict[str, str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {url: why for url, why in zip(urls, pool.map(ask, urls), strict=True) if why}


def _trouble(url: str, client: Client) -> str:
    return "" if isinstance(got := _got(url, client), Fetched) else got


def _other(url: str, client: Client, expected: bytes | None) -> str:
    if expected is None:
        return ""  # no file of the site: answered by `newsletter serve`, which needs no build
    got = _got(url, client)
    if not isinstance(got, Fetched):
        got = _got(url, client)  # once more: a page may be moved into place this very moment
    if not isinstance(got, Fetched):
        return got
    return "" if got.content == expected else "it is another text than the one that was built"


def _got(url: str, client: Client) -> Fetched | str:
    try:
        return client.get(url)
    except NewsletterError as error:
        return "; ".join(problem.message for problem in error.problems)
