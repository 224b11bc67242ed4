"""How often something may happen, for several Limits at once: each lets it through, or none counts it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from datetime import datetime

from newsletter.model import Limit, Wait
from newsletter.pace import full_again


def decide(limits: Sequence[Limit], full_at: Mapping[str, datetime], now: datetime) -> Mapping[str, datetime] | Wait:
    """When each is full again if one more happens now; or, if one of them says no, which, and until when.

    `full_at` is what is remembered, by key; a key that is missing is full. Of several that say no it is the one that
    says so longest.
    """
    after = {limit.key: full_again(limit, full_at.get(limit.key), now) for limit in limits}
    waits = [Wait(limit, after[limit.key] - limit.every * limit.burst) for limit in limits]
    longest = max(waits, key=lambda wait: wait.until, default=None)
    return longest if longest and longest.until > now else after


def key(secret: str, kind: str, of: str) -> str:
    """What a Limit of an address or a network is remembered under: `address:` and a keyed hash, never the thing."""
    return f"{kind}:{hmac.new(secret.encode(), f'{kind}:{of}'.encode(), hashlib.sha256).hexdigest()[:32]}"


def network_of(address: str, *, v6: int = 64) -> str:
    """The network that one household or office has: `203.0.113.0/24`, `2001:db8::/64`; empty for what is no address.

    `v6` is the length of the prefix kept of IPv6. IPv4 written as IPv6 (RFC 4291, 2.5.5.2) is IPv4.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else v6), strict=False))
