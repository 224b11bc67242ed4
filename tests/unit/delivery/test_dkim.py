"""Signatures hold before an independent verifier, and only for what was signed."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.dkim import Signer, canonical, signer
from newsletter.errors import ConfigError

HEAD = (
    b'From: "Auto Trendy" <editor@autotrendy.example>\r\nTo: ada@readers.example\r\n'
    b"Subject: =?utf-8?q?All-solid-state_batteries=3A_what?=\r\n =?utf-8?q?_to_expect?=\r\n"
    b"Date: Fri, 11 Feb 2022 08:00:00 +0100\r\nMessage-ID: <1.abc@autotrendy.example>\r\n"
    b"List-Unsubscribe: <https://autotrendy.example/u/1>,\r\n <mailto:editor@autotrendy.example>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)
BODY = (b"--=_1\r\nContent-Type: text/plain\r\n\r\nA  line \t\r\n\r\n", b"  another\t one\r\n", b"--=_1--\r\n")


@cache
def pem(bits: int = 2048) -> bytes:
    return _written(rsa.generate_private_key(65537, bits))


def _written(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signed(head: bytes = HEAD, body: tuple[bytes, ...] = BODY) -> bytes:
    return Signer(pem(), domain="autotrendy.example", selector="mail").sign(head, body)


def public_record(key: bytes) -> bytes:
    """What stands in the DNS (RFC 6376 3.6.1)."""
    loaded = load_pem_private_key(key, None)
    told = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(told)


def holds(message: bytes, where: bytes = b"mail._domainkey.autotrendy.example.") -> bool:
    asked = []

    def txt(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return public_record(pem())

    found = bool(dkim.verify(message, dnsfunc=txt))
    assert asked in ([], [where])
    return found


def test_an_independent_verifier_finds_it_good() -> None:
    assert holds(signed() + HEAD + b"\r\n" + b"".join(BODY))


def test_an_address_beyond_ascii_is_signed_as_it_stands() -> None:
    head = HEAD.replace(b"ada@", "ädä@".encode())
    assert holds(signed(head) + head + b"\r\n" + b"".join(BODY))
    assert not holds(signed(head) + HEAD + b"\r\n" + b"".join(BODY))


def test_it_is_the_same_on_a_retry() -> None:
    assert signed() == signed()


def test_folding_and_blanks_may_change_on_the_way() -> None:
    refolded = HEAD.replace(b">,\r\n <mailto", b">, <mailto")
    assert holds(signed() + refolded + b"\r\n" + b"".join(BODY).replace(b"A  line", b"A line"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"One-Click", b"Two-Click"),
        (b"/u/1", b"/u/2"),
        (b"another", b"some other"),
        (b"\r\n\r\n  another", b"\r\n  another"),
        (b"From: ", b"From: other@elsewhere.example\r\nFrom: "),
    ],
)
def test_whatever_else_is_changed_breaks_it(before: bytes, after: bytes) -> None:
    message = signed() + HEAD + b"\r\n" + b"".join(BODY)
    changed = message.replace(before, after, 1)
    assert changed != message
    assert not holds(changed)


def test_no_line_of_it_is_long_and_it_reads_as_one_field() -> None:
    field = signed()
    assert field.endswith(b"\r\n")
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))
    assert all(line.startswith(b" ") for line in field.split(b"\r\n")[1:-1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("a \t.é", max_size=12), min_size=1, max_size=6), st.integers(0, 6))
def test_any_body_in_any_pieces_is_hashed_as_a_whole(lines: list[str], cut: int) -> None:
    rows = [line.encode() + b"\r\n" for line in lines]
    pieces = (b"".join(rows[:cut]), b"".join(rows[cut:]), b"--end--\r\n")
    assert holds(signed(body=pieces) + HEAD + b"\r\n" + b"".join(pieces))
    assert b"".join(map(canonical, pieces)) == canonical(b"".join(pieces))


@pytest.mark.parametrize("key", [b"", b"no key", pem(1024), _written(ec.generate_private_key(ec.SECP256R1()))])
def test_what_is_no_key_that_receivers_take_is_refused(key: bytes) -> None:
    with pytest.raises(ConfigError, match="RSA key"):
        Signer(key, domain="autotrendy.example", selector="mail")


def test_a_key_that_everybody_may_read_or_nobody_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "dkim.pem"
    with pytest.raises(ConfigError, match="S336"):
        signer(file, domain="autotrendy.example", selector="mail")
    file.write_bytes(pem())
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="by everybody"):
        signer(file, domain="autotrendy.example", selector="mail")
    file.chmod(0o640)
    assert signer(file, domain="autotrendy.example", selector="mail").sign(HEAD, BODY) == signed()
