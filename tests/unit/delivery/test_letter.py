"""The bytes of a letter: one stream of their own, and the same on every retry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from newsletter.delivery.letter import HEADERS, compose
from newsletter.errors import NewsletterError
from newsletter.model import DeliveryState, Letter, LetterKind, Message
from tests.builders import a_site

AT = datetime(2026, 11, 27, 13, 5, tzinfo=UTC)
LETTER = Letter(7, LetterKind.CONFIRM, 3, "Ada@exämple.example", AT, DeliveryState.SENDING)


def composed(letter: Letter = LETTER, subject: str = "Please confirm: Auto Trendy") -> Message:
    words = {"subject": subject, "text": "Prêt ?\n.\n", "html": "<p>Prêt ?"}
    return compose(site=a_site(), letter=letter, **words, message_id_key="a lasting key")


def test_it_is_of_a_program_and_of_no_list() -> None:
    mail = message_from_bytes(composed().content, policy=default)
    assert tuple(mail) == HEADERS
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Feedback-ID"].startswith("confirm:letters:letter:")
    assert mail["Date"] == "Fri, 27 Nov 2026 14:05:00 +0100"
    assert mail["To"] == composed().recipient == "Ada@xn--exmple-cua.example"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == "Prêt ?\n.\n"


def test_a_retry_has_the_same_bytes_and_another_letter_another_message_id() -> None:
    assert composed() == composed(replace(LETTER, attempts=3, state=DeliveryState.WAITING))
    others = {composed(replace(LETTER, id=number)).message_id for number in range(20)}
    assert len(others) == 20
    assert not any("ada" in one.lower() for one in others)


def test_an_address_beyond_ascii_stands_in_the_envelope_and_under_to_and_nowhere_else() -> None:
    message = composed(replace(LETTER, address="Ädä@exämple.example"))
    assert message.needs_utf8
    assert message.recipient == "Ädä@xn--exmple-cua.example"
    assert message.content.count("To: Ädä@xn--exmple-cua.example\r\n".encode()) == 1
    assert message.content.replace("Ädä".encode(), b"").isascii()


def test_no_control_character_gets_into_a_header_and_an_address_of_no_envelope_is_refused() -> None:
    with pytest.raises(NewsletterError) as error:
        composed(subject="Hello\r\nBcc: victim@reader.example")
    assert error.value.problems[0].code == "S404"
    with pytest.raises(NewsletterError) as error:
        composed(replace(LETTER, address="ada lovelace@reader.example"))
    assert error.value.problems[0].code == "S402"
