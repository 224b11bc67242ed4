"""Letters on a real ledger: ahead of every issue, never twice, never lost unseen, and trouble told once."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.delivery.ahead import Ahead, LetterWork
from newsletter.delivery.letter import compose
from newsletter.delivery.progress import LettersDone
from newsletter.delivery.smtp import SmtpSettings, SmtpTransport
from newsletter.errors import ConfigError, NewsletterError, Outside, Problem
from newsletter.model import DeliveryState, Letter, LetterKind, Message, Outcome, Receipt, Subscriber
from newsletter.ports import Session, Transport
from newsletter.store.database import Database, open_database
from newsletter.store.letters import SqlLetters, write
from tests.edges.sending import NOW, SITE, Scripted, Send, address, sending
from tests.edges.test_sending import BROKE_OFF, GONE, _mailed, _wait_for
from tests.smtpd import Smtpd

ACCEPTED, FAILED, WAITING = DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.WAITING
UNCERTAIN, SENDING = DeliveryState.UNCERTAIN, DeliveryState.SENDING


def composed(letter: Letter, _reader: Subscriber) -> Message:
    words = {"subject": "Your page", "text": "Your page", "html": "<p>Your page"}
    return compose(site=SITE, letter=letter, **words, message_id_key="a lasting key")


@dataclass
class Mail:
    """A letter to each of some readers, and who hands them over."""

    database: Database
    letters: SqlLetters
    told: list[LettersDone] = field(default_factory=list)
    now: datetime = NOW
    transport: Transport = field(default_factory=Scripted)
    compose: Callable[[Letter, Subscriber], Message] = composed
    after_crash: str = "ask"
    may: bool = True

    @property
    def ahead(self) -> Ahead:
        work = LetterWork(
            letters=self.letters,
            transport=self.transport,
            compose=self.compose,
            clock=lambda: self.now,
            after_crash=self.after_crash,
            may=lambda: self.may,
        )
        return Ahead(work, self.told.append)

    def ask(self, *readers: int, kind: LetterKind = LetterKind.LINK) -> None:
        for number in readers:
            with self.database.write() as connection:
                write(connection, kind, number, address(number), self.now)

    def states(self, readers: int) -> list[DeliveryState]:
        return [one.state for number in range(1, readers + 1) for one in self.letters.of(number)]


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Send]:
    with sending(tmp_path, readers=20) as one:
        yield one


@pytest.fixture
def mail(send: Send, tmp_path: Path) -> Iterator[Mail]:
    database = open_database(f"sqlite:///{tmp_path}/newsletter.sqlite3")
    yield Mail(database, SqlLetters(database))
    database.close()


# --- ahead -----------------------------------------------------------------------------------------


class Gated:
    """A mail server that takes two messages of an issue, and no more before somebody has got a letter."""

    name = "gated"

    def __init__(self, letters: Scripted) -> None:
        self._letters = letters
        self.accepted: list[str] = []

    def open(self) -> AbstractContextManager[Session]:
        return _Entered(self)

    def send(self, message: Message) -> Receipt:
        if len(self.accepted) == 2:
            _wait_for(lambda: bool(self._letters.accepted))
        self.accepted.append(message.recipient)
        return Receipt(Outcome.ACCEPTED, 250, "ok")


@dataclass
class _Entered(AbstractContextManager[Session]):
    session: Session

    def __enter__(self) -> Session:
        return self.session

    def __exit__(self, *_: object) -> None: ...


def test_a_letter_that_is_asked_for_in_the_middle_of_an_issue_leaves_before_the_rest_of_it(
    send: Send, mail: Mail
) -> None:
    letters = Scripted()
    mail.transport, issue = letters, Gated(letters)
    asked = threading.Event()

    def ask(_: object) -> None:
        if issue.accepted and not asked.is_set():
            asked.set()
            mail.ask(7)

    with mail.ahead:
        drained = send.drain(issue, connections=1, progress=ask)
    assert (drained.accepted, letters.recipients) == (20, [address(7)])


def test_letters_that_wait_are_handed_over_before_anything_else_and_the_last_ones_at_the_end(mail: Mail) -> None:
    mail.ask(1, 2)
    with mail.ahead:
        assert mail.told == [LettersDone(accepted=2)]
        mail.ask(3)
    assert mail.states(3) == [ACCEPTED] * 3


def test_with_nothing_to_hand_over_no_connection_is_opened_and_nothing_is_told(mail: Mail) -> None:
    mail.ahead.round()
    assert isinstance(mail.transport, Scripted)
    assert (mail.transport.opened, mail.told) == (0, [])


def test_a_copy_of_the_site_hands_over_no_letter(mail: Mail) -> None:
    mail.ask(1)
    mail.may = False
    mail.ahead.round()
    assert mail.states(1) == [WAITING]


# --- what the mail server says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Outcome.ACCEPTED, ACCEPTED),
        (Outcome.REFUSED, FAILED),
        (Outcome.DEFERRED, WAITING),
    ],
)
def test_each_answer_has_its_outcome_and_the_next_letter_goes(
    mail: Mail, answer: Outcome, state: DeliveryState
) -> None:
    assert isinstance(mail.transport, Scripted)
    mail.transport.answer(1, answer)
    mail.ask(1, 2)
    mail.ahead.round()
    assert mail.states(2) == [state, ACCEPTED]
    mail.ahead.round()
    assert mail.transport.tried == {address(1): 1, address(2): 1}


def test_after_a_silent_server_a_round_ends_and_the_next_one_goes_on(mail: Mail) -> None:
    assert isinstance(mail.transport, Scripted)
    mail.transport.answer(1, Outcome.UNKNOWN)
    mail.ask(1, 2)
    mail.ahead.round()
    assert mail.states(2) == [UNCERTAIN, WAITING]
    mail.ahead.round()
    assert mail.states(2) == [UNCERTAIN, ACCEPTED]
    assert mail.transport.tried == {address(1): 1, address(2): 1}


def test_a_letter_that_was_put_off_is_tried_for_two_days_and_then_given_up(mail: Mail) -> None:
    assert isinstance(mail.transport, Scripted)
    mail.transport.answer(1, *[Outcome.DEFERRED] * 99)
    mail.ask(1)
    for _ in range(60):
        mail.ahead.round()
        mail.now += timedelta(hours=1)
    [letter] = mail.letters.of(1)
    assert (letter.state, letter.reason) == (FAILED, "expired")
    assert 8 <= mail.transport.tried[address(1)] <= 14


def test_a_mail_server_in_trouble_is_asked_once_and_told_once_and_every_letter_waits(mail: Mail) -> None:
    assert isinstance(mail.transport, Scripted)
    mail.ask(1, 2, 3)
    for number in (1, 2, 3):
        mail.transport.answer(number, GONE, GONE)
    ahead = mail.ahead
    ahead.round()
    ahead.round()
    assert [one.trouble and one.trouble.code for one in mail.told] == ["S320"]
    assert sum(mail.transport.tried.values()) == 2
    assert mail.states(3) == [WAITING] * 3
    assert all(one.attempts == 0 for number in (1, 2, 3) for one in mail.letters.of(number))
    mail.transport.forgive()
    ahead.round()
    assert mail.states(3) == [ACCEPTED] * 3
    assert mail.told[-1] == LettersDone(accepted=3)


def test_a_letter_at_which_the_server_breaks_off_is_put_off_alone(mail: Mail) -> None:
    assert isinstance(mail.transport, Scripted)
    mail.ask(1, 2)
    mail.transport.answer(1, *[BROKE_OFF] * 9)
    for _ in range(2):
        mail.ahead.round()
    assert mail.states(2) == [WAITING, ACCEPTED]


def test_a_letter_that_cannot_be_written_fails_alone_and_a_broken_template_fails_none(mail: Mail) -> None:
    def compose(letter: Letter, reader: Subscriber) -> Message:
        if reader.id == 1:
            raise NewsletterError(Problem("S402", "no address"))
        if reader.id == 2:
            raise KeyError("a bug")
        raise ConfigError(Problem("C301", "The template cannot be used"))

    mail.compose = compose
    mail.ask(1, 2, 3, 4)
    mail.ahead.round()
    assert mail.states(4) == [FAILED, FAILED, WAITING, WAITING]
    assert mail.told[-1].trouble == Problem("C301", "The template cannot be used")


def test_a_ledger_that_refuses_leaves_a_letter_in_doubt_and_the_next_round_says_so(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Outside(Problem("C504", "the disk is full"))

    mail.ask(1, 2)
    ahead = mail.ahead
    with monkeypatch.context() as patch:
        patch.setattr(SqlLetters, "settle", full)
        ahead.round()
    assert mail.states(2) == [SENDING, WAITING]
    ahead.round()
    assert mail.states(2) == [UNCERTAIN, ACCEPTED]
    assert mail.told[-1] == LettersDone(accepted=1, uncertain=1)


# --- two at once, and kill -9 ----------------------------------------------------------------------


def test_of_two_who_hand_over_at_once_each_letter_leaves_once(mail: Mail) -> None:
    with Smtpd() as server:
        mail.transport = _to(server.port)
        mail.ask(*range(1, 21))
        both = [threading.Thread(target=mail.ahead.round) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
    assert Counter(one.recipient for one in server.messages) == {address(n): 1 for n in range(1, 21)}


def _to(port: int) -> SmtpTransport:
    return SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none"))


def _hand_over_and_die(database: str, port: int) -> None:
    opened = open_database(database)
    mail = Mail(opened, SqlLetters(opened), transport=_to(port))
    mail.ahead.round()


def test_after_kill_9_no_letter_goes_twice_and_none_is_lost(tmp_path: Path, mail: Mail) -> None:
    port_file, log = tmp_path / "port", tmp_path / "log"
    command = [sys.executable, "-m", "tests.smtpd", "--port-file", str(port_file), "--log", str(log), "--delay", "0.02"]
    mail.ask(*range(1, 21))
    with subprocess.Popen(command) as server:
        try:
            _wait_for(port_file.exists)
            port = int(port_file.read_text())
            for enough in (3, 9):
                spawn = multiprocessing.get_context("spawn")
                sender = spawn.Process(
                    target=_hand_over_and_die, args=(f"sqlite:///{tmp_path}/newsletter.sqlite3", port)
                )
                sender.start()
                _wait_for(lambda enough=enough: len(_mailed(log)) >= enough)  # type: ignore[misc]
                sender.kill()
                sender.join(20)
                assert sender.exitcode == -signal.SIGKILL
            mail.transport = _to(port)
            mail.ahead.round()
        finally:
            server.terminate()
    mailed = Counter(_mailed(log))
    states = mail.states(20)
    assert set(mailed.values()) == {1}
    assert set(states) <= {ACCEPTED, UNCERTAIN}
    assert states.count(UNCERTAIN) <= 2
    assert states.count(ACCEPTED) <= len(mailed)
