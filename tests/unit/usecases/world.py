"""A site with its readers, and the verbs called on it in this process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from newsletter import config
from newsletter.app import App
from newsletter.model import WEEKLY, Evidence, Hand, Issue, IssueState, by_clock
from newsletter.usecases import report
from newsletter.usecases import send as sending
from newsletter.usecases.choose import Press
from newsletter.usecases.deliver import Delivered
from newsletter.usecases.prepare import Prepared, prepare
from tests.acceptance.harness import SiteFolder
from tests.builders import built_in

WEDNESDAY = datetime.fromisoformat("2026-11-25T12:00:00+01:00")
SLOT = datetime.fromisoformat("2026-11-27T08:00:00+01:00")
WEEK = timedelta(weeks=1)


@dataclass
class World:
    """A site of `review = "off"` whose first slot is Friday 27 November 2026, 08:00 in Madrid."""

    folder: SiteFolder
    app: App

    def press(self, now: datetime) -> Press:
        return self.app.press(self.app.library(now), now)

    def join(self, *addresses: str, now: datetime = WEDNESDAY) -> None:
        for address in addresses:
            self.app.roster.add(address, edition=WEEKLY, evidence=Evidence("cli", "test"), now=now)

    def prepare(self, now: datetime, *, dry_run: bool = False) -> Prepared:
        return prepare(self.press(now), dry_run=dry_run)

    def prepare_due(self, now: datetime) -> Prepared:
        """As the clock does, a little before the slot too."""
        return prepare(self.app.press_of_slot(self.app.library(now), now), hand=by_clock(now))

    def send(self, now: datetime, number: int | None = None, delay: timedelta = timedelta(0)) -> Issue:
        """By hand, with the right count typed."""
        press = self.press(now)
        plan = sending.plan(press, self.app.roster, number)
        return sending.send(
            press, plan, confirmed=plan.audience.readers, delay=delay, at=None, hand=Hand("operator", "cli", now)
        )

    def cancel(self, number: int, now: datetime) -> int:
        hand = Hand("operator", "cli", now)
        issue = report.issue_named(self.app.ledger, WEEKLY, number)
        return sending.cancel(self.app.ledger, issue, self.app.config.cadence, reason="a test", hand=hand)

    def deliver(self, now: datetime) -> Delivered:
        return self.app.deliver(clock=lambda: now, stop=threading.Event())

    def states(self) -> dict[int, IssueState]:
        return {issue.number: issue.state for issue in self.app.ledger.issues(WEEKLY)}

    def slots(self) -> dict[str, str]:
        return {record.key: record.outcome.value for record in self.app.ledger.slots(WEEKLY)}


def a_world(root: Path, *posts: tuple[str, str], more: str = "") -> World:
    """A site at `root` with posts given as (slug, date)."""
    folder = SiteFolder(root).configure(more=more)
    for slug, day in posts:
        folder.post(slug, day)
    return a_world_in(folder)


def a_world_in(folder: SiteFolder) -> World:
    """A site that is there; its templates are those of all worlds, compiled once."""
    app = App(config.load(folder.root))
    app.__dict__["templates"] = built_in()
    return World(folder, app)
