"""The real engine on the real ledger, steered: what the mail server answers, what people do, where it is killed.

A kill is that of everything the engine can reach: from then on no write of it happens, and no message leaves it. The
threads that are left over end by themselves, as if nobody had heard them.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import Connection

from newsletter.errors import Outside, Problem
from newsletter.model import (
    WEEKLY,
    Delivery,
    DeliveryState,
    Evidence,
    IssueState,
    Message,
    Outcome,
    Receipt,
    SubscriberStatus,
    by_clock,
)
from newsletter.ports import Session
from newsletter.store.database import Database, open_database
from newsletter.store.roster import SqlRoster
from tests.chaos.sums import SUMS
from tests.contract.desk import hashed
from tests.edges.sending import NOW, Ledger, Send, address, sending

READERS = 8
LINK = Evidence("link")
_DEAD = Outside(Problem("C507", "its process was killed"))
_GONE = Outside(Problem("S320", "the mail server cannot be reached"))
_FAST = Path("/dev/shm")

Act = Callable[[], None]

ANSWERS = ("yes", "later", "nobody", "policy", "lost", "stored", "gone")
_RECEIPTS = {
    "yes": Receipt(Outcome.ACCEPTED, 250, "2.0.0 Ok"),
    "later": Receipt(Outcome.DEFERRED, 451, "4.3.0 later"),
    "nobody": Receipt(Outcome.REFUSED, 550, "5.1.1 nobody here"),
    "policy": Receipt(Outcome.REFUSED, 554, "5.7.1 not from you"),
    "lost": Receipt(Outcome.UNKNOWN, None, "no answer after the final dot"),
    "stored": Receipt(Outcome.UNKNOWN, None, "no answer after the final dot"),
}


@dataclass
class Sender:
    """A sending process: its own connections to the database, alive until it is killed."""

    database: Database
    alive: bool = True
    kill_at: int = 0  # its write of this number is its last
    before: bool = False  # … and does not happen
    writes: int = 0

    def __post_init__(self) -> None:
        self._write = self.database.write
        self.database.write = self.write  # type: ignore[method-assign]

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if not self.alive:
            raise _DEAD
        with self._write() as connection:
            yield connection
            self.writes += 1
            last = self.writes == self.kill_at
            self.alive = self.alive and not last
            if not self.alive and (self.before or not last):
                raise _DEAD
        if last:
            raise _DEAD


class Mailbox:
    """A Transport that answers each reader as was said, and else accepts; what comes `meanwhile` happens first."""

    name = "mailbox"

    def __init__(self) -> None:
        self.sender: Sender | None = None
        self.answers: dict[str, list[str]] = {}
        self.meanwhile: dict[int, Act] = {}  # at the message of this number
        self.before: Callable[[str], None] = lambda _: None
        self.stored: list[Message] = []
        self.unknown = 0
        self._came = 0
        self._turn = threading.Lock()

    def open(self) -> AbstractContextManager[Session]:
        return nullcontext(self)

    def send(self, message: Message) -> Receipt:
        with self._turn:
            self._must_live()
            self.before(message.recipient)
            self._came += 1
            self.meanwhile.pop(self._came, lambda: None)()
            self._must_live()
            said = (self.answers.get(message.recipient) or ["yes"]).pop(0)
            if said == "gone":
                raise _GONE
            if said in ("yes", "stored"):
                self.stored.append(message)
            self.unknown += _RECEIPTS[said].outcome is Outcome.UNKNOWN
            return _RECEIPTS[said]

    def begin(self, sender: Sender) -> None:
        self.sender, self._came = sender, 0

    def _must_live(self) -> None:
        if self.sender and not self.sender.alive:
            raise _GONE


@dataclass
class World:
    """Issue 1 on its way to READERS, people who decide about it, and one sending process after the other."""

    folder: Path
    send: Send
    people: Ledger
    roster: SqlRoster
    mailbox: Mailbox = field(default_factory=Mailbox)
    kills: int = 0
    connections: int = 1
    crashed: bool = False
    asked_again: Counter[str] = field(default_factory=Counter)
    in_flight: dict[str, set[str]] = field(default_factory=dict)  # when somebody was stopped: what had left already
    broken: list[str] = field(default_factory=list)

    # -- people

    def states(self) -> dict[str, DeliveryState]:
        return {each.address: each.state for each in self.deliveries()}

    def deliveries(self) -> list[Delivery]:
        return list(self.people.deliveries(WEEKLY, 1))

    def issue_state(self) -> IssueState:
        issue = self.people.issue(WEEKLY, 1)
        assert issue
        return issue.state

    def _marked(self) -> set[str]:
        return {each for each, state in self.states().items() if state is DeliveryState.SENDING}

    def decide(self, what: str) -> None:
        """About the issue: from now on only what is marked may leave."""
        hand = by_clock(self.send.now)
        if what == "resume":
            self.people.resume(WEEKLY, 1, hand=hand)
        elif what == "pause":
            self.people.pause(WEEKLY, 1, reason="a doubt", hand=hand)
        else:
            self.people.cancel(WEEKLY, 1, reason="no", hand=hand)
        self.in_flight["issue"] = self._marked()

    def settle(self, *, again: bool) -> None:
        before = self.states()
        self.people.settle(WEEKLY, 1, None, again=again, hand=by_clock(self.send.now))
        self.asked_again.update(one for one, state in self.states().items() if state is not before[one])

    def reader(self, number: int, what: str) -> None:
        """Leaves, pauses or comes back; what was dropped meanwhile stays dropped."""
        if what == "leave":
            self.roster.leave(number, evidence=LINK, now=self.send.now)
        elif what == "pause":
            until = self.send.now + timedelta(days=9)
            self.roster.pause(number, until=until, evidence=LINK, now=self.send.now)
        elif not self.roster.resume(number, evidence=LINK, now=self.send.now):
            self.roster.come_back(number, evidence=LINK, now=self.send.now)
        self.in_flight[address(number)] = self._marked()

    # -- the sender

    def drain(self, connections: int, *, kill_at: int = 0, before: bool = False, resend: bool = False) -> None:
        """A sending process begins, recovers, and hands out what is due; it may be killed at one of its writes."""
        database = open_database(f"sqlite:///{self.folder}/newsletter.sqlite3")
        try:
            sender = Sender(database, kill_at=kill_at, before=before)
            self.connections = max(self.connections, connections)
            self.mailbox.begin(sender)
            self.mailbox.before = self._is_allowed
            self._run(sender, database, connections, "resend" if resend else "ask")
        finally:
            database.close()

    def _run(self, sender: Sender, database: Database, connections: int, after_crash: str) -> None:
        ledger = Ledger(database)
        try:
            ledger.recover(now=self.send.now, resend=after_crash == "resend")
            process = Send(ledger, self.roster, READERS, self.send.now)
            process.drain(self.mailbox, connections=connections, after_crash=after_crash)
            ledger.finish(WEEKLY, 1, now=self.send.now)
        except Outside:
            assert not sender.alive
        self.crashed = not sender.alive
        self.kills += self.crashed

    def kill(self) -> None:
        """Now: whatever it does from here on has not happened."""
        if self.mailbox.sender:
            self.mailbox.sender.alive = False

    def _is_allowed(self, recipient: str) -> None:
        """I4 and I8: whoever is mailed may be, or was marked already when that changed."""
        reader = self.roster.find(recipient)
        assert reader
        if reader.status is not SubscriberStatus.ACTIVE and recipient not in self.in_flight[recipient]:
            self.broken.append(f"I4 {recipient} is {reader.status.value} and was mailed")
        if (state := self.issue_state()) is not IssueState.SENDING and recipient not in self.in_flight["issue"]:
            self.broken.append(f"I8 {recipient} was mailed, and the issue is {state.value}")

    # -- what must hold

    def check(self) -> None:
        """Between two senders; the numbers are those of `docs/delivery.md`."""
        states, copies = self.states(), Counter(one.recipient for one in self.mailbox.stored)
        names = {(one.recipient, one.message_id, one.content) for one in self.mailbox.stored}
        self.broken += [f"I2 {one} got {n}" for one, n in copies.items() if n > 1 + self.asked_again[one]]
        if not len(names) == len({one for one, _, _ in names}) == len({name for _, name, _ in names}):
            self.broken.append("I3")
        counts = self.people.counts(WEEKLY, 1)
        if sum(counts.values()) != READERS or len(states) != READERS:
            self.broken.append(f"I5 {counts}")
        self.broken += [f"I6 {one}" for one, s in states.items() if s is DeliveryState.ACCEPTED and not copies[one]]
        self._check_states(states, copies)
        assert not self.broken, self.broken

    def _check_states(self, states: dict[str, DeliveryState], copies: Counter[str]) -> None:
        """I1, for what a dead sender left as well: who has it is called so, or in doubt."""
        had = {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN} | ({DeliveryState.SENDING} if self.crashed else set())
        for one in copies:
            if states[one] not in had and not self.asked_again[one]:
                self.broken.append(f"I1 {one} has it and is {states[one].value}")
        marked = [one for one, state in states.items() if state is DeliveryState.SENDING]
        if len(marked) > (self.connections if self.crashed else 0):
            self.broken.append(f"I2 {marked} are sending")
        doubtful = sum(state is DeliveryState.UNCERTAIN for state in states.values())
        if doubtful > self.mailbox.unknown + self.kills * self.connections:
            self.broken.append(f"I2 {doubtful} are uncertain")

    def ends(self) -> None:
        """I1: in fair weather everybody gets an end, unless somebody keeps the issue from it."""
        self.mailbox.answers.clear()
        self.mailbox.meanwhile.clear()
        if self.issue_state() is IssueState.PAUSED:
            self.decide("resume")
        for _ in range(2):
            self.send.now += timedelta(days=1)
            self.drain(2)
            self.check()
        open_ = {DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING} & set(self.states().values())
        assert not open_, self.states()
        assert self.issue_state() in (IssueState.SENT, IssueState.NEEDS_ATTENTION, IssueState.CANCELLED)
        SUMS.update(kills=self.kills, messages=len(self.mailbox.stored))


@contextmanager
def world() -> Iterator[World]:
    folder = Path(mkdtemp(prefix="world-", dir=_FAST if os.access(_FAST, os.W_OK) else None))
    try:
        with sending(folder, READERS) as send:
            database = open_database(f"sqlite:///{folder}/newsletter.sqlite3")
            try:
                yield World(folder, send, Ledger(database), SqlRoster(database, hashed))
            finally:
                database.close()
    finally:
        shutil.rmtree(folder)


__all__ = ["ANSWERS", "NOW", "READERS", "World", "world"]
