"""The page behind the unsubscribe link."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message

from newsletter.errors import Outside, Problem
from newsletter.model import Subscriber, SubscriberStatus
from newsletter.web.forms import MAX_BODY
from newsletter.web.unsubscribe import masked
from tests.unit.web.parts import TOKEN, Readers, a_client, a_reader, an_app

LINK = f"/u/{TOKEN}"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
NOWHERE = Path("/nonexistent")
SCANNERS = ["Mozilla/5.0 (compatible; MSIE 10.0; BarracudaCentral)", "Microsoft Office/16.0", "GoogleImageProxy", ""]


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
def client(readers: Readers) -> TestClient:
    return a_client(an_app(NOWHERE, readers))


def status(readers: Readers) -> SubscriberStatus:
    return readers.by_token[TOKEN].status


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("agent", SCANNERS)
def test_looking_at_the_link_changes_nothing(client: TestClient, readers: Readers, method: str, agent: str) -> None:
    client.request(method, LINK, headers={"user-agent": agent})
    assert readers.calls == []
    assert status(readers) is SubscriberStatus.ACTIVE


def test_the_page_asks_and_has_one_button(client: TestClient) -> None:
    page = client.get(LINK)
    assert page.status_code == 200
    assert "Stop emails to r…@example.org?" in page.text
    assert page.text.count("<button") == page.text.count('<form method="post">') == 1
    assert "Stop emails</button>" in page.text


def test_the_page_does_not_hold_the_address_or_the_token_or_a_script(client: TestClient) -> None:
    text = client.get(LINK).text
    assert "reader@example.org" not in text
    assert TOKEN not in text
    assert "<script" not in text


def test_one_click_leaves_at_once_without_a_page_or_a_redirect(client: TestClient, readers: Readers) -> None:
    answer = client.post(LINK, data=ONE_CLICK)
    assert (answer.status_code, answer.text.strip()) == (200, "Unsubscribed")
    assert answer.headers["content-type"].startswith("text/plain")
    assert status(readers) is SubscriberStatus.LEFT
    assert readers.calls == [("leave", "one-click")]


def test_one_click_may_come_as_multipart(client: TestClient, readers: Readers) -> None:
    body = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    answer = client.post(LINK, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, answer.text.strip()) == (200, "Unsubscribed")
    assert readers.calls == [("leave", "one-click")]


def test_one_click_needs_neither_cookie_nor_origin(client: TestClient, readers: Readers) -> None:
    headers = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    assert client.post(LINK, data=ONE_CLICK, headers=headers).status_code == 200
    assert status(readers) is SubscriberStatus.LEFT


def test_repeating_one_click_is_as_good_as_doing_it_once(client: TestClient) -> None:
    assert [client.post(LINK, data=ONE_CLICK).status_code for _ in range(3)] == [200, 200, 200]


def test_the_button_leaves_and_the_page_offers_to_undo_it(client: TestClient, readers: Readers) -> None:
    page = client.post(LINK, data={"do": "leave"})
    assert page.status_code == 200
    assert "Done. Nothing more will come, not even an issue being sent right now." in page.text
    assert "Undo</button>" in page.text
    assert readers.calls == [("leave", "link")]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_a_post_without_a_form_leaves_too(client: TestClient, readers: Readers, content_type: str) -> None:
    assert client.post(LINK, content=b"", headers={"content-type": content_type}).status_code == 200
    assert status(readers) is SubscriberStatus.LEFT


def test_undo_brings_the_reader_back(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data={"do": "leave"})
    page = client.post(LINK, data={"do": "undo"})
    assert "Welcome back" in page.text
    assert status(readers) is SubscriberStatus.ACTIVE


def test_undo_that_comes_too_late_says_so(client: TestClient, readers: Readers) -> None:
    readers.undo_open = False
    client.post(LINK, data={"do": "leave"})
    page = client.post(LINK, data={"do": "undo"})
    assert page.status_code == 200
    assert "too late" in page.text
    assert status(readers) is SubscriberStatus.LEFT


def test_who_has_left_is_told_when_by_the_clock_of_the_publication(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data=ONE_CLICK)
    readers.undo_open = False
    for page in (client.get(LINK), client.post(LINK, data={"do": "leave"})):
        assert page.status_code == 200
        assert "You had already left on 3 May 2026." in page.text
        assert "<button" not in page.text


def test_a_short_while_after_one_click_the_page_offers_the_way_back(client: TestClient) -> None:
    client.post(LINK, data=ONE_CLICK)
    assert "Undo</button>" in client.get(LINK).text


def test_a_blocked_reader_is_told_that_nothing_is_sent(client: TestClient, readers: Readers) -> None:
    readers.by_token[TOKEN] = a_reader(status=SubscriberStatus.BLOCKED)
    for page in (client.get(LINK), client.post(LINK), client.post(LINK, data={"do": "undo"})):
        assert page.status_code == 200
        assert "Nothing is sent to r…@example.org" in page.text
        assert "<button" not in page.text
    assert client.post(LINK, data=ONE_CLICK).text.strip() == "Unsubscribed"


@pytest.mark.parametrize("state", [SubscriberStatus.PAUSED, SubscriberStatus.UNCONFIRMED])
def test_whoever_is_not_gone_can_leave(client: TestClient, readers: Readers, state: SubscriberStatus) -> None:
    readers.by_token[TOKEN] = a_reader(status=state)
    assert "Stop emails to" in client.get(LINK).text
    client.post(LINK, data=ONE_CLICK)
    assert status(readers) is SubscriberStatus.LEFT


def test_wrong_tokens_of_any_kind_get_the_same_answer(client: TestClient) -> None:
    answers = set()
    for token in ("nobody", "a" * 5000, "x.y.z", "%00", "%F0%9F%92%8C", "%2e%2e", f"{TOKEN}x"):
        for answer in (
            client.get(f"/u/{token}"),
            client.post(f"/u/{token}"),
            client.post(f"/u/{token}", data=ONE_CLICK),
            client.post(f"/u/{token}", data={"do": "undo"}),
        ):
            answers.add((answer.status_code, answer.content, tuple(sorted(answer.headers.items()))))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


BODIES = st.text(max_size=40).map(lambda text: text.encode(errors="replace"))
FORMS = st.sampled_from(["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])


@settings(deadline=None, max_examples=40)
@given(BODIES | BODIES.map(lambda body: b"--b\r\n" + body), FORMS)
def test_no_body_is_too_strange(body: bytes, content_type: str) -> None:
    answer = a_client(an_app(NOWHERE)).post(LINK, content=body, headers={"content-type": content_type})
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=\x7f", "multipart/x; ="]
)
def test_a_broken_form_is_refused_with_a_page(client: TestClient, content_type: str) -> None:
    answer = client.post(LINK, content=b"--\r\n\r\n", headers={"content-type": content_type})
    assert answer.status_code in (200, 400)
    assert "Traceback" not in answer.text


def test_a_form_of_thousands_of_fields_is_refused(client: TestClient, readers: Readers) -> None:
    answer = client.post(LINK, content="a=1&" * 3000, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400
    assert readers.calls == []


def test_a_body_that_is_too_large_is_refused(client: TestClient, readers: Readers) -> None:
    answer = client.post(LINK, data={"do": "x" * MAX_BODY})
    assert answer.status_code == 413
    assert readers.calls == []


@pytest.mark.parametrize("path", [LINK, "/u/wrong"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_of_the_page_is_stored_indexed_framed_or_told_to_others(
    client: TestClient, path: str, method: str
) -> None:
    headers = client.request(method, path).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"].startswith("noindex")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert "set-cookie" not in headers


def test_the_page_links_relatively_to_the_site(client: TestClient) -> None:
    assert 'href="../style.css"' in client.get(LINK).text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPFIND"])
def test_other_methods_are_refused_and_told_what_is_allowed(client: TestClient, method: str) -> None:
    answer = client.request(method, LINK)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


class Locked(Readers):
    def leave(self, token: str, *, way: str) -> Subscriber | None:
        raise Outside(Problem("S500", "The database is locked", file="var/newsletter.sqlite3"))


class Broken(Readers):
    def look(self, token: str) -> Subscriber | None:
        raise RuntimeError("secret detail")


def test_a_locked_database_asks_the_mail_client_to_come_again() -> None:
    answer = a_client(an_app(NOWHERE, Locked())).post(LINK, data=ONE_CLICK)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "sqlite3" not in answer.text


def test_a_fault_of_ours_is_a_page_with_a_reference_and_logged_without_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = a_client(an_app(NOWHERE, Broken())).get(LINK)
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    reference = answer.text.split("name ")[1][:8]
    assert reference in caplog.text
    assert TOKEN not in caplog.records[-1].getMessage()


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.web.forms._BODY_SECONDS", 0.01)
    sent: list[Message] = []

    async def receive() -> Message:
        if not sent:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": LINK, "headers": headers, "query_string": b""}
    asyncio.run(an_app(NOWHERE)(scope, receive, send))
    assert sent[0]["status"] == 408


@given(st.emails())
def test_a_masked_address_shows_one_letter_and_the_domain(address: str) -> None:
    local, _, domain = address.rpartition("@")
    assert masked(address) == f"{local[0]}…@{domain}"


def test_a_name_that_looks_like_html_stays_text(client: TestClient, readers: Readers) -> None:
    readers.by_token[TOKEN] = replace(
        a_reader(), address='"><img src=x>@example.org', left_at=datetime(2026, 5, 3, tzinfo=UTC)
    )
    assert "<img" not in client.get(LINK).text.replace('"><img', "")
    assert "&#34;…@example.org" in client.get(LINK).text
