"""Addresses: what is taken, how it is written down, and what is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Problem
from newsletter.readers.subscriptions import canonical, suggestion


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@readers.example", "ada@readers.example"),
        ("  ada@readers.example\n", "ada@readers.example"),
        ("Ada.Lovelace+news@Readers.EXAMPLE", "Ada.Lovelace+news@readers.example"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("ada@exämple.example", "ada@xn--exmple-cua.example"),
        ("ada@EXÄMPLE.example", "ada@xn--exmple-cua.example"),
        ("ada@xn--exmple-cua.example", "ada@xn--exmple-cua.example"),
    ],
)
def test_an_address_has_one_way_to_be_written(typed: str, stored: str) -> None:
    assert canonical(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "R101"),
        ("ada", "R101"),
        ("ada@", "R101"),
        ("ada@localhost", "R101"),
        ("ada@site.test", "R101"),
        ("ada@site.invalid", "R101"),
        ("ada@[127.0.0.1]", "R101"),
        ('"ada lovelace"@example.org', "R101"),
        ("Ada <ada@example.org>", "R101"),
        ("ada@example.org, bob@example.org", "R101"),
        ("ada@example.org\r\nBcc: bob@example.org", "R101"),
        ("ada\x00@example.org", "R101"),
        ("ada@exam\u200bple.org", "R101"),
        ("a" * 65 + "@example.org", "R101"),
        ("ädä@example.org", "R102"),
        ("=?utf-8?q?a=0ab?=@example.org", "R103"),
        ("a=?b@example.org", "R103"),
        ("=cmd|x@example.org", "R103"),
        ("+ada@example.org", "R103"),
        ("-ada@example.org", "R103"),
    ],
)
def test_what_is_no_address_for_a_newsletter_is_refused_with_a_reason(typed: str, code: str) -> None:
    refusal = canonical(typed)
    assert isinstance(refusal, Problem)
    assert (refusal.code, bool(refusal.message), bool(refusal.why)) == (code, True, True)


@given(st.text() | st.emails())
def test_the_stored_form_is_ascii_and_its_own_stored_form(typed: str) -> None:
    stored = canonical(typed)
    if isinstance(stored, str):
        assert stored.isascii()
        assert stored.isprintable()
        assert canonical(stored) == stored


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmail.co", "ada@gmail.com"),
        ("ada@hotmial.com", "ada@hotmail.com"),
        ("ada@Outlok.com", "ada@outlook.com"),
        ("ada@gmailcom", "ada@gmail.com"),
        ("ada@gmail.com", None),
        ("ada@ymail.com", None),
        ("ada@mail.com", None),
        ("ada@gmx.at", None),
        ("ada@readers.example", None),
        ("gmial.com", None),
    ],
)
def test_a_misspelt_provider_is_noticed_and_a_known_one_left_alone(typed: str, meant: str | None) -> None:
    assert suggestion(typed) == meant


def test_a_refusal_says_what_was_probably_meant() -> None:
    refusal = canonical("ada@gmailcom")
    assert isinstance(refusal, Problem)
    assert refusal.fixes == ("perhaps ada@gmail.com was meant",)
