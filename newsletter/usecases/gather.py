"""address of a picture | beside the export, else the web | its octets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from newsletter.content.importing import addresses
from newsletter.errors import NewsletterError
from newsletter.ports import Client

_PATIENCE = 5
"""Failures in a row after which a host is not asked again: each may take ten seconds."""

PROMISED = b"\xff\xd8\xff"
"""Stands for a picture that a dry run does not fetch."""


@dataclass
class Gatherer:
    """Finds pictures. Without a client the web is not asked, and what lies there is taken as promised."""

    beside: Callable[[str], bytes | None]
    client: Client | None
    _failures: Counter[str] = field(default_factory=Counter)

    def find(self, url: str) -> bytes | None:
        """The octets at `url`; None where a host failed too often. Raises NewsletterError with the reason."""
        found = self.beside(url)
        if found is not None or self.client is None:
            return found or PROMISED
        host = addresses.host(url)
        if self._failures[host] >= _PATIENCE:
            return None
        try:
            content = self.client.get(url).content
        except NewsletterError:
            self._failures[host] += 1
            raise
        self._failures[host] = 0
        return content
