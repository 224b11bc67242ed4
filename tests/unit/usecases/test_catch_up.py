"""Catch me up: what a reader was not sent comes once, in one letter, and never again by itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from newsletter.errors import Outside, Problem
from newsletter.model import DeliveryState, Evidence, LetterKind, Post, Subscriber
from newsletter.usecases.catch_up import Answer, CatchUp
from newsletter.web.app import Own, create_app
from newsletter.web.subscribe import Desk
from tests.acceptance.harness import SiteFolder, part
from tests.unit.usecases.world import SLOT, WEEK, World, a_world_in
from tests.unit.web.parts import a_client

ADA, BOB, CHOOSER = "ada@readers.example", "bob@readers.example", "chooser@readers.example"
DAY = timedelta(days=1)
NOW = SLOT + 2 * WEEK + DAY
PRESS = Evidence("link", page="/p/")
MONTHLY_TOO = '\n[editions]\nmonthly = "first friday 08:00"\n'


@dataclass
class Newsroom:
    """Three weeks have passed, with an issue in each, and a story that goes on in all of them."""

    world: World
    folder: SiteFolder

    def reader(self, address: str) -> Subscriber:
        found = self.world.app.roster.find(address)
        assert found
        return found

    def missing(self, address: str, now: datetime = NOW) -> list[str]:
        return [post.slug for post in self.world.app.catch_up.missing(self.reader(address), now)]

    def press(self, address: str, now: datetime = NOW) -> Answer:
        return self.world.app.catch_up.send(self.reader(address), now)

    def handed_over(self, address: str) -> EmailMessage:
        """The letter that comes to an address now."""
        self.world.app.ahead(lambda: NOW, lambda _: None).round()
        [mail] = [one for one in self.folder.mails() if one["To"] == address and "letter" in one["Message-ID"]]
        return mail

    def had(self, address: str) -> list[str]:
        posts = {post.id: post.slug for post in self.world.app.library(NOW).posts}
        return sorted(posts[one] for one in self.world.app.ledger.had(self.reader(address).id, posts))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """Ada and Chooser paused after the first week, Chooser wants no racing; Bob got everything."""
    folder = SiteFolder(tmp_path_factory.mktemp("catch-up") / "site").configure(more=MONTHLY_TOO)
    folder.post("first", "2026-11-24", "topics: [Batteries]\n")
    folder.post("apart", "2026-12-01", "topics: [Racing]\n")
    folder.post("second", "2026-12-02", "previous: first\ntopics: [Batteries]\n")
    folder.post("third", "2026-12-09", "previous: second\ntopics: [Batteries]\n")
    world = a_world_in(folder)
    one = Newsroom(world, folder)
    world.join(ADA, BOB, CHOOSER)
    roster = world.app.roster
    for week in range(3):
        world.prepare(SLOT + week * WEEK)
        world.deliver(SLOT + week * WEEK)
        for address in () if week else (ADA, CHOOSER):
            roster.pause(one.reader(address).id, until=None, evidence=PRESS, now=SLOT + DAY)
    choice = {"edition": "weekly", "without": ("racing",), "plain": True}
    roster.choose(one.reader(CHOOSER).id, **choice, evidence=PRESS, now=NOW)  # type: ignore[arg-type]
    yield one
    world.app.close()


def test_who_paused_gets_what_went_out_meanwhile_once_and_grouped(room: Newsroom) -> None:
    assert room.missing(BOB) == []
    assert room.missing(ADA) == ["apart", "second", "third"]
    assert room.press(ADA) is Answer.ASKED
    assert room.had(ADA) == ["apart", "first", "second", "third"]
    assert room.missing(ADA) == []
    assert room.press(ADA) is Answer.ON_ITS_WAY
    mail = room.handed_over(ADA)
    assert room.press(ADA, NOW + 2 * DAY) is Answer.NOTHING
    assert mail["Subject"] == "What you missed in Auto Trendy: 3 stories"
    text = part(mail, "plain")
    assert text.index("One story in 2 parts") < text.rindex("Second on") < text.rindex("Third on")
    assert text.rindex("Third on") < text.index("More stories") < text.rindex("Apart on")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/p/" in text
    assert "/issues/" not in part(mail, "html")


def test_a_topic_that_a_reader_does_not_want_is_not_missed_and_plain_text_stays_plain(room: Newsroom) -> None:
    assert room.missing(CHOOSER) == ["second", "third"]
    room.press(CHOOSER)
    mail = room.handed_over(CHOOSER)
    assert (mail.get_content_type(), mail["Subject"]) == ("text/plain", "What you missed in Auto Trendy: 2 stories")


def test_whoever_joined_in_the_middle_of_a_story_gets_its_parts_and_nothing_else(room: Newsroom) -> None:
    room.world.join("late@readers.example", now=NOW)
    assert room.missing("late@readers.example") == ["first", "second", "third"]


def test_of_twenty_presses_at_once_one_is_a_letter(room: Newsroom) -> None:
    room.world.join("eager@readers.example", now=NOW)
    eager, answers = room.reader("eager@readers.example"), list[Answer]()
    barrier = threading.Barrier(20)

    def press(second: int) -> None:
        barrier.wait(30)
        answers.append(room.world.app.catch_up.send(eager, NOW + timedelta(seconds=second)))

    presses = [threading.Thread(target=press, args=(second,)) for second in range(20)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert sorted(answers) == [Answer.ASKED, *[Answer.ON_ITS_WAY] * 19]
    assert [one.kind for one in room.world.app.letters.of(eager.id)] == [LetterKind.CATCH_UP]


def test_a_letter_that_came_to_nothing_brought_nothing_and_may_be_asked_for_again(room: Newsroom) -> None:
    address, roster = "back@readers.example", room.world.app.roster
    room.world.join(address, now=NOW)
    assert room.press(address) is Answer.ASKED
    roster.leave(room.reader(address).id, evidence=PRESS, now=NOW)
    roster.come_back(room.reader(address).id, evidence=PRESS, now=NOW)
    [letter] = room.world.app.letters.of(room.reader(address).id)
    assert (letter.state, room.had(address)) == (DeliveryState.DROPPED, [])
    assert room.press(address, NOW + timedelta(minutes=1)) is Answer.ASKED


# --- on pages --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(room: Newsroom) -> TestClient:
    app = room.world.app

    def clock() -> datetime:
        return NOW

    own = Own(app.preferences(clock), app.own_data(clock), app.new_address(clock), app.search.topics, app.catch_up)
    desk = Desk(app.signup(clock), lambda: app.showcase(clock()), app.preferences_url, app.catch_up)
    pages = create_app(
        folder=app.config.output,
        site=app.config.site,
        templates=app.templates,
        unsubscribe=app.unsubscribe(clock),
        own=own,
        desk=desk,
    )
    return a_client(pages, app.config.site.web_url)


def choices(room: Newsroom, address: str) -> str:
    reader = room.reader(address)
    return urlsplit(room.world.app.preferences_url(reader.id, reader.token_version)).path


def test_the_page_of_choices_offers_what_was_missed_and_brings_it_once(room: Newsroom, client: TestClient) -> None:
    room.world.join("page@readers.example", now=NOW)
    link = choices(room, "page@readers.example")
    page = client.get(link).text
    assert "3 stories that you were not sent will not come by themselves." in page
    assert "First on the road" in page
    assert "Done: one mail with all of them is on its way." in client.post(link, data={"do": "catch-up"}).text
    again = client.post(link, data={"do": "catch-up"}).text
    assert "It is on its way already, or came today." in again
    assert 'value="catch-up"' not in again
    [letter] = room.world.app.letters.of(room.reader("page@readers.example").id)
    assert letter.kind is LetterKind.CATCH_UP


def test_whoever_is_missing_nothing_is_offered_nothing(room: Newsroom, client: TestClient) -> None:
    link = choices(room, BOB)
    assert 'value="catch-up"' not in client.get(link).text
    assert "Nothing is missing" in client.post(link, data={"do": "catch-up"}).text


def test_whoever_confirms_in_the_middle_of_a_story_is_offered_its_parts(room: Newsroom, client: TestClient) -> None:
    app = room.world.app
    app.roster.ask("new@readers.example", edition="weekly", evidence=PRESS, now=NOW)
    reader = room.reader("new@readers.example")
    link = urlsplit(app.confirm_url(reader.id, reader.token_version, NOW)).path
    welcome = client.post(link, data={"do": "confirm"}).text
    assert "3 stories that you were not sent" in welcome
    found = re.search(r'action="\.\./(p/[^"]+)"', welcome)
    assert found
    assert f"/{found[1]}" == choices(room, "new@readers.example")
    assert "is on its way." in client.post(f"/{found[1]}", data={"do": "catch-up"}).text


def test_a_change_of_edition_that_skips_stories_says_so_and_offers_them(room: Newsroom, client: TestClient) -> None:
    address, roster = "change@readers.example", room.world.app.roster
    roster.add(address, edition="monthly", evidence=PRESS, now=SLOT - DAY)
    link = choices(room, address)
    assert 'value="catch-up"' not in client.get(link).text
    form = {"do": "save", "pause": "no", "format": "pictures"}
    assert "skips" not in client.post(link, data=form | {"often": "monthly"}).text
    page = client.post(link, data=form | {"often": "weekly"}).text
    assert "Some stories went out that this change skips" in page
    assert "4 stories that you were not sent" in page
    assert 'value="catch-up"' in page


def test_posts_that_cannot_be_read_keep_nobody_from_choosing(
    room: Newsroom, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> tuple[Post, ...]:
        raise Outside(Problem("C523", "the disk says no"))

    monkeypatch.setattr(CatchUp, "missing", refuse)
    page = client.get(choices(room, CHOOSER))
    assert (page.status_code, "Save</button>" in page.text) == (200, True)
