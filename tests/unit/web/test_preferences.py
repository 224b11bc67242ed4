"""The pages of readers who have a link: choosing, a fresh link, what is held of them, another address."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from starlette.testclient import TestClient

from newsletter.model import EACH_POST, MONTHLY, WEEKLY, Evidence, LetterKind, SubscriberStatus
from newsletter.readers.tokens import MOVE, TAKE_BACK
from tests.unit.web.parts import MADRID, TOKENS, Readers, a_client, an_app

NOWHERE = Path("/nonexistent")
DAY = timedelta(days=1)
HAND = Evidence("cli")
AS_SHOWN: dict[str, Any] = {
    "do": "save",
    "often": "weekly",
    "shown": ["batteries", "road-tests", "vans"],
    "topics": ["batteries", "road-tests", "vans"],
    "pause": "no",
    "until": "",
    "format": "pictures",
    "address": "",
}
"""What the form of a reader sends who changes nothing."""


@pytest.fixture
def readers() -> Readers:
    return Readers("reader@example.org", "other@example.org", editions=(WEEKLY, EACH_POST, MONTHLY))


@pytest.fixture
def client(readers: Readers) -> TestClient:
    return a_client(an_app(NOWHERE, readers))


def text_of(page: str) -> str:
    """The words of the page's main part."""
    main = re.search(r"<main.*</main>", page, re.S)
    assert main
    return " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())


def save(client: TestClient, readers: Readers, **changes: object) -> str:
    answer = client.post(readers.path("p"), data=AS_SHOWN | changes)
    assert answer.status_code == 200, text_of(answer.text)
    return text_of(answer.text)


def refused(client: TestClient, readers: Readers, **changes: object) -> str:
    answer = client.post(readers.path("p"), data=AS_SHOWN | changes)
    assert answer.status_code == 422
    assert readers.said() == []
    return answer.text


# --- what is shown ----------------------------------------------------------------------------------


def test_the_page_shows_what_the_reader_has(client: TestClient, readers: Readers) -> None:
    readers.roster.choose(1, edition=EACH_POST, without=["vans"], plain=True, evidence=HAND, now=readers.now)
    page = client.get(readers.path("p")).text
    checked = re.findall(r'name="(\w+)" value="([\w-]+)" checked', page)
    assert checked == [
        ("often", "each-post"),
        ("topics", "batteries"),
        ("topics", "road-tests"),
        ("pause", "no"),
        ("format", "plain"),
    ]
    assert "You get an email with each new post. You left out: Vans. You get plain text, without pictures." in page


def test_each_topic_says_how_many_posts_it_has_in_a_month(client: TestClient, readers: Readers) -> None:
    page = text_of(client.get(readers.path("p")).text)
    for words in ("Batteries (about 2 a month)", "Road tests (about 1 a month)", "Vans (less than one a month)"):
        assert words in page


def test_the_page_does_not_hold_the_address_or_its_own_token_or_a_script(client: TestClient, readers: Readers) -> None:
    page = client.get(readers.path("p")).text
    assert "reader@example.org" not in page
    assert readers.path("p").rpartition("/")[2] not in page
    assert "<script" not in page


@pytest.mark.parametrize("page", ["p", "d", "u"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_looking_changes_nothing(client: TestClient, readers: Readers, page: str, method: str) -> None:
    before = readers.reader()
    client.request(method, f"{readers.path(page)}?do=save&do=forget&often=monthly&pause=4w")
    assert (readers.reader(), readers.said(), readers.written()) == (before, [], [])


# --- saving -----------------------------------------------------------------------------------------


def test_saving_what_is_shown_changes_nothing_and_says_what_comes(client: TestClient, readers: Readers) -> None:
    assert "Saved. You get one email every Friday; the next one comes on 8 May 2026." in save(client, readers)
    assert readers.said() == []


@pytest.mark.parametrize(
    ("edition", "told"),
    [
        (EACH_POST, "You get an email with each new post."),
        (MONTHLY, "You get one email on the first Friday of each month; the next one comes on 5 June 2026."),
    ],
)
def test_another_edition_is_saved_and_told(client: TestClient, readers: Readers, edition: str, told: str) -> None:
    assert told in save(client, readers, often=edition)
    assert (readers.reader().edition, readers.said()) == (edition, [("chose", "link")])


def test_topics_that_are_not_ticked_are_left_out(client: TestClient, readers: Readers) -> None:
    assert "You left out: Road tests, Vans." in save(client, readers, topics=["batteries"])
    assert readers.reader().without == ("road-tests", "vans")


def test_a_topic_that_the_form_did_not_show_stays_as_it_is(client: TestClient, readers: Readers) -> None:
    readers.roster.choose(1, edition=WEEKLY, without=["old"], plain=False, evidence=HAND, now=readers.now)
    save(client, readers, shown=["batteries", "vans"], topics=["batteries"])
    assert readers.reader().without == ("old", "vans")


def test_no_topic_is_kept_that_there_is_not(client: TestClient, readers: Readers) -> None:
    save(client, readers, shown=["batteries", "made up", "x" * 500], topics=["batteries"])
    assert readers.reader().without == ()


def test_plain_text_is_saved_and_told(client: TestClient, readers: Readers) -> None:
    assert "You get plain text, without pictures." in save(client, readers, format="plain")
    assert readers.reader().plain


@pytest.mark.parametrize(
    ("pause", "until", "ends"),
    [
        ("2w", "", date(2026, 5, 17)),
        ("4w", "", date(2026, 5, 31)),
        ("3m", "", date(2026, 8, 2)),
        ("date", "2027-01-05", date(2027, 1, 5)),
        ("no", "2027-01-05", date(2027, 1, 5)),  # the day was filled in, and the button beside it forgotten
    ],
)
def test_a_pause_ends_with_the_beginning_of_a_day_of_the_publication(
    client: TestClient, readers: Readers, pause: str, until: str, ends: date
) -> None:
    told = save(client, readers, pause=pause, until=until)
    assert readers.reader().paused_until == datetime(ends.year, ends.month, ends.day, tzinfo=MADRID)
    assert f"No email comes before {ends.day} {ends:%B %Y}; the next one comes on" in told
    assert "Resume now" in told


def test_nothing_for_now_is_a_pause_without_an_end(client: TestClient, readers: Readers) -> None:
    told = save(client, readers, often="nothing", topics=["batteries"])
    assert "No email comes until you choose again on this page." in told
    reader = readers.reader()
    assert (reader.status, reader.paused_until, reader.edition) == (SubscriberStatus.PAUSED, None, WEEKLY)
    assert 'value="nothing" checked' in client.get(readers.path("p")).text
    save(client, readers, often="weekly")
    assert readers.reader().status is SubscriberStatus.ACTIVE


def test_a_pause_stays_while_something_else_is_saved(client: TestClient, readers: Readers) -> None:
    save(client, readers, pause="4w")
    until = readers.reader().paused_until
    assert 'value="keep" checked' in client.get(readers.path("p")).text
    save(client, readers, pause="keep", format="plain")
    assert (readers.reader().paused_until, readers.reader().plain) == (until, True)
    save(client, readers, pause="no", format="plain")
    assert readers.reader().status is SubscriberStatus.ACTIVE


def test_one_press_ends_a_pause(client: TestClient, readers: Readers) -> None:
    save(client, readers, pause="4w")
    page = text_of(client.post(readers.path("p"), data={"do": "resume"}).text)
    assert "The emails come again. You get one email every Friday; the next one comes on 8 May 2026." in page
    assert readers.said() == [("paused", "link"), ("resumed", "link")]


def test_all_email_is_stopped_by_the_button_beside_save(client: TestClient, readers: Readers) -> None:
    page = client.get(readers.path("p")).text
    found = re.search(r'<form id="stop" method="post" action="\.\.(/u/[^"]+)">', page)
    assert found
    assert '<button class="button" form="stop" name="do" value="leave">Stop all email</button>' in page
    assert "You have left" in client.post(found[1], data={"do": "leave"}).text
    assert readers.said() == [("left", "link")]


def test_the_record_says_what_the_reader_was_told_on_which_page(client: TestClient, readers: Readers) -> None:
    save(client, readers, often="each-post", topics=["batteries"])
    line = readers.roster.consents(1)[-1]
    assert line.text == "You get an email with each new post. You left out: Road tests, Vans."
    assert (line.way, line.page) == ("link", "/p/")


# --- faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "changes", "message"),
    [
        ("often-0", {"often": "hourly"}, "Choose how often."),
        ("often-0", {"often": ""}, "Choose how often."),
        ("topics-0", {"topics": []}, "Leave at least one topic, or choose “Nothing for now”."),
        ("pause-0", {"pause": "9y"}, "Choose how long."),
        ("until", {"pause": "date"}, "Choose the day on which the pause ends."),
        ("until", {"pause": "date", "until": "soon"}, "Give the day as year-month-day, as in 2026-05-31."),
        ("until", {"pause": "date", "until": "2026-05-03"}, "Choose a day after today, within two years."),
        ("until", {"pause": "date", "until": "2030-01-01"}, "Choose a day after today, within two years."),
        ("format-0", {"format": "pdf"}, "Choose a format."),
        ("address", {"address": "not one"}, "This is not an address that mail can go to."),
    ],
)
def test_a_fault_saves_nothing_and_is_told_above_and_beside_the_field(
    client: TestClient, readers: Readers, field: str, changes: dict[str, object], message: str
) -> None:
    page = refused(client, readers, **changes)
    assert f'<a href="#{field}">{message}</a>' in page
    assert f'<span class="wrong" id="error-{field}">{message}</span>' in page
    assert f'aria-describedby="error-{field}"' in page
    assert f'id="{field}"' in page
    assert "<title>To be corrected: " in page


def test_what_was_filled_in_is_still_there_after_a_fault(client: TestClient, readers: Readers) -> None:
    page = refused(client, readers, topics=["vans"], pause="date", until="2026-01-01", address="not one")
    assert 'value="2026-01-01"' in page
    assert 'value="not one"' in page
    assert re.findall(r'name="topics" value="(\w+)" checked', page) == ["vans"]


def test_one_link_brings_no_more_strangers_a_mail_than_its_reader_could_move_to(readers: Readers) -> None:
    preferences, networks = readers.own.preferences, [f"10.0.{n}.7" for n in range(50)]
    for n, network in enumerate(networks):
        preferences.ask_move(readers.reader(), f"stranger{n}@example.net", network)
    assert len(readers.written()) == preferences.intake.address_a_month
    assert preferences.ask_move(readers.reader(2), "new@example.net", networks[0]) is None
    readers.now += DAY
    assert preferences.ask_move(readers.reader(), "new@example.org", networks[0]) is None


# --- a fresh link -----------------------------------------------------------------------------------


def ask_for_link(client: TestClient, address: str) -> tuple[int, str]:
    answer = client.post("/p/", data={"address": address})
    return answer.status_code, text_of(answer.text)


def test_a_reader_is_sent_a_fresh_link(client: TestClient, readers: Readers) -> None:
    status, told = ask_for_link(client, " Reader@Example.org ")
    assert (status, "Check your mail" in told) == (200, True)
    assert [(letter.kind, letter.address) for letter in readers.written()] == [(LetterKind.LINK, "reader@example.org")]


def test_known_and_unknown_addresses_get_the_same_answer(client: TestClient, readers: Readers) -> None:
    readers.roster.block(2, reason="complained", evidence=HAND, now=readers.now)
    addresses = ("reader@example.org", "ruth@example.org", "other@example.org")
    answers = [ask_for_link(client, address) for address in addresses]
    assert {(status, told.replace("o…@", "r…@")) for status, told in answers} == {answers[0]}
    assert readers.written(2) == []


@pytest.mark.parametrize("page", ["fresh link", "new address"])
def test_no_answer_about_an_address_comes_before_its_beat(readers: Readers, page: str) -> None:
    beat = timedelta(milliseconds=500)  # longer than what is done in it
    preferences = replace(readers.own.preferences, intake=replace(readers.own.preferences.intake, answer_after=beat))
    readers.own = replace(readers.own, preferences=preferences)
    client = a_client(an_app(NOWHERE, readers))
    client.get(readers.path("p"))  # templates are read
    began = monotonic()
    if page == "new address":
        save(client, readers, address="other@example.org")
    else:
        ask_for_link(client, "nobody@example.org")
    assert timedelta(seconds=monotonic() - began) >= beat


def test_a_fresh_link_is_sent_once_a_day_and_everybody_is_told_the_same(client: TestClient, readers: Readers) -> None:
    ask_for_link(client, "reader@example.org")
    again = ask_for_link(client, "reader@example.org")
    assert again[0] == 429
    assert "Another one can be asked for from 4 May 2026, 23:30 (Madrid) on." in again[1]
    ask_for_link(client, "nobody@example.org")
    assert ask_for_link(client, "nobody@example.org") == again
    assert len(readers.written()) == 1
    readers.now += DAY
    assert ask_for_link(client, "reader@example.org")[0] == 200


def test_who_asks_for_many_from_one_network_is_told_when_to_try_again(client: TestClient) -> None:
    told = [client.post("/p/", data={"address": f"r{n}@example.org"}) for n in range(6)]
    assert [answer.status_code for answer in told] == [200] * 5 + [429]
    assert "Too many tries from your network. Please try again after 23:" in told[-1].text
    assert 0 < int(told[-1].headers["retry-after"]) <= 3600


def test_what_is_no_address_is_said_beside_the_field(client: TestClient) -> None:
    answer = client.post("/p/", data={"address": "<b>x"})
    assert answer.status_code == 422
    assert 'aria-describedby="error-address"' in answer.text
    assert "<b>x" not in answer.text


def test_a_link_that_does_not_work_leads_to_a_fresh_one(client: TestClient, readers: Readers) -> None:
    answer = client.get("/p/wrong")
    assert answer.status_code == 404
    assert 'action="../p/"' in answer.text
    assert client.get("/p").headers["location"] == "p/"


# --- what is held of a reader -------------------------------------------------------------------------


def test_both_buttons_ask_for_the_letter_and_nothing_else(client: TestClient, readers: Readers) -> None:
    page = text_of(client.post(readers.path("p"), data={"do": "data"}).text)
    assert "Check r…@example.org: a link is on its way, good for a day." in page
    assert [letter.kind for letter in readers.written()] == [LetterKind.DATA]
    assert readers.said() == []
    again = text_of(client.post(readers.path("p"), data={"do": "data"}).text)
    assert "Another one can be asked for from 4 May 2026" in again
    assert len(readers.written()) == 1


def test_everything_that_is_held_comes_as_one_file(client: TestClient, readers: Readers) -> None:
    answer = client.post(readers.path("d"), data={"do": "download"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="about-me.json"'
    assert answer.headers["cache-control"] == "no-store"
    held = json.loads(answer.content)
    assert held == json.loads(json.dumps(readers.roster.held(1), default=datetime.isoformat))
    assert held["reader"]["joined_at"] == "2026-03-03T00:00:00+00:00"
    assert "reader@example.org" in answer.text
    assert "other@example.org" not in answer.text


def test_the_page_itself_holds_nothing_of_it(client: TestClient, readers: Readers) -> None:
    page = client.get(readers.path("d"))
    assert page.status_code == 200
    assert "reader@example.org" not in page.text
    assert "cli" not in text_of(page.text)


def test_who_is_forgotten_is_gone_and_no_link_of_theirs_works(client: TestClient, readers: Readers) -> None:
    links = [readers.path(page) for page in ("u", "p", "d")]
    page = client.post(links[2], data={"do": "forget"})
    assert "You are forgotten" in page.text
    assert readers.roster.find("reader@example.org") is None
    assert readers.roster.suppressed("reader@example.org") == "forgotten"
    assert [client.get(link).status_code for link in links] == [404, 404, 404]
    assert client.post(links[2], data={"do": "forget"}).status_code == 404
    assert readers.reader(2).address == "other@example.org"


def test_the_link_to_ones_data_ends_after_a_day(client: TestClient, readers: Readers) -> None:
    link = readers.path("d")
    readers.now += DAY
    assert client.get(link).status_code == 200
    readers.now += timedelta(seconds=1)
    for do in ("", "download", "forget"):
        assert client.post(link, data={"do": do}).status_code == 404
    assert readers.reader().address


# --- another address ----------------------------------------------------------------------------------


def move_link(readers: Readers, number: int = 1) -> str:
    letter = [one for one in readers.written(number) if one.kind is LetterKind.MOVE][-1]
    return f"/m/{TOKENS.make(MOVE, (letter.id,), letter.at)}"


def test_another_address_is_confirmed_there_and_told_to_the_old_one(client: TestClient, readers: Readers) -> None:
    old = [readers.path(page) for page in ("u", "p", "d")]
    told = save(client, readers, address="New@Example.NET")
    assert "Check N…@Example.NET: we sent a link." in told
    assert readers.reader().address == "reader@example.org"
    assert "Get Auto Trendy at N…@example.net?" in text_of(client.get(move_link(readers)).text)
    page = client.post(move_link(readers)).text
    assert "Your address is changed" in page
    assert readers.reader().address == "New@example.net"
    assert [(one.kind, one.address) for one in readers.written()] == [
        (LetterKind.MOVE, "New@example.net"),
        (LetterKind.MOVED, "reader@example.org"),
    ]
    assert [client.get(link).status_code for link in old] == [404, 404, 404]
    assert f'href="..{readers.path("p")}"' in page
    assert readers.said() == [("moved", "link")]


def test_a_second_press_says_that_it_is_done(client: TestClient, readers: Readers) -> None:
    save(client, readers, address="new@example.net")
    link = move_link(readers)
    client.post(link)
    for answer in (client.get(link), client.post(link)):
        assert "This is your address already" in answer.text
    assert readers.said() == [("moved", "link")]


def test_the_answer_does_not_tell_whether_the_new_address_is_known(client: TestClient, readers: Readers) -> None:
    known = save(client, readers, address="other@example.org")
    unknown = save(client, readers, address="offer@example.org")
    assert known == unknown
    assert [one.kind for one in readers.written(1)] == [LetterKind.MOVE]
    assert [one.kind for one in readers.written(2)] == [LetterKind.KNOWN]


def test_an_address_that_was_taken_meanwhile_stays_where_it_is(client: TestClient, readers: Readers) -> None:
    save(client, readers, address="new@example.net")
    readers.roster.add("new@example.net", edition=WEEKLY, evidence=HAND, now=readers.now)
    assert "This cannot be done any more" in client.post(move_link(readers)).text
    assert readers.reader().address == "reader@example.org"


def test_the_page_of_the_new_address_says_nothing_of_the_old_one(client: TestClient, readers: Readers) -> None:
    save(client, readers, address="new@example.net")
    page = client.get(move_link(readers)).text
    assert "r…@" not in page
    assert "example.org" not in text_of(page)


def back_link(readers: Readers, nth: int = 0) -> str:
    letter = [one for one in readers.written() if one.kind is LetterKind.MOVED][nth]
    return f"/b/{TOKENS.make(TAKE_BACK, (letter.id,), letter.at)}"


def moved_away(client: TestClient, readers: Readers, address: str = "thief@example.net") -> str:
    """Somebody with a forwarded mail took the subscription along; the link that they have now."""
    save(client, readers, address=address)
    client.post(move_link(readers))
    assert readers.reader().address == address
    return readers.path("p")


def test_the_old_address_takes_a_move_back_and_the_links_of_the_new_one_are_dead(
    client: TestClient, readers: Readers
) -> None:
    theirs = moved_away(client, readers)
    link = back_link(readers)
    asked = client.get(link).text
    assert "Get Auto Trendy at r…@example.org again?" in text_of(asked)
    assert "t…@example.net" not in asked
    assert readers.reader().address == "thief@example.net"  # looking changes nothing
    page = client.post(link).text
    assert "It comes to your address again" in page
    assert f'href="..{readers.path("p")}"' in page
    assert readers.reader().address == "reader@example.org"
    assert client.get(theirs).status_code == 404
    assert len([one for one in readers.written() if one.kind is LetterKind.MOVED]) == 1  # the other one is told nothing
    assert readers.said() == [("moved", "link"), ("moved", "link")]


def test_a_move_that_was_taken_back_stays_so(client: TestClient, readers: Readers) -> None:
    moved_away(client, readers)
    link = back_link(readers)
    client.post(link)
    assert "This is your address already" in client.post(link).text
    assert readers.said() == [("moved", "link"), ("moved", "link")]
    readers.now += timedelta(days=1)
    moved_away(client, readers, "mine@example.net")
    assert "This cannot be done any more" in client.post(link).text
    assert readers.reader().address == "mine@example.net"


def test_a_move_is_taken_back_within_seven_days(client: TestClient, readers: Readers) -> None:
    moved_away(client, readers)
    link = back_link(readers)
    readers.now += timedelta(days=7)
    assert client.get(link).status_code == 200
    readers.now += timedelta(seconds=1)
    assert "It works for 7 days" in client.post(link).text
    assert readers.reader().address == "thief@example.net"


def test_whoever_carried_a_reader_on_cannot_take_them_back(client: TestClient, readers: Readers) -> None:
    moved_away(client, readers)
    readers.now += timedelta(days=1)
    moved_away(client, readers, "den@example.com")
    assert "This cannot be done any more" in client.post(back_link(readers, 1)).text
    assert "It comes to your address again" in client.post(back_link(readers, 0)).text
    assert "This cannot be done any more" in client.post(back_link(readers, 1)).text
    assert readers.reader().address == "reader@example.org"


def test_an_address_that_signed_up_anew_meanwhile_takes_nothing_back(client: TestClient, readers: Readers) -> None:
    moved_away(client, readers)
    readers.roster.add("reader@example.org", edition=WEEKLY, evidence=HAND, now=readers.now)
    assert "This cannot be done any more" in client.post(back_link(readers)).text


def test_a_letter_to_an_address_is_sent_once_a_day_whoever_asks(client: TestClient, readers: Readers) -> None:
    save(client, readers, address="new@example.net")
    assert "Another one can be asked for from" in save(client, readers, address="new@example.net")
    client.post(readers.path("p", 2), data=AS_SHOWN | {"address": "new@example.net"})
    assert len(readers.written()) == 1
    assert readers.written(2) == []


# --- who has no choice --------------------------------------------------------------------------------


def test_who_has_left_is_told_so_and_may_still_see_what_is_held(client: TestClient, readers: Readers) -> None:
    readers.roster.leave(1, evidence=HAND, now=readers.now)
    for answer in (client.get(readers.path("p")), client.post(readers.path("p"), data=AS_SHOWN | {"often": "monthly"})):
        assert "You have left: nothing is sent to r…@example.org." in text_of(answer.text)
    assert readers.said() == [("left", "cli")]
    client.post(readers.path("p"), data={"do": "data"})
    assert [one.kind for one in readers.written()] == [LetterKind.DATA]


def test_who_is_blocked_is_told_so(client: TestClient, readers: Readers) -> None:
    readers.roster.block(1, reason="complained", evidence=HAND, now=readers.now)
    page = client.get(readers.path("p"))
    assert "This address is blocked" in page.text
    assert "<button" not in page.text.partition("</header>")[2]


def test_who_never_confirmed_has_no_preferences(client: TestClient, readers: Readers) -> None:
    readers.roster.ask("third@example.org", edition=WEEKLY, evidence=HAND, now=readers.now)
    assert client.get(readers.path("p", 3)).status_code == 404
