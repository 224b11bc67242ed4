"""A Notice as a mail to one person, or as a call of the webhook: for those who run the newsletter, never for readers.

A second try has the Message-ID (the `webhook-id`) of the first and says that it is one. Calls are signed as the
Standard Webhooks specification says (1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`), so that its
libraries verify them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from newsletter import variants
from newsletter.delivery import mime, retry
from newsletter.delivery.message import ascii_address, mail_address
from newsletter.model import Digest, Message, Notice, Person, Sentinel, Site
from newsletter.tongue import tongue_of
from newsletter.words import masked

HEADERS = (
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
)
"""Every header of a notice, in order: of a program (RFC 3834 5), and of no list."""

WAITS = (timedelta(minutes=1), *retry.WAITS)
"""Before the second, third … try; the last is used again until `retry.LIMIT`."""

_PREFIX = "whsec_"

_AGAIN = "You may have had this before: an earlier try ended without an answer."
_BODY = re.compile(r"<body[^>]*>")
_BOX = (
    "box-sizing:border-box;max-width:600px;margin:16px auto 24px;padding:16px 20px;border-left:4px solid #8a5a00;"
    "background-color:#fff3d6;color:#1b1b1b;font:16px/1.5 Arial,Helvetica,sans-serif;text-align:left"
)


def next_try(attempts: int, told: datetime, now: datetime) -> datetime | None:
    """When a copy is tried again after `attempts`; None once `retry.LIMIT` is over since it was `told`."""
    if now - told >= retry.LIMIT:
        return None
    return now + WAITS[min(attempts, len(WAITS)) - 1]


def compose(
    *, site: Site, notice: Notice, person: Person, hold_url: str, message_id_key: str, attempts: int = 1
) -> Message:
    """The mail that tells this person. Raises NewsletterError (S402, S404) for an address or words of no mail."""
    sender, recipient = ascii_address(site.sender.address), mail_address(person.email)
    digits = hmac.new(message_id_key.encode(), f"notice|{notice.key}|{person.key}".encode(), hashlib.sha256).digest()
    local = f"notice.{base64.b32encode(digits[:15]).decode().lower()}"
    message_id = f"{local}@{sender.rpartition('@')[2]}"
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    text = "\n".join(_text(site, notice, person, hold_url, attempts)) + "\n"
    parts = _parts(site, notice, person, text, hold_url, attempts)
    lines = (
        mime.mailbox("From", site.sender.name, sender),
        mime.mailbox("Reply-To", "", ascii_address(site.sender.reply_to or site.sender.address)),
        mime.mailbox("To", person.name, recipient),
        mime.unstructured("Subject", f"[{site.title}] {notice.subject}"),
        f"Date: {format_datetime(notice.at.astimezone(site.timezone))}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
    )
    head = "".join(f"{line}\r\n" for line in lines).encode()
    body = mime.alternative(*parts, boundary)
    mime.check(head, [body], HEADERS, recipient)
    return Message(ascii_address(site.sender.envelope), recipient, message_id, (head, body))


def _parts(site: Site, notice: Notice, person: Person, text: str, hold_url: str, attempts: int) -> tuple[str, str]:
    """The words as text and as HTML; of a preview the digest below them, as its reader would get it."""
    box = "\n".join(_box(notice, hold_url, attempts))
    if notice.digest is None:
        page = f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(notice.subject)}</title>'
        return text, f'{page}</head>\n<body style="margin:0;padding:16px">\n{box}\n</body></html>'
    below, html = _filled(notice.digest, site, person, notice.at)
    at = _BODY.search(html)
    place = at.end() if at else 0
    return f"{text}\n{'=' * 72}\n\n{below}", f"{html[:place]}\n{box}\n{html[place:]}"


def _filled(digest: Digest, site: Site, person: Person, at: datetime) -> tuple[str, str]:
    """Text and HTML with every segment, and an editor's own words for a reader's; links of a reader are nobody's."""
    values = {
        Sentinel.UNSUBSCRIBE: f"{site.web_url}/u/preview",
        Sentinel.PREFERENCES: f"{site.web_url}/p/preview",
        Sentinel.ADDRESS: masked(person.email),
        Sentinel.JOINED: tongue_of(site).long_date(at.astimezone(site.timezone)),
    }
    shown = variants.whole(digest, tongue_of(site))
    text, html = shown.text, shown.html
    for sentinel, value in values.items():
        text, html = text.replace(sentinel, value), html.replace(sentinel, escape(value))
    return text, html


def _text(site: Site, notice: Notice, person: Person, hold_url: str, attempts: int) -> Iterator[str]:
    if attempts > 1:
        yield from (_AGAIN, "")
    yield from (notice.what, "", f"Why: {notice.why}", f"If you do nothing: {notice.otherwise}")
    if notice.lines:
        yield from ("", *(f"  {line}" for line in notice.lines))
    if hold_url:
        yield from ("", "To hold this issue, or let it go again (a page with a button):", f"  {hold_url}")
    if notice.links:
        yield from ("", *(f"{words}: {address}" for words, address in notice.links))
    if notice.fixes:
        yield from ("", "On the command line:", *(f"  {fix}" for fix in notice.fixes))
    yield from ("", f"To {person.name}, {person.role} of {site.title} (newsletter.toml, [people.{person.key}]).")


def _box(notice: Notice, hold_url: str, attempts: int) -> Iterator[str]:
    yield f'<div role="region" aria-label="Notice" lang="en" dir="ltr" style="{_BOX}">'
    if attempts > 1:
        yield f'<p style="margin:0 0 8px">{_AGAIN}</p>'
    yield f'<p style="margin:0 0 8px"><strong>{escape(notice.what)}</strong></p>'
    yield f'<p style="margin:0 0 8px">If you do nothing: {escape(notice.otherwise)}</p>'
    yield f'<p style="margin:0 0 8px">Why: {escape(notice.why)}</p>'
    if notice.lines:
        told = "".join(f"<li>{escape(line)}</li>" for line in notice.lines)
        yield f'<ul style="margin:0 0 8px;padding:0;list-style:none">{told}</ul>'
    links = [*([("Hold this issue, or let it go again", hold_url)] if hold_url else []), *notice.links]
    for words, address in links:
        yield f'<p style="margin:0 0 8px"><a href="{escape(address)}" style="color:#7a3200">{escape(words)}</a></p>'
    for fix in notice.fixes:
        yield f'<p style="margin:0 0 4px"><code>{escape(fix)}</code></p>'
    yield "</div>"


# --- the webhook -----------------------------------------------------------------------------------


def payload(site: Site, notice: Notice, hold_url: str, attempts: int = 1) -> bytes:
    """What the webhook is sent: the same fields as the mail, as JSON (UTF-8)."""
    told = {
        "id": notice.key,
        "type": notice.kind.value,
        "timestamp": notice.at.isoformat(),
        "site": site.title,
        **{name: getattr(notice, name) for name in ("about", "subject", "what", "why", "otherwise", "lines", "fixes")},
        "links": [{"words": words, "url": address} for words, address in notice.links],
        "hold": hold_url,
        "attempt": attempts,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def signed(content: bytes, notice: Notice, key: str, now: datetime) -> Mapping[str, str]:
    """The headers of a call (Standard Webhooks 1.0). `key` is `whsec_` and base64."""
    name = hashlib.sha256(notice.key.encode()).hexdigest()[:32]
    seconds = str(int(now.timestamp()))
    secret = base64.b64decode(key.removeprefix(_PREFIX))
    mac = hmac.new(secret, f"{name}.{seconds}.".encode() + content, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
