"""Signing up and confirming, on the real pages over a real database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from newsletter.model import ConsentKind, DeliveryState, Evidence, LetterKind, SubscriberStatus
from newsletter.readers.tokens import CONFIRM
from tests.builders import a_site
from tests.edges.front import ADA, AT_ONCE, NOON, Front, heading, hidden

SENT = "Check a…@readers.example: we sent a link"
OPERATOR = Evidence("cli", "on paper")


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(front: Front) -> TestClient:
    return front.client()


# --- asking ----------------------------------------------------------------------------------------


def test_the_page_offers_mail_and_feed_and_shows_what_comes(client: TestClient) -> None:
    page = client.get("/subscribe/")
    assert page.status_code == 200
    assert heading(page.text) == "Subscribe to Auto Trendy"
    for words in ("By email", "By feed", "Get it every Friday", "1,284 readers", "Read issue 47", "Privacy"):
        assert words in page.text
    assert 'readonly value="https://autotrendy.example/rss.xml"' in page.text
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers
    assert len(page.content) < 30_000


def test_a_sign_up_makes_one_unconfirmed_reader_and_one_letter(front: Front, client: TestClient) -> None:
    page = client.post("/subscribe/", data=front.form(" Ada@READERS.example "))
    assert (page.status_code, heading(page.text)) == (200, SENT.replace("a…", "A…"))
    assert "Nothing comes until you press it." in page.text
    reader = front.reader()
    assert (reader.status, reader.address) == (SubscriberStatus.UNCONFIRMED, "Ada@readers.example")
    assert [(one.kind, one.state) for one in front.all_letters()] == [(LetterKind.CONFIRM, DeliveryState.WAITING)]


def test_letters_beyond_ascii_are_taken_before_the_at_as_well(front: Front, client: TestClient) -> None:
    page = client.post("/subscribe/", data=front.form("Ädä@exämple.org"))
    assert (page.status_code, "Ä…@" in page.text) == (200, True)
    assert front.reader("ädä@xn--exmple-cua.org").address == "Ädä@xn--exmple-cua.org"
    assert [one.kind for one in front.all_letters()] == [LetterKind.CONFIRM]


def test_the_very_words_of_the_page_are_kept_as_evidence(front: Front, client: TestClient) -> None:
    page = client.get("/subscribe/").text
    client.post("/subscribe/", data=front.form())
    line = front.roster.consents(front.reader().id)[0]
    assert (line.kind, line.way, line.page, line.network) == (ConsentKind.ASKED, "form", "/subscribe/", "")
    for sentence in line.text.splitlines():
        assert sentence.strip("[]") in page or sentence == "[Every Friday]"


def test_a_site_that_keeps_networks_keeps_them_short(tmp_path: Path) -> None:
    front = Front(tmp_path, keep_network=True)
    page = front.client().get("/subscribe/").text
    front.client("2001:db8:1:2::7").post("/subscribe/", data=front.form())
    assert front.roster.consents(front.reader().id)[0].network == "2001:db8:1::/48"
    assert "the network (not the machine)" in page
    front.close()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Please write your email address."),
        ("ada", "“ada” is not an email address."),
        ("ada@readers.example\r\nBcc: bob@example.org", "is not an email address."),
        ("ada@a.example,bob@b.example", "is not an email address."),
        ("=cmd|x@example.org", "would not arrive"),
        ("＝ädä@example.org", "would not arrive"),
        ("ä" * 33 + "@example.org", "is not an email address."),
        ("<script>alert(1)</script>@x", "&lt;script&gt;"),
        ("a" * 16_000, "is not an email address."),
    ],
)
def test_what_cannot_be_mailed_is_told_beside_the_field_and_kept_in_it(
    front: Front, client: TestClient, typed: str, words: str
) -> None:
    page = client.post("/subscribe/", data=front.form(typed, website="") if len(typed) < 9000 else {"email": typed})
    assert page.status_code in {413, 422}
    if page.status_code == 422:
        assert words in page.text
        assert 'role="alert"' in page.text
        assert 'aria-describedby="email-wrong"' in page.text
    assert list(front.roster.all()) == []


def test_a_mistyped_provider_is_asked_about_and_both_answers_are_taken(front: Front, client: TestClient) -> None:
    asked = client.post("/subscribe/", data=front.form("ada@gmial.com"))
    assert asked.status_code == 422
    assert "“ada@gmial.com”: did you mean gmail.com?" in asked.text
    assert 'value="ada@gmail.com">Use ada@gmail.com</button>' in asked.text
    assert list(front.roster.all()) == []
    assert client.post("/subscribe/", data=front.form("ada@gmial.com", keep="1")).status_code == 200
    assert client.post("/subscribe/", data=front.form("ada@gmail.com", keep="1")).status_code == 200
    assert [reader.address for reader in front.roster.all()] == ["ada@gmial.com", "ada@gmail.com"]


def test_what_is_no_address_may_still_be_known_for_what_was_meant(front: Front, client: TestClient) -> None:
    page = client.post("/subscribe/", data=front.form("ada@gmailcom")).text
    assert "Use ada@gmail.com</button>" in page
    assert "Keep" not in page


def test_an_international_domain_is_written_in_its_a_labels(front: Front, client: TestClient) -> None:
    client.post("/subscribe/", data=front.form("ada@exämple.example"))
    assert front.reader("ada@xn--exmple-cua.example").status is SubscriberStatus.UNCONFIRMED


# --- forms without a time, and bots -----------------------------------------------------------------


@pytest.mark.parametrize("shown", ["missing", "early", "late", "forged"])
def test_a_form_without_a_good_time_gets_one_more_button(front: Front, client: TestClient, shown: str) -> None:
    ago = {"early": timedelta(seconds=1), "late": timedelta(hours=25)}
    token = "x" if shown == "forged" else ""
    if shown in ago:
        token = replace(front.signup, clock=lambda: front.now - ago[shown]).form()
    page = client.post("/subscribe/", data={"email": ADA, "shown": token})
    assert (page.status_code, heading(page.text)) == (200, "One more press")
    assert list(front.roster.all()) == []
    front.now += timedelta(seconds=3)
    again = client.post("/subscribe/", data=hidden(page.text))
    assert heading(again.text) == SENT
    assert front.reader().status is SubscriberStatus.UNCONFIRMED


def test_a_form_that_is_shown_again_has_been_seen_since_it_was_shown_first(front: Front, client: TestClient) -> None:
    token = front.signup.form()
    front.now += timedelta(seconds=1)
    page = client.post("/subscribe/", data={"email": "ada at readers", "shown": token}).text
    front.now += timedelta(seconds=1)
    again = client.post("/subscribe/", data={"email": ADA, "shown": hidden(page)["shown"]})
    assert heading(again.text) == SENT


def test_what_fills_the_unseen_field_gets_the_usual_page_and_nothing_happens(front: Front, client: TestClient) -> None:
    page = client.post("/subscribe/", data=front.form(website="https://pills.example"))
    assert (page.status_code, heading(page.text)) == (200, SENT)
    assert list(front.roster.all()) == []


def test_a_form_of_another_site_takes_one_more_press_and_leads_on(tmp_path: Path) -> None:
    back = "https://elsewhere.example/thanks"
    front = Front(tmp_path, replace(AT_ONCE, return_to=(back,)))
    client = front.client()
    headers = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    page = client.post("/subscribe/", data={"email": ADA, "way": "embed", "back": back}, headers=headers)
    assert heading(page.text) == "One more press"
    assert "form-action 'self' https://elsewhere.example;" in page.headers["content-security-policy"]
    front.now += timedelta(seconds=3)
    done = client.post("/subscribe/", data=hidden(page.text))
    assert (done.status_code, done.headers["location"]) == (303, back)
    assert front.roster.consents(front.reader().id)[0].way == "embed"
    front.close()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_nobody_is_led_to_a_page_that_the_site_does_not_list(front: Front, client: TestClient, back: str) -> None:
    done = client.post("/subscribe/", data=front.form(way="embed", back=back))
    assert (done.status_code, done.headers["location"]) == (303, "sent/")
    assert heading(client.get("/subscribe/sent/").text) == "Check your email: we sent a link"


def test_the_form_to_copy_posts_here_without_a_script(client: TestClient) -> None:
    page = client.get("/subscribe/embed/")
    assert "action=&#34;https://autotrendy.example/subscribe/&#34;" in page.text
    assert "&lt;script" not in page.text


def test_a_page_without_its_slash_leads_to_the_one_with_it(client: TestClient) -> None:
    answer = client.get("/subscribe")
    assert (answer.status_code, answer.headers["location"]) == (301, "subscribe/")


# --- closed and paused ------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["by hand", "no address to send from"])
def test_nobody_can_sign_up_where_it_is_closed(tmp_path: Path, why: str) -> None:
    mail_day = None if why == "no address to send from" else 4
    front = Front(tmp_path, replace(AT_ONCE, open=why != "by hand"), a_site(mail_day=mail_day))
    for page in (front.client().get("/subscribe/"), front.client().post("/subscribe/", data=front.form())):
        assert heading(page.text) == "Signing up by email is closed"
    assert list(front.roster.all()) == []
    front.close()


def test_far_more_sign_ups_than_usual_pause_intake_until_it_is_quiet(tmp_path: Path) -> None:
    front = Front(tmp_path, replace(AT_ONCE, brake_from=4))

    def sign_up(n: int) -> int:
        return front.client(f"203.0.{n}.7").post("/subscribe/", data=front.form(f"r{n}@readers.example")).status_code

    assert [sign_up(n) for n in range(6)] == [200] * 4 + [503] * 2
    assert heading(front.client().get("/subscribe/").text) == "Signing up is paused for the moment"
    front.now += timedelta(minutes=29)
    assert sign_up(7) == 503
    front.now += timedelta(minutes=2)
    assert sign_up(8) == 200
    assert len(front.all_letters()) == 5
    front.close()


def test_a_pause_that_a_wrong_clock_began_ends_when_it_is_set_right(tmp_path: Path) -> None:
    front = Front(tmp_path, replace(AT_ONCE, brake_from=4))
    right, front.now = front.now, front.now + timedelta(days=400)
    for n in range(6):
        front.client(f"203.0.{n}.7").post("/subscribe/", data=front.form(f"r{n}@readers.example"))
    assert front.client().get("/subscribe/").status_code == 503
    front.now = right
    assert front.client().get("/subscribe/").status_code == 200
    front.close()


def test_an_attack_that_goes_on_keeps_intake_paused(tmp_path: Path) -> None:
    front = Front(tmp_path, replace(AT_ONCE, brake_from=4))
    answers = []
    for n in range(40):
        front.now += timedelta(minutes=2)
        form = front.form(f"r{n}@readers.example")
        answers.append(front.client(f"203.0.{n}.7").post("/subscribe/", data=form).status_code)
    assert 503 in answers[:12]
    assert set(answers[12:]) == {503}
    front.close()


# --- confirming -------------------------------------------------------------------------------------


@pytest.fixture
def link(front: Front, client: TestClient) -> str:
    client.post("/subscribe/", data=front.form())
    return front.link()


def test_the_page_behind_the_link_asks_and_tells_neither_address_nor_token(client: TestClient, link: str) -> None:
    page = client.get(link)
    assert (page.status_code, heading(page.text)) == (
        200,
        "Confirm a…@readers.example for Auto Trendy, every Friday",
    )
    assert "Yes, send it to me</button>" in page.text
    assert "This wasn’t me</button>" in page.text
    assert ADA not in page.text
    assert link.removeprefix("/c/") not in page.text


def test_one_press_lets_the_reader_in_and_says_what_comes_when(front: Front, client: TestClient, link: str) -> None:
    front.now += timedelta(hours=1)
    page = client.post(link, data={"do": "confirm"})
    assert heading(page.text) == "You’re in."
    for words in ("Issue 48 arrives Friday 4 December 2026, 08:00 Madrid.", "issues/47/", "editor@autotrendy.example"):
        assert words in page.text
    reader = front.reader()
    assert f"/p/{reader.id}.{reader.token_version}" in page.text
    assert (reader.status, reader.owed_from) == (SubscriberStatus.ACTIVE, front.now)
    joined = front.roster.consents(reader.id)[-1]
    assert (joined.kind, joined.way, joined.page) == (ConsentKind.JOINED, "link", "/c/")
    assert joined.text == "Confirm a…@readers.example for Auto Trendy, every Friday\n[Yes, send it to me]"


def test_a_used_link_says_so_and_changes_nothing(front: Front, client: TestClient, link: str) -> None:
    client.post(link, data={"do": "confirm"})
    before = front.roster.consents(front.reader().id)
    for page in (client.get(link), client.post(link, data={"do": "confirm"}), client.post(link, data={"do": "deny"})):
        assert (page.status_code, heading(page.text)) == (200, "You are already in")
        assert "/p/" not in page.text
    assert front.roster.consents(front.reader().id) == before


def test_a_used_link_promises_nothing_to_a_reader_who_paused(front: Front, client: TestClient, link: str) -> None:
    client.post(link, data={"do": "confirm"})
    front.roster.pause(front.reader().id, until=None, evidence=OPERATOR, now=front.now)
    page = client.get(link).text
    assert "Your emails are paused at the moment." in page
    assert "Issue 48" not in page


def test_of_twenty_presses_at_once_one_counts(front: Front, link: str) -> None:
    def press(_: int) -> int:
        return front.client().post(link, data={"do": "confirm"}).status_code

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(press, range(20))) == [200] * 20
    kinds = [line.kind for line in front.roster.consents(front.reader().id)]
    assert kinds == [ConsentKind.ASKED, ConsentKind.JOINED]


def test_a_link_is_good_for_14_days_and_then_offers_a_new_one(front: Front, client: TestClient, link: str) -> None:
    front.sent()
    front.now = NOON + timedelta(days=14)
    assert heading(client.get(link).text).startswith("Confirm")
    front.now += timedelta(seconds=1)
    assert heading(client.get(link).text) == "This link is too old"
    assert heading(client.post(link, data={"do": "confirm"}).text) == "This link is too old"
    assert heading(client.post(link, data={"do": "again"}).text) == SENT
    assert front.reader().status is SubscriberStatus.UNCONFIRMED
    assert heading(client.get(front.link()).text).startswith("Confirm")


def test_who_says_that_it_was_somebody_else_is_deleted(front: Front, client: TestClient, link: str) -> None:
    page = client.post(link, data={"do": "deny"})
    assert "The address a…@readers.example is deleted" in page.text
    assert list(front.roster.all()) == []
    assert client.get(link).status_code == 404


def test_a_link_from_before_a_reader_left_does_not_bring_them_back(front: Front, client: TestClient, link: str) -> None:
    client.post(link, data={"do": "confirm"})
    front.now += timedelta(days=2)
    front.roster.leave(front.reader().id, evidence=OPERATOR, now=front.now)
    assert heading(client.post(link, data={"do": "confirm"}).text) == "This link is too old"
    assert front.reader().status is SubscriberStatus.LEFT
    client.post("/subscribe/", data=front.form())
    assert heading(client.post(front.link(), data={"do": "confirm"}).text) == "You’re in."
    assert front.reader().status is SubscriberStatus.ACTIVE


def test_every_wrong_link_gets_one_answer(front: Front, client: TestClient, link: str) -> None:
    token = link.removeprefix("/c/")
    wrong = [f"/c/{token[:-1]}x", "/c/x", f"/c/{token}=", f"/c/{'x' * 600}", f"/c/{front.signup.form()}"]
    wrong += [f"/c/{front.tokens.make(CONFIRM, of, front.now)}" for of in ((1, 2), (2, 1))]  # moved since; nobody
    pages = {(page.status_code, page.text) for page in map(client.get, wrong)}
    assert len(pages) == 1
    assert pages.pop()[0] == 404
