"""The keyed hash under which an address that must not be mailed is remembered, when the address itself is gone."""

from __future__ import annotations

import hashlib
import hmac

from newsletter.addresses import caseless


def fingerprint(key: str, address: str) -> str:
    """HMAC-SHA256 (RFC 2104) over the address without case, in hex: nobody can try addresses without the key."""
    return hmac.new(key.encode(), caseless(address).encode(), hashlib.sha256).hexdigest()
