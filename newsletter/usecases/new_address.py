"""What the links of the letters MOVE and MOVED can do: let a reader's mail come to another address, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from newsletter.addresses import caseless
from newsletter.model import Evidence, Letter, LetterKind, Subscriber
from newsletter.ports import Clock, Letters, Roster
from newsletter.readers.tokens import MOVE, PREFERENCES, TAKE_BACK, Purpose, Tokens


@dataclass(frozen=True, slots=True)
class Move:
    """A move that was asked for: its reader, and the address that is to be theirs."""

    reader: Subscriber
    address: str
    preferences: str = ""  # the token of the reader's new link, once the move is made

    @property
    def made(self) -> bool:
        return caseless(self.reader.address) == caseless(self.address)


@dataclass(frozen=True)
class NewAddress:
    """What the link can do. A wrong token of any kind gives None, and so does one that led somewhere else since."""

    roster: Roster
    letters: Letters
    tokens: Tokens
    clock: Clock

    purpose: ClassVar[Purpose[tuple[int]]] = MOVE
    kind: ClassVar[LetterKind] = LetterKind.MOVE

    @property
    def back(self) -> TakeBack:
        """What the link can do that the old address gets."""
        return TakeBack(self.roster, self.letters, self.tokens, self.clock)

    def look(self, token: str) -> Move | None:
        """What was asked for; changes nothing."""
        letter = self._letter(token)
        return self._asked(letter) if letter else None

    def move(self, token: str, evidence: Evidence) -> Move | None:
        """What became of it; a second press changes nothing."""
        letter = self._letter(token)
        if letter is None:
            return None
        self._act(letter, evidence)
        return self._asked(letter)

    def _act(self, letter: Letter, evidence: Evidence) -> None:
        self.roster.move(letter.id, evidence=evidence, now=self.clock())

    def _letter(self, token: str) -> Letter | None:
        signed = self.tokens.read(self.purpose, token, self.clock())
        letter = self.letters.get(signed.said[0]) if signed else None
        return letter if letter and letter.kind is self.kind else None

    def _asked(self, letter: Letter) -> Move | None:
        reader = self.roster.get(letter.subscriber_id)
        if not reader:
            return None
        move = Move(reader, letter.address)
        link = self.tokens.make(PREFERENCES, (reader.id, reader.token_version))
        return Move(reader, letter.address, link) if move.made else move


class TakeBack(NewAddress):
    """The same for whoever did not move: their address is theirs again."""

    purpose = TAKE_BACK
    kind = LetterKind.MOVED

    def _act(self, letter: Letter, evidence: Evidence) -> None:
        self.roster.take_back(letter.id, evidence=evidence, now=self.clock())
