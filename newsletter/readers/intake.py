"""How many may sign up, and how often: the rules of `[signup]` as Limits.

Each limit is meant as its setting says it: never more than so many in the time that is named, whenever it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from newsletter.model import Limit
from newsletter.readers.limits import key, network_of
from newsletter.readers.subscriptions import mailbox

HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
USUAL = timedelta(weeks=4)
"""From how long the usual number of sign-ups is taken."""

PAUSE = timedelta(minutes=30)
"""How long it must be quiet before intake goes on that was paused."""

BRAKE, RESTING = "brake", "intake"
"""In `Rates`: the Limit on all sign-ups whose No pauses intake, and the pause."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The section `[signup]`."""

    open: bool = True
    address_wait: timedelta = timedelta(hours=24)
    address_a_month: int = 3
    network_an_hour: int = 10
    network_at_once: int = 5
    site_an_hour: int = 600
    brake_factor: int = 5
    brake_from: int = 200
    form_wait: timedelta = timedelta(seconds=2)
    answer_after: timedelta = timedelta(milliseconds=300)
    return_to: tuple[str, ...] = ()

    def of_address(self, secret: str, address: str, kind: str = "address") -> tuple[Limit, ...]:
        """For mails that somebody asks for in the name of an address (canonical); each `kind` of mail has its own."""
        name = mailbox(address)
        return (
            Limit(key(secret, f"{kind}-day", name), 1, self.address_wait),
            Limit(key(secret, f"{kind}-month", name), self.address_a_month, MONTH),
        )

    def of_reader(self, secret: str, reader: int, kind: str) -> Limit:
        """For mails that one reader (by number) has sent to addresses which are not known to be theirs."""
        return Limit(key(secret, f"{kind}-by", str(reader)), self.address_a_month, self.address_wait)

    def of_network(self, secret: str, client: str, kind: str = "network") -> Limit:
        """For the network of whoever asks, by their address; what is asked for on other pages counts by itself."""
        name = key(secret, kind, network_of(client))
        return _an_hour(name, self.network_an_hour, self.network_at_once)

    def of_site(self) -> Limit:
        return _an_hour("site", self.site_an_hour, self.site_an_hour // 2)

    def brake(self, signups: int) -> Limit:
        """For all together, by the number of sign-ups within USUAL."""
        most = max(self.brake_from, self.brake_factor * round(signups * (HOUR / USUAL)))
        return Limit(BRAKE, most, HOUR / most)


def _an_hour(name: str, most: int, at_once: int) -> Limit:
    """Never more than `most` within an hour, `at_once` of them at one time."""
    burst = min(max(at_once, 1), most)
    return Limit(name, burst, HOUR / (most - burst) if burst < most else HOUR)
