"""Which addresses a machine of ours may call, decided before a socket is opened.

Promises that what is written in a feed or an export cannot make the program speak to its own host, to
its neighbours or to a cloud's metadata, however the address is spelled (decimal, mapped, with a user).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|\d+)", re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_LONGEST = 2_000  # characters of an address


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes: what a URL says, taken apart and found fit to be looked up."""

    scheme: str
    host: str  # ASCII
    port: int
    target: str  # path and query, percent-encoded

    @property
    def authority(self) -> str:
        """The Host header (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def place(url: str, ports: Collection[int]) -> Place | str:
    """The Place of a URL, or in words why it is not called."""
    if len(url) > _LONGEST or _UNSAFE.search(url):
        return "it is not a web address"
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError:
        return "it is not a web address"
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        return "only http and https are called"
    if parts.username is not None or parts.password is not None:
        return "it carries a user or a password"
    if not host or _is_number(host):
        return "its host is neither a name nor a plain address"
    port = PORTS[scheme] if port is None else port
    if port not in ports:
        return f"port {port} is not called"
    target = _quoted(parts.path or "/") + (f"?{_quoted(parts.query)}" if parts.query else "")
    return Place(scheme, host, port, target)


def is_public(address: str) -> bool:
    """Whether `address` (IPv4 or IPv6, as a resolver gives it) is one that anybody on the internet can reach."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_public(one) for one in (found, *_inside(found)))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    near = address.is_private or address.is_link_local
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        return True  # a spelling: what it stands for is looked at
    return address.is_global and not special and not near


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 one leads to."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if int(address) >> 32 == 0:  # ::a.b.c.d, RFC 4291 2.5.5.1
        found.append(IPv4Address(int(address)))
    return [one for one in found if one is not None]


def _is_number(host: str) -> bool:
    """Whether a resolver would read the host as a number (2130706433, 0x7f.1) that is no plain address."""
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) or ":" in host:
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def _ascii(host: str) -> str:
    """The host as it is looked up (IDNA). Raises ValueError, of which UnicodeError is one."""
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _quoted(text: str) -> str:
    """Characters beyond ASCII percent-encoded; what is encoded already stays."""
    return "".join(c if c.isascii() else "".join(f"%{octet:02X}" for octet in c.encode()) for c in text)
