"""DKIM: a domain vouches for a finished message, with RSA (RFC 6376, RFC 8301).

The signature covers the body and every header that we write, From over-signed, so that nobody can add a second one, and
both headers of one-click unsubscribe (RFC 8058 4). It is a function of the message and the key: a retry has the same
bytes. No `l=`, no `t=`, relaxed canonicalisation of both, so that folding and blanks may change on the way.
"""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from newsletter.delivery import rsa
from newsletter.delivery.pieces import remembered
from newsletter.delivery.rsa import Signature
from newsletter.errors import ConfigError, Problem
from newsletter.model import Message, Receipt
from newsletter.ports import Session, Transport

SMALLEST = 2048
"""Bits of a key: smaller ones are taken for none (RFC 8301 3.2 allows 1024, receivers do not)."""

_BLANKS = re.compile(rb"[ \t]+")
_WIDTH = 74


class Signer:
    """Signs for one domain with one key. Thread-safe; a signature with 2048 bits takes a processor about 0.3 ms."""

    def __init__(self, pem: bytes, *, domain: str, selector: str) -> None:
        """Raises ConfigError S335 for what is no RSA key of at least SMALLEST bits."""
        self._key = _key(pem)
        self._domain, self._selector = domain, selector
        self._forms = lru_cache(maxsize=16)(self._formed)
        self.signature = rsa.signing(self._key)
        self.octets = self._key.key_size // 8  # of a signature

    @property
    def key(self) -> bytes:
        """The key, for another process."""
        return rsa.written(self._key)

    def sign(self, head: bytes, body: Iterable[bytes], by: Signature | None = None) -> bytes:
        """The DKIM-Signature field, CRLF at its end, to go above `head`, which is header fields without the blank line.

        `body` is in pieces, whole lines each, the last one not blank.
        """
        whole = hashlib.sha256()
        for piece in body:
            whole.update(canonical(piece))
        names, told = _relaxed_fields(head)
        hashed = b2a_base64(whole.digest(), newline=False)
        unsigned, relaxed = (form % hashed for form in self._forms(names))
        signature = (by or self.signature)(hashlib.sha256(told + relaxed).digest())
        return b"DKIM-Signature:" + unsigned + _folded(b2a_base64(signature, newline=False)) + b"\r\n"

    def _formed(self, names: tuple[bytes, ...]) -> tuple[bytes, bytes]:
        """All but the body's hash and the signature itself, as it is sent and as it is hashed."""
        unsigned = self._tags([name.decode() for name in names])
        return unsigned, _relaxed(b"DKIM-Signature:" + unsigned)[1][:-2]

    def _tags(self, names: Iterable[str]) -> bytes:
        lines = (
            f" v=1; a=rsa-sha256; c=relaxed/relaxed; d={self._domain};",
            f"s={self._selector}; bh=%b;",
            *_wrapped(f"h={':'.join([*names, 'From'])};"),
            "b=",
        )
        return "\r\n ".join(lines).encode()


def signer(file: Path, *, domain: str, selector: str) -> Signer:
    """With the key of a PEM file. Raises ConfigError: S335 as Signer, S336 for one that cannot be read, or by all."""
    try:
        pem, mode = file.read_bytes(), file.stat().st_mode
    except OSError as error:
        said = error.strerror or str(error)
        raise ConfigError(Problem("S336", f"The DKIM key cannot be read: {said}", file=str(file))) from error
    if mode & 0o007:
        why = "Whoever has it can sign mail in your name."
        fix = f"chmod 640 {file}"
        raise ConfigError(
            Problem("S336", "The DKIM key may be read by everybody", file=str(file), why=why, fixes=(fix,))
        )
    return Signer(pem, domain=domain, selector=selector)


class Signing:
    """A Transport that signs each Message before another one hands it over: after this nothing may change it."""

    def __init__(
        self, transport: Transport, signer: Signer, hands: Callable[[], AbstractContextManager[Signature]]
    ) -> None:
        """`hands` gives each session what makes its signatures with the signer's key."""
        self.name = transport.name
        self._transport = transport
        self._signer = signer
        self._hands = hands

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self._transport.open() as session, self._hands() as by:
            yield _SigningSession(session, self._signer, by)


@dataclass(frozen=True, slots=True)
class _SigningSession:
    session: Session
    signer: Signer
    by: Signature

    def send(self, message: Message) -> Receipt:
        head, *body = message.pieces
        field = self.signer.sign(head[:-2], body, self.by)
        return self.session.send(replace(message, pieces=(field + head, *body)))


@remembered
def canonical(piece: bytes) -> bytes:
    """Whole lines of a body as they are hashed: blanks as one, none at the end of a line (RFC 6376 3.4.4)."""
    return _single(piece).replace(b" \r\n", b"\r\n")


def _single(text: bytes) -> bytes:
    """With one blank for each run of them."""
    return _BLANKS.sub(b" ", text) if b"  " in text or b"\t" in text else text


def _key(pem: bytes) -> RSAPrivateKey:
    why = ""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        key, why = None, str(error)
    if isinstance(key, RSAPrivateKey) and key.key_size >= SMALLEST:
        return key
    raise ConfigError(
        Problem(
            "S335",
            f"The DKIM key is not an RSA key of {SMALLEST} bits or more in PEM form",
            why=why,
            fixes=("openssl genrsa -out dkim.pem 2048",),
        )
    )


def _relaxed_fields(head: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The names of the fields and the fields as they are hashed: from the bottom up, as a verifier looks for them
    (RFC 6376 5.4.2).
    """
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t")
    named = [_relaxed(field) for field in unfolded.split(b"\r\n")[-2::-1]]
    return tuple([name for name, _ in named]), b"".join([field for _, field in named])


@lru_cache(maxsize=256)  # most fields are the same for all readers
def _relaxed(field: bytes) -> tuple[bytes, bytes]:
    """The name of a header field, and the field as it is hashed (RFC 6376 3.4.2)."""
    name, _, value = field.partition(b":")
    return name, name.lower() + b":" + _single(value.replace(b"\r\n", b"")).strip(b" ") + b"\r\n"


def _wrapped(tag: str) -> list[str]:
    """`h=A:B:C;` over several lines, broken after colons."""
    lines, line = [], ""
    for name in re.findall(r"[^:]+:?", tag):
        if line and len(line) + len(name) > _WIDTH:
            lines.append(line)
            line = ""
        line += name
    return [*lines, line]


def _folded(signature: bytes) -> bytes:
    return b"\r\n ".join([b"", *(signature[n : n + _WIDTH] for n in range(0, len(signature), _WIDTH))])
