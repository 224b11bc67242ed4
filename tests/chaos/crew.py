"""A site whose records a PostgreSQL server keeps, an issue that is ready, and workers in processes of their own.

The server is this module's alone, since it is restarted as after a crash. Workers are taken for dead sooner here, so
that nobody waits half a minute for it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import insert, text

from newsletter import config
from newsletter.app import App
from newsletter.model import WEEKLY, DeliveryState, IssueState, Worker
from newsletter.store.tables import subscriber
from tests.acceptance.forked import Forked
from tests.acceptance.harness import CONFIGURATION, FRIDAY, SiteFolder, until
from tests.postgres import Server
from tests.smtpd import Smtpd

NOW = datetime.fromisoformat(FRIDAY)
CONNECTIONS = 3
DOMAINS = ("gmail.com", "outlook.com", "yahoo.com", "icloud.com", "readers.example")
"""Of readers, in turns: each provider has chunks of its own, so that a short issue has several."""


def works(words: tuple[str, ...]) -> None:
    """The command of a worker, for Forked."""
    from newsletter.delivery import cluster, shift
    from newsletter.store import workers
    from tests.acceptance.forked import command

    workers.SILENT, shift.SIGN, cluster.EVERY = timedelta(seconds=5), 0.5, 1
    cluster._STALLED, cluster._HEARTBEAT = 5.0, 1.0
    command(words)


@dataclass
class Crew:
    """Issue 1 on its way to `readers`, sent by whoever was started."""

    site: SiteFolder
    app: App
    server: Smtpd
    postgres: Server
    readers: int
    stack: ExitStack
    started: list[Forked] = field(default_factory=list)

    def starts(self, count: int = 1, *words: str) -> list[Forked]:
        """So many more workers, at work when this returns."""
        new = [self._start(*words) for _ in range(count)]
        self.started += new
        until(lambda: len(self.living()) >= sum(one.poll() is None for one in self.started), what="they sign")
        return new

    def _start(self, *words: str) -> Forked:
        log = self.site.root / f"worker-{len(list(self.site.root.glob('worker-*')))}.log"
        log.touch()
        call = ("worker", "--connections", str(CONNECTIONS), *words, "--now", FRIDAY)
        process = Forked(works, call, cwd=self.site.root, environment=self.site.environ(), out=log, err=log)
        self.stack.callback(process.end)
        return process

    def beside(self, does: Callable[..., None], **how: object) -> Forked:
        """Another process on the same site."""
        log = self.site.root / "beside.log"
        call = partial(does, **how)
        process = Forked(call, self.site.root, cwd=self.site.root, environment=self.site.environ(), out=log, err=log)
        self.stack.callback(process.end)
        return process

    def living(self) -> list[Worker]:
        return [one for one in self.app.workers.workers() if one.lives]

    def goes(self) -> None:
        """The issue is let go."""
        assert self.app.ledger.start_send(WEEKLY, 1, now=NOW)

    def arrived(self, count: int) -> None:
        until(lambda: len(self.server.messages) >= count, what=f"{count} mails")

    def counts(self) -> dict[DeliveryState, int]:
        counts = self.app.ledger.counts(WEEKLY, 1)
        assert sum(counts.values()) == self.readers
        return {state: count for state, count in counts.items() if count}

    @property
    def state(self) -> IssueState:
        issue = self.app.ledger.issue(WEEKLY, 1)
        assert issue
        return issue.state

    def ends(self) -> None:
        over = (IssueState.SENT, IssueState.NEEDS_ATTENTION)
        until(lambda: self.state in over, seconds=90, what="the issue is over")

    def check(self, *, kills: int = 0, copies: int = 0) -> None:
        """Each reader once; whoever is in doubt was in flight at a kill."""
        counts = self.counts()
        doubtful = counts.pop(DeliveryState.UNCERTAIN, 0)
        got = Counter(one.recipient for one in self.server.messages)
        assert doubtful <= kills * CONNECTIONS, counts
        assert counts == {DeliveryState.ACCEPTED: self.readers - doubtful}
        assert sum(got.values()) - len(got) <= copies, got.most_common(5)
        assert len(got) >= self.readers - doubtful
        accepted = {d.address for d in self.app.ledger.deliveries(WEEKLY, 1, DeliveryState.ACCEPTED)}
        assert accepted <= set(got)
        for log in self.site.root.glob("worker-*.log"):
            assert "Traceback" not in (said := log.read_text("utf-8")), said

    def json_status(self) -> list[dict[str, object]]:
        """What `status` says of workers."""
        said = self.site.run("status", "--json", now=FRIDAY)
        return list(said.json["workers"])

    def engine(self, *statements: str) -> None:
        with self.app.database.write() as connection:
            for one in statements:
                connection.execute(text(one))


@contextmanager
def crew(
    folder: Path, postgres: Server, readers: int, *, delay: float = 0.0, more: str = "", prepared: bool = True
) -> Iterator[Crew]:
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        server = stack.enter_context(Smtpd(delay=delay))
        mail = f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\n{more}'
        site = SiteFolder(folder).configure(f'database = "{url}"\n{CONFIGURATION}', mail)
        site.post("diesel-van", "2026-11-24")
        app = stack.enter_context(closing(App(config.load(folder))))
        _add_readers(app, readers)
        if prepared:
            site.ok("prepare", now=FRIDAY)
        yield Crew(site, app, server, postgres, readers, stack)


def _add_readers(app: App, count: int) -> None:
    shared = {"status": "active", "edition": WEEKLY, "joined_at": NOW - timedelta(days=9)}
    addresses = [f"r{n}@{DOMAINS[n % len(DOMAINS)]}" for n in range(count)]
    with app.database.write() as connection:
        connection.execute(insert(subscriber), [{"address": one, "folded": one, **shared} for one in addresses])


@contextmanager
def own_server() -> Iterator[Server]:
    server = Server.planned()
    try:
        yield server
    finally:
        server.stop()


IN_FULL = "CHAOS_SEEDS" in os.environ
