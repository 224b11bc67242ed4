"""Who asks, behind proxies: believed is only what a proxy of ours says."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest
from starlette.types import Message, Receive, Scope, Send

from newsletter.web.proxies import Asker, asker

OURS = tuple(ip_network(text) for text in ("127.0.0.1", "::1", "10.0.0.0/8"))
READER = "203.0.113.7"


@pytest.mark.parametrize("peer", [READER, "2001:db8::7"])
def test_who_connects_directly_is_who_asks_whatever_they_claim(peer: str) -> None:
    assert asker(peer, [], OURS) == peer
    assert asker(peer, ["198.51.100.1", "127.0.0.1"], OURS) == peer


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.20.30.40", "::ffff:127.0.0.1"])
def test_a_proxy_of_ours_is_believed(peer: str) -> None:
    assert asker(peer, [READER], OURS) == READER


def test_what_a_reader_writes_before_our_proxy_appends_is_not_believed() -> None:
    assert asker("127.0.0.1", ["127.0.0.1, 198.51.100.1, " + READER], OURS) == READER
    assert asker("127.0.0.1", ["198.51.100.1", READER], OURS) == READER


def test_a_chain_of_our_proxies_is_followed_to_the_first_address_that_is_not_ours() -> None:
    assert asker("127.0.0.1", [f"198.51.100.1, {READER}, 10.0.0.2", "10.0.0.3"], OURS) == READER


def test_where_every_address_is_ours_the_first_one_asked() -> None:
    assert asker("127.0.0.1", ["10.0.0.9, 10.0.0.2"], OURS) == "10.0.0.9"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (f"{READER}:4711", READER),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        (f"::ffff:{READER}", READER),
        ("fe80::7%eth0", "fe80::7"),
        (f"  {READER}\t", READER),
    ],
)
def test_an_address_is_read_in_each_way_that_proxies_write_it(said: str, address: str) -> None:
    assert asker("127.0.0.1", [said], OURS) == address


@pytest.mark.parametrize(
    "said", ["", ",", "unknown", "_hidden", "localhost", "[", "[]", "1.2.3", "1.2.3.4.5", "010.0.0.1", "x" * 10_000]
)
def test_what_is_no_address_leaves_the_last_one_that_was(said: str) -> None:
    assert asker("127.0.0.1", [said], OURS) == "127.0.0.1"
    assert asker("127.0.0.1", [f"198.51.100.1, {said}, 10.0.0.2"], OURS) == "10.0.0.2"


def test_a_peer_without_an_address_stays_what_it_is() -> None:
    assert asker("testclient", [READER], OURS) == "testclient"


def test_the_application_sees_who_asks_and_no_other_thing_that_the_headers_say() -> None:
    headers = ((b"x-forwarded-for", READER), (b"x-forwarded-proto", "https"), (b"x-forwarded-host", "evil.example"))
    asked = {
        "type": "http",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 51234),
        "headers": [(name, value.encode()) for name, value in headers],
    }
    assert seen(asked) == {**asked, "client": (READER, 0)}
    assert seen({**asked, "client": None}) == {**asked, "client": None}
    assert seen({**asked, "headers": []}) == {**asked, "headers": []}


def seen(scope: Scope) -> Scope:
    """What the application behind the middleware is given."""
    given: list[Scope] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        given.append(scope)

    async def receive() -> Message:
        raise AssertionError

    async def send(_message: Message) -> None:
        raise AssertionError

    asyncio.run(Asker(application, trusted=["127.0.0.1", "10.0.0.0/8"])(scope, receive, send))
    return given[0]
