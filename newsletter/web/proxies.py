"""Who asks, where a proxy of ours stands in between.

A proxy appends the address that asked it to X-Forwarded-For; whatever stands to the left of that, anybody may have
written. Believed is therefore only what a trusted proxy says, and of that the right-most address that is not itself
a trusted proxy's. Nothing else of such headers is: scheme and host come from the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network


class Asker:
    """ASGI middleware: `scope["client"]` is who asked, not the proxy that passed it on.

    `trusted` are the addresses and networks of our proxies.
    """

    def __init__(self, app: ASGIApp, *, trusted: Iterable[str]) -> None:
        self._app = app
        self._trusted = tuple(ip_network(network) for network in trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None:
            said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
            scope = {**scope, "client": (asker(client[0], said, self._trusted), 0 if said else client[1])}
        await self._app(scope, receive, send)


def asker(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of whoever asked; `peer` is who connected, `forwarded` the X-Forwarded-For lines in their order.

    Where a trusted proxy passed on what is no address, the last address before that stands.
    """
    here = _address(peer)
    if here is None:
        return peer
    for said in reversed(",".join(forwarded).split(",")):
        further = _address(said) if any(here in network for network in trusted) else None
        if further is None:
            break
        here = further
    return str(here)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """`203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7`, `[2001:db8::7]:443`; an IPv4 address in IPv6 dress is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])  # a zone says which of our own links, not who
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
