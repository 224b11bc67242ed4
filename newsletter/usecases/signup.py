"""form | limits | roster: somebody asks for the mail, and nobody learns from the answer who gets it already.

What is asked of the limits and the roster is the same for all addresses; the mail itself is only written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.model import Evidence, Wait
from newsletter.ports import Clock, Rates, Roster
from newsletter.readers.intake import BRAKE, PAUSE, RESTING, USUAL, Intake
from newsletter.readers.limits import network_of
from newsletter.readers.tokens import FORM, Tokens

KEPT_V6 = 48
"""The length of an IPv6 prefix that is kept as evidence, where the site keeps networks at all."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody sent in."""

    address: str  # canonical
    edition: str
    client: str  # the address of their machine
    way: str  # form, embed
    text: str  # what they were shown beside the button
    page: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Intake is paused."""

    until: datetime


def resting(rates: Rates, now: datetime) -> datetime | None:
    """Until when intake is paused at least; what is far ahead, a clock that was wrong has written."""
    until = rates.held(RESTING, now)
    return until if until and until <= now + 2 * PAUSE else None


@dataclass(frozen=True)
class Signup:
    """What the page that takes readers in can do."""

    roster: Roster
    rates: Rates
    tokens: Tokens
    clock: Clock
    intake: Intake
    secret: str  # for the keys of limits
    keep_network: bool = False

    def form(self, earlier: str = "") -> str:
        """The signed time of a form that is shown now; of one that is shown again, when it was shown `earlier`."""
        now = self.clock()
        return earlier if self.tokens.read(FORM, earlier, now) else self.tokens.make(FORM, (), now)

    def in_time(self, form: str) -> bool:
        """Whether a form comes back neither too soon after it was shown nor a day later."""
        now = self.clock()
        signed = self.tokens.read(FORM, form, now)
        return signed is not None and signed.at is not None and now - signed.at >= self.intake.form_wait

    def rest(self) -> Rest | None:
        """Whether intake is paused, and until when at least."""
        until = resting(self.rates, self.clock())
        return Rest(until) if until else None

    def ask(self, wish: Wish) -> Wait | Rest | None:
        """None: it was taken. An address that had its mails lately gets no other one, and nobody is told."""
        if no := self.may(wish.client):
            return no
        now = self.clock()
        if self.rates.take(self.intake.of_address(self.secret, wish.address), now) is None:
            self.roster.ask(wish.address, edition=wish.edition, evidence=self.evidence(wish), now=now)
        return None

    def may(self, client: str) -> Wait | Rest | None:
        """Count one more sign-up from where this machine is; None when it may go on."""
        now, rules = self.clock(), self.intake
        brake = rules.brake(self.rates.signups(now - USUAL))
        wait = self.rates.take([rules.of_network(self.secret, client), rules.of_site(), brake], now)
        if wait and wait.limit.key == BRAKE:
            self.rates.hold(RESTING, now + PAUSE)
        return self.rest() or wait

    def evidence(self, wish: Wish) -> Evidence:
        network = network_of(wish.client, v6=KEPT_V6) if self.keep_network else ""
        return Evidence(wish.way, wish.text, wish.page, network)
