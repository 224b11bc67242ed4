"""One Digest for one reader, as RFC 5322 bytes: the same bytes on every retry.

Nothing here reads a clock or chance: the Date is the start of the send, the Message-ID a keyed hash of issue and
reader, the boundary a hash of the Message-ID. So a mailbox that saw the first copy can drop the second.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from itertools import groupby
from urllib.parse import quote

import idna

from newsletter import segments, variants
from newsletter.delivery import mime
from newsletter.errors import NewsletterError
from newsletter.model import Addressee, Digest, Issue, Message, Sentinel, Site, Tally
from newsletter.tongue import spoken, tongue_of
from newsletter.variants import PLAIN
from newsletter.words import masked

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
_MASK, _DOT = "…", "·"
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_REMNANT = re.compile(r"__UNSUBSCRIBE|__PREFERENCES|__READER|__DIGEST|//x\.invalid")


def compose(
    *,
    site: Site,
    issue: Issue,
    digest: Digest,
    addressee: Addressee,
    unsubscribe_url: str,
    preferences_url: str,
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
    key = f"mid|{issue.edition}|{issue.number}|{addressee.subscriber_id}" + (f"|{occasion}" if occasion else "")
    mailing = Mailing(
        name=f"{issue.number}",
        key=hmac.new(message_id_key.encode(), key.encode(), hashlib.sha256).digest(),
        at=issue.started_at or issue.slot.due,
        feedback=f"{issue.number}:{issue.edition}:digest",
    )
    urls = Urls(unsubscribe_url, preferences_url)
    return written(site, mailing, _cut(digest, addressee.variant, site.language), addressee, urls)


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a reader's own links lead."""

    unsubscribe: str
    preferences: str


@dataclass(frozen=True, slots=True)
class Mailing:
    """What is one Message's own, beside its text and its reader."""

    name: str  # with which its Message-ID begins
    key: bytes  # of which the rest is made
    at: datetime  # its Date
    feedback: str  # what a feedback loop tells it by: three fields


def written(site: Site, mailing: Mailing, text_for: Cut, addressee: Addressee, urls: Urls) -> Message:
    """The Message of a text for one reader. Raises as `compose`."""
    sender, recipient = ascii_address(site.sender.address), ascii_address(addressee.address)
    envelope = ascii_address(site.sender.envelope)
    local = f"{mailing.name}.{base64.b32encode(mailing.key[:15]).decode().lower()}"
    message_id = f"{local}@{sender.rpartition('@')[2]}"
    head = _head(site, mailing, text_for.subject, recipient, urls.unsubscribe, message_id)
    values = {
        Sentinel.UNSUBSCRIBE: urls.unsubscribe,
        Sentinel.PREFERENCES: urls.preferences,
        Sentinel.ADDRESS: masked(addressee.address),
        Sentinel.JOINED: tongue_of(site).long_date(addressee.joined_at.astimezone(site.timezone)),
    }
    text = text_for.text.fill(values)
    if PLAIN in addressee.variant:
        head += text_for.text.head
        return _checked(envelope, recipient, message_id, head, text, (*HEADERS, "Content-Transfer-Encoding"))
    html = text_for.html.fill({sentinel: escape(value) for sentinel, value in values.items()})
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    head += f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode()
    return _checked(envelope, recipient, message_id, head, _both(text_for, text, html, f"--{boundary}"), HEADERS)


def _checked(
    sender: str, recipient: str, message_id: str, head: bytes, body: Sequence[bytes], headers: Sequence[str]
) -> Message:
    mime.check(head, body, headers)
    return Message(sender, recipient, message_id, (head, *body))


def _both(of: Cut, text: Sequence[bytes], html: Sequence[bytes], delimiter: str) -> tuple[bytes, ...]:
    """Both parts with what stands around them."""
    first, second, last = (
        line.encode() for line in (f"{delimiter}\r\n", f"\r\n{delimiter}\r\n", f"\r\n{delimiter}--\r\n")
    )
    return (first + of.text.head, *text, second + of.html.head, *html, last)


def _head(site: Site, mailing: Mailing, subject: str, recipient: str, unsubscribe_url: str, message_id: str) -> bytes:
    """Every header but those of the body."""
    sender = ascii_address(site.sender.address)
    reply_to = ascii_address(site.sender.reply_to or site.sender.address)
    answer = f"mailto:{quote(reply_to, safe='@')}"
    date = format_datetime(mailing.at.astimezone(site.timezone))
    lines = (
        mime.mailbox("From", site.sender.name, sender),
        mime.mailbox("Reply-To", "", reply_to),
        mime.mailbox("To", "", recipient),
        mime.unstructured("Subject", subject),
        f"Date: {date}",
        f"Message-ID: <{message_id}>",
        _list_id(site),
        mime.uris("List-Unsubscribe", unsubscribe_url, f"{answer}?subject=unsubscribe"),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        mime.uris("List-Archive", f"{site.url}/"),
        mime.uris("List-Owner", answer),
        f"Feedback-ID: {mailing.feedback}:{sender_id(sender)}",
        "MIME-Version: 1.0",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


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
    """One body part of one variant, encoded once: bytes, and between them the lines that hold a reader's own words."""

    encoding: str
    head: bytes  # of the part, with its blank line
    pieces: tuple[bytes | str, ...]

    def fill(self, values: Mapping[Sentinel, str]) -> list[bytes]:
        """The pieces as one reader gets them."""

        def own(line: str) -> bytes:
            return mime.encode(_SENTINEL.sub(lambda found: values[Sentinel(found[0])], line), self.encoding)

        return [piece if isinstance(piece, bytes) else own(piece) for piece in self.pieces]


@dataclass(frozen=True, slots=True)
class Cut:
    """What all readers with one variant get."""

    subject: str
    text: _Frame
    html: _Frame


def cut(digest: Digest, variant: tuple[str, ...], language: str) -> Cut:
    """A Digest as readers with this variant get it. Raises NewsletterError (S403) as `compose`."""
    said = variants.told(digest, variant, spoken(language))
    text, html = variants.in_text(said.tallies), variants.in_html(said.tallies)
    return Cut(said.subject, _frame(digest, "plain", variant, text), _frame(digest, "html", variant, html))


_cut = lru_cache(maxsize=512)(cut)  # of an issue, which has as many variants as its readers chose


def _frame(digest: Digest, subtype: str, variant: Collection[str], tallies: Mapping[Tally, str]) -> _Frame:
    """What a variant is shown of a body: pieces that are encoded already, and few lines that were not."""
    encoding, pieces = _pieces(digest, subtype)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    fill, is_shown = segments.filling(tallies), segments.showing(variant)
    shown = (piece for within, piece in pieces if is_shown(within))
    filled = (piece if isinstance(piece, bytes) else fill(piece) for piece in shown)
    ready = (_ready(piece, encoding) for piece in filled)
    return _Frame(encoding, head.encode(), tuple(_in_few(ready)))


def _in_few(pieces: Iterable[bytes | str]) -> Iterator[bytes | str]:
    """The same with each run of bytes as one."""
    run: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            run.append(piece)
            continue
        if run:
            yield b"".join(run)
            run.clear()
        yield piece
    if run:
        yield b"".join(run)


def _ready(piece: bytes | str, encoding: str) -> bytes | str:
    """A piece for one variant: bytes, unless a reader's own words are in it."""
    return piece if isinstance(piece, bytes) or _SENTINEL.search(piece) else mime.encode(piece, encoding)


@lru_cache(maxsize=8)
def _pieces(digest: Digest, subtype: str) -> tuple[str, tuple[tuple[tuple[str, ...], bytes | str], ...]]:
    """A body for all its variants: how it is encoded, and its pieces with the keys of the segments around them. What is
    the same for every reader is bytes; lines with a Sentinel or a Tally are not.
    """
    body = mime.one_line_end(digest.html if subtype == "html" else digest.text)
    if damaged := _REMNANT.search(segments.filling(dict.fromkeys(Tally, ""))(_SENTINEL.sub("", body))):
        raise _left_over(damaged[0])
    try:
        parts = segments.split(body)
    except ValueError as error:
        raise _left_over(f"a mark of a segment: {error}") from error
    encoding = mime.encoding_of(_at_its_widest(digest, body))
    return encoding, tuple((within, piece) for within, part in parts for piece in _runs(part, encoding))


def _at_its_widest(digest: Digest, body: str) -> str:
    """A body with everything beyond ASCII that may come to stand in it."""
    own = body.replace(Sentinel.ADDRESS, _MASK).replace(Tally.STORIES, _DOT)
    said = (one.preheader + one.title for one in digest.segments) if Tally.PREHEADER in body else ()
    return own if all(map(str.isascii, (digest.preheader, *said))) else own + _MASK


def _runs(part: str, encoding: str) -> Iterator[bytes | str]:
    """Runs of lines that are the same for every reader, as bytes, and runs of those that are not."""
    for own, group in groupby(re.findall(r"[^\n]*\n", part), key=_is_own):
        lines = "".join(group)
        yield lines if own else mime.encode(lines, encoding)


def _is_own(line: str) -> bool:
    return segments.has_tally(line) or _SENTINEL.search(line) is not None


def _left_over(what: str) -> NewsletterError:
    return mime.refuse("S403", f"{what} is left over in the digest", "A reader would see it as it stands.")


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
