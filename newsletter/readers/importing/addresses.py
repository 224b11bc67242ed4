"""Addresses by the million: what `subscriptions.canonical` says, which is asked about each domain once."""

from __future__ import annotations

import re

from newsletter.errors import Problem
from newsletter.readers.subscriptions import LONGEST, LONGEST_LOCAL, canonical

_LOCAL = re.compile(r"(?![=+\-])[\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*", re.ASCII)
_DOMAINS = 50_000
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"


def cleaned(cell: str) -> str:
    """A cell without the blanks around it, those that nobody sees among them, and without the guard of an export."""
    cell = cell.strip()
    if cell.isascii():
        return cell[1:] if cell[:1] == "'" and cell[1:2] in {"=", "+", "-", "@"} else cell
    return cell.strip(_INVISIBLE).strip()


class Addresses:
    """Remembers the domains that it has seen."""

    def __init__(self) -> None:
        self._domains: dict[str, str] = {}

    def canonical(self, address: str) -> str | Problem:
        """As `subscriptions.canonical`, of an address without blanks around it."""
        local, _, domain = address.rpartition("@")
        known = self._domains.get(domain)
        short = known is not None and len(local) <= LONGEST_LOCAL and len(local) + len(known) < LONGEST
        if short and _LOCAL.fullmatch(local) and "=?" not in local:
            return f"{local}@{known}"
        found = canonical(address)
        if isinstance(found, str) and domain.isascii():
            self._remember(domain, found.rpartition("@")[2])
        return found

    def _remember(self, domain: str, written: str) -> None:
        if len(self._domains) >= _DOMAINS:
            self._domains.clear()
        self._domains[domain] = written
