"""Tokens: what is made is read, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from newsletter.readers.tokens import (
    CONFIRM,
    DATA,
    FORM,
    HOLD,
    MOVE,
    PREFERENCES,
    UNDO,
    UNSUBSCRIBE,
    Purpose,
    Tokens,
)

TOKENS = Tokens(("newest key", "older key"))
NOW = datetime(2026, 11, 27, 8, 0, 0, 123000, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SAYS: dict[Purpose[Any], tuple[int | str, ...]] = {
    UNSUBSCRIBE: (345, 2),
    PREFERENCES: (345, 2),
    CONFIRM: (345, 2),
    DATA: (345, 2),
    UNDO: (345, 2, "weekly"),
    MOVE: (345,),
    FORM: (),
    HOLD: ("2026-W48", "chief"),
}
"""What a token of each purpose says here; a new purpose is a line of it."""

FOR_EVER = [purpose for purpose in SAYS if purpose.lives is None]
DATED = [purpose for purpose in SAYS if purpose.lives is not None]

readers = st.tuples(st.integers(1, 2**53), st.integers(1, 1000))


def made(purpose: Purpose[Any], at: datetime = NOW) -> str:
    return TOKENS.make(purpose, SAYS[purpose], at if purpose.lives else None)


def said(
    token: str, purpose: Purpose[Any], now: datetime = NOW, tokens: Tokens = TOKENS
) -> tuple[int | str, ...] | None:
    signed = tokens.read(purpose, token, now)
    return signed.said if signed else None


def named(purpose: Purpose[Any]) -> str:
    return purpose.name


every_purpose = pytest.mark.parametrize("purpose", SAYS, ids=named)
dated_purpose = pytest.mark.parametrize("purpose", DATED, ids=named)


@given(readers)
def test_a_token_names_the_reader_it_was_made_for(reader: tuple[int, int]) -> None:
    assert said(TOKENS.make(PREFERENCES, reader), PREFERENCES) == reader
    assert said(TOKENS.make(DATA, reader, NOW), DATA) == reader


@given(
    readers | st.tuples(st.sampled_from([int(d * n) for d in "123456789" for n in range(1, 16)]), st.integers(1, 99))
)
def test_a_short_token_is_to_the_letter_the_one_of_itsdangerous(reader: tuple[int, int]) -> None:
    ours = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    theirs = URLSafeSerializer("newest key", salt="newsletter.unsubscribe", signer_kwargs=ours)
    assert TOKENS.make(UNSUBSCRIBE, reader) == theirs.dumps(reader)


@every_purpose
def test_a_token_is_read_for_its_own_purpose_and_for_no_other(purpose: Purpose[Any]) -> None:
    token = made(purpose)
    assert {other.name: said(token, other) for other in SAYS if said(token, other) is not None} == {
        purpose.name: SAYS[purpose]
    }


@every_purpose
def test_one_flipped_bit_makes_a_token_worthless(purpose: Purpose[Any]) -> None:
    token = made(purpose).encode()
    for bit in range(len(token) * 8):
        flipped = bytearray(token)
        flipped[bit // 8] ^= 1 << bit % 8
        text = flipped.decode("latin-1")
        assert TOKENS.read(purpose, text, NOW) is TOKENS.expired(purpose, text, NOW) is None


@given(st.text(st.characters(exclude_categories=[])) | st.from_regex(r"[\w-]+\.[\w-]+", fullmatch=True))
def test_what_was_not_made_here_names_nobody(text: str) -> None:
    assert said(text, UNSUBSCRIBE) is None
    assert said(text, DATA) is None


@given(readers)
def test_another_spelling_of_the_same_bytes_is_refused(reader: tuple[int, int]) -> None:
    token = TOKENS.make(UNSUBSCRIBE, reader)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + letter for letter in alphabet if letter != token[-1]]
    signature = base64.urlsafe_b64decode(token.rpartition(".")[2] + "=")
    same = [other for other in others if base64.urlsafe_b64decode(other.rpartition(".")[2] + "=") == signature]
    assert same, "43 letters of base64 have two bits to spare"
    for other in (*same, token + "=", token + "\n", " " + token):
        assert said(other, UNSUBSCRIBE) is None


@every_purpose
def test_a_token_is_the_same_each_time_it_is_made(purpose: Purpose[Any]) -> None:
    when = NOW if purpose.lives else None
    assert made(purpose) == Tokens(("newest key",)).make(purpose, SAYS[purpose], when)


@every_purpose
def test_a_token_of_an_older_key_is_read_until_the_key_is_taken_away(purpose: Purpose[Any]) -> None:
    when = NOW if purpose.lives else None
    older = Tokens(("older key",)).make(purpose, SAYS[purpose], when)
    assert said(older, purpose) == SAYS[purpose]
    assert said(older, purpose, tokens=Tokens(("newest key",))) is None


def test_links_in_mails_that_are_out_go_on_working() -> None:
    mailed = "WzcsMV0.{}".format(_signature("newest key", "newsletter.unsubscribe", "[7,1]"))
    assert TOKENS.make(UNSUBSCRIBE, (7, 1)) == mailed


def _signature(key: str, salt: str, payload: str) -> str:
    derived = hmac.new(key.encode(), salt.encode(), hashlib.sha256).digest()
    encoded = base64.urlsafe_b64encode(payload.encode()).rstrip(b"=")
    return base64.urlsafe_b64encode(hmac.new(derived, encoded, hashlib.sha256).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("purpose", FOR_EVER, ids=named)
def test_a_token_without_a_life_is_read_for_ever(purpose: Purpose[Any]) -> None:
    assert said(made(purpose), purpose, NOW + timedelta(days=36500)) == SAYS[purpose]


@dated_purpose
def test_a_token_too_old_is_worthless_and_known_as_one_of_ours(purpose: Purpose[Any]) -> None:
    token, last = made(purpose), NOW + purpose.lives  # type: ignore[operator]
    assert said(token, purpose, last) == SAYS[purpose]
    assert TOKENS.expired(purpose, token, last) is None
    assert said(token, purpose, last + MILLISECOND) is None
    expired = TOKENS.expired(purpose, token, last + MILLISECOND)
    assert expired
    assert (expired.said, expired.at) == (SAYS[purpose], NOW)
    assert all(TOKENS.expired(other, token, last + MILLISECOND) is None for other in SAYS if other is not purpose)


@dated_purpose
def test_a_token_from_the_future_is_worthless(purpose: Purpose[Any]) -> None:
    token, minute = made(purpose), timedelta(minutes=1)
    assert said(token, purpose, NOW - minute) == SAYS[purpose], "another machine's clock may be a little ahead"
    assert said(token, purpose, NOW - minute - MILLISECOND) is None
    assert TOKENS.expired(purpose, token, NOW - minute - MILLISECOND) is None


def test_a_token_with_a_life_says_when_it_was_made() -> None:
    signed = TOKENS.read(FORM, made(FORM), NOW + timedelta(seconds=4))
    assert signed
    assert signed.at == NOW


@every_purpose
def test_a_token_has_a_time_exactly_if_its_purpose_asks_for_one(purpose: Purpose[Any]) -> None:
    with pytest.raises(ValueError):
        TOKENS.make(purpose, SAYS[purpose], None if purpose.lives else NOW)


def test_a_token_signed_otherwise_does_not_unsubscribe() -> None:
    sha1 = URLSafeSerializer("newest key", salt="newsletter.unsubscribe", signer_kwargs={"key_derivation": "hmac"})
    assert said(sha1.dumps([7, 1]), UNSUBSCRIBE) is None


@every_purpose
def test_a_token_fits_a_url_as_it_stands_and_holds_only_what_it_says(purpose: Purpose[Any]) -> None:
    token = made(purpose)
    payload = token.partition(".")[0]
    when = [str(round(NOW.timestamp() * 1000))] if purpose.lives else []
    says = ",".join([*(f'"{one}"' if isinstance(one, str) else str(one) for one in SAYS[purpose]), *when])
    assert base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode() == f"[{says}]"
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ValueError):
        Tokens(())
