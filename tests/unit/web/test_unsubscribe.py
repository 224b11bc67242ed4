"""The page behind the unsubscribe link."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message

from newsletter.model import MONTHLY, WEEKLY, Evidence, SubscriberStatus
from newsletter.usecases.enroll import REASONS
from newsletter.web.forms import MAX_BODY
from newsletter.words import masked
from tests.unit.web.parts import MADRID, TOKEN, Readers, a_client, an_app

LINK = f"/u/{TOKEN}"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
HALF_AN_HOUR, SECOND = timedelta(minutes=30), timedelta(seconds=1)
NOWHERE = Path("/nonexistent")
SCANNERS = ["Mozilla/5.0 (compatible; MSIE 10.0; BarracudaCentral)", "Microsoft Office/16.0", "GoogleImageProxy", ""]


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
def client(readers: Readers) -> TestClient:
    return a_client(an_app(NOWHERE, readers))


def status(readers: Readers) -> SubscriberStatus:
    return readers.reader().status


def buttons(page: str) -> list[str]:
    return re.findall(r"<button[^>]*>([^<]+)</button>", page.partition("</header>")[2])


def undo_of(page: str) -> str:
    """What the page's Undo sends."""
    found = re.search(r'name="undo" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("agent", SCANNERS)
def test_looking_at_the_link_changes_nothing(client: TestClient, readers: Readers, method: str, agent: str) -> None:
    client.request(method, LINK, headers={"user-agent": agent})
    assert readers.said() == []
    assert status(readers) is SubscriberStatus.ACTIVE


def test_the_page_asks_and_its_first_button_stops_the_emails(client: TestClient) -> None:
    page = client.get(LINK)
    assert page.status_code == 200
    assert "Stop emails to r…@example.org?" in page.text
    assert buttons(page.text) == ["Stop emails", "Pause for 4 weeks", "Follow by feed instead"]


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
    assert readers.said() == [("left", "one-click")]


def test_one_click_may_come_as_multipart(client: TestClient, readers: Readers) -> None:
    body = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    answer = client.post(LINK, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, answer.text.strip()) == (200, "Unsubscribed")
    assert readers.said() == [("left", "one-click")]


def test_one_click_needs_neither_cookie_nor_origin(client: TestClient, readers: Readers) -> None:
    headers = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    assert client.post(LINK, data=ONE_CLICK, headers=headers).status_code == 200
    assert status(readers) is SubscriberStatus.LEFT


def test_one_click_works_in_a_mail_from_before_the_reader_moved_and_shows_nothing(
    client: TestClient, readers: Readers
) -> None:
    readers.roster.ask_move(1, "new@example.net", now=readers.now)
    readers.roster.move(readers.written()[0].id, evidence=Evidence("link", ""), now=readers.now)
    assert client.get(LINK).status_code == client.post(LINK, data={"do": "leave"}).status_code == 404
    assert status(readers) is SubscriberStatus.ACTIVE
    answer = client.post(LINK, data=ONE_CLICK)
    assert (answer.status_code, answer.text) == (200, "Unsubscribed\n")
    assert status(readers) is SubscriberStatus.LEFT


def test_one_click_of_a_reader_who_was_forgotten_is_a_wrong_link(client: TestClient, readers: Readers) -> None:
    assert readers.roster.forget(1, now=readers.now)
    assert client.post(LINK, data=ONE_CLICK).status_code == 404


def test_repeating_one_click_is_as_good_as_doing_it_once(client: TestClient) -> None:
    assert [client.post(LINK, data=ONE_CLICK).status_code for _ in range(3)] == [200, 200, 200]


def test_the_button_leaves_and_the_page_offers_to_undo_it(client: TestClient, readers: Readers) -> None:
    page = client.post(LINK, data={"do": "leave"})
    assert page.status_code == 200
    assert "Done. Nothing more will come, not even an issue being sent right now." in page.text
    assert "Undo</button>" in page.text
    assert readers.said() == [("left", "link")]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_a_post_without_a_form_leaves_too(client: TestClient, readers: Readers, content_type: str) -> None:
    assert client.post(LINK, content=b"", headers={"content-type": content_type}).status_code == 200
    assert status(readers) is SubscriberStatus.LEFT


def test_undo_brings_the_reader_back(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data={"do": "leave"})
    page = client.post(LINK, data={"do": "undo", "undo": undo_of(client.get(LINK).text)})
    assert "Welcome back" in page.text
    assert status(readers) is SubscriberStatus.ACTIVE


def test_undo_that_comes_too_late_says_so(client: TestClient, readers: Readers) -> None:
    left = client.post(LINK, data={"do": "leave"})
    readers.now += HALF_AN_HOUR + SECOND
    page = client.post(LINK, data={"do": "undo", "undo": undo_of(left.text)})
    assert page.status_code == 200
    assert "too late" in page.text
    assert status(readers) is SubscriberStatus.LEFT


MONTHLY_TOO = (WEEKLY, MONTHLY)


def test_once_a_month_is_offered_where_there_is_such_an_edition_and_can_be_undone() -> None:
    readers = Readers(editions=MONTHLY_TOO)
    client = a_client(an_app(NOWHERE, readers))
    assert buttons(client.get(LINK).text)[1] == "Once a month"
    page = client.post(LINK, data={"do": "monthly"})
    assert "Fewer emails from now on" in page.text
    assert readers.reader().edition == MONTHLY
    assert "Once a month" not in buttons(client.get(LINK).text)
    client.post(LINK, data={"do": "undo", "undo": undo_of(page.text)})
    assert readers.reader().edition == WEEKLY
    assert readers.said() == [("chose", "link"), ("chose", "link")]


def test_once_a_month_cannot_be_had_where_it_is_not_offered(client: TestClient, readers: Readers) -> None:
    assert "Stop emails to" in client.post(LINK, data={"do": "monthly"}).text
    assert (readers.reader().edition, readers.said()) == (WEEKLY, [])


def test_a_pause_of_four_weeks_says_when_mail_comes_again_and_can_be_undone(
    client: TestClient, readers: Readers
) -> None:
    page = client.post(LINK, data={"do": "pause"})
    assert "No email comes before 31 May 2026; the next one comes on 5 June 2026." in page.text
    assert readers.reader().paused_until == datetime(2026, 5, 31, tzinfo=MADRID)
    client.post(LINK, data={"do": "undo", "undo": undo_of(page.text)})
    assert status(readers) is SubscriberStatus.ACTIVE
    assert readers.said() == [("paused", "link"), ("resumed", "link")]


def test_the_link_cannot_shorten_a_pause(client: TestClient, readers: Readers) -> None:
    readers.roster.pause(1, until=None, evidence=Evidence("cli"), now=readers.now)
    client.post(LINK, data={"do": "pause"})
    assert readers.reader().paused_until is None


def test_who_wants_the_feed_instead_leaves_and_is_given_its_address(client: TestClient, readers: Readers) -> None:
    page = client.post(LINK, data={"do": "feed"})
    assert 'readonly value="https://autotrendy.example/atom.xml"' in page.text
    assert status(readers) is SubscriberStatus.LEFT
    assert undo_of(page.text)


@pytest.mark.parametrize("press", ["leave", "pause", "monthly"])
def test_undo_ends_after_half_an_hour(press: str) -> None:
    readers = Readers(editions=MONTHLY_TOO)
    client = a_client(an_app(NOWHERE, readers))
    undo = undo_of(client.post(LINK, data={"do": press}).text)
    after, said = readers.reader(), readers.said()
    readers.now += HALF_AN_HOUR + SECOND
    client.post(LINK, data={"do": "undo", "undo": undo})
    assert (readers.reader(), readers.said()) == (after, said)


@pytest.mark.parametrize("press", ["leave", "pause", "monthly"])
def test_undo_takes_back_nothing_once_something_else_was_said(press: str) -> None:
    readers = Readers(editions=MONTHLY_TOO)
    client = a_client(an_app(NOWHERE, readers))
    undo = undo_of(client.post(LINK, data={"do": press}).text)
    readers.now += SECOND
    for act in (readers.roster.come_back, readers.roster.leave):
        act(1, evidence=Evidence("cli"), now=readers.now)
    client.post(LINK, data={"do": "undo", "undo": undo})
    assert status(readers) is SubscriberStatus.LEFT


def test_the_undo_of_one_reader_is_worthless_on_the_link_of_another() -> None:
    readers = Readers("reader@example.org", "other@example.org")
    client = a_client(an_app(NOWHERE, readers))
    undo = undo_of(client.post(LINK, data={"do": "leave"}).text)
    client.post(readers.path("u", 2), data={"do": "leave"})
    client.post(readers.path("u", 2), data={"do": "undo", "undo": undo})
    assert [readers.reader(n).status for n in (1, 2)] == [SubscriberStatus.LEFT] * 2


def test_what_the_operator_did_is_not_undone_through_the_link(client: TestClient, readers: Readers) -> None:
    readers.roster.leave(1, evidence=Evidence("cli"), now=readers.now)
    assert buttons(client.get(LINK).text) == []


@pytest.mark.parametrize("reason", REASONS)
def test_why_somebody_left_is_kept_if_they_say(client: TestClient, readers: Readers, reason: str) -> None:
    page = client.post(LINK, data={"do": "leave"}).text
    assert f'name="why" value="{reason}"' in page
    assert "Thank you" in client.post(LINK, data={"do": "why", "why": reason}).text
    assert readers.reader().why == reason


def test_no_words_of_a_stranger_are_kept_as_a_reason(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data={"do": "leave"})
    client.post(LINK, data={"do": "why", "why": "Win at https://x.example"})
    assert readers.reader().why == ""


def test_a_reason_of_who_has_not_left_changes_nothing(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data={"do": "why", "why": "other"})
    assert (readers.reader().why, readers.said()) == ("", [])


def test_the_record_says_which_button_was_pressed_and_holds_no_token(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data={"do": "leave"})
    line = readers.roster.consents(1)[-1]
    assert (line.text, line.page) == ("Stop emails", "/u/")


def test_who_has_left_is_told_when_by_the_clock_of_the_publication(client: TestClient, readers: Readers) -> None:
    client.post(LINK, data=ONE_CLICK)
    readers.now += HALF_AN_HOUR + SECOND
    for page in (client.get(LINK), client.post(LINK, data={"do": "leave"})):
        assert page.status_code == 200
        assert "You had already left on 3 May 2026." in page.text
        assert "<button" not in page.text


def test_a_short_while_after_one_click_the_page_offers_the_way_back(client: TestClient) -> None:
    client.post(LINK, data=ONE_CLICK)
    assert "Undo</button>" in client.get(LINK).text


def test_a_blocked_reader_is_told_that_nothing_is_sent(client: TestClient, readers: Readers) -> None:
    readers.roster.block(1, reason="complained", evidence=Evidence("cli"), now=readers.now)
    for page in (client.get(LINK), client.post(LINK), client.post(LINK, data={"do": "undo"})):
        assert page.status_code == 200
        assert "Nothing is sent to r…@example.org" in page.text
        assert "<button" not in page.text
    assert client.post(LINK, data=ONE_CLICK).text.strip() == "Unsubscribed"


def test_who_has_paused_can_leave(client: TestClient, readers: Readers) -> None:
    readers.roster.pause(1, until=None, evidence=Evidence("cli"), now=readers.now)
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


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BODIES | BODIES.map(lambda body: b"--b\r\n" + body), FORMS)
def test_no_body_is_too_strange(client: TestClient, body: bytes, content_type: str) -> None:
    answer = client.post(LINK, content=body, headers={"content-type": content_type})
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=\x7f", "multipart/x; ="]
)
def test_a_broken_form_is_refused_with_a_page(client: TestClient, content_type: str) -> None:
    answer = client.post(LINK, content=b"--\r\n\r\n", headers={"content-type": content_type})
    assert answer.status_code in (200, 400)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("charset", ["undefined", "punycode", "idna", "unicode_escape", "utf-7", "utf-16", "bogus"])
@pytest.mark.parametrize("value", [b"\\ud800", b"+2AA-", b"xn--" + b"a" * 80])
def test_no_charset_that_a_form_names_is_a_fault_of_ours(client: TestClient, charset: str, value: bytes) -> None:
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    for path, field in [("/p/", b"address"), (LINK, b"do")]:
        body = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--b--\r\n' % (field, value)
        assert client.post(path, content=body, headers={"content-type": kind}).status_code < 500


def test_a_form_of_thousands_of_fields_is_refused(client: TestClient, readers: Readers) -> None:
    answer = client.post(LINK, content="a=1&" * 3000, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400
    assert readers.said() == []


def test_a_body_that_is_too_large_is_refused(client: TestClient, readers: Readers) -> None:
    answer = client.post(LINK, data={"do": "x" * MAX_BODY})
    assert answer.status_code == 413
    assert readers.said() == []


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


def test_a_locked_database_asks_the_mail_client_to_come_again(readers: Readers, client: TestClient) -> None:
    locked = sqlite3.connect(readers.database.place, isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    answer = client.post(LINK, data=ONE_CLICK)
    locked.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "sqlite3" not in answer.text


def test_a_fault_of_ours_is_a_page_with_a_reference_and_logged_without_the_token(
    client: TestClient, readers: Readers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers.roster, "get", lambda _id: dict[str, str]()["secret detail"])
    answer = client.get(LINK)
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


def test_a_name_that_looks_like_html_stays_text() -> None:
    text = a_client(an_app(NOWHERE, Readers('"><img src=x>@example.org'))).get(LINK).text
    assert "<img" not in text
    assert "&#34;…@example.org" in text
