"""One send through a storm, and what must hold after it, whatever happened.

The log of the mail server and the ledger are compared; the promises are numbered as in the messages of `check`.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.model import WEEKLY, Delivery, DeliveryState, Issue, IssueState
from newsletter.store.database import open_database
from newsletter.store.ledger import SqlLedger
from tests.acceptance.forked import Forked
from tests.acceptance.harness import FRIDAY, SiteFolder
from tests.chaos.lossy import Lossy
from tests.chaos.sums import SUMS
from tests.served import served
from tests.smtpd import CERTIFICATE

SEEDS = tuple(int(seed) for seed in os.environ.get("CHAOS_SEEDS", "1").split())
"""Seeds of the random runs; `make chaos` gives more."""

FEW = SEEDS[:25]
"""Of them, for what takes a minute for each."""

CONNECTIONS = 4
NO_ANSWER = "the sender stopped before an answer was recorded"
NOW = datetime.fromisoformat(FRIDAY)

_AT_ONCE = 3.0
"""Seconds between the commit that marks a row and the RCPT that names its reader, on a machine with much to do."""

_STOPPED = 1.0
"""Seconds after a cancel in which a message that was under way may still arrive."""

_OPEN = {DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING}


@dataclass
class Storm:
    """A live site with readers, its mail server, and what people did meanwhile."""

    site: SiteFolder
    server: Lossy
    chance: random.Random
    readers: int
    resend: bool = False
    kills: int = 0
    doubts: int = 0  # at the most, after these kills, or senders that gave up
    left: dict[str, float] = field(default_factory=dict)  # address -> when the command that left had answered
    cancelled: float | None = None

    def address(self, number: int) -> str:
        return f"reader{number:04}@readers.example"

    def leave(self, number: int, now: str) -> None:
        assert self.site.run("reader", "leave", self.address(number), now=now).status == 0
        self.left[self.address(number)] = time.monotonic()

    def cancel(self, now: str) -> None:
        assert self.site.run("issue", "cancel", "1", now=now).status == 0
        self.cancelled = time.monotonic()

    def kill(self, process: Forked, connections: int = CONNECTIONS) -> None:
        process.kill()
        process.wait(10)
        self.kills += 1
        self.doubts += connections

    def calm(self) -> None:
        """Fair weather, a person who resumes what stopped by itself in bad, and time enough for whoever was put off."""
        self.server.bad = 0
        for issue in self.issues():
            if issue.state is IssueState.PAUSED:
                self.site.ok("issue", "resume", issue.name, now=FRIDAY)
        self.site.ok("prepare", now=FRIDAY)
        for hours in (0, 24, 25):
            self.resume()
            later = (NOW + timedelta(hours=hours)).isoformat()
            result = self.site.run("deliver", now=later)
            assert result.status == 0, result.out + result.err

    def resume(self) -> None:
        """In such weather an issue may have been paused by itself: somebody looks at it."""
        if [issue.state for issue in self.issues()] == [IssueState.PAUSED]:
            self.site.ok("issue", "resume", "1", now=FRIDAY)

    # -- what the ledger says

    def issues(self) -> Sequence[Issue]:
        with ledger(self.site) as asked:
            return asked.issues(WEEKLY)

    def deliveries(self) -> Sequence[Delivery]:
        with ledger(self.site) as asked:
            return asked.deliveries(WEEKLY, 1)

    # -- what must hold

    def check(self) -> None:
        issues, deliveries = self.issues(), self.deliveries()
        states = {each.address: each.state for each in deliveries}
        got = Counter(message.recipient for message in self.server.messages)
        accepted = {address for address, state in states.items() if state is DeliveryState.ACCEPTED}
        broken = [
            *self._lost(issues[0], states, got),
            *self._twice(got),
            *self._names(),
            *self._mailed_after_leaving(),
            *([] if len(states) == issues[0].audience else [f"I5 {len(states)} rows for {issues[0].audience} readers"]),
            *(f"I6 {address} is accepted and got nothing" for address in sorted(accepted - set(got))),
            *_repeated(issues),
            *self._mailed_after_cancel(),
        ]
        assert not broken, broken
        doubtful = sum(each.reply == NO_ANSWER for each in deliveries if each.state is DeliveryState.UNCERTAIN)
        assert doubtful <= self.doubts, f"I2 {doubtful} after {self.kills} kills"
        copies = sum(got.values()) - len(got)
        SUMS.update(kills=self.kills, messages=sum(got.values()), uncertain=doubtful, copies=copies)

    def _lost(self, issue: Issue, states: dict[str, DeliveryState], got: Counter[str]) -> Iterator[str]:
        """I1: each reader of the audience has it, or an end that is shown, or still waits for it."""
        yield from (f"I1 {address} got it and is not in the audience" for address in set(got) - set(states))
        for address, state in states.items():
            if state in _OPEN and (issue.state is not IssueState.SENDING or state is not DeliveryState.WAITING):
                yield f"I1 {address} is {state.value} in an issue that is {issue.state.value}"
            if address in got and state is DeliveryState.DROPPED:
                yield f"I1 {address} got it and is called dropped"

    def _twice(self, got: Counter[str]) -> Iterator[str]:
        """I2: nobody twice, unless that was chosen."""
        if not self.resend:
            yield from (f"I2 {address} got {copies} copies" for address, copies in got.items() if copies > 1)

    def _names(self) -> Iterator[str]:
        """I3: one Message-ID for a reader and issue, and no two readers under one; the bytes are the same as well."""
        by_reader: dict[str, set[bytes]] = {}
        by_name: dict[str, set[str]] = {}
        for message in self.server.messages:
            by_reader.setdefault(message.recipient, set()).add(message.content)
            by_name.setdefault(message.message_id, set()).add(message.recipient)
        yield from (f"I3 {address}: two different messages" for address, all_ in by_reader.items() if len(all_) > 1)
        yield from (f"I3 {name} names {len(all_)} readers" for name, all_ in by_name.items() if len(all_) > 1)

    def _mailed_after_leaving(self) -> Iterator[str]:
        """I4: nobody is named to the mail server after he left."""
        for asked, _, message in self.server.stored_at:
            if asked - self.left.get(message.recipient, asked) > _AT_ONCE:
                yield f"I4 {message.recipient} left and was mailed"

    def _mailed_after_cancel(self) -> Iterator[str]:
        """I8: a cancelled issue stops within the messages in flight."""
        for asked, _, message in self.server.stored_at:
            if self.cancelled and asked - self.cancelled > _STOPPED:
                yield f"I8 {message.recipient} was mailed {asked - self.cancelled:.1f} s after the cancel"


def _repeated(issues: Sequence[Issue]) -> Iterator[str]:
    """I7: one issue for a slot, each post in one issue."""
    slots = Counter(issue.slot.key for issue in issues)
    posts = Counter(story.post_id for issue in issues for story in issue.stories)
    yield from (f"I7 {name} occurs {n} times" for name, n in (*slots.items(), *posts.items()) if n > 1)


@contextmanager
def ledger(site: SiteFolder) -> Iterator[SqlLedger]:
    database = open_database(f"sqlite:///{site.root}/var/newsletter.sqlite3")
    try:
        yield SqlLedger(database)
    finally:
        database.close()


@contextmanager
def storm(
    folder: Path,
    *,
    seed: int,
    readers: int,
    bad: float = 0.0,
    delay: float = 0.05,
    more: str = "",
    tls: str = "none",
) -> Iterator[Storm]:
    """Issue 1 is ready for its slot; nothing has been sent."""
    chance = random.Random(seed)
    with Lossy(random.Random(seed + 1), bad=bad, delay=delay, tls=tls) as server:
        site = SiteFolder(folder / "site").configure(
            more=f'\n[publish]\nseen_at = "{served(folder / "site" / "feeds")}"\n'
            f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "{tls}"\n'
            f'ca_file = "{CERTIFICATE}"\n'
            f"connections = {CONNECTIONS}\n{more}"
        )
        site.post("diesel-van", "2026-11-23")
        site.post("hybrid-hatch", "2026-11-24", front="continues: diesel-van\n")
        site.readers(readers)
        yield Storm(site, server, chance, readers, resend="resend" in more)
