"""An issue on its way: a real ledger on a real file, readers, and transports that do as they are told."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from newsletter.delivery.engine import Drained, Patience, Progress, Relay, drain
from newsletter.delivery.message import compose
from newsletter.errors import Outside, Problem
from newsletter.model import (
    Addressee,
    Chunk,
    DeliveryState,
    Digest,
    Issue,
    IssueState,
    Message,
    Outcome,
    Receipt,
    Sentinel,
    Settlement,
    Site,
    Story,
    by_clock,
)
from newsletter.ports import Session, Transport
from newsletter.store.database import Database, open_database
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from newsletter.store.tables import subscriber
from tests.builders import a_post, a_site, a_slot
from tests.contract.desk import hashed

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
SITE = a_site()
DIGEST = Digest(
    "All-solid-state batteries",
    "What to expect.",
    f'<!DOCTYPE html><p>For {Sentinel.ADDRESS} since {Sentinel.JOINED}. <a href="{Sentinel.UNSUBSCRIBE}">Leave</a></p>',
    f"Solid, at last.\n\n{Sentinel.UNSUBSCRIBE}\n",
    "sha256:1",
)
HURRY = Patience(relay=(0, 0, 0, 0), ledger=(0, 0, 0), told=0)


def composed(chunk: Chunk, addressee: Addressee, *, site: Site = SITE) -> Message:
    return compose(
        site=site,
        issue=Issue(chunk.issue_number, chunk.edition, a_slot(), IssueState.SENDING, (), "", "", started_at=NOW),
        digest=DIGEST,
        addressee=addressee,
        unsubscribe_url=f"{SITE.web_url}/u/token-{addressee.subscriber_id}",
        preferences_url=f"{SITE.web_url}/p/token-{addressee.subscriber_id}",
        message_id_key="a lasting key",
    )


class Ledger(SqlLedger):
    """The real one; `outages` is how many of the next writes the disk refuses, `before` runs ahead of each."""

    outages = 0
    before: Callable[[], None] | None = None

    def hand_over(
        self, chunk: Chunk, *, settled: Sequence[Settlement], wanted: Sequence[int], now: datetime
    ) -> Mapping[int, Addressee | None]:
        if self.before:
            self.before()
        if self.outages:
            self.outages -= 1
            raise Outside(Problem("C504", "the disk is full"))
        return super().hand_over(chunk, settled=settled, wanted=wanted, now=now)


@dataclass
class Send:
    """Issue 1, SENDING to `readers`."""

    ledger: Ledger
    roster: SqlRoster
    readers: int
    now: datetime = NOW
    stop: threading.Event = field(default_factory=threading.Event)

    def drain(
        self,
        transport: Transport,
        *,
        connections: int = 3,
        compose: Callable[[Chunk, Addressee], Message] = composed,
        progress: Callable[[Progress], None] | None = None,
        after_crash: str = "ask",
    ) -> Drained:
        return drain(
            self.ledger,
            [Relay("main", transport, connections)],
            compose,
            clock=lambda: self.now,
            stop=self.stop,
            progress=progress,
            after_crash=after_crash,
            patience=HURRY,
        )

    def over(self, relays: Sequence[Relay], *, speed: float = 1, **options: Any) -> Drained:
        """The same over these mail servers, while time passes, on the ledger's clock at this speed."""
        began, now = time.monotonic(), self.now
        ticking = lambda: now + timedelta(seconds=(time.monotonic() - began) * speed)  # noqa: E731
        return drain(self.ledger, relays, composed, clock=ticking, stop=self.stop, **{"patience": HURRY} | options)

    def counts(self) -> dict[DeliveryState, int]:
        """States that occur, with their numbers; together they must be the audience."""
        counts = self.ledger.counts("weekly", 1)
        assert sum(counts.values()) == self.readers
        return {state: count for state, count in counts.items() if count}

    def later(self, **times: int) -> None:
        self.now += timedelta(**times)


@cache
def _empty() -> bytes:
    """A database file with its schema, made once: making it is most of the cost of a small test."""
    with tempfile.TemporaryDirectory() as folder:
        open_database(f"sqlite:///{folder}/empty.sqlite3").close()
        return Path(folder, "empty.sqlite3").read_bytes()


@contextmanager
def sending(folder: Path, readers: int, domains: Sequence[str] = ("readers.example",)) -> Iterator[Send]:
    """Reader n has the address rn at one of these domains, each in turn."""
    (folder / "newsletter.sqlite3").write_bytes(_empty())
    database = open_database(f"sqlite:///{folder}/newsletter.sqlite3")
    try:
        yield begun(database, readers, domains)
    finally:
        database.close()


def begun(database: Database, readers: int, domains: Sequence[str] = ("readers.example",)) -> Send:
    """As `sending`, in this database."""
    send = Send(Ledger(database), SqlRoster(database, hashed), readers)
    _start(database, send, domains)
    return send


def _start(database: Database, send: Send, domains: Sequence[str]) -> None:
    addresses = [f"r{number}@{domains[number % len(domains)]}" for number in range(1, send.readers + 1)]
    rows = [
        {"address": one, "folded": one.lower(), "status": "active", "edition": "weekly", "joined_at": NOW}
        for one in addresses
    ]
    if rows:
        with database.write() as connection:
            connection.execute(insert(subscriber), rows)
    post = a_post()
    send.ledger.open_issue(
        edition="weekly",
        slot=a_slot(),
        coalesced=[],
        stories=[Story(post.id, post.content_hash, post.slug, post.title)],
        render=lambda _: DIGEST,
        state=IssueState.READY,
        reason="",
        hand=by_clock(NOW),
        send_at=NOW,
    )
    started = send.ledger.start_send("weekly", 1, now=NOW)
    assert started
    assert started.audience == send.readers


def address(number: int) -> str:
    return f"r{number}@readers.example"


Answer = Outcome | Exception | Callable[[], object]


class Scripted:
    """A Transport in memory: answers each reader as was said, in order, and accepts once nothing more was said.

    An exception is raised instead of an answer; a function is called before the message is accepted.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.opened = 0
        self.accepted: list[Message] = []
        self.tried: Counter[str] = Counter()
        self._answers: defaultdict[str, list[Answer]] = defaultdict(list)
        self._lock = threading.Lock()

    def open(self) -> AbstractContextManager[Session]:
        self.opened += 1
        return nullcontext(self)

    def answer(self, number: int, *answers: Answer) -> None:
        self.answer_to(address(number), *answers)

    def answer_to(self, recipient: str, *answers: Answer) -> None:
        self._answers[recipient] += answers

    def forgive(self) -> None:
        """Accept everything from now on."""
        self._answers.clear()

    def send(self, message: Message) -> Receipt:
        with self._lock:
            self.tried[message.recipient] += 1
            answers = self._answers[message.recipient]
            answer = answers.pop(0) if answers else Outcome.ACCEPTED
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Outcome):
            answer()
            answer = Outcome.ACCEPTED
        with self._lock:
            if answer is Outcome.ACCEPTED:
                self.accepted.append(message)
        return _RECEIPTS[answer]

    @property
    def recipients(self) -> list[str]:
        return sorted(message.recipient for message in self.accepted)


_RECEIPTS = {
    Outcome.ACCEPTED: Receipt(Outcome.ACCEPTED, 250, "2.0.0 Ok"),
    Outcome.DEFERRED: Receipt(Outcome.DEFERRED, 451, "4.3.0 later"),
    Outcome.REFUSED: Receipt(Outcome.REFUSED, 550, "5.1.1 nobody here"),
    Outcome.UNKNOWN: Receipt(Outcome.UNKNOWN, None, "no answer"),
}
