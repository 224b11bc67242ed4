"""The bytes of a message: header lines, quoted-printable text, and the check that nothing slipped in.

Written out by hand instead of with `email.message`, whose folding turns List-Unsubscribe into an encoded word
and whose re-decoding of `=?…?=` lets a title start a header of its own (CVE-2024-6923). What is written here is
7-bit, but for a recipient whose address is not, has CRLF line ends, and reads back as it was meant: a test parses it
with the standard library.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Iterable, Sequence
from email.header import Header
from functools import lru_cache

from newsletter.delivery.pieces import remembered
from newsletter.errors import NewsletterError, Problem

LINE_LIMIT = 998
"""Octets in a line without its CRLF (RFC 5322 2.1.1)."""

_FOLD = "\r\n "
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_TOLD = rb": [ -~]*(?:\r\n[ \t][ -~]+)*\r\n"
_FIELD = re.compile(rb"([!-9;-~]+)" + _TOLD)


def refuse(code: str, message: str, why: str = "", *fixes: str) -> NewsletterError:
    """The exception that stops one message; nothing of it was handed over."""
    return NewsletterError(Problem(code, message, why=why, fixes=fixes))


def plain(value: str) -> str:
    """A person's words, fit for a header: `=?` is written apart, so that nothing can be decoded into a line end.

    Raises NewsletterError S404 for control characters, which content and configuration refuse already.
    """
    if _CONTROL.search(value):
        raise refuse("S404", f"A control character stands in {value!r}, which would go into a mail header")
    return value.replace("=?", "= ?")


def unstructured(name: str, value: str) -> str:
    """A header of free text such as Subject, folded at 76; words beyond ASCII are encoded (RFC 2047)."""
    return f"{name}: {_words(name, plain(value))}"


def mailbox(name: str, phrase: str, address: str) -> str:
    """A header that names one mailbox: `From: "Auto Trendy" <editor@…>` (RFC 5322 3.4)."""
    words = plain(phrase)
    if not words:
        return f"{name}: {address}"
    if not words.isascii():
        words = _words(name, words)
    elif not _ATOMS.fullmatch(words):
        words = '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
    last = f"{name}: {words} <{address}>".rpartition("\n")[2]
    return f"{name}: {words}{' ' if len(last) <= 78 else _FOLD}<{address}>"


def uris(name: str, *values: str) -> str:
    """A List-* header of one or more URIs, folded only between them and never encoded (RFC 2369 2)."""
    return f"{name}: " + f",{_FOLD}".join(f"<{value}>" for value in values)


@lru_cache(maxsize=64)  # the same for every reader of an Issue, and by far the slowest part of a message
def _words(name: str, value: str) -> str:
    charset = "us-ascii" if value.isascii() else "utf-8"
    return Header(value, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")


def one_line_end(text: str) -> str:
    """The text with "\\n" for every line end, and exactly one at its end; `encode` makes them CRLF."""
    return re.sub(r"\r\n?", "\n", text).rstrip("\n") + "\n"


def encoding_of(text: str) -> str:
    """`7bit` where that is the text as it stands (RFC 2045 6.2), else `quoted-printable`."""
    short = all(len(line) <= 78 for line in text.split("\n"))
    return "7bit" if text.isascii() and short else "quoted-printable"


def encode(text: str, encoding: str) -> bytes:
    """Lines ended by "\\n" as bytes with CRLF, at most 76 characters each when quoted-printable (RFC 2045 6.7).

    Each line is encoded for itself, so `encode(a + b) == encode(a) + encode(b)` when `a` ends with a line end.
    """
    raw = text.encode()
    return (b2a_qp(raw) if encoding == "quoted-printable" else raw).replace(b"\n", b"\r\n")


def alternative(text: str, html: str, boundary: str) -> bytes:
    """A multipart/alternative body: the text first, the HTML last (RFC 2046 5.1.4)."""
    delimiter = f"--{boundary}".encode()
    parts = (("plain", text), ("html", html))
    body = b"".join(delimiter + b"\r\n" + _part(subtype, part) + b"\r\n" for subtype, part in parts)
    return body + delimiter + b"--\r\n"


def _part(subtype: str, text: str) -> bytes:
    text = one_line_end(text)
    encoding = encoding_of(text)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + encode(text, encoding)


def check(head: bytes, body: Iterable[bytes], expected: Sequence[str], recipient: str = "") -> None:
    """Fail closed: raise NewsletterError S401 unless the head has exactly the expected headers, in order, once each,
    then a blank line, and it and each piece of the body is `sound`.

    Of a `recipient` beyond ASCII, nothing but that address may be so (RFC 6532 3.2).
    """
    if not recipient.isascii():
        head = in_ascii(head, recipient)
    if not _exactly(tuple(expected)).fullmatch(head):
        names = [field[1].decode() for field in _FIELD.finditer(head)]
        raise _broken(f"its headers are {names} instead of {list(expected)}")
    if len(head) > LINE_LIMIT:
        sound(head)  # its headers show the rest
    for piece in body:
        sound(piece)


def in_ascii(head: bytes, recipient: str) -> bytes:
    """A head with `x` for a recipient beyond ASCII in its To: all that RFC 6532 is needed for (3.2)."""
    to = rb"((?:\A|\r\n)To: [ -~]*(?:\r\n )?[ -~]*)" + re.escape(recipient.encode())
    return re.sub(to, rb"\1x", head, count=1)


@lru_cache(maxsize=16)
def _exactly(names: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(b"".join(re.escape(name).encode() + _TOLD for name in names) + rb"\r\n")


def sound(lines: bytes) -> None:
    """Raise NewsletterError S401 unless these are whole lines of ASCII, none above LINE_LIMIT octets, without NUL and
    without a bare CR or LF (SMTP smuggling).
    """
    if fault := _fault(lines):
        raise _broken(fault)


@remembered
def _fault(lines: bytes) -> str:
    if not lines.isascii() or b"\0" in lines:
        return "it is not 7-bit text"
    if not (lines.count(b"\r\n") == lines.count(b"\n") == lines.count(b"\r") and lines.endswith(b"\r\n")):
        return "it holds a line end that is not CRLF"
    if len(lines) > LINE_LIMIT and max(map(len, lines.split(b"\r\n"))) > LINE_LIMIT:
        return f"a line is longer than {LINE_LIMIT} characters"
    return ""


def _broken(what: str) -> NewsletterError:
    why = "This is a fault of the program, not of your posts."
    return refuse("S401", f"The finished message was not handed over: {what}", why)
