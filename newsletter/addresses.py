"""When two ways to write an address name one reader."""

from __future__ import annotations

import unicodedata


def caseless(address: str) -> str:
    """The address as addresses are told apart: without case, in Unicode's one spelling of it (NFC after case folding).

    A mail server may tell `Ada@` and `ada@` apart (RFC 5321 2.4), and none does. Whoever left or was blocked must not
    be mailed under another spelling, so what is folded is more than what is common: `ß` is `ss`.
    """
    return address.lower() if address.isascii() else unicodedata.normalize("NFC", address.casefold())
