"""One Digest for one reader, as RFC 5322 bytes: the same bytes on every retry.

Nothing here reads a clock or chance: the Date is the start of the send, the Message-ID a keyed hash of issue and
reader, the boundary a hash of the Message-ID. So a mailbox that saw the first copy can drop the second.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from urllib.parse import quote

import idna

from newsletter.delivery import mime
from newsletter.delivery.frame import BOUNDARY, Cut, cut, escaped, filled, verbatim
from newsletter.errors import ConfigError, NewsletterError
from newsletter.model import Addressee, Digest, Issue, Message, Sentinel, Site
from newsletter.tongue import tongue_of
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

_LETTER = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\u2027\u202f-\ud7ff\ue000-\U0010ffff-]"
_LOCAL = re.compile(rf"{_LETTER}+(?:\.{_LETTER}+)*")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_TO, _ID = "to", "id"
"""Names of blanks in a head, beside those of the Sentinels."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a reader's own links lead."""

    unsubscribe: str
    preferences: str


@dataclass(frozen=True, slots=True)
class Mailing:
    """What is one mailing's own, beside its text and its readers."""

    name: str  # with which its Message-IDs begin
    at: datetime  # its Date
    feedback: str  # what a feedback loop tells it by: three fields


class Run:
    """One Issue for all its readers: what their Messages share is worked out once. Thread-safe."""

    def __init__(self, *, site: Site, issue: Issue, digest: Digest, message_id_key: str) -> None:
        self._site = site
        self._digest = digest
        self._mailing = Mailing(
            name=f"{issue.number}",
            at=issue.started_at or issue.slot.due,
            feedback=f"{issue.number}:{issue.edition}:digest",
        )
        named = f"mid|{issue.edition}|{issue.number}|"
        self._keyed = hmac.new(message_id_key.encode(), named.encode(), hashlib.sha256)
        self._mould = lru_cache(maxsize=512)(self._moulded)  # an Issue has as many as its readers chose

    def message(self, addressee: Addressee, urls: Urls, occasion: str = "") -> Message:
        """The Message that hands this Issue to this reader. Raises as `compose`."""
        key = self._keyed.copy()
        key.update((f"{addressee.subscriber_id}" + (f"|{occasion}" if occasion else "")).encode())
        return self._mould(addressee.variant).message(addressee, urls, key.digest())

    def _moulded(self, variant: tuple[str, ...]) -> Mould:
        return Mould(self._site, self._mailing, cut(self._digest, variant, self._site.language))


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

    Raises NewsletterError: S402 for what is no address, S403 when a Sentinel was damaged on the way,
    or a mark of a segment; S404 for a control character in a header's words, S401 when the finished bytes are not what
    was meant.
    """
    run = Run(site=site, issue=issue, digest=digest, message_id_key=message_id_key)
    return run.message(addressee, Urls(unsubscribe_url, preferences_url), occasion)


class Mould:
    """All that the Messages of one mailing with one variant share; a reader's own words are put in. Thread-safe."""

    def __init__(self, site: Site, mailing: Mailing, text_for: Cut) -> None:
        """Raises NewsletterError: S404 for a control character in a header's words, S401 for what is not sound.

        Raises ConfigError S402 where the site has no address to send from: that is no reader's fault.
        """
        try:
            self._envelope, sender, _ = map(
                ascii_address, (site.sender.envelope, site.sender.address, site.sender.reply_to or site.sender.address)
            )
        except NewsletterError as error:
            raise ConfigError(error.problems[0]) from error
        self._name, self._domain = mailing.name, sender.rpartition("@")[2]
        self._headers = (*HEADERS[:-1], *(field.partition(":")[0] for field in text_for.fields))
        self._head = "".join(f"{line}\r\n" for line in (*_head(site, mailing, text_for.subject), *text_for.fields, ""))
        self._pieces = text_for.pieces
        for piece in self._pieces:  # what all have is looked at once, here
            if isinstance(piece, bytes):
                mime.sound(piece)
        self._escaped = [(one.name, escaped(one)) for one in Sentinel if text_for.has(escaped(one))]
        self._zone = site.timezone
        self._long_date = lru_cache(maxsize=4096)(tongue_of(site).long_date)

    def message(self, addressee: Addressee, urls: Urls, key: bytes) -> Message:
        """The Message for one reader; of `key` its Message-ID is made. Raises as `compose`."""
        recipient = mail_address(addressee.address)
        message_id = f"{self._name}.{base64.b32encode(key[:15]).decode().lower()}@{self._domain}"
        words = {
            _TO: recipient,
            _ID: message_id,
            BOUNDARY: "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32],
            Sentinel.UNSUBSCRIBE.name: urls.unsubscribe,
            Sentinel.PREFERENCES.name: urls.preferences,
            Sentinel.ADDRESS.name: masked(addressee.address),
            Sentinel.JOINED.name: self._long_date(addressee.joined_at.astimezone(self._zone).date()),
        }
        for name, blank in self._escaped:
            words[blank] = escape(words[name])
        head = (self._head % words).encode()
        own = [filled(piece, words) for piece in self._pieces if not isinstance(piece, bytes)]
        mime.check(head, own, self._headers, recipient)
        rest = iter(own)
        body = [piece if isinstance(piece, bytes) else next(rest) for piece in self._pieces]
        return Message(self._envelope, recipient, message_id, (head, *body))


def _head(site: Site, mailing: Mailing, subject: str) -> Iterator[str]:
    """Every header but those of the body, with blanks for what is a reader's own."""
    sender = ascii_address(site.sender.address)
    reply_to = ascii_address(site.sender.reply_to or site.sender.address)
    answer = f"mailto:{quote(reply_to, safe='@')}"
    yield verbatim(mime.mailbox("From", site.sender.name, sender))
    yield verbatim(mime.mailbox("Reply-To", "", reply_to))
    yield mime.mailbox("To", "", f"%({_TO})s")
    yield verbatim(mime.unstructured("Subject", subject))
    yield f"Date: {format_datetime(mailing.at.astimezone(site.timezone))}"
    yield f"Message-ID: <%({_ID})s>"
    yield verbatim(_list_id(site))
    yield mime.uris("List-Unsubscribe", f"%({Sentinel.UNSUBSCRIBE.name})s", verbatim(f"{answer}?subject=unsubscribe"))
    yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    yield verbatim(mime.uris("List-Archive", f"{site.url}/"))
    yield verbatim(mime.uris("List-Owner", answer))
    yield verbatim(f"Feedback-ID: {mailing.feedback}:{sender_id(sender)}")
    yield "MIME-Version: 1.0"


def _list_id(site: Site) -> str:
    """`List-Id: Auto Trendy <weekly.autotrendy.example>`: the phrase only where no encoding is needed (RFC 2919 2)."""
    phrase = mime.plain(site.title)
    named = mime.mailbox("List-Id", phrase, site.sender.list_id)
    return named if phrase.isascii() else f"List-Id: <{site.sender.list_id}>"


def sender_id(sender: str) -> str:
    """5 to 15 letters that name the sending domain to a feedback loop."""
    return re.sub(r"[^a-z0-9]", "", sender.rpartition("@")[2].lower())[:15].ljust(5, "0")


def ascii_address(address: str) -> str:
    """One of our own, which every mail server must be able to answer. Raises NewsletterError S402 for another."""
    written = mail_address(address)
    if not written.isascii():
        why = "Only addresses of ASCII letters before the @ reach every mail server (RFC 6531)."
        raise mime.refuse("S402", f"{address!r} cannot be written in an envelope", why)
    return written


def mail_address(address: str) -> str:
    """The address for envelope and header: a domain beyond ASCII becomes A-labels (RFC 5891), what stands before the @
    stays, and needs SMTPUTF8 where it is beyond ASCII.

    Raises NewsletterError S402 when the whole is no address.
    """
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        domain = ""
    if not _LOCAL.fullmatch(local) or "=?" in local or not _DOMAIN.fullmatch(domain):
        raise mime.refuse("S402", f"{address!r} cannot be written in an envelope", "It is not an email address.")
    return f"{local}@{domain}"
