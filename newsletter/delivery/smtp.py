"""SMTP: the edge that hands Messages to a mail server over connections that are kept and, if offered, pipelined.

Until the final dot has left, every fault raises Outside and the message was certainly not accepted; after it, a lost
connection is Outcome.UNKNOWN. A certificate is always checked and a wish for TLS never falls back in silence.
The server's answers are kept word for word.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType
from typing import Self

from newsletter.delivery.wire import (
    GROUP,
    BrokeOff,
    Client,
    Closing,
    ImplicitTls,
    NoTls,
    Reply,
    on_the_wire,
    refusal,
    reply_of,
)
from newsletter.errors import ConfigError, Outside, Problem
from newsletter.model import Message, Outcome, Receipt
from newsletter.replies import of_utf8
from newsletter.words import nameless

_GO_AHEAD = 354
_NOT_SIGNED_IN = 530
_OUTCOMES = {2: Outcome.ACCEPTED, 3: Outcome.UNKNOWN, 4: Outcome.DEFERRED, 5: Outcome.REFUSED}
_NO_UTF8 = Receipt(Outcome.REFUSED, None, "not ASCII, and the mail server has no SMTPUTF8")
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
        self._client: Client | None = None
        self._handed = 0  # over the present connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._quit()

    def send(self, message: Message) -> Receipt:
        """Hand one Message over and say what the server answered; to an address that it cannot be told, we answer.

        Raises Outside, with the Message certainly not accepted: S320 no connection, S321 TLS, S322 sign-in,
        S323 our sender is refused, S324 the server asks for a pause, S327 larger than the server takes, S328 it broke
        off over this Message. Raises NewsletterError S401 for what must not go over the wire at all.
        """
        content = on_the_wire(message)
        client, fresh = self._ready()
        if message.needs_utf8 and not client.takes_utf8:
            return _NO_UTF8
        if 0 < client.largest < message.size:
            takes = f"takes mail of at most {client.largest:,} octets, and this one has {message.size:,}"
            raise _outside("S327", f"The mail server {self._where} {takes}")
        try:
            answer = self._offer(client, message)
        except OSError as fault:
            self._drop()
            if fresh:
                raise self._outside_of(fault) from fault
            return self.send(message)  # the kept connection had been closed; none of the content had left
        self._handed += 1
        return answer or self._hand_over(client, content)

    def _ready(self) -> tuple[Client, bool]:
        """A connection, and whether it is new."""
        if self._handed >= self._settings.max_per_connection:
            self._quit()
        if self._client is None:
            self._client, self._handed = self._connect(), 0
            return self._client, True
        return self._client, False

    def _offer(self, client: Client, message: Message) -> Receipt | None:
        """MAIL, RCPT and DATA; None when the server now waits for the content, else why it does not."""
        replies = client.offer(message)
        refused = refusal(replies)
        if refused is None and replies[-1][0] == _GO_AHEAD:
            return None
        if refused is None:
            raise smtplib.SMTPDataError(*replies[-1])
        self._clear(client, opened=replies[-1][0] == _GO_AHEAD)
        if refused is replies[0] and not of_utf8(refused[1]):
            raise self._sender_refused(refused)
        return _receipt(refused, of_content=refused is replies[0] or (refused is replies[-1] and len(replies) == GROUP))

    def _clear(self, client: Client, *, opened: bool) -> None:
        """Make room for the next; the refusal that led here counts even when the connection ends over it."""
        try:
            if opened:
                client.empty()
            if client.rset()[0] >= 400:
                self._drop()
        except OSError:
            self._drop()

    def _hand_over(self, client: Client, content: bytes) -> Receipt:
        client.patience(self._settings.final_dot_timeout)
        try:
            client.write(content)
        except OSError as fault:
            self._drop()
            raise self._outside_of(BrokeOff(fault)) from fault
        try:
            receipt = _receipt(client.reply(), of_content=True)
        except Closing as fault:
            self._drop()
            raise self._outside_of(BrokeOff(fault)) from fault
        except OSError as fault:
            self._drop()
            return Receipt(Outcome.UNKNOWN, None, f"no answer after the final dot: {fault}")
        if receipt.outcome is Outcome.UNKNOWN:
            self._drop()
        client.patience(self._settings.command_timeout)
        return receipt

    def _connect(self) -> Client:
        try:
            return _signed_in(self._settings, self._context)
        except (OSError, ValueError) as fault:  # ValueError: letters beyond ASCII, a challenge that is no base64
            raise self._outside_of(fault) from fault

    def _outside_of(self, fault: Exception) -> Outside:
        """Told in logs and notices, so without names: whom a server speaks of is for the ledger alone."""
        match fault:
            case ssl.SSLError() | NoTls():
                return _outside("S321", f"The mail server {self._where} offers no TLS that can be trusted: {fault}")
            case smtplib.SMTPAuthenticationError(smtp_code=code) if code >= 500:
                return _outside(
                    "S322", f"The mail server {self._where} refuses the user or the password", reply_of(fault)
                )
            case BrokeOff():
                trouble = _outside(
                    "S328",
                    f"The mail server {self._where} broke off in the middle of a message: {nameless(str(fault))}",
                )
                trouble.answer = fault.answer
                return trouble
            case smtplib.SMTPResponseException():
                code, text = reply_of(fault)
                return _outside("S324", f"The mail server {self._where} does not take mail now", (code, nameless(text)))
            case smtplib.SMTPServerDisconnected():
                return _outside("S320", f"The mail server {self._where} cannot be reached: {fault}")
            case UnicodeEncodeError():  # it would quote the letter
                return _outside("S322", f"The mail server {self._where} is shown a user and a password in ASCII only")
            case smtplib.SMTPException() | ValueError():
                return _outside("S322", f"The mail server {self._where} offers no way to sign in: {fault}")
            case _:
                return _outside("S320", f"The mail server {self._where} cannot be reached: {fault}")

    def _sender_refused(self, reply: Reply) -> Outside:
        if reply[0] == _NOT_SIGNED_IN:
            return _outside("S322", f"The mail server {self._where} wants a user and a password", reply)
        if reply[0] == 552 or "5.3.4" in reply[1]:
            return _outside("S327", f"The mail server {self._where} takes no mail of this size", reply)
        if reply[0] < 500:
            return _outside("S324", f"The mail server {self._where} does not take mail now", reply)
        return _outside("S323", f"The mail server {self._where} refuses the sender's address", reply)

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

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


def _signed_in(settings: SmtpSettings, context: ssl.SSLContext | None) -> Client:
    us = settings.local_hostname
    where = (settings.host, settings.port, us if us.isascii() else us.encode("idna").decode())
    if settings.tls == "tls":
        client: Client = ImplicitTls(*where, timeout=settings.connect_timeout, context=context)
    else:
        client = Client(*where, timeout=settings.connect_timeout)
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


def _outside(code: str, what: str, reply: Reply | None = None) -> Outside:
    said = f": {reply[0]} {reply[1]}" if reply else ""
    return Outside(Problem(code, f"{what}{said}", fixes=_FIXES[code]))


def _receipt(reply: Reply, *, of_content: bool) -> Receipt:
    return Receipt(_OUTCOMES[reply[0] // 100], *reply, of_content=of_content)
