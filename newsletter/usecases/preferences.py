"""What the preferences link in a mail can do: choose, pause, come back from a pause; and ask for letters.

Mails are forwarded, so what would harm its reader in other hands (their data, being forgotten, another address) is
only asked for here: a letter to the address itself, old or new, has the link that does it. Letters are limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.errors import Problem
from newsletter.model import Cadence, Evidence, LetterKind, Limit, Slot, Subscriber, SubscriberStatus, Wait
from newsletter.ports import Clock, Rates, Roster
from newsletter.readers.intake import Intake
from newsletter.readers.subscriptions import canonical
from newsletter.readers.tokens import PREFERENCES, UNSUBSCRIBE, Tokens
from newsletter.readers.wishes import Wishes
from newsletter.usecases.rhythms import Rhythms

LETTERS = "letters"
"""What the limit of a network is remembered under, on all letters that are asked for here."""

_READS = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True)
class Preferences:
    """What the link can do. A wrong token of any kind gives None; so does that of somebody who never confirmed."""

    roster: Roster
    tokens: Tokens
    rhythms: Rhythms
    rates: Rates
    intake: Intake
    secret: str  # for the keys of limits
    clock: Clock

    def look(self, token: str) -> Subscriber | None:
        """Whose link it is; changes nothing."""
        signed = self.tokens.read(PREFERENCES, token, self.clock())
        reader = self.roster.get(signed.said[0]) if signed else None
        if not reader or not signed or reader.token_version != signed.said[1]:
            return None
        return None if reader.status is SubscriberStatus.UNCONFIRMED else reader

    def save(self, token: str, wishes: Wishes, evidence: Evidence) -> Subscriber | None:
        """The reader as they are afterwards; one who has left or is blocked stays as they are."""
        reader, now = self.look(token), self.clock()
        if reader is None or reader.status not in _READS:
            return reader
        if wishes.paused:  # first what lessens: of a power cut between the two a reader has less, not more
            self.roster.pause(reader.id, until=wishes.until, evidence=evidence, now=now)
        self.roster.choose(
            reader.id,
            edition=wishes.edition,
            without=wishes.without,
            plain=wishes.plain,
            evidence=evidence,
            now=now,
        )
        if not wishes.paused:
            self.roster.resume(reader.id, evidence=evidence, now=now)
        return self.roster.get(reader.id)

    def resume(self, token: str, evidence: Evidence) -> Subscriber | None:
        """The reader as they are afterwards: back from a pause, if they were in one."""
        reader = self.look(token)
        if reader:
            self.roster.resume(reader.id, evidence=evidence, now=self.clock())
        return reader and self.roster.get(reader.id)

    def outlook(self, reader: Subscriber) -> tuple[Cadence | None, Slot | None]:
        """The rhythm of what a reader gets, and when the next issue comes, where anybody can say."""
        return self.rhythms.of(reader), self.rhythms.next_for(reader, self.clock())

    def editions(self) -> Mapping[str, Cadence]:
        """What there is to choose from."""
        return self.rhythms.cadences()

    def unsubscribe_token(self, reader: Subscriber) -> str:
        """For the button that stops all mail: what it does is `Unsubscribe`'s."""
        return self.tokens.make(UNSUBSCRIBE, (reader.id, reader.token_version))

    def ask_data(self, reader: Subscriber, client: str) -> Wait | None:
        """Ask for the letter that leads to what is held about a reader; or when it may be asked for again."""
        wait = self._wait(LetterKind.DATA, reader.address, client)
        if wait is None:
            self.roster.write(reader.id, LetterKind.DATA, now=self.clock())
        return wait

    def ask_move(self, reader: Subscriber, address: str, client: str) -> Problem | Wait | None:
        """Ask for the letter to a new address; nothing in the answer says whether it is known here."""
        found = canonical(address)
        if isinstance(found, Problem):
            return found
        own = self.intake.of_reader(self.secret, reader.id, LetterKind.MOVE)
        wait = self._wait(LetterKind.MOVE, found, client, own)
        if wait is None:
            self.roster.ask_move(reader.id, found, now=self.clock())
        return wait

    def ask_link(self, address: str, client: str) -> Problem | Wait | None:
        """Ask for the letter with a fresh link; the same answer whether the address is a reader's or not."""
        found = canonical(address)
        if isinstance(found, Problem):
            return found
        wait = self._wait(LetterKind.LINK, found, client)
        reader = self.roster.find(found)
        if wait is None and reader:
            self.roster.write(reader.id, LetterKind.LINK, now=self.clock())
        return wait

    def _wait(self, kind: LetterKind, address: str, client: str, *more: Limit) -> Wait | None:
        """Until when no more letters of a kind may be asked for by this machine for this address; None: one is."""
        limits = self.intake.of_address(self.secret, address, kind=kind)
        network = self.intake.of_network(self.secret, client, kind=LETTERS)
        return self.rates.take([*limits, network, *more], self.clock())
