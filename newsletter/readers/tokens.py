"""Signed strings for links: whoever holds one may do the one thing it was made for, for ever.

A token holds the reader's number and token version, or a slot and the key of an editor; never an address. It is the
same each time it is made.
Each purpose signs with a salt of its own, so that a token for one thing opens nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

_LONGEST = 200


class Tokens:
    """Makes and reads tokens under keys that rotate: the first signs, all are read."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a token needs a key")
        self._unsubscribe = tuple(_signer(key, "unsubscribe") for key in keys)
        self._hold = tuple(_signer(key, "hold") for key in keys)

    def unsubscribe(self, subscriber_id: int, version: int) -> str:
        """The token of an unsubscribe link; it never expires (RFC 8058 asks for a long life)."""
        return self._unsubscribe[0].dumps([subscriber_id, version])

    def read_unsubscribe(self, token: str) -> tuple[int, int] | None:
        """Subscriber id and token version, or None for whatever is not, to the letter, a token made here."""
        read: tuple[int, int] | None = _read(self._unsubscribe, token)
        return read

    def hold(self, slot_key: str, who: str) -> str:
        """The token of the page on which somebody (a key of a Person) may hold what a slot sends."""
        return self._hold[0].dumps([slot_key, who])

    def read_hold(self, token: str) -> tuple[str, str] | None:
        """Key of the slot, and who; None as `read_unsubscribe`."""
        read: tuple[str, str] | None = _read(self._hold, token)
        return read


def _read(signers: Sequence[URLSafeSerializer], token: str) -> tuple[Any, Any] | None:
    if len(token) > _LONGEST or not token.isascii():
        return None
    for signer in signers:
        try:
            one, other = signer.loads(token)
        except BadData:
            continue
        # base64 has several spellings of the same bytes: only the one we write is ours
        return (one, other) if signer.dumps([one, other]) == token else None
    return None


def _signer(key: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        key,
        salt=f"newsletter.{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
