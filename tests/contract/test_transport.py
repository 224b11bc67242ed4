"""What every Transport promises, asked of the outbox and of SMTP in its three kinds of encryption."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from newsletter.delivery.outbox import Outbox
from newsletter.delivery.relays import InTurn
from newsletter.delivery.smtp import SmtpSettings, SmtpTransport
from newsletter.errors import NewsletterError, Outside
from newsletter.model import Message, Outcome
from newsletter.ports import Transport
from tests.smtpd import CERTIFICATE, Smtpd


@dataclass(frozen=True)
class Arena:
    """A Transport, a way to see what arrived at its other end, and a way to make that end fail and work again."""

    transport: Transport
    arrived: Callable[[], list[bytes]]
    break_down: Callable[[], None]
    mend: Callable[[], None]


def an_outbox(tmp_path: Path, stack: ExitStack) -> Arena:
    folder = tmp_path / "outbox"

    def break_down() -> None:
        folder.write_text("a file where a folder should be")

    def arrived() -> list[bytes]:
        return [file.read_bytes() for file in sorted(folder.glob("new/*.eml"))]

    return Arena(Outbox(folder), arrived, break_down, folder.unlink)


def a_mail_server(tls: str, *, pipelining: bool = True) -> Callable[[Path, ExitStack], Arena]:
    def arena(tmp_path: Path, stack: ExitStack) -> Arena:
        server = stack.enter_context(Smtpd(tls=tls, pipelining=pipelining))
        settings = SmtpSettings(server.host, server.port, tls=tls, ca_file=str(CERTIFICATE), command_timeout=10)

        def arrived() -> list[bytes]:
            return [message.content for message in server.messages]

        return Arena(SmtpTransport(settings), arrived, server.refuse, server.listen)

    return arena


def two_mail_servers(tmp_path: Path, stack: ExitStack) -> Arena:
    """Of which the first is away for good."""
    arena = a_mail_server("none")(tmp_path, stack)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        away = SmtpTransport(SmtpSettings("127.0.0.1", nobody.getsockname()[1], tls="none"))
    return replace(arena, transport=InTurn([away, arena.transport]))


@pytest.fixture(
    params=[
        pytest.param(an_outbox, id="outbox"),
        pytest.param(a_mail_server("none"), id="smtp"),
        pytest.param(a_mail_server("none", pipelining=False), id="smtp-one-by-one"),
        pytest.param(a_mail_server("starttls"), id="starttls"),
        pytest.param(a_mail_server("tls"), id="tls"),
        pytest.param(two_mail_servers, id="in-turn"),
    ]
)
def arena(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Arena]:
    with ExitStack() as stack:
        yield request.param(tmp_path, stack)


def a_message(number: int = 1, body: bytes = b"Hello.\r\n") -> Message:
    message_id = f"12.{number:024d}@autotrendy.example"
    head = f"Subject: Number {number}\r\nMessage-ID: <{message_id}>\r\n\r\n".encode()
    return Message("editor@autotrendy.example", f"r{number}@readers.example", message_id, (head, body))


AWKWARD = b"".join(
    line + b"\r\n"
    for line in (b".", b"..", b".hidden", b"", b"From me", b".", b"x" * 998, b" trailing ", b"a.b", b"=2E", b".")
)


def test_a_message_arrives_byte_for_byte_and_once(arena: Arena) -> None:
    message = a_message(body=AWKWARD)
    with arena.transport.open() as session:
        receipt = session.send(message)
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.reply
    assert arena.arrived() == [message.content]


def test_a_content_that_begins_with_a_dot_arrives_with_it(arena: Arena) -> None:
    content = b".: odd\r\nMessage-ID: <1.x@a.example>\r\n\r\n.\r\n"
    message = Message("e@a.example", "r@a.example", "1.x@a.example", (content,))
    with arena.transport.open() as session:
        session.send(message)
    assert arena.arrived() == [message.content]


def test_one_session_hands_over_many(arena: Arena) -> None:
    messages = [a_message(number) for number in range(1, 8)]
    with arena.transport.open() as session:
        outcomes = {session.send(message).outcome for message in messages}
    assert outcomes == {Outcome.ACCEPTED}
    assert sorted(arena.arrived()) == sorted(message.content for message in messages)


def test_a_large_message_arrives_whole(arena: Arena) -> None:
    message = a_message(body=(b"." + b"y" * 70 + b"\r\n") * 5000)
    with arena.transport.open() as session:
        session.send(message)
    assert arena.arrived() == [message.content]


def test_sessions_work_beside_each_other(arena: Arena) -> None:
    def hand_over(first: int) -> None:
        with arena.transport.open() as session:
            for number in range(first, first + 10):
                session.send(a_message(number))

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(hand_over, (100, 200, 300)))
    expected = Counter(a_message(first + n).content for first in (100, 200, 300) for n in range(10))
    assert Counter(arena.arrived()) == expected


def test_a_session_that_sends_nothing_leaves_nothing(arena: Arena) -> None:
    with arena.transport.open():
        pass


def test_trouble_at_the_other_end_is_raised_with_a_code_and_nothing_arrives(arena: Arena) -> None:
    arena.break_down()
    with arena.transport.open() as session, pytest.raises(Outside) as outside:
        session.send(a_message())
    assert outside.value.problems[0].code in ("S320", "S330")
    assert arena.arrived() == []


def test_a_transport_has_a_name(arena: Arena) -> None:
    assert arena.transport.name in ("outbox", "smtp")


def test_after_trouble_the_same_session_goes_on(arena: Arena) -> None:
    arena.break_down()
    with arena.transport.open() as session:
        with pytest.raises(Outside):
            session.send(a_message())
        arena.mend()
        assert session.send(a_message()).outcome is Outcome.ACCEPTED
    assert arena.arrived() == [a_message().content]


@pytest.mark.parametrize("body", [b"bare\nfeed\r\n", b"bare\rreturn\r\n", b"no end", b"\r\n.\n", b"\xc3\xa4\r\n"])
def test_smtp_sends_nothing_that_a_lenient_server_would_cut_in_two(body: bytes) -> None:
    with Smtpd() as server, SmtpTransport(SmtpSettings(server.host, server.port, tls="none")).open() as session:
        with pytest.raises(NewsletterError) as refused:
            session.send(a_message(body=body))
        assert (refused.value.problems[0].code, server.commands, server.messages) == ("S401", [], [])
