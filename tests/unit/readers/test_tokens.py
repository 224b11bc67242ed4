"""Tokens: what is made is read, and nothing else is."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from newsletter.readers.tokens import Tokens

TOKENS = Tokens(("newest key", "older key"))
readers = st.tuples(st.integers(1, 2**53), st.integers(1, 1000))


@given(readers)
def test_a_token_names_the_reader_it_was_made_for(reader: tuple[int, int]) -> None:
    assert TOKENS.read_unsubscribe(TOKENS.unsubscribe(*reader)) == reader


@given(readers, st.data())
def test_one_flipped_bit_makes_a_token_worthless(reader: tuple[int, int], data: st.DataObject) -> None:
    token = TOKENS.unsubscribe(*reader).encode()
    bit = data.draw(st.integers(0, len(token) * 8 - 1))
    flipped = bytearray(token)
    flipped[bit // 8] ^= 1 << bit % 8
    assert TOKENS.read_unsubscribe(flipped.decode("latin-1")) is None


@given(st.text(st.characters(exclude_categories=[])) | st.from_regex(r"[\w-]+\.[\w-]+", fullmatch=True))
def test_what_was_not_made_here_names_nobody(text: str) -> None:
    assert TOKENS.read_unsubscribe(text) is None


@given(readers)
def test_another_spelling_of_the_same_bytes_is_refused(reader: tuple[int, int]) -> None:
    token = TOKENS.unsubscribe(*reader)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + letter for letter in alphabet if letter != token[-1]]
    signature = base64.urlsafe_b64decode(token.rpartition(".")[2] + "=")
    same = [other for other in others if base64.urlsafe_b64decode(other.rpartition(".")[2] + "=") == signature]
    assert same, "43 letters of base64 have two bits to spare"
    assert [TOKENS.read_unsubscribe(other) for other in (*same, token + "=", token + "\n", " " + token)] == [None] * (
        len(same) + 3
    )


def test_a_token_is_the_same_each_time_it_is_made() -> None:
    assert TOKENS.unsubscribe(7, 1) == Tokens(("newest key",)).unsubscribe(7, 1)


def test_a_token_of_an_older_key_is_still_read() -> None:
    assert TOKENS.read_unsubscribe(Tokens(("older key",)).unsubscribe(7, 1)) == (7, 1)


def test_a_token_of_a_key_that_was_taken_away_is_worthless() -> None:
    assert Tokens(("newest key",)).read_unsubscribe(Tokens(("older key",)).unsubscribe(7, 1)) is None


def test_a_token_for_another_purpose_does_not_unsubscribe() -> None:
    options = {"key_derivation": "hmac"}
    confirm = URLSafeSerializer("newest key", salt="newsletter.confirm", signer_kwargs=options)
    assert TOKENS.read_unsubscribe(confirm.dumps([7, 1])) is None


def test_a_token_fits_a_url_as_it_stands_and_holds_only_numbers() -> None:
    token = TOKENS.unsubscribe(345, 2)
    payload = token.partition(".")[0]
    assert base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)) == b"[345,2]"
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ValueError):
        Tokens(())
