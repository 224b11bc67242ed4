"""Catch me up: what a reader was not sent comes once, in one letter, and never again by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from newsletter.model import DeliveryState, Evidence, LetterKind, Subscriber
from newsletter.usecases.catch_up import Answer
from tests.acceptance.harness import SiteFolder, part
from tests.unit.usecases.world import SLOT, WEEK, World, a_world_in

ADA, BOB, CHOOSER = "ada@readers.example", "bob@readers.example", "chooser@readers.example"
DAY = timedelta(days=1)
NOW = SLOT + 2 * WEEK + DAY
PRESS = Evidence("link", page="/p/")


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
    folder = SiteFolder(tmp_path_factory.mktemp("catch-up") / "site").configure()
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
