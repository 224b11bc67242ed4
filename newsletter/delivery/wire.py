"""The words that go over an SMTP connection, and the answers: smtplib, with what bulk mail needs on top.

A command group in one packet (RFC 2920), parameters only where the server offers their extension, replies read as whole
lines, and a content that no server can take for two.
"""

from __future__ import annotations

import io
import re
import smtplib
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from newsletter.delivery.mime import in_ascii
from newsletter.delivery.pieces import remembered
from newsletter.errors import NewsletterError, Problem
from newsletter.model import Message

Reply = tuple[int, str]

GROUP = 3
"""Commands of a group: MAIL, RCPT and DATA; who answers the last has taken the reader."""

_ADDRESS = re.compile(r"[!-;=?-~]+@[A-Za-z0-9.-]+")
_BEYOND = re.compile(r"[!-;=?-~\u00a1-\u2027\u202f-\ud7ff\ue000-\U0010ffff]+@[A-Za-z0-9.-]+")
_CLOSING = 421
_REPLY_LIMIT = 500
_LONGEST = 2000  # octets of a line of a reply; RFC 5321 4.5.3.1.5 allows 512
_MOST_LINES = 100  # of a reply
_GLANCE = struct.pack("ll", 1, 0)  # seconds and microseconds, as the system takes them


class Closing(smtplib.SMTPResponseException):
    """421: the server ends the connection; what it answers is not accepted (RFC 5321 3.8)."""


class BrokeOff(smtplib.SMTPException):
    """The connection ended, or the answers ceased to make sense, after the sender was taken and before the end."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(said_by(fault))
        self.answer = reply_of(fault) if isinstance(fault, Closing) else None


class NoTls(smtplib.SMTPException):
    """STARTTLS is wished for and not offered."""


class Client(smtplib.SMTP):
    """smtplib with a command group in one packet (RFC 2920) and a time limit that can be changed."""

    largest = 0  # octets that a message may have here; 0 where the server does not say (RFC 1870)
    takes_utf8 = False  # addresses beyond ASCII (RFC 6531, which wants 8BITMIME beside SMTPUTF8)
    _pipelines = _takes_size = _notifies = False
    _waits_in_kernel = False
    _seconds: float | None = None  # that an answer may take

    def learn(self) -> None:
        """Take note of what the server offers, once and not for every Message."""
        self._pipelines, self._takes_size, self._notifies = map(self.has_extn, ("pipelining", "size", "dsn"))
        self.takes_utf8 = self.has_extn("smtputf8") and self.has_extn("8bitmime")
        told = self.esmtp_features.get("size", "").strip()
        self.largest = int(told) if told.isascii() and told.isdigit() else 0
        if isinstance(self.sock, socket.socket) and not isinstance(self.sock, ssl.SSLSocket):
            self._wait_in_kernel(self.sock)

    def _wait_in_kernel(self, plain: socket.socket) -> None:
        """Let the system wait, by glances, instead of asking it first whether there is something to wait for.

        Each call to it hands the interpreter's lock round; with many lanes that is what a send spends most of its time
        on. What goes through TLS cannot: OpenSSL would wait again by itself, for ever.
        """
        plain.settimeout(None)
        for side in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            plain.setsockopt(socket.SOL_SOCKET, side, _GLANCE)
        self._waits_in_kernel = True

    def write(self, data: bytes) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection was closed")
        if not self._waits_in_kernel:
            self.sock.sendall(data)
            return
        ends, left = time.monotonic() + (self._seconds or 0), memoryview(data)
        while left:
            try:
                left = left[self.sock.send(left) :]
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise TimeoutError("it takes nothing more") from None

    def patience(self, seconds: float) -> None:
        self._seconds = seconds
        if self.sock is not None and not self._waits_in_kernel:
            self.sock.settimeout(seconds)

    def secure(self, context: ssl.SSLContext | None) -> None:
        """STARTTLS with a checked certificate, or nothing further is said."""
        if not self.has_extn("starttls"):
            raise NoTls("STARTTLS is not among its extensions")
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
                if not together and refusal(replies):
                    break
        except OSError as fault:
            if not replies:
                raise
            if refusal(replies) is None:
                raise BrokeOff(fault) from fault
        return replies

    def _envelope(self, message: Message) -> tuple[bytes, bytes, bytes]:
        """MAIL, RCPT and DATA, with the parameters for which the server's extensions stand (RFC 1870, 3461, 6531)."""
        mail, rcpt = f"MAIL FROM:<{message.sender}>", f"RCPT TO:<{message.recipient}>"
        if self._takes_size:
            mail += f" SIZE={message.size}"
        if message.needs_utf8:
            mail += " BODY=8BITMIME SMTPUTF8"
        if self._notifies:
            mail += f" RET=HDRS ENVID={_xtext(message.message_id.partition('@')[0])}"
            rcpt += f" NOTIFY=FAILURE,DELAY ORCPT={_original(message.recipient)}"
        return f"{mail}\r\n".encode(), f"{rcpt}\r\n".encode(), b"DATA\r\n"

    def empty(self) -> None:
        """End a DATA that was opened although everybody was refused (RFC 2920 3.1)."""
        self.write(b".\r\n")
        self.reply()

    def reply(self) -> Reply:
        """One reply; 421 and what is no reply at all are raised, and one that breaks off is none."""
        code, text = self.getreply()
        if code == _CLOSING:
            raise Closing(code, text)
        if not 200 <= code < 600:
            raise smtplib.SMTPResponseException(code, text)
        return code, _words(text)

    def getreply(self) -> tuple[int, bytes]:
        """As of smtplib, which asks here as well; that would read an answer without end, and half a line for one.

        The whole of it may take as long as `patience` says, and no longer than twice that.
        """
        try:
            return self._answer()
        except OSError as fault:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"the connection was closed in an answer: {fault}") from fault

    def _answer(self) -> tuple[int, bytes]:
        if self.file is None:
            self._ear = _Ear(self.sock)  # type: ignore[arg-type]  # whoever asks for a reply has written
            self.file = io.BufferedReader(self._ear)
        self._ear.listen(self._seconds)
        first = line = self._line()
        said = [line[4:].strip()]
        while line[3:4] == b"-":
            if len(said) == _MOST_LINES:
                raise ConnectionError("it has no end")
            line = self._line()
            said.append(line[4:].strip())
        code = int(line[:3]) if line[:3].isdigit() else -1
        return code, b"\n".join(said) or (first if code < 0 else b"")

    def _line(self) -> bytes:
        line: bytes = self.file.readline(_LONGEST)  # type: ignore[union-attr]  # of `_answer`
        if not line.endswith(b"\n"):
            raise ConnectionError("half a line, or none")
        return line


class _Ear(io.RawIOBase):
    """What a socket says, until one answer took too long."""

    def __init__(self, heard: socket.socket) -> None:
        self._socket = heard
        self._until = float("inf")

    def listen(self, seconds: float | None) -> None:
        """To the next answer, for so long."""
        self._until = time.monotonic() + (seconds or self._socket.gettimeout() or float("inf"))

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while True:
            if time.monotonic() > self._until:
                raise TimeoutError("it came too slowly")
            with suppress(BlockingIOError):  # a glance of the system is over
                return self._socket.recv_into(into)


class ImplicitTls(Client, smtplib.SMTP_SSL):
    """TLS from the first byte (RFC 8314)."""


def on_the_wire(message: Message) -> bytes:
    """The content as it goes over the wire, with its final dot. Raises NewsletterError S401 for an address that holds a
    command, and for content that a lenient server would cut in two (SMTP smuggling).
    """
    pieces = [*map(_stuffed, message.pieces)]
    if message.needs_utf8 and pieces:
        pieces[0] = _head_beyond_ascii(message)
    if (
        not pieces
        or None in pieces
        or not (_ADDRESS.fullmatch(message.sender) and _BEYOND.fullmatch(message.recipient))
    ):
        raise NewsletterError(Problem("S401", f"Message {message.message_id} is not fit for SMTP; it was not sent"))
    return b"".join((*pieces, b".\r\n"))  # type: ignore[arg-type]  # there is no None in it


@remembered
def _stuffed(piece: bytes) -> bytes | None:
    """Whole lines of ASCII with their leading dots doubled (RFC 5321 4.5.2); None for anything else."""
    ends = piece.count(b"\r\n")
    if not (piece.endswith(b"\r\n") and piece.count(b"\n") == piece.count(b"\r") == ends and piece.isascii()):
        return None
    return (b"." if piece.startswith(b".") else b"") + piece.replace(b"\r\n.", b"\r\n..")


def _head_beyond_ascii(message: Message) -> bytes | None:
    """The head as it is, where its recipient alone is beyond ASCII and no line needs another dot; else None."""
    head = message.pieces[0]
    plain = in_ascii(head, message.recipient)
    return head if _stuffed(plain) == plain else None


def _original(recipient: str) -> str:
    """The address for ORCPT (RFC 3461 4.2); beyond ASCII in the form that every server can hand on (RFC 6533 3)."""
    if recipient.isascii():
        return f"rfc822;{_xtext(recipient)}"
    return "utf-8;" + re.sub(r"[^!-*,-<>-\[\]-~]", lambda found: f"\\x{{{ord(found[0]):X}}}", recipient)


def _xtext(value: str) -> str:
    """Printable ASCII as a parameter (RFC 3461 4)."""
    return value.replace("+", "+2B").replace("=", "+3D")


def refusal(replies: Sequence[Reply]) -> Reply | None:
    return next((reply for reply in replies if reply[0] >= 400), None)


def reply_of(fault: smtplib.SMTPResponseException) -> Reply:
    return fault.smtp_code, _words(fault.smtp_error)


def said_by(fault: OSError) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return "{} {}".format(*reply_of(fault))
    return str(fault)


def _words(reply: bytes | str) -> str:
    """A reply fit to be shown: one line, printable, at most 500 characters."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text[:_REPLY_LIMIT]
