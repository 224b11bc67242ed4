"""token | where its reader stands | in, once; or gone: what the link of a confirmation can do.

Looking changes nothing. A link whose time is over can do no more than ask for a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model import Evidence, Subscriber, SubscriberStatus, Wait
from newsletter.readers.tokens import CONFIRM
from newsletter.usecases.signup import Rest, Signup, Wish


class Step(StrEnum):
    """What a link can still do."""

    ASK = "ask"  # confirm, or say that it was somebody else
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """A reader as the link of their confirmation finds them."""

    reader: Subscriber
    step: Step


@dataclass(frozen=True)
class Confirm:
    """What the link can do. A wrong token of any kind gives None."""

    signup: Signup

    def look(self, token: str) -> Standing | None:
        """Whose link it is; changes nothing."""
        tokens, now = self.signup.tokens, self.signup.clock()
        fresh = tokens.read(CONFIRM, token, now)
        signed = fresh or tokens.expired(CONFIRM, token, now)
        reader = self.signup.roster.get(signed.said[0]) if signed else None
        if signed is None or reader is None or reader.token_version != signed.said[1]:
            return None
        if reader.status is SubscriberStatus.BLOCKED:
            return None
        return Standing(reader, _step(reader, signed.at if fresh else None))

    def confirm(self, token: str, evidence: Evidence) -> Standing | None:
        """The reader as they are now, ASK if it was this press that let them in. Repeating is harmless."""
        before = self.look(token)
        if before is None or before.step is not Step.ASK:
            return before
        came_in = self.signup.roster.confirm(before.reader.id, evidence=evidence, now=self.signup.clock())
        after = self.look(token)
        return Standing(after.reader, Step.ASK) if came_in and after else after

    def deny(self, token: str) -> Standing | None:
        """ "This wasn't me": who they were. An address that never confirmed is deleted, of others no letter goes."""
        before = self.look(token)
        if before and before.step is not Step.USED:
            self.signup.roster.deny(before.reader.id, now=self.signup.clock())
        return before

    def again(self, token: str, *, client: str, text: str, page: str) -> Wait | Rest | None:
        """Ask for a new link in place of one that is too old, within the limits of a sign-up; None: done."""
        before = self.look(token)
        if before is None or before.step is not Step.EXPIRED:
            return None
        reader = before.reader
        return self.signup.ask(Wish(reader.address, reader.edition, client, "link", text, page))


def _step(reader: Subscriber, asked: datetime | None) -> Step:
    """`asked` is when, None when that is too long ago. Who left since then has taken it back."""
    if reader.status in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}:
        return Step.USED
    if asked is None or (reader.left_at and asked < reader.left_at):
        return Step.EXPIRED
    return Step.ASK
