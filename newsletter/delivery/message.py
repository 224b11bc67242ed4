"""One Digest for one reader, as RFC 5322 bytes: the same bytes on every retry.

Nothing here reads a clock or chance: the Date is the start of the send, the Message-ID a keyed hash of issue and
reader, the boundary a hash of the Message-ID. So a mailbox that saw the first copy can drop the second.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from itertools import groupby
from urllib.parse import quote

import idna

from newsletter import segments
from newsletter.delivery import mime
from newsletter.errors import NewsletterError
from newsletter.model import Addressee, Digest, Issue, Message, Sentinel, Site
from newsletter.tongue import tongue_of

HEADERS = (
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "List-Owner",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
)
"""Every header of a digest, in order; a message with any other is not handed over."""

_SENTINEL = re.compile("|".join(re.escape(sentinel) for sentinel in Sentinel))
_MASK = "…"
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_REMNANT = re.compile(r"__UNSUBSCRIBE|__READER|//x\.invalid")


def compose(
    *,
    site: Site,
    issue: Issue,
    digest: Digest,
    addressee: Addressee,
    unsubscribe_url: str,
    message_id_key: str,
    occasion: str = "",
) -> Message:
    """The Message that hands this Issue to this reader; the same Message-ID on every retry (RFC 5322 3.6.4).

    What is no retry, a test or a copy that a reader asked for, names its `occasion` and gets a Message-ID of its own,
    so that no mailbox takes it for one that it has.

    Raises NewsletterError: S402 when the address needs SMTPUTF8, S403 when a Sentinel was damaged on the way,
    or a mark of a segment; S404 for a control character in a header's words, S401 when the finished bytes are not what
    was meant.
    """
    sender, recipient = ascii_address(site.sender.address), ascii_address(addressee.address)
    key = f"mid|{issue.edition}|{issue.number}|{addressee.subscriber_id}" + (f"|{occasion}" if occasion else "")
    digits = hmac.new(message_id_key.encode(), key.encode(), hashlib.sha256).digest()[:15]
    local = f"{issue.number}.{base64.b32encode(digits).decode().lower()}"
    message_id = f"{local}@{sender.rpartition('@')[2]}"
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    head = _head(site, issue, digest, recipient, unsubscribe_url, message_id, boundary)
    values = {
        Sentinel.UNSUBSCRIBE: unsubscribe_url,
        Sentinel.ADDRESS: masked(addressee.address),
        Sentinel.JOINED: tongue_of(site).long_date(addressee.joined_at.astimezone(site.timezone)),
    }
    html = {sentinel: escape(value) for sentinel, value in values.items()}
    delimiter = f"--{boundary}".encode()
    content = b"".join(
        (
            head,
            *(delimiter, b"\r\n", _frame(digest.text, "plain").fill(values, addressee.variant)),
            *(b"\r\n", delimiter, b"\r\n", _frame(digest.html, "html").fill(html, addressee.variant)),
            *(b"\r\n", delimiter, b"--\r\n"),
        )
    )
    mime.check(content, HEADERS)
    return Message(sender, recipient, message_id, content)


def _head(
    site: Site, issue: Issue, digest: Digest, recipient: str, unsubscribe_url: str, message_id: str, boundary: str
) -> bytes:
    sender = ascii_address(site.sender.address)
    reply_to = ascii_address(site.sender.reply_to or site.sender.address)
    answer = f"mailto:{quote(reply_to, safe='@')}"
    date = format_datetime((issue.started_at or issue.slot.due).astimezone(site.timezone))
    lines = (
        mime.mailbox("From", site.sender.name, sender),
        mime.mailbox("Reply-To", "", reply_to),
        mime.mailbox("To", "", recipient),
        mime.unstructured("Subject", digest.subject),
        f"Date: {date}",
        f"Message-ID: <{message_id}>",
        _list_id(site),
        mime.uris("List-Unsubscribe", unsubscribe_url, f"{answer}?subject=unsubscribe"),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        mime.uris("List-Archive", f"{site.url}/"),
        mime.uris("List-Owner", answer),
        f"Feedback-ID: {issue.number}:{issue.edition}:digest:{sender_id(sender)}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _list_id(site: Site) -> str:
    """`List-Id: Auto Trendy <weekly.autotrendy.example>`: the phrase only where no encoding is needed (RFC 2919 2)."""
    phrase = mime.plain(site.title)
    named = mime.mailbox("List-Id", phrase, site.sender.list_id)
    return named if phrase.isascii() else f"List-Id: <{site.sender.list_id}>"


def sender_id(sender: str) -> str:
    """5 to 15 letters that name the sending domain to a feedback loop."""
    return re.sub(r"[^a-z0-9]", "", sender.rpartition("@")[2].lower())[:15].ljust(5, "0")


@dataclass(frozen=True, slots=True)
class _Frame:
    """One body part, encoded once per Issue for all its variants: bytes, and between them what is a reader's own.

    Each piece has the key of its segment; that of what everybody gets is empty.
    """

    encoding: str
    pieces: tuple[tuple[str, bytes | str], ...]

    def fill(self, values: Mapping[Sentinel, str], variant: Collection[str]) -> bytes:
        def own(line: str) -> bytes:
            return mime.encode(_SENTINEL.sub(lambda found: values[Sentinel(found[0])], line), self.encoding)

        shown = (piece for key, piece in self.pieces if not key or key in variant)
        return b"".join(piece if isinstance(piece, bytes) else own(piece) for piece in shown)


@lru_cache(maxsize=8)
def _frame(body: str, subtype: str) -> _Frame:
    text = mime.one_line_end(body)
    if damaged := _REMNANT.search(_SENTINEL.sub("", text)):
        raise _left_over(damaged[0])
    try:
        parts = segments.split(text)
    except ValueError as error:
        raise _left_over(f"a mark of a segment: {error}") from error
    encoding = mime.encoding_of(text.replace(Sentinel.ADDRESS, _MASK))
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    pieces = ((key, piece) for key, part in parts for piece in _pieces(part, encoding))
    return _Frame(encoding, (("", head.encode()), *pieces))


def _pieces(part: str, encoding: str) -> Iterator[bytes | str]:
    """Runs of lines that are the same for every reader, as bytes, and each line that is not."""
    for own, group in groupby(re.findall(r"[^\n]*\n", part), key=lambda line: bool(_SENTINEL.search(line))):
        lines = list(group)
        yield from lines if own else [mime.encode("".join(lines), encoding)]


def _left_over(what: str) -> NewsletterError:
    return mime.refuse("S403", f"{what} is left over in the digest", "A reader would see it as it stands.")


def masked(address: str) -> str:
    """The address as its owner knows it and nobody else can use it: `r…@example.org`."""
    return f"{address[:1]}{_MASK}@{address.rpartition('@')[2]}"


def ascii_address(address: str) -> str:
    """The address for envelope and header: a domain beyond ASCII becomes A-labels (RFC 5891).

    Raises NewsletterError S402 when the part before the @ needs SMTPUTF8, or the whole is no address.
    """
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        domain = ""
    if not _LOCAL.fullmatch(local) or "=?" in local or not _DOMAIN.fullmatch(domain):
        why = "Only addresses of ASCII letters before the @ reach every mail server (RFC 6531)."
        raise mime.refuse("S402", f"{address!r} cannot be written in an envelope", why)
    return f"{local}@{domain}"
