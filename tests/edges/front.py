"""The front door of a site for tests: the real pages over a real database, with a clock that a test sets."""

from __future__ import annotations

import atexit
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from jinja2 import Environment
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from newsletter.model import WEEKLY, DeliveryState, Letter, LetterKind, Outcome, Receipt, Settlement, Site, Subscriber
from newsletter.readers.intake import Intake
from newsletter.readers.limits import decide
from newsletter.readers.suppression import fingerprint
from newsletter.readers.tokens import CONFIRM, Tokens
from newsletter.store import tables
from newsletter.store.database import Database, open_database
from newsletter.store.letters import SqlLetters
from newsletter.store.rates import SqlRates
from newsletter.store.roster import SqlRoster
from newsletter.usecases.enroll import Unsubscribe
from newsletter.usecases.rhythms import Rhythms
from newsletter.usecases.showcase import Coming, Showcase
from newsletter.usecases.signup import Signup
from newsletter.web.app import create_app
from newsletter.web.subscribe import Desk
from tests.builders import a_post, a_site, a_slot, an_issue, built_in

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
AT_ONCE = Intake(answer_after=timedelta(0))
ADA = "ada@readers.example"


@dataclass
class Front:
    """`now` may be set; `intake`, `showcase` and `site` are what the pages were made with."""

    folder: Path
    intake: Intake = AT_ONCE
    site: Site = field(default_factory=lambda: a_site(mail_day=4))
    keep_network: bool = False
    now: datetime = NOON
    templates: Environment | None = None

    def __post_init__(self) -> None:
        shutil.copy(_empty(), self.folder / "newsletter.sqlite3")
        self.database: Database = open_database(f"sqlite:///{self.folder / 'newsletter.sqlite3'}")
        self.roster = SqlRoster(self.database, lambda address: fingerprint("s" * 20, address))
        self.letters = SqlLetters(self.database)
        self.rates = SqlRates(self.database, decide)
        self.tokens = Tokens(["t" * 20])
        slot = a_slot("2022-W49", datetime(2026, 12, 4, 7, tzinfo=UTC))
        coming = {WEEKLY: Coming(48, slot)}
        self.showcase = Showcase(4, an_issue(47, a_post(), a_post("hybrid-hatch")), coming, readers=1284)
        self.signup = Signup(
            self.roster, self.rates, self.tokens, lambda: self.now, self.intake, "k" * 20, self.keep_network
        )
        self.app: Starlette = create_app(
            folder=self.folder / "feeds",
            site=self.site,
            templates=self.templates or built_in(self.site.language),
            unsubscribe=Unsubscribe(self.roster, self.tokens, Rhythms(dict, lambda _: False, UTC), lambda: self.now),
            desk=Desk(self.signup, lambda: self.showcase, self._preferences),
            proxies=["127.0.0.1"],
        )

    def close(self) -> None:
        self.database.close()

    def client(self, address: str = "203.0.113.7") -> TestClient:
        """Somebody at an address, who follows no redirect."""
        return TestClient(
            self.app, base_url=self.site.web_url, follow_redirects=False, client=(address, 40_000), backend="asyncio"
        )

    def form(self, email: str = ADA, **changes: Any) -> dict[str, str]:
        """What the form sends that was shown a minute ago."""
        shown = replace(self.signup, clock=lambda: self.now - timedelta(minutes=1)).form()
        return {"email": email, "edition": WEEKLY, "website": "", "shown": shown} | changes

    def all_letters(self) -> Sequence[Letter]:
        return [letter for reader in self.roster.all() for letter in self.letters.of(reader.id)]

    def sent(self) -> None:
        """What is to be sent leaves now."""
        for letter in self.letters.due(self.now, 1000):
            if begun := self.letters.begin(letter, self.now):
                settled = Settlement(begun[0].subscriber_id, DeliveryState.ACCEPTED, receipt=Receipt(Outcome.ACCEPTED))
                self.letters.settle(begun[0], settled, self.now)

    def held(self) -> list[object]:
        """All that is remembered of readers, and of what was asked lately."""
        with self.database.read() as connection:
            kept = (tables.subscriber, tables.consent, tables.letter, tables.rate)
            return [connection.execute(select(table)).all() for table in kept]

    def reader(self, address: str = ADA) -> Subscriber:
        found = self.roster.find(address)
        assert found
        return found

    def link(self, address: str = ADA) -> str:
        """The link in the last letter that asks this address to confirm."""
        reader = self.reader(address)
        letters = [one for one in self.letters.of(reader.id) if one.kind is LetterKind.CONFIRM]
        return f"/c/{self.tokens.make(CONFIRM, (reader.id, reader.token_version), letters[-1].at)}"

    def _preferences(self, reader: int, version: int) -> str:
        return f"{self.site.web_url}/p/{reader}.{version}"


@cache
def _empty() -> Path:
    """A migrated database without a row; copying it is faster than migrating."""
    folder = mkdtemp(prefix="front-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "empty.sqlite3"
    open_database(f"sqlite:///{file}").close()
    return file


def heading(page: str) -> str:
    """The text of its h1."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
    assert found
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def hidden(page: str) -> dict[str, str]:
    """The values of the hidden fields of a page's last form."""
    form = page.rpartition("<form")[2]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
