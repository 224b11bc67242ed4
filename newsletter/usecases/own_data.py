"""What the link of a letter DATA can do: show a reader what is held about them, and forget them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.model import Subscriber
from newsletter.ports import Clock, Roster
from newsletter.readers.tokens import DATA, Tokens


@dataclass(frozen=True)
class OwnData:
    """What the link can do, for a day. A wrong token of any kind gives None."""

    roster: Roster
    tokens: Tokens
    clock: Clock

    def look(self, token: str) -> Subscriber | None:
        """Whose link it is; changes nothing."""
        signed = self.tokens.read(DATA, token, self.clock())
        reader = self.roster.get(signed.said[0]) if signed else None
        return reader if reader and signed and reader.token_version == signed.said[1] else None

    def held(self, token: str) -> Mapping[str, object] | None:
        """Everything that is kept about them (GDPR Art. 15, 20)."""
        reader = self.look(token)
        return self.roster.held(reader.id) if reader else None

    def forget(self, token: str) -> Subscriber | None:
        """The reader as they were; nothing of them is left but a keyed hash that keeps imports out (GDPR Art. 17)."""
        reader, now = self.look(token), self.clock()
        if reader and self.roster.forget(reader.id, now=now):
            return reader
        return None
