"""What the link in a mail can do: leave, and come back for half an hour; each with its line of consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from newsletter.model import Evidence, Subscriber, SubscriberStatus
from newsletter.ports import Clock, Roster
from newsletter.readers.tokens import UNSUBSCRIBE, Tokens

UNDO = timedelta(minutes=30)
"""How long a press on Undo brings a reader back (an unsubscribe link may be forwarded; later it only lets leave)."""


@dataclass(frozen=True)
class Unsubscribe:
    """What the link in a mail can do. A wrong token of any kind gives None."""

    roster: Roster
    tokens: Tokens
    clock: Clock

    def look(self, token: str) -> Subscriber | None:
        """Whose link it is; changes nothing."""
        signed = self.tokens.read(UNSUBSCRIBE, token, self.clock())
        reader = self.roster.get(signed.said[0]) if signed else None
        return reader if reader and signed and reader.token_version == signed.said[1] else None

    def leave(self, token: str, *, way: str) -> Subscriber | None:
        """The reader as they were before; afterwards they have left. Repeating is harmless."""
        reader = self.look(token)
        if reader is not None:
            self.roster.leave(reader.id, evidence=Evidence(way), now=self.clock())
        return reader

    def may_undo(self, token: str) -> bool:
        """Whether the reader left within the last half hour."""
        reader = self.look(token)
        left = reader.left_at if reader and reader.status is SubscriberStatus.LEFT else None
        return left is not None and self.clock() - left <= UNDO

    def undo(self, token: str) -> Subscriber | None:
        """Back within half an hour of leaving; the reader as they are now."""
        reader = self.look(token)
        if reader and self.may_undo(token):
            self.roster.come_back(reader.id, evidence=Evidence("link"), now=self.clock())
        return self.look(token)
