"""What the unsubscribe link in a mail can do: leave, get less, and undo that for half an hour; with lines of consent.

Mails are forwarded, so whoever has the link may only lessen what is sent (a pause, once a month), and take back what
was done last, as long as nothing else was said since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from newsletter.model import MONTHLY, Cadence, ConsentKind, Evidence, Slot, Subscriber, SubscriberStatus
from newsletter.ports import Clock, Roster
from newsletter.readers.tokens import UNDO, UNSUBSCRIBE, Tokens
from newsletter.readers.wishes import day_after
from newsletter.usecases.rhythms import Rhythms

PAUSE = timedelta(weeks=4)
REASONS = ("too-often", "not-for-me", "never-asked", "other")
"""Why a reader left, if they say so."""

_HERE = frozenset({"link", "one-click"})


@dataclass(frozen=True, slots=True)
class Pressed:
    """A reader before and after a press; `undo` is a token that takes it back, or empty."""

    before: Subscriber
    reader: Subscriber
    undo: str = ""


@dataclass(frozen=True)
class Unsubscribe:
    """What the link can do. A wrong token of any kind gives None; repeating is harmless."""

    roster: Roster
    tokens: Tokens
    rhythms: Rhythms
    clock: Clock

    def look(self, token: str) -> Pressed | None:
        """Whose link it is, and what may be undone; changes nothing."""
        reader = self._named(token)
        return self._pressed(reader, reader) if reader else None

    def may_get_less(self, reader: Subscriber) -> bool:
        """Whether once a month is offered."""
        return reader.status is SubscriberStatus.ACTIVE and reader.edition != MONTHLY and self.rhythms.offers(MONTHLY)

    def outlook(self, reader: Subscriber) -> tuple[Cadence | None, Slot | None]:
        """The rhythm of what a reader gets, and when the next issue comes, where anybody can say."""
        return self.rhythms.of(reader), self.rhythms.next_for(reader, self.clock())

    def leave(self, token: str, evidence: Evidence) -> Pressed | None:
        """Afterwards they have left."""
        if reader := self._named(token):
            self.roster.leave(reader.id, evidence=evidence, now=self.clock())
        return self._pressed(reader)

    def one_click(self, token: str, evidence: Evidence) -> bool:
        """Afterwards they have left, as their mail program asked (RFC 8058 3.1); False for a wrong token.

        The link of a mail from before they moved does as well: it is still in their mailbox, and shows nobody anything.
        """
        reader = self._of_any_address(token)
        if reader:
            self.roster.leave(reader.id, evidence=evidence, now=self.clock())
        return reader is not None

    def pause(self, token: str, evidence: Evidence) -> Pressed | None:
        """Nothing for four weeks, for one who gets mail now."""
        reader = self._named(token)
        if reader and reader.status is SubscriberStatus.ACTIVE:
            now = self.clock()
            until = day_after(now, PAUSE, self.rhythms.zone)
            self.roster.pause(reader.id, until=until, evidence=evidence, now=now)
        return self._pressed(reader)

    def monthly(self, token: str, evidence: Evidence) -> Pressed | None:
        """Once a month from now on, for one who gets more."""
        reader = self._named(token)
        if not reader or not self.may_get_less(reader):
            return self._pressed(reader)
        self._choose(reader, MONTHLY, evidence)
        return self._pressed(reader, was=reader.edition)

    def undo(self, token: str, undo: str, evidence: Evidence) -> Pressed | None:
        """As it was before the press that `undo` is about, unless that was too long ago or something was said since."""
        reader, now = self._named(token), self.clock()
        signed = self.tokens.read(UNDO, undo, now)
        if reader and signed and signed.said[:2] == (reader.id, reader.token_version):
            said = self.roster.consents(reader.id)
            if said and said[-1].at == signed.at:
                self._bring_back(reader, signed.said[2], evidence)
        return self._pressed(reader)

    def say_why(self, token: str, reason: str) -> Pressed | None:
        """Keep why a reader left, if it is one of REASONS."""
        reader = self._named(token)
        if reader and reason in REASONS:
            self.roster.say_why(reader.id, reason)
        return self._pressed(reader)

    def _named(self, token: str) -> Subscriber | None:
        reader = self._of_any_address(token)
        signed = self.tokens.read(UNSUBSCRIBE, token, self.clock())
        return reader if reader and signed and reader.token_version == signed.said[1] else None

    def _of_any_address(self, token: str) -> Subscriber | None:
        """The reader of a link, also of one that went to an address that was theirs; not who was forgotten."""
        signed = self.tokens.read(UNSUBSCRIBE, token, self.clock())
        reader = self.roster.get(signed.said[0]) if signed else None
        return reader if reader and reader.address and signed and signed.said[1] <= reader.token_version else None

    def _bring_back(self, reader: Subscriber, was: str, evidence: Evidence) -> None:
        now = self.clock()
        if was == ConsentKind.LEFT:
            self.roster.come_back(reader.id, evidence=evidence, now=now)
        elif was == ConsentKind.PAUSED:
            self.roster.resume(reader.id, evidence=evidence, now=now)
        else:
            self._choose(reader, was, evidence)

    def _choose(self, reader: Subscriber, edition: str, evidence: Evidence) -> None:
        self.roster.choose(
            reader.id,
            edition=edition,
            without=reader.without,
            plain=reader.plain,
            evidence=evidence,
            now=self.clock(),
        )

    def _pressed(self, before: Subscriber | None, now: Subscriber | None = None, was: str = "") -> Pressed | None:
        reader = now or (before and self.roster.get(before.id))
        if not before or not reader:
            return None
        return Pressed(before, reader, self._undo(reader, was))

    def _undo(self, reader: Subscriber, was: str) -> str:
        said = self.roster.consents(reader.id)
        last = said[-1] if said else None
        if not last or last.way not in _HERE or UNDO.over(last.at, self.clock()):
            return ""
        was = was or (last.kind if last.kind in (ConsentKind.LEFT, ConsentKind.PAUSED) else "")
        return self.tokens.make(UNDO, (reader.id, reader.token_version, was), last.at) if was else ""
