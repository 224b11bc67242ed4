"""What holds for every route behind a link and every kind of token: lists are made from the application itself."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from httpx2 import Response
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from newsletter.model import WEEKLY, Evidence, LetterKind
from newsletter.web.app import Own, create_app
from newsletter.web.subscribe import Desk
from tests.acceptance.harness import SiteFolder
from tests.unit.usecases.world import WEDNESDAY, World, a_world, a_world_in
from tests.unit.web.parts import a_client

ADDRESS, ADA, BOB = "ada.lovelace@readers.example", 1, 2
HAND = Evidence("cli", "on paper")
EARLIER = WEDNESDAY - timedelta(minutes=1)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH")
ACTS = (
    *("", "leave", "pause", "monthly", "feed", "undo", "why", "save", "resume", "data", "download"),
    *("confirm", "deny", "again", "hold", "release"),
)
"""All that buttons of such pages say, and nothing."""

OWN = {"u": "/u/", "p": "/p/", "d": "/d/", "m": "/m/", "b": "/b/", "c": "/c/", "hold": "/hold/"}
SAVING = {
    "often": "weekly",
    "shown": ["batteries"],
    "topics": ["batteries"],
    "pause": "4w",
    "format": "plain",
    "address": "new@readers.example",
}


@dataclass
class House:
    """A whole site with two readers, each of whom has moved, and asked for yet another address."""

    world: World
    pages: Starlette
    client: TestClient

    def tokens(self, number: int) -> dict[str, str]:
        """One of each kind that a reader may hold, by the route it is for; of the house one of each other kind."""
        app = self.world.app
        reader = app.roster.get(number)
        assert reader
        key = (reader.id, reader.token_version)
        letters = app.letters.of(reader.id)
        move = [one for one in letters if one.kind is LetterKind.MOVE][-1]
        told = next(one for one in letters if one.kind is LetterKind.MOVED)
        links = {
            "u": app.unsubscribe_url(*key),
            "p": app.preferences_url(*key),
            "d": app.data_url(*key, WEDNESDAY),
            "c": app.confirm_url(*key, WEDNESDAY),
            "m": app.move_url(move.id, WEDNESDAY),
            "b": app.take_back_url(told.id, told.at),
            "hold": app.hold_url("2026-W48", "review-desk"),
        }
        return {route: link.rpartition("/")[2] for route, link in links.items()}

    def stand_up(self, number: int) -> None:
        """Active again, so that the next press has something to change."""
        roster = self.world.app.roster
        for act in (roster.come_back, roster.resume):
            act(number, evidence=HAND, now=WEDNESDAY)

    def rows(self, number: int) -> dict[str, list[tuple[object, ...]]]:
        """Everything in the database that is about a reader."""
        with sqlite3.connect(self.world.app.config.state / "newsletter.sqlite3") as database:
            named = database.execute(
                "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c "
                "WHERE m.type = 'table' AND (c.name = 'subscriber_id' OR m.name = 'subscriber' AND c.name = 'id')"
            ).fetchall()
            assert len(named) >= 5
            return {
                table: database.execute(f"SELECT * FROM {table} WHERE {column} = ?", (number,)).fetchall()
                for table, column in named
            }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, to be copied."""
    root = tmp_path_factory.mktemp("built") / "site"
    app = a_world(root, ("hybrid-hatch", "2026-11-24")).app
    app.publish(app.library(WEDNESDAY), WEDNESDAY)
    for address in (ADDRESS, "bob@others.example"):
        made = app.roster.add(f"old-{address}", edition=WEEKLY, evidence=HAND, now=EARLIER)
        assert made
        app.roster.ask_move(made.id, address, now=EARLIER)
        app.roster.move(app.letters.of(made.id)[0].id, evidence=HAND, now=EARLIER)
        app.roster.ask_move(made.id, f"new-{address}", now=WEDNESDAY)
    app.close()
    return root


@pytest.fixture
def house(built: Path, tmp_path: Path) -> Iterator[House]:
    root = tmp_path / "site"
    shutil.copytree(built, root)
    world = a_world_in(SiteFolder(root))
    app = world.app

    def clock() -> datetime:
        return WEDNESDAY + timedelta(minutes=1)

    pages = create_app(
        folder=app.config.output,
        site=app.config.site,
        templates=app.templates,
        unsubscribe=app.unsubscribe(clock),
        hold=app.hold(clock),
        own=Own(app.preferences(clock), app.own_data(clock), app.new_address(clock), app.search.topics),
        desk=Desk(app.signup(clock), lambda: app.showcase(clock()), app.preferences_url),
        search=app.search,
    )
    yield House(world, pages, a_client(pages, app.config.site.web_url))
    app.close()


def signed_routes(pages: Starlette) -> list[str]:
    return [route.path for route in pages.routes if isinstance(route, Route) and "{token}" in route.path]


def test_every_route_behind_a_link_is_looked_at_here(house: House) -> None:
    assert sorted(signed_routes(house.pages)) == sorted(f"{path}{{token}}" for path in OWN.values())
    assert set(house.tokens(ADA)) == set(OWN)


def test_a_token_of_one_kind_is_on_the_route_of_another_what_no_token_is(house: House) -> None:
    tokens, before, acts = house.tokens(ADA), house.rows(ADA), cycle(ACTS)
    for route, path in OWN.items():
        nothing = asked(house, f"{path}nothing", None)
        assert nothing.status_code == 404
        for kind, token in tokens.items():
            for act in (None, next(acts), next(acts)):
                if kind != route:
                    answer = asked(house, f"{path}{token}", act)
                    assert (answer.status_code, answer.content) == (404, nothing.content), (kind, route, act)
    assert house.rows(ADA) == before


def asked(house: House, path: str, act: str | None) -> Response:
    """A look; or a press, if there is an act."""
    return house.client.get(path) if act is None else house.client.post(path, data=SAVING | {"do": act})


def test_no_press_on_a_link_of_one_reader_touches_or_shows_another(house: House) -> None:
    before = house.rows(BOB)
    for act in ACTS:
        for route in OWN:
            token = house.tokens(ADA)[route]
            for press in (None, act):
                answer = asked(house, f"{OWN[route]}{token}", press)
                assert answer.status_code < 500
                assert "bob" not in answer.text
                assert "others.example" not in answer.text
            house.stand_up(ADA)
    assert "You are forgotten" in asked(house, f"/d/{house.tokens(ADA)['d']}", "forget").text
    assert house.rows(BOB) == before


def test_only_a_press_changes_anything(house: House) -> None:
    before = {one: house.rows(one) for one in (ADA, BOB)}
    for route, token in house.tokens(ADA).items():
        for act in ACTS:
            house.client.get(f"{OWN[route]}{token}?do={act}&List-Unsubscribe=One-Click")
        for method in METHODS:
            if method != "POST":
                house.client.request(method, f"{OWN[route]}{token}?do=leave&List-Unsubscribe=One-Click")
    assert {one: house.rows(one) for one in (ADA, BOB)} == before


def test_no_page_behind_a_link_is_kept_indexed_framed_or_told_to_others(house: House) -> None:
    tokens = house.tokens(ADA)
    paths = [f"{OWN[route]}{token}" for route, token in tokens.items()]
    paths += [f"{path}nothing" for path in OWN.values()] + ["/p/", "/subscribe/", "/subscribe/sent/"]
    for path in paths:
        for method in ("GET", "POST", "PUT"):
            answer = house.client.request(method, path)
            headers = answer.headers
            assert headers["cache-control"] == "no-store", (method, path)
            assert headers["x-content-type-options"] == "nosniff"
            assert "set-cookie" not in headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "script-src" not in policy
            if answer.status_code != 405:
                assert headers["referrer-policy"] == "no-referrer"
                assert headers["x-robots-tag"] == "noindex, nofollow"


def test_a_foreign_host_is_refused_on_every_route(house: House) -> None:
    before = house.rows(ADA)
    for route, token in house.tokens(ADA).items():
        for method in ("GET", "POST"):
            answer = house.client.request(method, f"{OWN[route]}{token}", headers={"host": "evil.example"})
            assert answer.status_code == 400
            assert "evil.example" not in answer.text
    assert house.rows(ADA) == before


@pytest.mark.parametrize("site", ["cross-site", "none", "same-origin"])
def test_where_a_press_comes_from_does_not_matter_for_the_link_is_the_key(house: House, site: str) -> None:
    headers = {"origin": "https://mail.example", "sec-fetch-site": site}
    link = f"/p/{house.tokens(ADA)['p']}"
    answer = house.client.post(link, data=SAVING | {"do": "save", "often": "weekly", "address": ""}, headers=headers)
    assert "Saved." in answer.text


def names_of(address: str) -> set[str]:
    """What would give an address away in a URL: itself, its encodings, its hashes."""
    octets = address.encode()
    hashes = [hashlib.new(name, octets).hexdigest() for name in ("md5", "sha1", "sha256")]
    base64s = [base64.b64encode(octets), base64.urlsafe_b64encode(octets), base64.b32encode(octets)]
    spelt = [one.decode().rstrip("=") for one in base64s]
    return {address, quote(address), address.partition("@")[0], octets.hex(), *hashes, *spelt}


def test_no_address_and_no_hash_of_one_is_in_a_url(house: House) -> None:
    secrets = {name.lower() for one in (ADDRESS, f"new-{ADDRESS}", "new@readers.example") for name in names_of(one)}
    paths = [f"{OWN[route]}{token}" for route, token in house.tokens(ADA).items()]
    seen: set[str] = set(paths)
    for path in paths:
        for act in ("", "leave", "undo", "save", "data"):
            form = SAVING | {"do": act}
            for answer in (house.client.get(path), house.client.post(path, data=form)):
                seen |= set(re.findall(r'(?:href|src|action)="([^"]*)"', answer.text))
                seen |= {answer.headers.get("location", "")}
    assert len(seen) > 10
    for url in seen:
        parts = [urlsplit(url).path, urlsplit(url).query, *map(_decoded, urlsplit(url).path.split("/")[-1].split("."))]
        told = " ".join(unquote(part).lower() for part in parts)
        assert not [secret for secret in secrets if secret in told], url


def _decoded(part: str) -> str:
    """The payload of a token as it is read by whoever looks into it."""
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")
    except ValueError:
        return ""
