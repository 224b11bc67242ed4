"""an issue's text | to addresses of the house only | through the real transport | written down.

Nothing here can read a reader: no Roster and no Ledger comes in, so that a test never reaches the list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.delivery.message import ascii_address
from newsletter.errors import Problem, Refused, UsageError
from newsletter.model import Addressee, Digest, Outcome, Proof, Site
from newsletter.ports import Proofs, Transport
from newsletter.usecases.texts import Text, message

MOST = 5
"""Addresses of one test."""


@dataclass(frozen=True, slots=True)
class House:
    """Whom a test may go to: the people of `[people]`, and `mail.test_recipients`."""

    addresses: tuple[str, ...]

    def known(self, address: str) -> str | None:
        """The address as the house writes it; None for any other, however like it."""
        return next((one for one in self.addresses if one.casefold() == address.strip().casefold()), None)


def house(site: Site, more: Collection[str]) -> House:
    """The people's addresses, then the others, each once."""
    people = [person.email for person in site.people.values() if person.email]
    every = {address.casefold(): address for address in (*more, *people)}
    return House(tuple(sorted(every.values())))


def recipients(wanted: Sequence[str], house: House) -> tuple[str, ...]:
    """The addresses of a test, each once. Raises Refused (S310) for one that is not the house's, UsageError (S331)
    for none or more than five.
    """
    if strangers := [address for address in wanted if house.known(address) is None]:
        raise Refused(_strange(strangers[0], house))
    found = tuple(dict.fromkeys(one for address in wanted if (one := house.known(address))))
    if not 1 <= len(found) <= MOST:
        count = f"{len(found)} addresses" if found else "no address"
        raise UsageError(Problem("S331", f"A test goes to 1 to {MOST} addresses; {count} named. Nothing was sent."))
    return found


def _strange(address: str, house: House) -> Problem:
    known = ", ".join(house.addresses) or "none yet"
    return Problem(
        "S310",
        f"{address} is not a test address. Nothing was sent.",
        why="Tests go only to [people] and to mail.test_recipients, so that a test can never reach the list. "
        f"Test addresses: {known}.",
        fixes=(f'test_recipients = ["{address}"] under [mail] in newsletter.toml',),
    )


def subject(text: Text) -> str:
    """`[TEST 47] The hybrid hatch we would actually buy`."""
    return f"[TEST {text.issue.name}] {text.digest.subject}"


def _marked(text: Text) -> Digest:
    """A text that says of itself that it is a test, in whatever variant."""
    mark = subject(text).removesuffix(text.digest.subject)
    parts = tuple(replace(one, subject=f"{mark}{one.subject}") for one in text.digest.segments)
    return replace(text.digest, subject=subject(text), segments=parts)


def prove(
    text: Text,
    variant: Sequence[str],
    to: Sequence[str],
    *,
    site: Site,
    transport: Transport,
    proofs: Proofs,
    now: datetime,
) -> list[Proof]:
    """Hand the text over to each of these addresses, which `recipients` has looked at, and keep what was answered.

    Raises Outside when the mail server cannot be talked to; what it answered before is kept.
    """
    marked = replace(text, issue=replace(text.issue, started_at=now), digest=_marked(text))
    made = []
    with transport.open() as session:
        for address in to:
            addressee = Addressee(0, address, now, 1, variant=tuple(variant))
            occasion = f"test|{address}|{now.isoformat()}"
            receipt = session.send(message(marked, addressee, site=site, occasion=occasion))
            sender = ascii_address(site.sender.address)
            number, hashed = text.issue.number, text.digest.digest_hash
            one = Proof(text.issue.edition, number, hashed, sender, address, now, receipt)
            proofs.keep(one)
            made.append(one)
    return made


def accepted(one: Proof) -> bool:
    return one.receipt.outcome is Outcome.ACCEPTED


def failed(made: Sequence[Proof]) -> list[Problem]:
    """S311 for each that the mail server did not accept, in its own words."""
    return [
        Problem("S311", f"The test to {one.recipient} was not accepted: {one.receipt.words}")
        for one in made
        if not accepted(one)
    ]
