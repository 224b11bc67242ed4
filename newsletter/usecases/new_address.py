"""What the link of a letter MOVE can do: let a reader's mail come to another address."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.model import Evidence, Letter, LetterKind, Subscriber
from newsletter.ports import Clock, Letters, Roster
from newsletter.readers.tokens import MOVE, PREFERENCES, Tokens


@dataclass(frozen=True, slots=True)
class Move:
    """A move that was asked for: its reader, and the address that is to be theirs."""

    reader: Subscriber
    address: str
    preferences: str = ""  # the token of the reader's new link, once the move is made

    @property
    def made(self) -> bool:
        return self.reader.address.lower() == self.address.lower()


@dataclass(frozen=True)
class NewAddress:
    """What the link can do. A wrong token of any kind gives None, and so does one that led somewhere else since."""

    roster: Roster
    letters: Letters
    tokens: Tokens
    clock: Clock

    def look(self, token: str) -> Move | None:
        """What was asked for; changes nothing."""
        letter = self._letter(token)
        return self._asked(letter) if letter else None

    def move(self, token: str, evidence: Evidence) -> Move | None:
        """What became of it; a second press changes nothing."""
        letter = self._letter(token)
        if letter is None:
            return None
        self.roster.move(letter.id, evidence=evidence, now=self.clock())
        return self._asked(letter)

    def _letter(self, token: str) -> Letter | None:
        signed = self.tokens.read(MOVE, token, self.clock())
        letter = self.letters.get(signed.said[0]) if signed else None
        return letter if letter and letter.kind is LetterKind.MOVE else None

    def _asked(self, letter: Letter) -> Move | None:
        reader = self.roster.get(letter.subscriber_id)
        if not reader:
            return None
        move = Move(reader, letter.address)
        link = self.tokens.make(PREFERENCES, (reader.id, reader.token_version))
        return Move(reader, letter.address, link) if move.made else move
