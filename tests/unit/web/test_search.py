"""`/search/`: what a reader sees of an answer, and that nothing a reader sends does harm."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from starlette.testclient import TestClient

from newsletter.model import Site, Take
from newsletter.publish.query import Query
from newsletter.web.pages import PRIVATE_HEADERS
from newsletter.web.search import address, asked
from tests.builders import a_library, a_post, a_site
from tests.unit.web.parts import a_client, an_app, index_beside, publish

POSTS = [
    *(a_post(f"hybrid-{n:02}", title=f"Hybrid number {n}", day=datetime(2021, 1, n, tzinfo=UTC)) for n in range(1, 24)),
    a_post("diesel", title="<Diesel>", topics=("Engines", "A & B"), html="<p>An engine that knocks.</p>", take=None),
    a_post("waiting", title="Waiting", topics=("Engines",), take=Take("", "We would hold on."), html="x", summary="y"),
]


def a_searcher(folder: Path, site: Site | None = None, base_url: str = "https://autotrendy.example") -> TestClient:
    site = site or a_site()
    index_beside(folder).update(site, a_library(*POSTS))
    return a_client(an_app(folder, site=site), base_url)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return a_searcher(tmp_path_factory.mktemp("site"))


def tree_of(content: bytes) -> Any:
    return html.fromstring(content)


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text.partition("<main")[2].partition("</main>")[0])).split())


def test_what_was_found_is_counted_shown_and_led_to(client: TestClient) -> None:
    page = client.get("/search/", params={"q": "knocks"})
    tree = tree_of(page.content)

    assert page.status_code == 200
    assert tree.xpath("//p[@role='status']/strong/text()") == ["1 result for “knocks”"]
    assert tree.xpath("//ol/li/h2/a/@href") == ["../posts/diesel/"]
    assert tree.xpath("string(//ol/li/h2)").strip() == "<Diesel>"
    assert tree.xpath("//ol/li//mark/text()") == ["knocks"]
    assert tree.xpath("//title/text()") == ["knocks: search · Auto Trendy"]
    assert tree.xpath("//input[@name='q']/@value") == ["knocks"]


def test_the_page_is_private_never_stored_and_not_indexed(client: TestClient) -> None:
    page = client.get("/search/?q=hybrid")
    assert {name: page.headers[name] for name in PRIVATE_HEADERS} == PRIVATE_HEADERS
    assert tree_of(page.content).xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_without_a_question_there_are_topics_and_years(client: TestClient) -> None:
    tree = tree_of(client.get("/search/").content)

    assert not tree.xpath("//p[@role='status'] | //ol")
    ways = {link.text: link.get("href") for link in tree.xpath("//p[@class='ways']/a")}
    assert ways["Engines (2)"] == "?topic=engines"
    assert ways["A & B (1)"] == "?topic=a-b"
    assert ways["2021 (23)"] == "?year=2021"
    assert len(tree.xpath("//form")) == 1


def test_topic_and_year_are_chosen_and_said(client: TestClient) -> None:
    tree = tree_of(client.get("/search/?q=hybrid&topic=batteries&year=2021").content)

    assert tree.xpath("//p[@role='status']/strong/text()") == ["23 results for “hybrid” in Batteries, 2021"]
    assert tree.xpath("//option[@selected]/text()") == ["Batteries", "2021"]
    assert "2 posts in Engines" in client.get("/search/?topic=engines").text


def test_nothing_in_a_topic_leads_to_all_topics(client: TestClient) -> None:
    page = client.get("/search/?q=hybrid&topic=engines")
    assert "No post in Engines has “hybrid”." in page.text
    assert '<a href="?q=hybrid">23 results in all topics and years</a>' in page.text


def test_a_slip_of_the_finger_is_answered_with_what_may_be_meant(client: TestClient) -> None:
    page = client.get("/search/?q=hybird")
    assert words(page.text).count("Did you mean “hybrid” (23)?") == 1
    assert '<a href="?q=hybrid">' in page.text
    assert "Topics" in words(page.text)


def test_what_only_the_take_says_is_named_as_such(client: TestClient) -> None:
    assert "· Auto Trendy's take" in words(client.get("/search/?q=hold").text)


def test_more_results_are_a_page_away_and_the_order_can_be_changed(client: TestClient) -> None:
    first = tree_of(client.get("/search/?q=hybrid").content)
    (more,) = first.xpath("//a[@rel='next']/@href")
    assert more == "?q=hybrid&page=2"
    assert first.xpath("//p[@role='status']/a/@href") == ["?q=hybrid&sort=newest"]

    second = tree_of(client.get(f"/search/{more}").content)
    assert (len(second.xpath("//ol/li")), second.xpath("//ol/@start")) == (3, ["21"])
    assert second.xpath("//a[@rel='prev']/@href") == ["?q=hybrid"]
    newest = tree_of(client.get("/search/?q=hybrid&sort=newest").content)
    assert newest.xpath("string(//ol/li[1]/h2)") == "Hybrid number 23"
    assert newest.xpath("//p[@role='status']/a/@href") == ["?q=hybrid"]


def test_an_address_without_its_slash_keeps_its_question(client: TestClient) -> None:
    answer = client.get("/search?q=a%20b")
    assert (answer.status_code, answer.headers["location"]) == (301, "search/?q=a%20b")
    assert client.get("/search").headers["location"] == "search/"


def test_looking_is_all_that_the_address_does(client: TestClient) -> None:
    assert client.head("/search/?q=hybrid").status_code == 200
    assert client.options("/search/").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.post("/search/", data={"q": "hybrid"}).status_code == 405


def test_until_the_first_publish_the_page_says_so(tmp_path: Path) -> None:
    page = a_client(an_app(tmp_path)).get("/search/?q=hybrid")
    assert page.status_code == 503
    assert "Searching is not possible just now" in page.text


def test_the_index_answers_before_the_page_for_static_hosts(tmp_path: Path) -> None:
    publish(tmp_path / "feeds", {"search/index.html": "for static hosts"})
    assert "for static hosts" not in a_searcher(tmp_path / "feeds").get("/search/").text


def test_posts_that_live_on_another_host_are_led_to_there(tmp_path: Path) -> None:
    site = a_site(web_url="https://mail.example/x")
    client = a_searcher(tmp_path / "feeds", site, "https://mail.example")
    for path in ("/search/", "/x/search/"):
        tree = tree_of(client.get(f"{path}?q=knocks").content)
        assert tree.xpath("//ol/li/h2/a/@href") == ["https://autotrendy.example/posts/diesel/"]


@pytest.mark.parametrize(
    "question",
    [
        "q=<script>alert(1)</script>",
        'q="><img src=x onerror=alert(1)>',
        "q=%00&topic=%00&year=%00",
        "q=%ff%fe&topic=%ed%a0%80",
        "q=NEAR(&topic=' OR 1=1 --",
        "year=-1&page=0",
        "year=9999999999999999999999&page=1e9",
        "year=²&page=٣",
        "q=a&q=b&topic[]=x",
        "&&&=;=&",
        "q=" + "x" * 10_000,
        "q=" + '"' * 10_000,
        "&".join(f"p{n}=1" for n in range(500)),
    ],
)
def test_a_hostile_question_gets_a_plain_page(client: TestClient, question: str) -> None:
    page = client.get(f"/search/?{question}")
    tree = tree_of(page.content)
    assert page.status_code == 200
    assert not tree.xpath("//script | //main//img | //@onerror")
    assert len(page.content) < 30_000


@settings(deadline=None, max_examples=60)
@given(st.text(), st.text(), st.text(), st.text())
def test_any_question_gets_a_page_that_shows_it_as_text(q: str, topic: str, year: str, page: str) -> None:
    query = asked({"q": q, "topic": topic, "year": year, "page": page})
    again = {name: values[0] for name, values in parse_qs(address(query).removeprefix("?")).items()}

    assert asked(again).year == query.year
    assert asked(again).page == query.page
    assert 0 <= query.year <= 9999
    assert 1 <= query.page <= 500
    assert len(query.words) <= 200


def test_the_address_of_a_question_says_only_what_was_asked() -> None:
    assert address(Query()) == "?"
    assert address(Query("a b&c", "road-tests", 2022, newest=True, page=3)) == (
        "?q=a+b%26c&topic=road-tests&year=2022&sort=newest&page=3"
    )
