"""Notices as mail and as calls of a webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from newsletter.delivery import notice as mails
from newsletter.errors import NewsletterError
from newsletter.model import Digest, Notice, NoticeKind, Person, Segment, SegmentKind, Sentinel
from tests.builders import a_site

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
ADA = Person("ada", "Ada Lovelace", "ada@desk.example", "editor")
HELD = Notice(
    key="turn:7",
    kind=NoticeKind.HELD,
    at=NOON,
    about="issue 47",
    subject="Issue 47 is held",
    what="Issue 47 is held: no reader gets it.",
    why="Found 4 h after the slot.",
    otherwise="it stays held.",
    lines=("- Four models <b>", "+ Three"),
    fixes=("newsletter issue send 47",),
    links=(("The issue", "https://auto-trendy.net/issues/47/"),),
)
SHOWN = Digest(
    "The hybrid hatch",
    "Seven days",
    f'<!DOCTYPE html>\n<html lang="en"><body class="x">\n<p>Story</p><a href="{Sentinel.UNSUBSCRIBE}">Leave</a>'
    f"<p>{Sentinel.ADDRESS} {Sentinel.JOINED}</p></body></html>",
    f"Story\n<!--segment recap:1-->\nNew to this story?\n<!--end segment-->\n{Sentinel.UNSUBSCRIBE}\n",
    "sha256:9f",
    segments=(Segment("recap:1", SegmentKind.RECAP, "tag:earlier"),),
)


def mailed(notice: Notice = HELD, *, hold_url: str = "", attempts: int = 1, person: Person = ADA) -> EmailMessage:
    message = mails.compose(
        site=a_site(), notice=notice, person=person, hold_url=hold_url, message_id_key="key", attempts=attempts
    )
    read = message_from_bytes(message.content, policy=default)
    assert isinstance(read, EmailMessage)
    return read


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_notice_says_what_why_and_what_happens_if_nothing_is_done() -> None:
    text = body(mailed(), "plain")
    assert "Issue 47 is held: no reader gets it." in text
    assert "Why: Found 4 h after the slot." in text
    assert "If you do nothing: it stays held." in text
    assert "  - Four models <b>\n  + Three\n" in text
    assert "newsletter issue send 47" in text
    assert "https://auto-trendy.net/issues/47/" in text


def test_both_parts_say_the_same_and_markup_in_words_stays_words() -> None:
    mail = mailed()
    html = body(mail, "html")
    assert "- Four models &lt;b&gt;" in html
    for words in (HELD.what, HELD.why, HELD.otherwise, *HELD.fixes):
        assert words in html
        assert words in body(mail, "plain")


def test_a_notice_is_of_a_program_and_of_no_list() -> None:
    mail = mailed()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not [name for name in mail if name.lower().startswith(("list-", "feedback", "precedence"))]
    assert str(mail["To"]) == "Ada Lovelace <ada@desk.example>"


def test_a_second_try_has_the_same_message_id_and_says_that_it_is_one() -> None:
    first, second = mailed(), mailed(attempts=2)
    assert first["Message-ID"] == second["Message-ID"]
    assert "You may have had this before" in body(second, "plain")
    assert "You may have had this before" in body(second, "html")
    assert "You may have had this before" not in body(first, "plain")


def test_another_person_or_another_notice_has_another_message_id() -> None:
    bob = replace(ADA, key="bob", email="bob@desk.example")
    ids = {mailed()["Message-ID"], mailed(person=bob)["Message-ID"], mailed(replace(HELD, key="turn:8"))["Message-ID"]}
    assert len(ids) == 3


def test_a_preview_shows_the_digest_below_with_no_readers_own_words_left() -> None:
    mail = mailed(replace(HELD, digest=SHOWN), hold_url="https://auto-trendy.net/hold/abc")
    text, html = body(mail, "plain"), body(mail, "html")
    assert text.index("https://auto-trendy.net/hold/abc") < text.index("\nStory\n")
    assert html.index('<body class="x">') < html.index("https://auto-trendy.net/hold/abc") < html.index("<p>Story</p>")
    assert "\nNew to this story?\n" in text
    for part in (text, html):
        assert "<!--segment" not in part
        assert "/u/preview" in part
        assert "__" not in part
        assert "x.invalid" not in part


def test_words_that_would_start_a_header_are_refused() -> None:
    with pytest.raises(NewsletterError) as refused:
        mailed(replace(HELD, subject="Held\r\nBcc: everybody@example.org"))
    assert refused.value.problems[0].code == "S404"


def test_the_webhook_gets_the_same_fields_and_can_verify_them() -> None:
    content = mails.payload(a_site(), HELD, "https://auto-trendy.net/hold/abc", 2)
    told = json.loads(content)
    assert told["what"] == HELD.what
    assert told["type"] == "held"
    assert told["hold"] == "https://auto-trendy.net/hold/abc"
    assert told["links"] == [{"words": "The issue", "url": "https://auto-trendy.net/issues/47/"}]
    assert told["attempt"] == 2
    secret = b"s" * 32
    headers = mails.signed(content, HELD, f"whsec_{base64.b64encode(secret).decode()}", NOON)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))


def test_tries_come_ever_more_seldom_and_end_after_two_days() -> None:
    tries: list[timedelta] = []
    now = NOON
    while (again := mails.next_try(len(tries) + 1, NOON, now)) is not None:
        tries.append(again - now)
        now = again
    assert tries[:3] == [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)]
    assert timedelta(hours=48) <= now - NOON < timedelta(hours=57)
    assert len(tries) < 20
