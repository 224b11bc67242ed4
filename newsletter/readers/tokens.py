"""Signed strings for links and forms: whoever holds one may do the one thing it was made for.

A token holds the numbers of a reader, their token version, or a slot and the key of an editor; never an address. It is
the same each time it is made. Each Purpose signs with a salt of its own, so that a token for one thing opens nothing
else. Where a Purpose says how long its tokens live, the time at which one was made is in it, in milliseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from itsdangerous import BadData, URLSafeSerializer

from newsletter.model import LetterKind

T = TypeVar("T", bound=tuple[int | str, ...])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 200
_SHORT = 14
"""Octets of JSON from which on itsdangerous may find that zlib, whose shortest answer has twelve, makes it shorter."""
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_AHEAD = timedelta(minutes=1)
"""By how much the clock of another machine may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Purpose(Generic[T]):
    """What a token is for; `T` is what it says."""

    name: str
    lives: timedelta | None = None  # from when it was made; None for ever

    def over(self, at: datetime, now: datetime) -> bool:
        """Whether a token that was made then is too old."""
        return self.lives is not None and now - at > self.lives


UNSUBSCRIBE: Purpose[tuple[int, int]] = Purpose("unsubscribe")  # a reader, their token version (RFC 8058: a long life)
PREFERENCES: Purpose[tuple[int, int]] = Purpose("preferences")  # the same
CONFIRM: Purpose[tuple[int, int]] = Purpose("confirm", LetterKind.CONFIRM.good_for)  # the same
DATA: Purpose[tuple[int, int]] = Purpose("data", LetterKind.DATA.good_for)  # the same
UNDO: Purpose[tuple[int, int, str]] = Purpose("undo", timedelta(minutes=30))  # the same, and what it brings back
MOVE: Purpose[tuple[int]] = Purpose("move", LetterKind.MOVE.good_for)  # the Letter that asks for it
TAKE_BACK: Purpose[tuple[int]] = Purpose("take-back", LetterKind.MOVED.good_for)  # the Letter that tells of a move
FORM: Purpose[tuple[()]] = Purpose("form", timedelta(hours=24))  # nobody: only when a form was shown
HOLD: Purpose[tuple[str, str]] = Purpose("hold")  # key of a slot, key of a Person


@dataclass(frozen=True, slots=True)
class Signed(Generic[T]):
    """What a token of ours says, and when it was made if its Purpose asks for that."""

    said: T
    at: datetime | None = None


class Tokens:
    """Makes and reads tokens under keys that rotate: the first signs, all are read."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a token needs a key")
        self._keys = tuple(keys)
        self._signers: dict[str, tuple[_Signer, ...]] = {}

    def make(self, purpose: Purpose[T], said: T, at: datetime | None = None) -> str:
        """The token; `at` is when it is made, to the millisecond, for a Purpose whose tokens do not live for ever."""
        if (at is None) != (purpose.lives is None):
            raise ValueError(f"a token for {purpose.name} {'has no' if at else 'needs its'} time")
        return self._of(purpose)[0].dumps([*said, *([_milliseconds(at)] if at else [])])

    def read(self, purpose: Purpose[T], token: str, now: datetime) -> Signed[T] | None:
        """What it says; None for whatever is not, to the letter, a token made here for this, and for one too old."""
        signed = self._signed(purpose, token, now)
        return signed if signed and not (signed.at and purpose.over(signed.at, now)) else None

    def expired(self, purpose: Purpose[T], token: str, now: datetime) -> Signed[T] | None:
        """What a token says whose one fault is its age: enough to offer a new one, never to act on."""
        signed = self._signed(purpose, token, now)
        return signed if signed and signed.at and purpose.over(signed.at, now) else None

    def _signed(self, purpose: Purpose[T], token: str, now: datetime) -> Signed[T] | None:
        read = _read(self._of(purpose), token)
        if read is None or purpose.lives is None:
            return read and Signed(read)
        at = _EPOCH + timedelta(milliseconds=read[-1])
        return Signed(read[:-1], at) if at <= now + _AHEAD else None

    def _of(self, purpose: Purpose[T]) -> tuple[_Signer, ...]:
        if purpose.name not in self._signers:
            self._signers[purpose.name] = tuple(_Signer(key, purpose.name) for key in self._keys)
        return self._signers[purpose.name]


class _Signer:
    """One key for one Purpose. The tokens are itsdangerous's to the letter; short ones, of which a mail to a reader
    holds two, are put together here at a fifth of the price.
    """

    def __init__(self, key: str, purpose: str) -> None:
        self._serializer = URLSafeSerializer(
            key,
            salt=f"newsletter.{purpose}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self._keyed = hmac.new(self._serializer.make_signer().derive_key(), digestmod=hashlib.sha256)
        self.loads = self._serializer.loads

    def dumps(self, said: Sequence[int | str]) -> str:
        told = _compact(said).encode()
        if len(told) >= _SHORT:
            return str(self._serializer.dumps(said))
        shown = _base64(told)
        mac = self._keyed.copy()
        mac.update(shown)
        return f"{shown.decode()}.{_base64(mac.digest()).decode()}"


def _base64(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


def _read(signers: Sequence[_Signer], token: str) -> Any:
    if len(token) > _LONGEST or not token.isascii():
        return None
    for signer in signers:
        try:
            read = signer.loads(token)
        except BadData:
            continue
        # base64 has several spellings of the same bytes: only the one we write is ours
        return tuple(read) if signer.dumps(read) == token else None
    return None


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
