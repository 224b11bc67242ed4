"""SMTP where the contract ends: faults of every kind at every stage, encryption, sign-in, connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from newsletter.delivery.relays import InTurn
from newsletter.delivery.smtp import SmtpSettings, SmtpTransport
from newsletter.errors import ConfigError, NewsletterError, Outside
from newsletter.model import Message, Outcome, Receipt
from tests.smtpd import CERTIFICATE, DROP, DROP_STORED, HALF, Smtpd

PIPELINING = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one by one"])


def settings(server: Smtpd, **changes: Any) -> SmtpSettings:
    defaults: dict[str, Any] = {"tls": "none", "local_hostname": "autotrendy.example", "command_timeout": 10.0}
    return SmtpSettings(server.host, server.port, **(defaults | changes))


def a_message(number: int = 1) -> Message:
    message_id = f"12.{number}@autotrendy.example"
    content = f"Message-ID: <{message_id}>\r\n\r\nHello {number}.\r\n".encode()
    return Message("editor@autotrendy.example", f"r{number}@readers.example", message_id, (content,))


def send(server: Smtpd, *numbers: int, **changes: Any) -> list[Receipt | str]:
    """Hand over messages in one session: each receipt, or the code of what was raised."""
    answers: list[Receipt | str] = []
    with SmtpTransport(settings(server, **changes)).open() as session:
        for number in numbers or (1,):
            try:
                answers.append(session.send(a_message(number)))
            except Outside as fault:
                answers.append(fault.problems[0].code)
    return answers


def outcomes(answers: list[Receipt | str]) -> list[Outcome | str]:
    return [answer if isinstance(answer, str) else answer.outcome for answer in answers]


# --- what the server answers -----------------------------------------------------------------------


@PIPELINING
@pytest.mark.parametrize("stage", ["RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [("451 4.3.0 later", Outcome.DEFERRED), ("550 5.1.1 nobody here", Outcome.REFUSED)],
)
def test_an_answer_to_one_reader_is_kept_word_for_word_and_the_next_is_served(
    stage: str, reply: str, outcome: Outcome, pipelining: bool
) -> None:
    with Smtpd(pipelining=pipelining) as server:
        server.fault(stage, reply, to="r1@readers.example")
        first, second = send(server, 1, 2)
        assert first == Receipt(outcome, int(reply[:3]), reply[4:])
        assert isinstance(second, Receipt)
        assert second.outcome is Outcome.ACCEPTED
        assert [message.recipient for message in server.messages] == ["r2@readers.example"]
        assert server.connections == 1


@PIPELINING
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("550 5.7.1 this sender may not", "S323"),
        ("451 4.7.1 greylisted", "S324"),
        ("552 5.3.4 too big", "S327"),
        ("421 4.3.2 shutting down", "S324"),
        (DROP, "S320"),
        ("what?", "S324"),
        ("999 what?", "S324"),
    ],
)
def test_a_fault_at_mail_from_speaks_of_us_and_not_of_the_reader(reply: str, code: str, pipelining: bool) -> None:
    with Smtpd(pipelining=pipelining) as server:
        server.fault("MAIL", reply)
        assert outcomes(send(server, 1, 2)) == [code, Outcome.ACCEPTED]
        assert [message.recipient for message in server.messages] == ["r2@readers.example"]


@PIPELINING
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [DROP, "421 4.3.2 shutting down"])
def test_a_connection_that_ends_before_the_content_leaves_no_doubt(stage: str, reply: str, pipelining: bool) -> None:
    with Smtpd(pipelining=pipelining) as server:
        server.fault(stage, reply)
        (answer,) = send(server, 1)
        at_mail = "S320" if reply == DROP else "S324"
        assert answer == (at_mail if stage == "MAIL" else "S328")
        assert server.messages == []


@PIPELINING
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [DROP, "421 4.7.0 enough for this connection"])
def test_a_kept_connection_that_the_server_ended_is_renewed_without_a_word(
    stage: str, reply: str, pipelining: bool
) -> None:
    with Smtpd(pipelining=pipelining) as server:
        server.fault(stage, reply, after=1)
        assert outcomes(send(server, 1, 2)) == [Outcome.ACCEPTED] * 2
        assert [message.recipient for message in server.messages] == ["r1@readers.example", "r2@readers.example"]
        assert server.connections == 2


def test_a_restart_of_the_server_between_two_messages_is_not_noticed() -> None:
    with Smtpd() as server, SmtpTransport(settings(server)).open() as session:
        session.send(a_message(1))
        server.hang_up()
        assert session.send(a_message(2)).outcome is Outcome.ACCEPTED
        assert len(server.messages) == 2


@pytest.mark.parametrize(("reply", "stored"), [(DROP, 0), (DROP_STORED, 1), ("gibberish", 0), ("354 again?", 0)])
def test_without_a_clear_answer_to_the_final_dot_the_outcome_is_unknown(reply: str, stored: int) -> None:
    with Smtpd() as server:
        server.fault("DOT", reply)
        assert outcomes(send(server, 1, 2)) == [
            Outcome.UNKNOWN,
            Outcome.ACCEPTED,
        ]
        assert len(server.messages) == stored + 1


def test_a_server_that_is_silent_after_the_final_dot_is_left_with_an_unknown_outcome() -> None:
    with Smtpd(delay=30) as server:
        assert outcomes(send(server, final_dot_timeout=0.2)) == [Outcome.UNKNOWN]


def test_421_after_the_final_dot_says_that_it_was_not_taken() -> None:
    with Smtpd() as server:
        server.fault("DOT", "421 4.3.2 shutting down")
        assert outcomes(send(server, 1, 2)) == ["S328", Outcome.ACCEPTED]


@PIPELINING
@pytest.mark.parametrize("stage", ["RCPT", "DATA", "DOT"])
def test_trouble_with_the_server_which_many_read_names_no_reader(stage: str, pipelining: bool) -> None:
    with Smtpd(pipelining=pipelining) as server, SmtpTransport(settings(server)).open() as session:
        server.fault(stage, "421 4.7.0 <R1@readers.example>: too much for r1@readers.example today")
        with pytest.raises(Outside) as trouble:
            session.send(a_message(1))
    assert "today" in str(trouble.value)
    assert "readers.example" not in str(trouble.value)
    assert trouble.value.answer == (421, "4.7.0 <R1@readers.example>: too much for r1@readers.example today")


def test_a_server_that_fails_at_rset_is_met_again_on_a_new_connection() -> None:
    with Smtpd() as server:
        server.fault("RCPT", "550 5.1.1 no", to="r1@readers.example")
        server.fault("RSET", DROP)
        assert outcomes(send(server, 1, 2)) == [Outcome.REFUSED, Outcome.ACCEPTED]
        assert server.connections == 2


@PIPELINING
def test_a_refusal_counts_even_when_the_server_hangs_up_over_it(pipelining: bool) -> None:
    with Smtpd(pipelining=pipelining) as server:
        server.fault("RCPT", "550 5.1.1 no", to="r1@readers.example")
        if pipelining:
            server.fault("DATA", DROP)
        server.fault("RSET", DROP)
        assert outcomes(send(server, 1, 2)) == [Outcome.REFUSED, Outcome.ACCEPTED]


def test_a_server_that_is_silent_at_first_is_given_up() -> None:
    with a_listener(b"") as port:
        transport = SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none", connect_timeout=0.2))
        assert code_of(transport) == "S320"


@pytest.mark.parametrize(
    ("greeting", "code"), [(b"554 5.7.1 go away\r\n", "S324"), (b"hello\r\n", "S324"), (b"22", "S320")]
)
def test_a_server_that_does_not_greet_takes_no_mail(greeting: bytes, code: str) -> None:
    with a_listener(greeting) as port:
        assert code_of(SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none", command_timeout=2))) == code


def test_what_the_server_says_is_shown_on_one_line_and_without_control_characters() -> None:
    with Smtpd() as server:
        server.fault("RCPT", "550-5.1.1 no\x1b[31m such\r\n550 user\x07")
        (answer,) = send(server)
        assert answer == Receipt(Outcome.REFUSED, 550, "5.1.1 no [31m such user ")


# --- what we say -----------------------------------------------------------------------------------


def test_the_greeting_names_the_sending_domain_and_mail_from_the_size() -> None:
    with Smtpd() as server:
        send(server)
        assert server.commands == [
            "EHLO autotrendy.example",
            f"MAIL FROM:<editor@autotrendy.example> SIZE={len(a_message().content)}",
            "RCPT TO:<r1@readers.example>",
            "DATA",
            "QUIT",
        ]


def test_a_server_that_can_is_asked_to_tell_of_failures_and_delays_without_the_content() -> None:
    message = Message("b@a.example", "ada+cars=x@readers.example", "12.abc@a.example", (b"To: ada\r\n\r\nHi.\r\n",))
    with Smtpd(dsn=True) as server, SmtpTransport(settings(server)).open() as session:
        assert session.send(message).outcome is Outcome.ACCEPTED
        assert server.commands[1:3] == [
            f"MAIL FROM:<b@a.example> SIZE={message.size} RET=HDRS ENVID=12.abc",
            "RCPT TO:<ada+cars=x@readers.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ada+2Bcars+3Dx@readers.example",
        ]


def test_a_sending_domain_beyond_ascii_greets_in_ascii() -> None:
    with Smtpd() as server:
        assert outcomes(send(server, local_hostname="exämple.example")) == [Outcome.ACCEPTED]
        assert server.commands[0] == "EHLO xn--exmple-cua.example"


def test_a_message_that_is_larger_than_the_server_takes_is_trouble_for_the_whole_issue() -> None:
    with Smtpd(size_limit=20) as server:
        assert outcomes(send(server)) == ["S327"]
        assert server.commands == ["EHLO autotrendy.example", "QUIT"]


def test_half_an_answer_is_none() -> None:
    with Smtpd() as server:
        server.fault("DOT", HALF)
        assert outcomes(send(server, 1, 2)) == [Outcome.UNKNOWN, Outcome.ACCEPTED]


@pytest.mark.parametrize("reply", ["\r\n".join(["250-and on"] * 101), "250 " + "x" * 2500])
def test_an_answer_without_end_is_given_up(reply: str) -> None:
    with Smtpd() as server:
        server.fault("RCPT", reply)
        assert outcomes(send(server)) == ["S328"]


LONG = b"250-and on\r\n" * 200 + b"250 end\r\n"


@pytest.mark.parametrize(
    "says", [LONG.replace(b"250", b"220"), b"220 hi\r\n" + LONG, b"220 hi\r\n250 " + b"x" * 2500 + b"\r\n"]
)
def test_a_greeting_without_end_is_given_up(says: bytes) -> None:
    with a_listener(says) as port:
        transport = SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none", command_timeout=0.5))
        with transport.open() as session, pytest.raises(Outside, match=r"it has no end|half a line"):
            session.send(a_message())


def test_an_answer_that_comes_letter_by_letter_is_waited_for_no_longer_than_another() -> None:
    with a_listener(b"220 " + b"x" * 60 + b"\r\n", pause=0.02) as port:
        transport = SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none", connect_timeout=0.2, command_timeout=1))
        with transport.open() as session, pytest.raises(Outside, match="too slowly"):
            session.send(a_message())


def test_where_rset_is_refused_the_next_reader_is_met_on_a_new_connection() -> None:
    with Smtpd() as server:
        server.fault("RCPT", "550 5.1.1 no", to="r1@readers.example")
        server.fault("RSET", "502 5.5.1 what?")
        assert outcomes(send(server, 1, 2)) == [Outcome.REFUSED, Outcome.ACCEPTED]
        assert server.connections == 2


def test_a_connection_carries_so_many_messages_and_no_more() -> None:
    with Smtpd() as server:
        assert outcomes(send(server, *range(7), max_per_connection=3)) == [Outcome.ACCEPTED] * 7
        assert (server.connections, server.commands.count("QUIT")) == (3, 3)


# --- addresses beyond ASCII (RFC 6531) -------------------------------------------------------------

BEYOND = "ädä+x@readers.example"


def beyond(head: str = f"Subject: x\r\nTo: {BEYOND}\r\n\r\n", recipient: str = BEYOND) -> Message:
    return Message("editor@autotrendy.example", recipient, "12.2@autotrendy.example", (head.encode(), b"Hello.\r\n"))


@PIPELINING
def test_an_address_beyond_ascii_goes_where_that_is_offered_and_only_it_asks_for_that(pipelining: bool) -> None:
    with Smtpd(pipelining=pipelining, dsn=True, utf8=True) as server:
        with SmtpTransport(settings(server)).open() as session:
            answers = [session.send(message).outcome for message in (a_message(1), beyond(), a_message(3))]
        assert answers == [Outcome.ACCEPTED] * 3
        assert [message.recipient for message in server.messages] == [
            "r1@readers.example",
            BEYOND,
            "r3@readers.example",
        ]
        assert server.messages[1].content == beyond().content
        asked = [("BODY=8BITMIME SMTPUTF8" in one) for one in server.commands if one.startswith("MAIL")]
        assert asked == [False, True, False]
        (to,) = [one for one in server.commands if one.startswith("RCPT") and BEYOND in one]
        assert to.endswith(r" ORCPT=utf-8;\x{E4}d\x{E4}\x{2B}x@readers.example")


def test_where_it_is_not_offered_we_answer_and_nothing_is_begun() -> None:
    with Smtpd() as server, SmtpTransport(settings(server)).open() as session:
        told = Receipt(Outcome.REFUSED, None, "not ASCII, and the mail server has no SMTPUTF8")
        assert session.send(beyond()) == told
        assert session.send(a_message()).outcome is Outcome.ACCEPTED
        assert [one for one in server.commands if "readers.example" in one] == ["RCPT TO:<r1@readers.example>"]


def test_a_server_that_offers_it_and_refuses_it_at_the_sender_has_refused_one_reader() -> None:
    with Smtpd(utf8=True) as server, SmtpTransport(settings(server)).open() as session:
        server.fault("MAIL", "550 5.6.7 not here")
        assert session.send(beyond()) == Receipt(Outcome.REFUSED, 550, "5.6.7 not here")
        assert session.send(a_message()).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("head", "recipient"),
    [
        (f"Subject: ä\r\nTo: {BEYOND}\r\n\r\n", BEYOND),
        (f"Subject: {BEYOND}\r\nTo: {BEYOND}\r\n\r\n", BEYOND),
        (f"Subject: x\r\nTo: {BEYOND}\r\n.\r\n\r\n", BEYOND),
        (f"Subject: x\nTo: {BEYOND}\r\n\r\n", BEYOND),
        (f"Subject: x\r\nTo: {BEYOND}\r\n\r\n", "r1@readers.example"),
        ("Subject: x\r\nTo: ä\u0085b@readers.example\r\n\r\n", "ä\u0085b@readers.example"),
        ("Subject: x\r\nTo: ä>b@readers.example\r\n\r\n", "ä>b@readers.example"),
    ],
)
def test_nothing_beside_that_address_leaves_beyond_ascii(head: str, recipient: str) -> None:
    with Smtpd(utf8=True) as server, SmtpTransport(settings(server)).open() as session:
        with pytest.raises(NewsletterError) as refused:
            session.send(beyond(head, recipient))
        assert (refused.value.problems[0].code, server.commands, server.messages) == ("S401", [], [])


# --- several servers, for single mails -------------------------------------------------------------


def test_a_letter_goes_over_the_next_server_when_one_takes_none_and_stays_there() -> None:
    with Smtpd() as first, Smtpd() as second:
        first.fault("MAIL", "451 4.3.2 busy", times=1)
        with InTurn([SmtpTransport(settings(first)), SmtpTransport(settings(second))]).open() as session:
            outcomes = [session.send(a_message(number)).outcome for number in (1, 2)]
        assert outcomes == [Outcome.ACCEPTED] * 2
        assert (len(first.messages), len(second.messages)) == (0, 2)


@pytest.mark.parametrize(
    ("stage", "reply", "outcome"),
    [
        ("RCPT", "550 5.1.1 nobody here", Outcome.REFUSED),
        ("RCPT", "451 4.2.0 greylisted", Outcome.DEFERRED),
        ("DOT", DROP_STORED, Outcome.UNKNOWN),
    ],
)
def test_what_one_server_answered_is_asked_of_no_other(stage: str, reply: str, outcome: Outcome) -> None:
    with Smtpd() as first, Smtpd() as second:
        first.fault(stage, reply)
        with InTurn([SmtpTransport(settings(first)), SmtpTransport(settings(second))]).open() as session:
            assert session.send(a_message()).outcome is outcome
        assert second.connections == 0


def test_after_a_server_that_gave_no_answer_the_next_letter_goes_over_another() -> None:
    with Smtpd() as first, Smtpd() as second:
        first.fault("DOT", DROP, times=9)
        with InTurn([SmtpTransport(settings(first)), SmtpTransport(settings(second))]).open() as session:
            outcomes = [session.send(a_message(number)).outcome for number in (1, 2, 3)]
        assert outcomes == [Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.ACCEPTED]


def test_when_no_server_takes_mail_the_first_one_is_told_of() -> None:
    with Smtpd() as first, Smtpd() as second:
        first.fault("MAIL", "550 5.7.1 not you")
        second.fault("MAIL", "451 4.3.2 busy")
        transport = InTurn([SmtpTransport(settings(first)), SmtpTransport(settings(second))])
        with transport.open() as session, pytest.raises(Outside) as outside:
            session.send(a_message())
    assert outside.value.problems[0].code == "S323"


# --- encryption and sign-in ------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_ends_it_before_anything_is_said(tls: str) -> None:
    with Smtpd(tls=tls) as server:
        assert outcomes(send(server, tls=tls)) == ["S321"]
        assert {command.partition(" ")[0] for command in server.commands} <= {"EHLO", "STARTTLS"}


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_of_another_host_ends_it(tls: str) -> None:
    with Smtpd(tls=tls) as server:
        other = SmtpSettings("127.0.0.2", server.port, tls=tls, ca_file=str(CERTIFICATE))
        assert code_of(SmtpTransport(other)) in ("S320", "S321")


def test_starttls_that_is_not_offered_is_never_done_without() -> None:
    with Smtpd() as server:
        assert outcomes(send(server, tls="starttls", user="editor", password="secret")) == ["S321"]
        assert server.commands == ["EHLO autotrendy.example"]


@pytest.mark.parametrize("tls", ["starttls", "tls", "none"])
def test_user_and_password_are_shown_to_a_server_that_asks(tls: str) -> None:
    with Smtpd(tls=tls, user="editor", password="secret") as server:
        right = send(server, tls=tls, ca_file=str(CERTIFICATE), user="editor", password="secret")
        assert outcomes(right) == [Outcome.ACCEPTED]


@pytest.mark.parametrize(
    ("user", "password", "code"), [("editor", "wrong", "S322"), ("editor", "pässword", "S322"), ("", "", "S322")]
)
def test_a_wrong_password_is_told_and_the_password_is_not(user: str, password: str, code: str) -> None:
    with Smtpd(tls="starttls", user="editor", password="secret") as server:
        transport = SmtpTransport(
            settings(server, tls="starttls", ca_file=str(CERTIFICATE), user=user, password=password)
        )
        with transport.open() as session, pytest.raises(Outside) as outside:
            session.send(a_message())
        assert outside.value.problems[0].code == code
        assert "wrong" not in str(outside.value)
        assert "pässword" not in str(outside.value)
        assert "xe4" not in str(outside.value)


def test_a_server_without_sign_in_is_told_apart_from_a_wrong_password() -> None:
    with a_listener(b"220 hi\r\n250 no extensions\r\n") as port:
        transport = SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none", user="editor", password="secret"))
        with transport.open() as session, pytest.raises(Outside, match="no way to sign in"):
            session.send(a_message())


@pytest.mark.parametrize("method", [b"PLAIN", b"LOGIN", b"CRAM-MD5"])
def test_a_challenge_that_makes_no_sense_is_trouble_with_the_server_and_leaves_no_reader_in_doubt(
    method: bytes,
) -> None:
    with a_listener(b"220 hi\r\n250-x\r\n250 AUTH " + method + b"\r\n334 abcde\r\n") as port:
        transport = SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none", user="editor", password="secret"))
        assert code_of(transport) == "S322"


def test_a_password_is_not_sent_over_a_network_in_the_clear() -> None:
    with pytest.raises(ConfigError) as refused:
        SmtpTransport(SmtpSettings("mail.autotrendy.example", tls="none", user="editor", password="secret"))
    assert refused.value.problems[0].code == "S325"


def test_a_missing_list_of_authorities_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError) as refused:
        SmtpTransport(SmtpSettings("localhost", ca_file="/nowhere/ca.pem"))
    assert refused.value.problems[0].code == "S326"


def test_the_password_is_not_shown_with_the_settings() -> None:
    assert "secret" not in repr(SmtpSettings("localhost", user="editor", password="secret"))


def code_of(transport: SmtpTransport) -> str:
    with transport.open() as session, pytest.raises(Outside) as outside:
        session.send(a_message())
    return outside.value.problems[0].code


@contextmanager
def a_listener(says: bytes, pause: float = 0.0) -> Iterator[int]:
    """A port that says one thing to whoever connects, then closes its side once the other has; with a `pause` before
    each octet.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                with suppress(OSError):
                    for octet in says if pause else ():
                        time.sleep(pause)
                        connection.sendall(bytes([octet]))
                    connection.sendall(b"" if pause else says)
                if not says.endswith(b"\n"):
                    connection.shutdown(socket.SHUT_WR) if says else None
                with suppress(OSError):
                    while connection.recv(1024):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)
