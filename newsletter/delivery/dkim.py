"""DKIM: a domain vouches for a finished message, with RSA (RFC 6376, RFC 8301).

The signature covers the body and every header that we write, From over-signed, so that nobody can add a second one, and
both headers of one-click unsubscribe (RFC 8058 4). It is a function of the message and the key: a retry has the same
bytes. No `l=`, no `t=`, relaxed canonicalisation of both, so that folding and blanks may change on the way.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from newsletter.delivery.pieces import remembered
from newsletter.errors import ConfigError, Problem
from newsletter.model import Message, Receipt
from newsletter.ports import Session, Transport

SMALLEST = 2048
"""Bits of a key: smaller ones are taken for none (RFC 8301 3.2 allows 1024, receivers do not)."""

_FIELD = re.compile(rb"([!-9;-~]+):((?:[^\r]|\r\n[ \t])*)\r\n")
_BLANKS = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_WIDTH = 74


class Signer:
    """Signs for one domain with one key. Thread-safe; a signature with 2048 bits takes a processor about 0.3 ms."""

    def __init__(self, pem: bytes, *, domain: str, selector: str) -> None:
        """Raises ConfigError S335 for what is no RSA key of at least SMALLEST bits."""
        self._key = _key(pem)
        self._domain, self._selector = domain, selector

    def sign(self, head: bytes, body: Iterable[bytes]) -> bytes:
        """The DKIM-Signature field, CRLF at its end, to go above `head`, which is header fields without the blank line.

        `body` is in pieces, whole lines each, the last one not blank.
        """
        digest = hashlib.sha256()
        for piece in body:
            digest.update(canonical(piece))
        fields = [(name, value) for name, value in _FIELD.findall(head)]
        names = [name.decode() for name, _ in fields]
        unsigned = self._tags([*names, "From"], base64.b64encode(digest.digest()).decode())
        told = b"".join(_relaxed(name, value) for name, value in reversed(fields))
        signature = self._key.sign(told + _relaxed(b"dkim-signature", unsigned)[:-2], PKCS1v15(), hashes.SHA256())
        return b"DKIM-Signature:" + unsigned + _folded(base64.b64encode(signature).decode()) + b"\r\n"

    def _tags(self, names: list[str], body_hash: str) -> bytes:
        """All but the signature itself. `names` come from the bottom up, as a verifier looks for them (5.4.2)."""
        lines = (
            f" v=1; a=rsa-sha256; c=relaxed/relaxed; d={self._domain};",
            f"s={self._selector}; bh={body_hash};",
            *_wrapped(f"h={':'.join([*reversed(names[:-1]), names[-1]])};"),
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

    def __init__(self, transport: Transport, signer: Signer) -> None:
        self.name = transport.name
        self._transport = transport
        self._signer = signer

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self._transport.open() as session:
            yield _SigningSession(session, self._signer)


@dataclass(frozen=True, slots=True)
class _SigningSession:
    session: Session
    signer: Signer

    def send(self, message: Message) -> Receipt:
        head, *body = message.pieces
        signature = self.signer.sign(head[:-2], body)
        return self.session.send(replace(message, pieces=(signature + head, *body)))


@remembered
def canonical(piece: bytes) -> bytes:
    """Whole lines of a body as they are hashed: blanks as one, none at the end of a line (RFC 6376 3.4.4)."""
    return _TRAILING.sub(b"", _BLANKS.sub(b" ", piece))


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


def _relaxed(name: bytes, value: bytes) -> bytes:
    """A header field as it is hashed (RFC 6376 3.4.2)."""
    flat = _BLANKS.sub(b" ", value.replace(b"\r\n", b""))
    return name.lower() + b":" + flat.strip(b" ") + b"\r\n"


def _wrapped(tag: str) -> list[str]:
    """`h=A:B:C;` over several lines, broken after colons."""
    lines, line = [], ""
    for name in re.findall(r"[^:]+:?", tag):
        if line and len(line) + len(name) > _WIDTH:
            lines.append(line)
            line = ""
        line += name
    return [*lines, line]


def _folded(signature: str) -> bytes:
    return "\r\n ".join(["", *(signature[n : n + _WIDTH] for n in range(0, len(signature), _WIDTH))]).encode()
