"""HTML as Markdown for tests: `moved()` converts, `shown()` is what our own reader makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from newsletter.content.importing import body, faithful
from newsletter.content.importing.body import Body, Surroundings
from newsletter.content.sanitise import Address
from newsletter.model import Post
from tests.builders import a_site
from tests.unit.content.sources import post_of

BASE = "https://garage.example/2019/05/hatch/"
DAY = date(2019, 5, 3)


def around(
    *,
    loose: bool = False,
    shows: Callable[[str], str] = lambda _url: "",
    link: Callable[[str], str | None] = lambda url: url,
    picture: Callable[[str], str] = lambda url: url,
) -> Surroundings:
    return Surroundings(BASE, loose, shows, link, picture)


def read(html: str, *, loose: bool = False) -> Body:
    return body.read(html, around(loose=loose))


def markdown_of(html: str, *, loose: bool = False) -> str:
    """The Markdown of `html`; fails when not all of it could be kept."""
    found = faithful.written(read(html, loose=loose), Address.of("first", a_site()), DAY)
    assert found is not None
    return found


def shown(html: str, *, loose: bool = False) -> Post:
    """The post that readers get of it."""
    return post_of(markdown_of(html, loose=loose))
