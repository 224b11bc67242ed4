"""a digest | its links, asked of the web | which of them do not answer as they should."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from newsletter import words
from newsletter.errors import NewsletterError, Problem
from newsletter.issues import links
from newsletter.issues.page import parse
from newsletter.model import READERS_LINKS, Digest, Fetched, Issue, Site
from newsletter.ports import Client

AT_ONCE = 8
"""Calls at a time; each ends within ten seconds, so that a hundred links are asked in two minutes at the worst."""

_SHOWN = 3


def silent(digest: Digest, site: Site, client: Client) -> dict[str, str]:
    """The addresses of others that do not answer 200, with what they say instead."""
    targets = {url for _, url in links.in_page(parse(digest.html)) if url.startswith(("https://", "http://"))}
    foreign = sorted(url for url in targets - READERS_LINKS if not links.is_own(url, site.url))
    return _each(foreign, lambda url: _trouble(url, client))


@dataclass(frozen=True, slots=True)
class Build:
    """What was published last, and where this machine reaches it on the web."""

    url: str  # of the web root, as readers have it
    seen_at: str  # the same, as this machine has it
    file: Callable[[str], bytes | None]  # what a web server gives for a path below the web root; None for none

    def other(self, url: str, client: Client) -> str:
        """How the answer at an address is other than this build; empty when it is not."""
        path = url.removeprefix(self.url)
        got = _got(f"{self.seen_at}{path}", client)
        if isinstance(got, str):
            return got
        same = self._is(got, path) or self._is_led_on(got, path)
        return "" if same else "it is another text than the one that was built"

    def _is(self, got: Fetched, path: str) -> bool:
        expected = self.file(path)
        return expected is None or got.content == expected  # what `newsletter serve` answers by itself is in no build

    def _is_led_on(self, got: Fetched, path: str) -> bool:
        """Whether the page that was built there names the one that the host has led on to."""
        onward = got.url.removeprefix(self.seen_at)
        names_it = f"{self.url}{onward}".encode() in (self.file(path) or b"")
        return onward != got.url and names_it and self._is(got, onward)


def not_this_build(digest: Digest, build: Build, client: Client) -> dict[str, str]:
    """The issue's addresses on the site itself that do not answer with the very bytes that were published, with why."""
    targets = {url.partition("#")[0] for _, url in links.in_page(parse(digest.html)) if links.is_own(url, build.url)}
    return _each(sorted(targets), lambda url: build.other(url, client))


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
        fixes=(
            "bring feeds/ to the address of [site] url; [publish] after does so by itself",
            f"once it is there: newsletter deliver, or when it was held: newsletter issue send {issue.name}",
        ),
    )


def _each(urls: Collection[str], ask: Callable[[str], str]) -> dict[str, str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {url: why for url, why in zip(urls, pool.map(ask, urls), strict=True) if why}


def _trouble(url: str, client: Client) -> str:
    return "" if isinstance(got := _got(url, client), Fetched) else got


def _got(url: str, client: Client) -> Fetched | str:
    try:
        return client.get(url)
    except NewsletterError as error:
        return "; ".join(problem.message for problem in error.problems)
