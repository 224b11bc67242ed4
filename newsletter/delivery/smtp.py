"""SMTP: the edge that hands Messages to a mail server over connections that are kept and, if offered, pipelined.

Until the final dot has left, every fault raises Outside and the message was certainly not accepted; after it, a lost
connection is Outcome.UNKNOWN. A certificate is always checked and a wish for TLS never falls back in silence.
The server's answers are kept word for word.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType
from typing import Self

from newsletter.delivery.pieces import remembered
from newsletter.errors import ConfigError, NewsletterError, Outside, Problem
from newsletter.model import Message, Outcome, Receipt
from newsletter.words import nameless

Reply = tuple[int, str]

_ADDRESS = re.compile(r"[!-;=?-~]+@[A-Za-z0-9.-]+")
_CLOSING = 421
_GO_AHEAD = 354
_GROUP = 3  # MAIL, RCPT and DATA; who answers the last has taken the reader
_NOT_SIGNED_IN = 530
_REPLY_LIMIT = 500
_LONGEST = 2000  # octets of a line of a reply; RFC 5321 4.5.3.1.5 allows 512
_MOST_LINES = 100  # of a reply
_OUTCOMES = {2: Outcome.ACCEPTED, 3: Outcome.UNKNOWN, 4: Outcome.DEFERRED, 5: Outcome.REFUSED}
_FIXES = {
    "S320": ("check [mail] host and port, and that the server runs; readers wait and nobody is lost",),
    "S321": ("check [mail] tls, and [mail] ca_file if the server's certificate is your own",),
    "S322": ("check [mail] user and password_file",),
    "S323": ("let the server's operator allow this sender address", "or change the sender in newsletter.toml"),
    "S324": ("nothing: it is tried again",),
    "S328": ("nothing: it is tried again for two days; the server's log may say why",),
    "S327": ("shorten the issue", "or let the server's operator raise the limit"),
}
_GOODBYE = 5.0  # seconds that QUIT may take


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how to hand mail over.

    Times are seconds; the wait for the answer to the final dot is long, because a short one causes doubles (RFC 1047).
    """

    host: str
    port: int = 587
    tls: str = "starttls"  # or "tls" from the first byte, or "none"
    user: str = ""
    password: str = field(default="", repr=False)
    local_hostname: str = "localhost"  # what EHLO says: the sending domain
    ca_file: str | None = None  # trusted instead of the system's authorities
    connect_timeout: float = 30
    command_timeout: float = 60
    final_dot_timeout: float = 600
    max_per_connection: int = 100


class SmtpTransport:
    """Implements `ports.Transport`. Opens no socket until the first Message."""

    name = "smtp"

    def __init__(self, settings: SmtpSettings) -> None:
        """Raises ConfigError: S325 a password would cross a network unencrypted; S326 the CA file cannot be used."""
        if settings.user and settings.tls == "none" and not _loopback(settings.host):
            why = f"Anyone between here and {settings.host} could read it."
            raise ConfigError(
                Problem("S325", "The password would be sent unencrypted", why=why, fixes=('[mail] tls = "starttls"',))
            )
        self._settings = settings
        self._context = _context(settings) if settings.tls != "none" else None

    def open(self) -> SmtpSession:
        return SmtpSession(self._settings, self._context)


class SmtpSession:
    """One connection, made when it is needed and renewed after faults or `max_per_connection` Messages."""

    def __init__(self, settings: SmtpSettings, context: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._context = context
        self._client: _Client | None = None
        self._handed = 0  # over the present connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._quit()

    def send(self, message: Message) -> Receipt:
        """Hand one Message over and say what the server answered.

        Raises Outside, with the Message certainly not accepted: S320 no connection, S321 TLS, S322 sign-in,
        S323 our sender is refused, S324 the server asks for a pause, S327 larger than the server takes, S328 it broke
        off over this Message. Raises NewsletterError S401 for what must not go over the wire at all.
        """
        content = _on_the_wire(message)
        client, fresh = self._ready()
        if 0 < client.largest < message.size:
            takes = f"takes no mail of this size, which is {message.size:,} octets; {client.largest:,} may it be"
            raise self._outside("S327", takes)
        try:
            refusal = self._offer(client, message)
        except OSError as fault:
            self._drop()
            if fresh:
                raise self._outside_of(fault) from fault
            return self.send(message)  # the kept connection had been closed; none of the content had left
        self._handed += 1
        return refusal or self._hand_over(client, content)

    def _ready(self) -> tuple[_Client, bool]:
        """A connection, and whether it is new."""
        if self._handed >= self._settings.max_per_connection:
            self._quit()
        if self._client is None:
            self._client, self._handed = self._connect(), 0
            return self._client, True
        return self._client, False

    def _offer(self, client: _Client, message: Message) -> Receipt | None:
        """MAIL, RCPT and DATA; None when the server now waits for the content, else why it does not."""
        replies = client.offer(message)
        refused = _refusal(replies)
        if refused is None and replies[-1][0] == _GO_AHEAD:
            return None
        if refused is None:
            raise smtplib.SMTPDataError(*replies[-1])
        self._clear(client, opened=replies[-1][0] == _GO_AHEAD)
        if refused is replies[0]:
            raise self._sender_refused(refused)
        return _receipt(refused, of_content=refused is replies[-1] and len(replies) == _GROUP)

    def _clear(self, client: _Client, *, opened: bool) -> None:
        """Make room for the next; the refusal that led here counts even when the connection ends over it."""
        try:
            if opened:
                client.empty()
            client.rset()
        except OSError:
            self._drop()

    def _hand_over(self, client: _Client, content: bytes) -> Receipt:
        client.patience(self._settings.final_dot_timeout)
        try:
            client.write(content)
        except OSError as fault:
            self._drop()
            raise self._outside_of(_BrokeOff(_said(fault))) from fault
        try:
            receipt = _receipt(client.reply(), of_content=True)
        except _Closing as fault:
            self._drop()
            raise self._outside_of(_BrokeOff(_said(fault))) from fault
        except OSError as fault:
            self._drop()
            return Receipt(Outcome.UNKNOWN, None, f"no answer after the final dot: {fault}")
        if receipt.outcome is Outcome.UNKNOWN:
            self._drop()
        client.patience(self._settings.command_timeout)
        return receipt

    def _connect(self) -> _Client:
        try:
            return _signed_in(self._settings, self._context)
        except (OSError, UnicodeError) as fault:
            raise self._outside_of(fault) from fault

    def _outside_of(self, fault: Exception) -> Outside:
        """Told in logs and notices, so without names: whom a server speaks of is for the ledger alone."""
        match fault:
            case ssl.SSLError() | _NoTls():
                return self._outside("S321", f"offers no TLS that can be trusted: {fault}")
            case smtplib.SMTPAuthenticationError(smtp_code=code) if code >= 500:
                return self._outside("S322", "refuses the user or the password", _reply(fault))
            case _BrokeOff():
                return self._outside("S328", f"broke off in the middle of a message: {nameless(str(fault))}")
            case smtplib.SMTPResponseException():
                code, text = _reply(fault)
                return self._outside("S324", "does not take mail now", (code, nameless(text)))
            case smtplib.SMTPServerDisconnected():
                return self._outside("S320", f"cannot be reached: {fault}")
            case smtplib.SMTPException() | UnicodeError():
                return self._outside("S322", f"offers no way to sign in: {fault}")
            case _:
                return self._outside("S320", f"cannot be reached: {fault}")

    def _sender_refused(self, reply: Reply) -> Outside:
        if reply[0] == _NOT_SIGNED_IN:
            return self._outside("S322", "wants a user and a password", reply)
        if reply[0] == 552 or "5.3.4" in reply[1]:
            return self._outside("S327", "takes no mail of this size", reply)
        if reply[0] < 500:
            return self._outside("S324", "does not take mail now", reply)
        return self._outside("S323", "refuses the sender's address", reply)

    def _outside(self, code: str, what: str, reply: Reply | None = None) -> Outside:
        said = f": {reply[0]} {reply[1]}" if reply else ""
        where = f"{self._settings.host}:{self._settings.port}"
        return Outside(Problem(code, f"The mail server {where} {what}{said}", fixes=_FIXES[code]))

    def _drop(self) -> None:
        if self._client:
            self._client.close()
        self._client = None

    def _quit(self) -> None:
        if self._client:
            with suppress(OSError):
                self._client.patience(min(_GOODBYE, self._settings.command_timeout))
                self._client.quit()
        self._drop()


class _Closing(smtplib.SMTPResponseException):
    """421: the server ends the connection; what it answers is not accepted (RFC 5321 3.8)."""


class _BrokeOff(smtplib.SMTPException):
    """The connection ended, or the answers ceased to make sense, after the sender was taken and before the end."""


class _NoTls(smtplib.SMTPException):
    """STARTTLS is wished for and not offered."""


class _Client(smtplib.SMTP):
    """smtplib with a command group in one packet (RFC 2920) and a time limit that can be changed."""

    largest = 0  # octets that a message may have here; 0 where the server does not say (RFC 1870)
    _pipelines = _takes_size = _notifies = False

    def learn(self) -> None:
        """Take note of what the server offers, once and not for every Message."""
        self._pipelines, self._takes_size, self._notifies = map(self.has_extn, ("pipelining", "size", "dsn"))
        told = self.esmtp_features.get("size", "").strip()
        self.largest = int(told) if told.isascii() and told.isdigit() else 0

    def write(self, data: bytes) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection was closed")
        self.sock.sendall(data)

    def patience(self, seconds: float) -> None:
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def secure(self, context: ssl.SSLContext | None) -> None:
        """STARTTLS with a checked certificate, or nothing further is said."""
        if not self.has_extn("starttls"):
            raise _NoTls("STARTTLS is not among its extensions")
        self.starttls(context=context)
        self.ehlo_or_helo_if_needed()

    def offer(self, message: Message) -> list[Reply]:
        """The replies to MAIL, RCPT and DATA; the last is a refusal where nothing more was asked or said."""
        group, together = self._envelope(message), self._pipelines
        if together:
            self.write(b"".join(group))
        replies: list[Reply] = []
        try:
            for command in group:
                if not together:
                    self.write(command)
                replies.append(self.reply())
                if not together and _refusal(replies):
                    break
        except OSError as fault:
            if not replies:
                raise
            if _refusal(replies) is None:
                raise _BrokeOff(_said(fault)) from fault
        return replies

    def _envelope(self, message: Message) -> tuple[bytes, bytes, bytes]:
        """MAIL, RCPT and DATA, with the parameters for which the server's extensions stand (RFC 1870, RFC 3461)."""
        mail, rcpt = f"MAIL FROM:<{message.sender}>", f"RCPT TO:<{message.recipient}>"
        if self._takes_size:
            mail += f" SIZE={message.size}"
        if self._notifies:
            mail += f" RET=HDRS ENVID={_xtext(message.message_id.partition('@')[0])}"
            rcpt += f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(message.recipient)}"
        return f"{mail}\r\n".encode(), f"{rcpt}\r\n".encode(), b"DATA\r\n"

    def empty(self) -> None:
        """End a DATA that was opened although everybody was refused (RFC 2920 3.1)."""
        self.write(b".\r\n")
        self.reply()

    def reply(self) -> Reply:
        """One reply; 421 and what is no reply at all are raised, and one that breaks off is none."""
        first = line = self._line()
        said = [line[4:].strip()]
        while line[3:4] == b"-" and len(said) < _MOST_LINES:
            line = self._line()
            said.append(line[4:].strip())
        text = b"\n".join(said)
        code = int(line[:3]) if line[:3].isdigit() and line[3:4] != b"-" else -1
        if code == _CLOSING:
            raise _Closing(code, text)
        if not 200 <= code < 600:
            raise smtplib.SMTPResponseException(code, text or first)
        return code, _words(text)

    def _line(self) -> bytes:
        """One whole line. `getreply` of smtplib would take half of one for an answer, and costs three times as much."""
        if self.file is None:
            self.file = self.sock.makefile("rb")  # type: ignore[union-attr]  # whoever asks for a reply has written
        line = self.file.readline(_LONGEST)
        if not line.endswith(b"\n"):
            self.close()
            raise smtplib.SMTPServerDisconnected("the connection was closed in the middle of an answer")
        return line


class _ImplicitTls(_Client, smtplib.SMTP_SSL):
    """TLS from the first byte (RFC 8314)."""


def _signed_in(settings: SmtpSettings, context: ssl.SSLContext | None) -> _Client:
    us = settings.local_hostname
    where = (settings.host, settings.port, us if us.isascii() else us.encode("idna").decode())
    if settings.tls == "tls":
        client: _Client = _ImplicitTls(*where, timeout=settings.connect_timeout, context=context)
    else:
        client = _Client(*where, timeout=settings.connect_timeout)
    try:
        client.patience(settings.command_timeout)
        client.ehlo_or_helo_if_needed()
        if settings.tls == "starttls":
            client.secure(context)
        if settings.user:
            client.login(settings.user, settings.password)
        client.learn()
    except BaseException:
        client.close()
        raise
    return client


def _context(settings: SmtpSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as fault:
        problem = Problem("S326", f"{settings.ca_file} cannot be used as the list of authorities", why=str(fault))
        raise ConfigError(problem) from fault


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _on_the_wire(message: Message) -> bytes:
    """The content as it goes over the wire, with its final dot. Raises NewsletterError S401 for an address that holds a
    command, and for content that a lenient server would cut in two (SMTP smuggling).
    """
    pieces = [*map(_stuffed, message.pieces)]
    if not pieces or None in pieces or not (_fits(message.sender) and _fits(message.recipient)):
        raise NewsletterError(Problem("S401", f"Message {message.message_id} is not fit for SMTP; it was not sent"))
    return b"".join((*pieces, b".\r\n"))  # type: ignore[arg-type]  # there is no None in it


def _fits(address: str) -> bool:
    return _ADDRESS.fullmatch(address) is not None


@remembered
def _stuffed(piece: bytes) -> bytes | None:
    """Whole lines of ASCII with their leading dots doubled (RFC 5321 4.5.2); None for anything else."""
    ends = piece.count(b"\r\n")
    if not (piece.endswith(b"\r\n") and piece.count(b"\n") == piece.count(b"\r") == ends and piece.isascii()):
        return None
    return (b"." if piece.startswith(b".") else b"") + piece.replace(b"\r\n.", b"\r\n..")


def _xtext(value: str) -> str:
    """Printable ASCII as a parameter (RFC 3461 4)."""
    return value.replace("+", "+2B").replace("=", "+3D")


def _refusal(replies: Sequence[Reply]) -> Reply | None:
    return next((reply for reply in replies if reply[0] >= 400), None)


def _receipt(reply: Reply, *, of_content: bool) -> Receipt:
    return Receipt(_OUTCOMES[reply[0] // 100], *reply, of_content=of_content)


def _reply(fault: smtplib.SMTPResponseException) -> Reply:
    return fault.smtp_code, _words(fault.smtp_error)


def _said(fault: OSError) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return "{} {}".format(*_reply(fault))
    return str(fault)


def _words(reply: bytes | str) -> str:
    """A reply fit to be shown: one line, printable, at most 500 characters."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text[:_REPLY_LIMIT]
