"""What the tests of the web room are made of: readers in memory, a published folder, a client, a server."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from weakref import finalize
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.testclient import TestClient

from newsletter.model import MONTHLY, WEEKLY, Cadence, Evidence, Letter, Site, Subscriber
from newsletter.publish.query import Choice
from newsletter.publish.search.index import SearchIndex
from newsletter.readers.intake import Intake
from newsletter.readers.limits import decide
from newsletter.readers.suppression import fingerprint
from newsletter.readers.tokens import DATA, PREFERENCES, UNSUBSCRIBE, Tokens
from newsletter.store.database import Database, open_database
from newsletter.store.letters import SqlLetters
from newsletter.store.rates import SqlRates
from newsletter.store.roster import SqlRoster
from newsletter.usecases.enroll import Unsubscribe
from newsletter.usecases.new_address import NewAddress
from newsletter.usecases.own_data import OwnData
from newsletter.usecases.preferences import Preferences
from newsletter.usecases.rhythms import Rhythms
from newsletter.web.app import Own, create_app
from tests.builders import a_site, built_in

TEMPLATES = Path(__file__).parents[3] / "templates"
templates = built_in
TOKENS = Tokens(["t" * 20])
TOKEN = TOKENS.make(UNSUBSCRIBE, (1, 1))
MADRID = ZoneInfo("Europe/Madrid")
JOINED_AT = datetime(2026, 3, 3, tzinfo=UTC)
LEFT_AT = datetime(2026, 5, 3, 21, 30, tzinfo=UTC)
TOPICS = (Choice("batteries", "Batteries", 30), Choice("road-tests", "Road tests", 12), Choice("vans", "Vans", 3))


@cache
def _empty() -> bytes:
    """A migrated database without a row: copying it is faster than migrating."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite3"
        open_database(f"sqlite:///{file}").close()
        return file.read_bytes()


def _end(database: Database) -> None:
    database.close()
    shutil.rmtree(Path(database.place).parent, ignore_errors=True)  # it may be called in any test


class Readers:
    """Readers in a database of their own, the first of them with TOKEN, and what their pages can do.

    `now` is the time on the clock of the pages; they joined in March.
    """

    def __init__(self, *addresses: str, editions: Sequence[str] = (WEEKLY,)) -> None:
        file = Path(mkdtemp()) / "newsletter.sqlite3"
        file.write_bytes(_empty())
        self.database = open_database(f"sqlite:///{file}", patience=0.5)
        finalize(self, _end, self.database)
        self.roster = SqlRoster(self.database, lambda address: fingerprint("s" * 20, address))
        self.letters = SqlLetters(self.database)
        self.now = LEFT_AT
        weekly = Cadence(4, time(8), MADRID, timedelta(hours=36))
        each = {one: replace(weekly, edition=one, nth=int(one == MONTHLY)) for one in editions}
        self.rhythms = Rhythms(lambda: each, lambda _: False, MADRID)
        for address in addresses or ("reader@example.org",):
            self.roster.add(address, edition=WEEKLY, evidence=Evidence("cli", "on paper"), now=JOINED_AT)
        self.unsubscribe = Unsubscribe(self.roster, TOKENS, self.rhythms, self.clock)
        limits = (SqlRates(self.database, decide), Intake(answer_after=timedelta(0)), "k" * 20)
        preferences = Preferences(self.roster, TOKENS, self.rhythms, *limits, self.clock)
        data, move = OwnData(self.roster, TOKENS, self.clock), NewAddress(self.roster, self.letters, TOKENS, self.clock)
        self.own = Own(preferences, data, move, lambda _since: TOPICS)

    def clock(self) -> datetime:
        return self.now

    def reader(self, number: int = 1) -> Subscriber:
        found = self.roster.get(number)
        assert found
        return found

    def said(self, number: int = 1) -> list[tuple[str, str]]:
        """Kind and way of what a reader said since they joined."""
        return [(line.kind.value, line.way) for line in self.roster.consents(number)[1:]]

    def path(self, page: str, number: int = 1) -> str:
        """The address of a page of a reader's, as a mail that is written now has it: `u`, `p`, `d`."""
        key = (number, self.reader(number).token_version)
        purposes = {"u": UNSUBSCRIBE, "p": PREFERENCES}
        return f"/{page}/{TOKENS.make(DATA, key, self.now) if page == 'd' else TOKENS.make(purposes[page], key)}"

    def written(self, number: int = 1) -> list[Letter]:
        return list(self.letters.of(number))


def index_beside(folder: Path) -> SearchIndex:
    """The index that `an_app` answers from once it was written."""
    return SearchIndex(folder.with_name(f"{folder.name}.sqlite3"))


def an_app(folder: Path, readers: Readers | None = None, *, site: Site | None = None) -> Starlette:
    readers = readers or Readers()
    return create_app(
        folder=folder,
        site=site or a_site(),
        templates=templates(),
        unsubscribe=readers.unsubscribe,
        own=readers.own,
        search=index_beside(folder),
        hosts=["also.example", "::2"],
    )


def a_client(app: Starlette, base_url: str = "https://autotrendy.example", *, raising: bool = True) -> TestClient:
    return TestClient(app, base_url=base_url, follow_redirects=False, raise_server_exceptions=raising)


def publish(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write each file at its path below the folder."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


SERVER = """
    import sys
    from pathlib import Path
    from newsletter.errors import NewsletterError
    from newsletter.web.serve import run
    from tests.unit.web.parts import an_app

    try:
        run(an_app(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), graceful_seconds=1,
            ready=lambda address: print(address, flush=True))
    except NewsletterError as error:
        print(error.problems[0].code, flush=True)
        sys.exit(error.exit_status)
    print("stopped", flush=True)
"""


def start(folder: Path, port: int = 0) -> subprocess.Popen[str]:
    """A server of its own process; its first line is its address, or the code of its problem."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(SERVER), str(folder), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of a server that runs meanwhile, and that must end well and have written nothing to standard error."""
    process = start(folder)
    try:
        yield port_of(process)
        process.terminate()
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, output, errors) == (0, "stopped\n", "")
