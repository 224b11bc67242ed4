"""The envelope sender: where what cannot be delivered comes back to, and whose Delivery that was.

Plain, it is one address for all. As VERP it is each reader's own, `b+ae4q…@bounces.autotrendy.example`: it names Issue
and reader, no address, and is signed, so that nobody can make us believe a bounce. It holds only lower-case letters and
digits (base32, RFC 4648 6), since a server on the way may change the case of what stands before the @ (RFC 5321 2.4
forbids it, and it happens). It is the same on a retry: a function of the Delivery and of a key that lasts.
"""

from __future__ import annotations

import base64
import hmac
import struct
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass, replace

from newsletter.model import EACH_POST, MONTHLY, WEEKLY, Addressee, Chunk, Message

Compose = Callable[[Chunk, Addressee], Message]

LONGEST = 64 - 30
"""Octets before the @ of an address below which others are made: they add 30, and may have 64 (RFC 5321 4.5.3.1.1)."""

_EDITIONS = (WEEKLY, MONTHLY, EACH_POST)  # by their number in an address; new ones are added at the end
_FACTS = struct.Struct(">BIQ")
_MAC = 5  # octets; who guesses wrong does it in public, one mail a guess
_DIGITS = 29  # of base32 that these make


@dataclass(frozen=True, slots=True)
class Returned:
    """The Delivery that a bounce speaks of."""

    edition: str
    number: int
    subscriber_id: int


class ReturnPath:
    """Makes and reads addresses of readers' own below one address that gets all bounces."""

    def __init__(self, address: str, key: str) -> None:
        """`address` is ASCII; at most LONGEST octets."""
        self._local, _, self._domain = address.rpartition("@")
        self._key = key.encode()

    def of(self, edition: str, number: int, subscriber_id: int) -> str:
        """The envelope sender of one Delivery."""
        facts = _FACTS.pack(_EDITIONS.index(edition), number, subscriber_id)
        signed = base64.b32encode(facts + self._mac(facts)).decode().rstrip("=").lower()
        return f"{self._local}+{signed}@{self._domain}"

    def read(self, address: str) -> Returned | None:
        """Whose it is, whatever case it came back in; None for what was not made here, to the letter."""
        base, _, signed = address.lower().rpartition("@")[0].rpartition("+")
        if base != self._local.lower() or len(signed) != _DIGITS or "=" in signed:
            return None
        try:
            told = base64.b32decode(f"{signed.upper()}{'=' * (-_DIGITS % 8)}")
        except (Error, ValueError):
            return None
        facts, mac = told[:-_MAC], told[-_MAC:]
        edition, number, subscriber_id = _FACTS.unpack(facts)
        if not hmac.compare_digest(mac, self._mac(facts)) or edition >= len(_EDITIONS):
            return None
        made = Returned(_EDITIONS[edition], number, subscriber_id)
        return made if f"+{signed}@" in self.of(made.edition, number, subscriber_id) else None  # base32 has spellings

    def _mac(self, facts: bytes) -> bytes:
        return hmac.digest(self._key, b"verp|" + facts, "sha256")[:_MAC]


def returning(compose: Compose, path: ReturnPath) -> Compose:
    """The same Messages, each with an envelope sender of its own."""

    def composed(chunk: Chunk, addressee: Addressee) -> Message:
        sender = path.of(chunk.edition, chunk.issue_number, addressee.subscriber_id)
        return replace(compose(chunk, addressee), sender=sender)

    return composed
