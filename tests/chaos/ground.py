"""A site that is ready to send an issue, and maybe a letter; senders that end at a Point; what must hold after it.

Each run has a copy of the site, and so begins with the same.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter import config
from newsletter.app import App
from newsletter.model import WEEKLY, Delivery, DeliveryState, Issue, IssueState, Letter, LetterKind
from newsletter.store.database import Database
from newsletter.store.letters import write
from tests.acceptance.forked import Forked
from tests.acceptance.harness import FRIDAY, SiteFolder, until
from tests.chaos.alone import hand_out, without_pages
from tests.chaos.points import Point, sender
from tests.chaos.sums import SUMS
from tests.smtpd import DROP, Smtpd

READERS = 4
ASKED = 1
"""Who is owed a letter as well, in runs with one."""

NOW = datetime.fromisoformat(FRIDAY)


class Deadly(Smtpd):
    """A mail server that sends its client a signal when the conversation has come to a Point."""

    def __init__(self) -> None:
        super().__init__()
        self.rest()

    def rest(self) -> None:
        """From now on, do no harm."""
        self._point: Point | None = None
        self._victim = 0
        self._there = threading.Event()
        self._came = 0

    def aim(self, point: Point) -> None:
        self._point = point

    def at(self, victim: int) -> None:
        self._victim = victim
        self._there.set()

    @property
    def quiet(self) -> bool:
        """Whether nobody is connected any more."""
        return not self._open

    def reply_at(self, stage: str, recipient: str = "") -> str:
        point = self._point
        if point and point.place.partition(" ")[0] == stage:
            self._came += 1
            if self._came == point.nth:
                self._there.wait(10)
                os.kill(self._victim, point.signal)
                return DROP if point.place == "DOT lost" else ""
        return super().reply_at(stage, recipient)


@dataclass
class Ground:
    """A site as it was before the send, of which each run gets a copy; one mail server serves them all."""

    folder: Path
    server: Deadly
    readers: int
    runs: int = 0

    def run(self, connections: int, after_crash: str = "ask", *, letter: bool = False) -> Run:
        self.runs += 1
        root = self.folder / f"run-{self.runs}"
        shutil.copytree(self.folder / "site", root)
        text = (root / "newsletter.toml").read_text("utf-8")
        more = f'connections = {connections}\nafter_crash = "{after_crash}"\n'
        (root / "newsletter.toml").write_text(text + more, "utf-8")
        with closing(App(config.load(root))) as app:
            app.instance.claim()  # a copy may not send letters
            if letter:
                _ask(app.database)
        self.server.messages.clear()
        return Run(self, root, connections, resend=after_crash == "resend", letters=int(letter))


@dataclass
class Run:
    """One copy of the site on its way."""

    ground: Ground
    root: Path
    connections: int
    resend: bool = False
    letters: int = 0
    kills: int = 0

    def sends(self, point: Point | None = None, now: datetime = NOW) -> Forked:
        """A sender in a process of its own, which may come to the Point."""
        log = self.root / "sender.log"
        server = self.ground.server
        server.rest()
        if point and point.of_the_server:
            server.aim(point)
        process = Forked(sender, self.root, now, point, cwd=self.root, environment=dict(os.environ), out=log, err=log)
        server.at(process.pid)
        return process

    def dies_at(self, point: Point) -> str:
        """Send until there; who was writing, or the stage. Empty when the send was over before."""
        process = self.sends(point)
        status = process.wait(60)
        until(lambda: self.ground.server.quiet)
        self.ground.server.rest()
        said = (self.root / "sender.log").read_text("utf-8")
        assert "Traceback" not in said, said
        assert status in (0, -signal.SIGKILL, -signal.SIGXFSZ), (status, said)
        if status == 0:
            return ""
        self.kills += 1
        return point.place if point.of_the_server else (self.root / "ended-at").read_text()

    def ends(self, now: datetime = NOW) -> None:
        """Whoever comes next finishes what may go."""
        self.ground.server.rest()
        with closing(App(config.load(self.root))) as app:
            without_pages(app)
            hand_out(app, now)

    def read(self) -> tuple[Issue, Sequence[Delivery], Sequence[Letter]]:
        with closing(App(config.load(self.root))) as app:
            issue = app.ledger.issue(WEEKLY, 1)
            assert issue
            return issue, app.ledger.deliveries(WEEKLY, 1), app.letters.of(ASKED)

    def states(self) -> dict[str, DeliveryState]:
        return {one.address: one.state for one in self.read()[1]}

    def check(self) -> None:
        """I1 to I7, for whoever reads them in `docs/delivery.md`."""
        issue, deliveries, letters = self.read()
        got = Counter((one.recipient, one.message_id) for one in self.ground.server.messages)
        ends = [*((one.address, one.state) for one in deliveries), *((one.address, one.state) for one in letters)]
        states = Counter(state for _, state in ends)
        doubtful = states[DeliveryState.UNCERTAIN]
        assert len(deliveries) == issue.audience == self.ground.readers, "I5"
        assert len(letters) == self.letters, "I7"
        assert set(states) <= {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN}, f"I1 {states}"
        assert doubtful <= self.kills * (self.connections + 1), f"I2 {doubtful}"
        copies = sum(got.values()) - len(got)
        assert copies <= (self.kills * (self.connections + 1) if self.resend else 0), f"I2 {got}"
        assert len({name for _, name in got}) == len(got) <= self.ground.readers + self.letters, "I3"
        accepted = [address for address, state in ends if state is DeliveryState.ACCEPTED]
        assert not Counter(accepted) - Counter(address for address, _ in got), "I6"
        left = any(one.state is DeliveryState.UNCERTAIN for one in deliveries)
        assert issue.state is (IssueState.NEEDS_ATTENTION if left else IssueState.SENT), "I1"
        SUMS.update(kills=self.kills, messages=sum(got.values()), uncertain=doubtful, copies=copies)


@contextmanager
def ground(folder: Path, readers: int = READERS, more: str = "") -> Iterator[Ground]:
    """Issue 1 is ready for its slot, letters wait; nothing has been sent."""
    with Deadly() as server:
        site = SiteFolder(folder / "site").configure(
            more=f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\n' + more
        )
        site.post("diesel-van", "2026-11-24")
        site.readers(readers)
        site.ok("prepare", now=FRIDAY)
        yield Ground(folder, server, readers)


def _ask(database: Database) -> None:
    with database.write() as connection:
        write(connection, LetterKind.LINK, ASKED, f"reader{ASKED - 1:04}@readers.example", NOW)
