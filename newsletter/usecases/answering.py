"""a digest | its links, asked of the web | which of them do not answer as they should."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from newsletter import words
from newsletter.errors import NewsletterError, Problem
from newsletter.issues import links
from newsletter.issues.page import parse
from newsletter.model import Digest, Fetched, Issue, Sentinel, Site
from newsletter.ports import Client

AT_ONCE = 8
"""Calls at a time; each ends within ten seconds, so that a hundred links are asked in two minutes at the worst."""

_SHOWN = 3


def silent(digest: Digest, site: Site, client: Client) -> dict[str, str]:
    """The addresses of others that do not answer 200, with what they say instead."""
    targets = {url for _, url in links.in_page(parse(digest.html)) if url.startswith(("https://", "http://"))}
    foreign = sorted(url for url in targets - {Sentinel.UNSUBSCRIBE} if not links.is_own(url, site.url))
    return _each(foreign, lambda url: _trouble(url, client))


def not_this_build(
    digest: Digest, site: Site, client: Client, published: Callable[[str], bytes | None], *, seen_at: str
) -> dict[str, str]:
    """The issue's addresses on the site itself that do not answer with the very bytes that were published.

    `published` answers the file that a web server gives for a path below the web root, or None where there is none;
    `seen_at` is the address under which this machine reaches the web root.
    """
    targets = {url.partition("#")[0] for _, url in links.in_page(parse(digest.html)) if links.is_own(url, site.url)}

    def ask(url: str) -> str:
        path = url.removeprefix(site.url)
        return _other(f"{seen_at}{path}", client, published(path))

    return _each(sorted(targets), ask)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps an issue whose time has come from being sent."""

    problems: tuple[Problem, ...]
    passes: bool  # without an editor: a deploy may be under way

    @property
    def reason(self) -> str:
        """All of it in one line, as it is kept with an issue that is held."""
        return "; ".join(f"{problem.code} {problem.message}" for problem in self.problems)


def obstacle(issue: Issue, gone: Sequence[Problem], wrong: Mapping[str, str]) -> Obstacle | None:
    """`gone` tells of stories that were taken back, `wrong` of own pages that are not there: addresses with why."""
    if gone:
        return Obstacle(tuple(gone), passes=False)
    return Obstacle((_not_there(issue, wrong),), passes=True) if wrong else None


def _not_there(issue: Issue, wrong: Mapping[str, str]) -> Problem:
    shown = [f"{url} ({why})" for url, why in list(wrong.items())[:_SHOWN]]
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return Problem(
        "I340",
        f"{words.count(len(wrong), 'link')} of the mail would not lead to this build: {'; '.join([*shown, *more])}",
        why="Readers would press a link to a page that is not there yet.",
        fixes=("deploy feeds/ to the address of [site] url", f"newsletter issue send {issue.number}"),
    )


def _each(urls: Collection[str], ask: Callable[[str], str]) -> dict[str, str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {url: why for url, why in zip(urls, pool.map(ask, urls), strict=True) if why}


def _trouble(url: str, client: Client) -> str:
    return "" if isinstance(got := _got(url, client), Fetched) else got


def _other(url: str, client: Client, expected: bytes | None) -> str:
    got = _got(url, client)
    if not isinstance(got, Fetched):
        got = _got(url, client)  # once more: a page may be moved into place this very moment
    if not isinstance(got, Fetched):
        return got
    same = expected is None or got.content == expected  # what `newsletter serve` answers by itself is in no build
    return "" if same else "it is another text than the one that was built"


def _got(url: str, client: Client) -> Fetched | str:
    try:
        return client.get(url)
    except NewsletterError as error:
        return "; ".join(problem.message for problem in error.problems)
