"""Presses that come many at once, through a real socket, or while an issue is on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from urllib.parse import urlencode

import pytest

from newsletter.model import MONTHLY, WEEKLY, DeliveryState, Evidence, LetterKind, SubscriberStatus
from newsletter.readers.tokens import MOVE, TAKE_BACK, UNSUBSCRIBE
from newsletter.usecases.enroll import Unsubscribe
from newsletter.usecases.rhythms import Rhythms
from newsletter.web.app import create_app
from newsletter.web.serve import beside, listen
from tests.builders import built_in
from tests.edges.sending import NOW, SITE, Scripted, Send, address, sending
from tests.unit.web.parts import TOKENS, Readers, a_client, an_app

TWENTY = 20
FORM = {"content-type": "application/x-www-form-urlencoded", "host": "localhost"}


@pytest.fixture
def readers() -> Readers:
    return Readers("reader@example.org", editions=(WEEKLY, MONTHLY))


def all_at_once(readers: Readers, folder: Path, path: str, **form: str) -> list[int]:
    """The answers to twenty presses on a server of a process."""
    start = Barrier(TWENTY)

    def press(_: int) -> int:
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            start.wait(20)
            connection.request("POST", path, urlencode(form), FORM)
            return connection.getresponse().status

    with listen("127.0.0.1", 0) as listener, beside(listener, an_app(folder, readers), ended=lambda: None):
        port = listener.getsockname()[1]
        with ThreadPoolExecutor(TWENTY) as pool:
            return list(pool.map(press, range(TWENTY)))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"List-Unsubscribe": "One-Click"}, ("left", "one-click")),
        ({"do": "leave"}, ("left", "link")),
        ({"do": "pause"}, ("paused", "link")),
        ({"do": "monthly"}, ("chose", "link")),
    ],
)
def test_twenty_presses_of_one_button_are_one_change_and_one_line_of_consent(
    readers: Readers, tmp_path: Path, form: dict[str, str], said: tuple[str, str]
) -> None:
    assert all_at_once(readers, tmp_path, readers.path("u"), **form) == [200] * TWENTY
    assert readers.said() == [said]


def test_twenty_saves_are_one_change_of_each_kind(readers: Readers, tmp_path: Path) -> None:
    form = {"do": "save", "often": "monthly", "pause": "4w", "format": "plain"}
    assert all_at_once(readers, tmp_path, readers.path("p"), **form) == [200] * TWENTY
    assert sorted(readers.said()) == [("chose", "link"), ("paused", "link")]


def test_a_new_address_that_is_confirmed_twenty_times_moves_once(readers: Readers, tmp_path: Path) -> None:
    readers.roster.ask_move(1, "new@example.net", now=readers.now)
    [letter] = readers.written()
    link = f"/m/{TOKENS.make(MOVE, (letter.id,), letter.at)}"
    assert all_at_once(readers, tmp_path, link) == [200] * TWENTY
    assert readers.said() == [("moved", "link")]
    assert [one.kind for one in readers.written()] == [LetterKind.MOVE, LetterKind.MOVED]
    assert readers.reader().token_version == 2


def test_a_move_that_is_taken_back_twenty_times_is_taken_back_once(readers: Readers, tmp_path: Path) -> None:
    readers.roster.ask_move(1, "new@example.net", now=readers.now)
    readers.roster.move(readers.written()[0].id, evidence=Evidence("link"), now=readers.now)
    told = readers.written()[1]
    link = f"/b/{TOKENS.make(TAKE_BACK, (told.id,), told.at)}"
    assert all_at_once(readers, tmp_path, link) == [200] * TWENTY
    assert readers.said() == [("moved", "link")] * 2
    assert readers.reader().token_version == 3


def test_who_is_forgotten_twenty_times_is_forgotten_once(readers: Readers, tmp_path: Path) -> None:
    answers = all_at_once(readers, tmp_path, readers.path("d"), do="forget")
    assert sorted(answers) == [200] + [404] * (TWENTY - 1)
    assert readers.roster.find("reader@example.org") is None


def test_twenty_wishes_for_a_letter_are_one_letter(readers: Readers, tmp_path: Path) -> None:
    all_at_once(readers, tmp_path, readers.path("p"), do="data")
    assert [one.kind for one in readers.written()] == [LetterKind.DATA]


# --- while an issue is on its way ------------------------------------------------------------------


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Send]:
    with sending(tmp_path, readers=TWENTY) as send:
        yield send


def presser(send: Send) -> Callable[[int, dict[str, str]], None]:
    """What presses a button on the page of one of the readers of this send."""
    unsubscribe = Unsubscribe(send.roster, TOKENS, Rhythms(dict, lambda _: False, UTC), lambda: NOW)
    client = a_client(create_app(folder=Path("/none"), site=SITE, templates=built_in(), unsubscribe=unsubscribe))

    def press(number: int, form: dict[str, str]) -> None:
        reader = send.roster.find(address(number))
        assert reader
        answer = client.post(f"/u/{TOKENS.make(UNSUBSCRIBE, (reader.id, reader.token_version))}", data=form)
        assert answer.status_code == 200

    return press


@pytest.mark.parametrize(
    ("form", "stands"),
    [
        ({"List-Unsubscribe": "One-Click"}, SubscriberStatus.LEFT),
        ({"do": "leave"}, SubscriberStatus.LEFT),
        ({"do": "feed"}, SubscriberStatus.LEFT),
        ({"do": "pause"}, SubscriberStatus.PAUSED),
    ],
)
def test_who_presses_while_an_issue_is_being_sent_gets_nothing_more(
    send: Send, form: dict[str, str], stands: SubscriberStatus
) -> None:
    transport, press = Scripted(), presser(send)
    transport.answer(1, lambda: [press(number, form) for number in (2, 11, 20)])
    send.drain(transport, connections=1)
    gone = {address(number) for number in (2, 11, 20)}
    assert set(transport.recipients) == {address(number) for number in range(1, TWENTY + 1)} - gone
    assert send.counts()[DeliveryState.DROPPED] == 3
    assert {reader.status for reader in send.roster.all() if reader.address in gone} == {stands}
