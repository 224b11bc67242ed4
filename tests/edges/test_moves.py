"""Old addresses over HTTP: moved for ever, gone for a reason, and what may have been meant."""

from __future__ import annotations

import json
from pathlib import Path

import brotli
import pytest
from starlette.testclient import TestClient

from newsletter.publish.search.index import SearchIndex
from newsletter.web.app import create_app
from newsletter.web.guesses import asked
from tests.builders import a_library, a_post, a_site
from tests.unit.web.parts import Readers, a_client, publish, templates

TABLE = {
    "version": 1,
    "moved": {"posts/old/": "posts/new/", "2019/05/gr%C3%BC%C3%9Fe": "posts/new/", "away": "https://else.example/x"},
    "gone": ["posts/withdrawn/"],
}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    publish(
        tmp_path / "feeds",
        {
            "404.html": "Not here",
            "posts/old/index.html": "It moved",
            "posts/new/index.html": "New",
            "posts/withdrawn/index.html": "Withdrawn, because",
        },
    )
    publish(tmp_path, {"addresses.json": json.dumps(TABLE)})
    index = SearchIndex(tmp_path / "search.sqlite3")
    index.update(a_site(), a_library(a_post("hybrid-hatch", title="The <hybrid> hatch"), a_post("estate")))
    return a_client(
        create_app(
            folder=tmp_path / "feeds",
            site=a_site(url="https://autotrendy.example/blog"),
            templates=templates(),
            unsubscribe=Readers().unsubscribe,
            search=index,
            addresses=tmp_path / "addresses.json",
        )
    )


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/posts/old/", "../../posts/new/"),
        ("/blog/posts/old/", "../../posts/new/"),
        ("/2019/05/gr%C3%BC%C3%9Fe", "../../posts/new/"),
        ("/away", "https://else.example/x"),
    ],
)
def test_an_old_address_leads_to_the_new_one_for_ever(client: TestClient, path: str, location: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.headers["location"]) == (301, location)
    assert client.head(path).status_code == 301


def test_what_was_withdrawn_is_gone_and_its_page_says_why(client: TestClient) -> None:
    answer = client.get("/posts/withdrawn/")

    assert (answer.status_code, answer.text) == (410, "Withdrawn, because")
    assert "content-security-policy" in answer.headers


def test_a_new_table_is_read_without_a_restart(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/posts/old/").status_code == 301
    publish(tmp_path, {"addresses.json": json.dumps({"version": 1, "moved": {}, "gone": []})})
    assert client.get("/posts/old/").text == "It moved"
    assert client.get("/posts/withdrawn/").status_code == 200


@pytest.mark.parametrize("content", ["", "[]", '{"moved": 1}', '{"moved": {}, "gone": 3}'])
def test_a_damaged_table_breaks_no_page(client: TestClient, tmp_path: Path, content: str) -> None:
    publish(tmp_path, {"addresses.json": content})

    assert client.get("/posts/new/").text == "New"


@pytest.mark.parametrize(
    "path", ["/2019/05/hybrid-hatch/", "/posts/2026-11-20-hybrid-hatch.html", "/posts/hybird-hatch"]
)
def test_a_page_that_is_not_there_names_the_post_that_may_have_been_meant(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert "Did you mean" in answer.text
    assert "posts/hybrid-hatch/" in answer.text
    assert "The &lt;hybrid&gt; hatch" in answer.text


@pytest.mark.parametrize("path", ["/wp-login.php", "/nothing-like-it/", "/posts/x.png"])
def test_where_nothing_is_like_it_the_plain_page_answers(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.text) == (404, "Not here")


def test_only_the_words_of_the_last_part_are_looked_for() -> None:
    assert asked("/2019/05/hybrid-hatch_we+buy/") == "hybrid hatch we buy"
    assert asked("/a/") == asked("/") == asked("/favicon.ico") == asked("/" + "x-" * 200) == ""


def test_a_file_that_was_compressed_beforehand_is_sent_while_it_is_fresh(client: TestClient, tmp_path: Path) -> None:
    text = "New " * 200
    publish(tmp_path / "feeds", {"a.css": text, "a.css.br": brotli.compress(text.encode()), "b.css": text})
    publish(tmp_path / "feeds", {"b.css.br": brotli.compress(b"an older text")})
    asked = {"accept-encoding": "gzip, br"}
    fresh, stale = (client.get(f"/{name}.css", headers=asked) for name in "ab")

    assert (fresh.headers["content-encoding"], stale.headers["content-encoding"]) == ("br", "gzip")
    assert fresh.text == stale.text == text
    assert fresh.headers["vary"] == "Accept-Encoding"
    assert fresh.headers["etag"] != client.get("/a.css", headers={"accept-encoding": "gzip"}).headers["etag"]
    assert client.get("/a.css", headers={"accept-encoding": "br;q=0, gzip"}).headers["content-encoding"] == "gzip"
