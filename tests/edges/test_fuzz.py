"""Whatever a stranger sends to any address of `serve`: an answer, and never a fault of ours.

The addresses are those that the application itself knows, so that a new page is tried as soon as there is one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlencode

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Message

from newsletter.app import App
from newsletter.cli.door import Door
from newsletter.cli.machine import pages_of
from newsletter.config import load
from newsletter.model import WEEKLY, Evidence, LetterKind
from tests.acceptance.harness import SiteFolder

NOW = "2026-11-25T12:00:00+01:00"
SIGNUP = """
[signup]
answer_after = 0
form_wait = "0s"
network_an_hour = 1000000
network_at_once = 1000000
site_an_hour = 1000000
brake_from = 1000000
"""
OURS = b"weekly.auto-trendy.net"
HOSTS = (*[OURS] * 8, b"127.0.0.1", b"evil.example", b"", b"[::1]:80", b"\xff")
NAMES = st.sampled_from(
    [
        *("email", "edition", "website", "shown", "keep", "way", "back", "do", "List-Unsubscribe", "q", "topic"),
        *("year", "sort", "page", "why", "often", "topics", "pause", "until", "format", "address", "undo"),
    ]
)
HEADERS = st.sampled_from(
    [
        *(b"x-forwarded-for", b"range", b"if-range", b"if-none-match", b"if-modified-since", b"accept"),
        *(
            b"accept-encoding",
            b"cookie",
            b"origin",
            b"sec-fetch-site",
            b"forwarded",
            b"x-forwarded-host",
            b"user-agent",
        ),
    ]
)
NASTY = st.sampled_from(
    [
        "",
        "ada@readers.example",
        "ada@gmial.com",
        "ädä@exämple.example",
        "=?utf-8?q?a=0ab?=@example.com",
        "a" * 400 + "@example.org",
        "ada@" + "a." * 130 + "example",
        "ada\r\nBcc: bob@example.org",
        "\x00",
        "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        "{{ 7 * 7 }}",
        "%(num)s%n%",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "9999-99-99",
        "-1",
        "1e999",
        "٣",
        "embed",
        "confirm",
        "deny",
        "again",
        "leave",
        "undo",
        "save",
        "resume",
        "pause",
        "data",
        "download",
        "catch-up",
        "date",
        "2026-12-24",
        "hold",
        "One-Click",
        "+2AA-@readers.example",
        "weekly",
    ]
)
FORMS = "application/x-www-form-urlencoded"


@dataclass
class Site:
    """The pages of a site with one reader, and tokens that are right for one thing."""

    pages: Starlette
    tokens: dict[str, str]  # by the first part of the address that they open
    shown: str  # of a form that was shown a while ago
    loop: asyncio.Runner = field(default_factory=asyncio.Runner)

    def ask(
        self, method: str, raw_path: str, headers: list[tuple[bytes, bytes]], body: bytes, query: str
    ) -> tuple[int, Mapping[str, str]]:
        """Status and headers of an answer, as a server would ask for it."""
        return self.loop.run(self._ask(method, raw_path, headers, body, query))

    async def _ask(
        self, method: str, raw_path: str, headers: list[tuple[bytes, bytes]], body: bytes, query: str
    ) -> tuple[int, Mapping[str, str]]:
        chunks = [body[:7], body[7:]]
        sent: list[Message] = []

        async def receive() -> Message:
            if not chunks:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": headers,
            "client": ("203.0.113.7", 40_000),
            "server": ("127.0.0.1", 8000),
        }
        await self.pages(scope, receive, send)
        started = [message for message in sent if message["type"] == "http.response.start"]
        assert len(started) == 1
        assert not sent[-1].get("more_body")
        return started[0]["status"], {name.decode(): value.decode("latin-1") for name, value in started[0]["headers"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = SiteFolder(tmp_path_factory.mktemp("fuzz")).configure(more=SIGNUP)
    folder.post("hybrid-hatch", "2026-11-20")
    with closing(App(load(folder.root))) as app:
        now = datetime.fromisoformat(NOW).astimezone(UTC)
        app.publish(app.library(now), now)
        shown = app.signup(lambda: now).form()
        pages = pages_of(Door(site=str(folder.root), now_given=NOW, _app=app), "127.0.0.1")
        made = Site(pages, tokens_of(app, now), shown)
        with made.loop:
            yield made


def tokens_of(app: App, now: datetime) -> dict[str, str]:
    """One of each kind, of a reader who is active and of one who has not confirmed."""
    app.roster.ask("bob@readers.example", edition=WEEKLY, evidence=Evidence("form"), now=now)
    reader = app.roster.add("ada@readers.example", edition=WEEKLY, evidence=Evidence("cli"), now=now)
    asked = app.roster.find("bob@readers.example")
    assert reader
    assert asked
    letter = app.roster.write(reader.id, LetterKind.LINK, now=now)
    assert letter
    urls = [
        app.unsubscribe_url(reader.id, reader.token_version),
        app.preferences_url(reader.id, reader.token_version),
        app.confirm_url(asked.id, asked.token_version, now),
        app.data_url(reader.id, reader.token_version, now),
        app.move_url(letter.id, now),
        app.hold_url(app.next_slot(now).key, "review-desk"),
    ]
    return {url.split("/")[-2]: url.split("/")[-1] for url in urls}


def routes(pages: Starlette) -> list[str]:
    return [route.path for route in pages.routes]  # type: ignore[attr-defined]


def test_the_pages_for_readers_are_among_those_that_are_tried(site: Site) -> None:
    assert {"/u/{token}", "/c/{token}", "/p/{token}", "/subscribe/", "/search/", "/{path:path}"} <= set(
        routes(site.pages)
    )


def address_of(site: Site, route: str) -> st.SearchStrategy[str]:
    """An address of a route, its parts right, nearly right, or anything."""
    own = site.tokens.get(route.split("/")[1], "x")
    right = st.sampled_from([own] * 8 + [*site.tokens.values()])
    bent = st.builds(lambda n, c: own[:n] + c + own[n + 1 :], st.integers(0, 60), st.text(max_size=1))
    anything = st.text(min_size=1, max_size=300).map(lambda text: text.replace("/", "")) | NASTY
    path = st.sampled_from(["", "rss.xml", "posts/hybrid-hatch/", "style.css", "subscribe/x", "c/", "u"]) | st.text()
    return st.builds(lambda one, rest: _fill(route, one, rest), st.one_of(right, right, bent, anything), path)


def _fill(route: str, token: str, path: str) -> str:
    known = re.sub(r"\{path:path\}", lambda _: quote(path, safe="/%", errors="replace"), route)
    return re.sub(r"\{\w+\}", lambda _: quote(token, safe="%", errors="replace"), known)


Asked = tuple[str, list[tuple[bytes, bytes]], bytes, str]
"""Method, headers, body, query."""

RIGHT = {
    "email": ["ada@readers.example", "bob@readers.example", "eve@readers.example", "ada@gmial.com"],
    "edition": ["weekly", "monthly"],
    "website": ["", "", "", "x"],
    "keep": ["", "1"],
    "way": ["", "embed"],
    "do": [
        "confirm",
        "deny",
        "again",
        "leave",
        "undo",
        "pause",
        "monthly",
        "hold",
        "release",
        "save",
        "forget",
        "link",
    ],
    "address": ["ada@readers.example", "eve@readers.example", ""],
    "often": ["weekly", "nothing"],
    "pause": ["no", "keep", "2w", "date"],
    "until": ["2027-01-05", "x"],
    "format": ["html", "plain"],
    "topics": ["cars", ""],
}


@st.composite
def plausible(draw: st.DrawFn, site: Site) -> Asked:
    """A form as a browser sends it, some fields of it missing, one of them perhaps of another kind."""
    fields = {name: draw(st.sampled_from(values)) for name, values in RIGHT.items() if draw(st.integers(0, 5)) < 5}
    fields["shown"] = draw(st.sampled_from([site.shown, "", "x"]))
    if draw(st.booleans()):
        fields[draw(NAMES)] = draw(NASTY | st.text(max_size=40))
    headers = [(b"host", OURS), (b"content-type", FORMS.encode())]
    method = draw(st.sampled_from(["POST", "POST", "POST", "GET", "HEAD"]))
    return method, headers, urlencode(fields, errors="replace").encode(), urlencode(fields, errors="replace")


@st.composite
def wild(draw: st.DrawFn) -> Asked:
    """Whatever else."""
    fields = draw(st.lists(st.tuples(NAMES, NASTY | st.text(max_size=40)), max_size=6))
    encoded = urlencode(fields, errors="replace")
    head = "--b\r\nContent-Disposition: form-data; name="
    parts = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields) + "--b--\r\n"
    kind, body = draw(
        st.sampled_from(
            [
                (FORMS, encoded.encode()),
                (f"{FORMS}; charset=utf-16", encoded.encode()),
                ("multipart/form-data; boundary=b", parts.encode(errors="replace")),
                ("multipart/form-data; boundary=b; charset=bogus", parts.encode("latin-1", "replace")),
                ("multipart/form-data; boundary=b; charset=undefined", parts.encode(errors="replace")),
                ("multipart/form-data; boundary=b; charset=utf-7", parts.encode(errors="replace") + b"+2AA-"),
                ("multipart/form-data", parts.encode(errors="replace")),
                ("multipart/form-data; boundary=" + "b" * 200, b"--b\r\n\r\n"),
                ("application/json", b'{"email": 1}'),
                ("", draw(st.binary(max_size=200))),
                (FORMS, draw(st.binary(max_size=200))),
                (FORMS, b"email=" + b"a" * 20_000),
                (FORMS, b"&".join([b"a=1"] * 2000)),
            ]
        )
    )
    others = st.tuples(
        HEADERS,
        st.binary(max_size=60).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
        | st.sampled_from([b"bytes=0-5,9-", b"bytes=-1", b"*", b'W/"x"', b"::1, 10.0.0.1", b"gzip;q=2, br;q=x"]),
    )
    host = draw(st.sampled_from(HOSTS))
    headers = [(b"host", host), (b"content-type", kind.encode()), *draw(st.lists(others, max_size=5))]
    method = draw(st.sampled_from(["GET", "HEAD", "POST", "POST", "POST", "OPTIONS", "PUT", "DELETE", "TRACE", "FOO"]))
    return method, headers, body, draw(st.sampled_from(["", encoded]))


@settings(max_examples=70, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a smaller request tells no more
@given(st.data())
def test_nothing_that_a_stranger_sends_is_a_fault_of_ours(site: Site, data: st.DataObject) -> None:
    method, headers, body, query = data.draw(st.one_of(plausible(site), plausible(site), wild()), "request")
    for route in routes(site.pages):
        path = data.draw(address_of(site, route), route)
        status, answered = site.ask(method, path, headers, body, query)
        assert status < 500
        assert answered["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answered
