"""No spelling of an address leads into the network that the program runs in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.outside.guard import Place, is_public, place

WEB = frozenset({80, 443})
NEAR = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "not an address",
    "",
]


@pytest.mark.parametrize("address", NEAR)
def test_an_address_of_a_near_or_special_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::8.8.8.8"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_mapped_into_ipv6_is_judged_as_what_it_stands_for(address: IPv4Address) -> None:
    mapped = IPv6Address(f"::ffff:{address}")
    assert is_public(str(mapped)) == is_public(str(address))
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))
    assert is_public(str(translated)) == is_public(str(address))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://site.example/",
        "file:///etc/passwd",
        "gopher://site.example/",
        "javascript:alert(1)",
        "//site.example/",
        "site.example",
        "http://",
        "http://user@site.example/",
        "http://user:secret@site.example/",
        "http://site.example:22/",
        "http://site.example:99999/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://010.0.0.1/",
        "http://[::1/",
        "http://site.example/a b",
        "http://site.example\\@127.0.0.1/",
        "http://site.example/\r\nHost: other",
        "http://site.example/\x00",
        f"http://site.example/{'a' * 3000}",
        f"http://{'a' * 70}ü.example/",
    ],
)
def test_what_is_no_plain_web_address_is_not_called(url: str) -> None:
    assert isinstance(place(url, WEB), str)


def test_a_plain_address_is_taken_apart_and_made_ascii() -> None:
    assert place("https://Bücher.example/straße?q=ü#top", WEB) == Place(
        "https", "xn--bcher-kva.example", 443, "/stra%C3%9Fe?q=%C3%BC"
    )
    assert place("http://site.example", WEB) == Place("http", "site.example", 80, "/")


@given(st.text())
def test_no_text_at_all_breaks_the_guard(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://site.example/{text}"):
        found = place(url, WEB)
        assert isinstance(found, str) or (found.host.isascii() and found.target.isascii())
