"""A desk for tests: a ledger and a roster with readers, issues and sends in one call each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.model import (
    WEEKLY,
    Chunk,
    DeliveryState,
    Digest,
    Evidence,
    Hand,
    Issue,
    IssueState,
    Outcome,
    Receipt,
    Settlement,
    Slot,
    Story,
    Subscriber,
)
from newsletter.ports import Ledger, Roster
from newsletter.readers.suppression import fingerprint
from tests.builders import a_slot

FRIDAY = datetime(2022, 2, 4, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADA = Hand("ada", "cli", FRIDAY)
PAPER = Evidence("cli", "on paper, 3 May")
LINK = Evidence("link")

YES = Receipt(Outcome.ACCEPTED, 250, "2.0.0 Ok: queued")


def a_story(post: str) -> Story:
    return Story(f"tag:autotrendy.example,2022:{post}", f"sha256:{post}", post, post.title())


def a_digest(number: int) -> Digest:
    return Digest(f"Subject {number}", "Preheader", "<p>html</p>", "text", f"sha256:{number}")


def slot_of_week(week: int) -> Slot:
    return a_slot(f"2022-W{week:02}", FRIDAY + timedelta(weeks=week - 5))


def accepted(subscriber_id: int) -> Settlement:
    return Settlement(subscriber_id, DeliveryState.ACCEPTED, receipt=YES)


def deferred(subscriber_id: int, until: datetime) -> Settlement:
    later = Receipt(Outcome.DEFERRED, 451, "4.7.1 Greylisted")
    return Settlement(subscriber_id, DeliveryState.WAITING, next_at=until, receipt=later)


def hashed(address: str) -> str:
    """A keyed hash, as the store is given one."""
    return fingerprint("a key of the tests alone", address)


def join(roster: Roster, address: str, status: str = "active") -> Subscriber:
    """A new reader, brought into a status as readers come into it."""
    if status == "unconfirmed":
        roster.ask(address, edition=WEEKLY, evidence=PAPER, now=FRIDAY)
    else:
        roster.add(address, edition=WEEKLY, evidence=PAPER, now=FRIDAY)
    made = roster.find(address)
    assert made
    if status == "paused":
        roster.pause(made.id, until=None, evidence=LINK, now=FRIDAY)
    elif status == "left":
        roster.leave(made.id, evidence=LINK, now=FRIDAY)
    elif status == "blocked":
        roster.block(made.id, reason="bounced", evidence=Evidence("cli"), now=FRIDAY)
    there = roster.get(made.id)
    assert there
    assert there.status.value == status
    return there


@dataclass
class Desk:
    ledger: Ledger
    roster: Roster

    def join(self, count: int, *, status: str = "active", prefix: str = "reader") -> list[int]:
        """New readers, by id."""
        return [join(self.roster, f"{prefix}{n}@readers.example", status).id for n in range(count)]

    def open(self, week: int = 5, *posts: str, **changes: Any) -> Issue | None:
        defaults: dict[str, Any] = {
            "edition": WEEKLY,
            "slot": slot_of_week(week),
            "coalesced": (),
            "stories": [a_story(post) for post in posts],
            "render": a_digest,
            "state": IssueState.READY,
            "reason": "",
            "hand": ADA,
            "send_at": FRIDAY,
        }
        return self.ledger.open_issue(**(defaults | changes))

    def send(self, readers: int = 3) -> tuple[list[int], Chunk]:
        """Issue 1 on its way to some readers: their ids, and the chunk that was taken."""
        ids = self.join(readers)
        assert self.open(5, "batteries")
        assert self.ledger.start_send(WEEKLY, 1, now=FRIDAY)
        [chunk] = self.ledger.due_chunks(FRIDAY)
        return ids, chunk

    def hand(self, chunk: Chunk, ids: Sequence[int], *, now: datetime = FRIDAY) -> None:
        """Claim everything due and mark `ids` `sending`."""
        self.ledger.claim(chunk, limit=500, now=now)
        given = self.ledger.hand_over(chunk, settled=[], wanted=ids, now=now)
        assert all(given.values())

    def states(self, number: int = 1) -> dict[int, DeliveryState]:
        return {each.subscriber_id: each.state for each in self.ledger.deliveries(WEEKLY, number)}
