"""A Letter as RFC 5322 bytes: the same on every retry, and of another stream than the issues.

It is of a program (RFC 3834 5) and of no list: whoever gets one may be no reader yet, so there is nothing to leave.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from email.utils import format_datetime

from newsletter.delivery import mime
from newsletter.delivery.frame import cut
from newsletter.delivery.message import Mailing, Mould, Urls, ascii_address, mail_address, sender_id
from newsletter.model import Addressee, Digest, Letter, Message, Site, Subscriber
from newsletter.variants import PLAIN

HEADERS = (
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
)
"""Every header of a letter, in order; a message with any other is not handed over."""


def compose(*, site: Site, letter: Letter, subject: str, text: str, html: str, message_id_key: str) -> Message:
    """The Message of a letter, dated when it was asked for.

    Raises NewsletterError: S402 for what is no address, S404 for a control character in a header's words,
    S401 when the finished bytes are not what was meant.
    """
    sender, recipient = ascii_address(site.sender.address), mail_address(letter.address)
    message_id = _message_id(letter, sender, message_id_key)
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    lines = (
        mime.mailbox("From", site.sender.name, sender),
        mime.mailbox("Reply-To", "", ascii_address(site.sender.reply_to or site.sender.address)),
        mime.mailbox("To", "", recipient),
        mime.unstructured("Subject", subject),
        f"Date: {format_datetime(letter.at.astimezone(site.timezone))}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-generated",
        f"Feedback-ID: {letter.kind}:letters:letter:{sender_id(sender)}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
    )
    head = "".join(f"{line}\r\n" for line in lines).encode()
    body = mime.alternative(text, html, boundary)
    mime.check(head, [body], HEADERS, recipient)
    return Message(ascii_address(site.sender.envelope), recipient, message_id, (head, body))


def compose_digest(
    *, site: Site, letter: Letter, digest: Digest, reader: Subscriber, urls: Urls, message_id_key: str
) -> Message:
    """The Message of a CATCH_UP: content, so it has every header of an issue. Raises as `message.compose`."""
    variant = (PLAIN,) if reader.plain else ()
    mailing = Mailing("letter", letter.at, f"{letter.kind}:letters:digest")
    mould = Mould(site, mailing, cut(digest, variant, site.language))
    addressee = Addressee(reader.id, letter.address, reader.joined_at, reader.token_version, variant=variant)
    return mould.message(addressee, urls, _key(letter, message_id_key))


def _message_id(letter: Letter, sender: str, key: str) -> str:
    digits = base64.b32encode(_key(letter, key)[:15]).decode().lower()
    return f"letter.{digits}@{sender.rpartition('@')[2]}"


def _key(letter: Letter, key: str) -> bytes:
    """A keyed hash of the letter's own number: it says nothing of the reader, and no other letter has it."""
    return hmac.new(key.encode(), f"letter|{letter.id}".encode(), hashlib.sha256).digest()
