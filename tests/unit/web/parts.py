"""What the tests of the web room are made of: readers in memory, a published folder, a client, a server."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from newsletter.model import Site, Subscriber, SubscriberStatus
from newsletter.publish.search.index import SearchIndex
from newsletter.web.app import create_app
from tests.builders import a_site, built_in

TEMPLATES = Path(__file__).parents[3] / "templates"
templates = built_in
TOKEN = "a-good-token"
LEFT_AT = datetime(2026, 5, 3, 21, 30, tzinfo=UTC)


def a_reader(**changes: object) -> Subscriber:
    reader = Subscriber(7, "reader@example.org", SubscriberStatus.ACTIVE, "weekly", datetime(2026, 3, 3, tzinfo=UTC))
    return replace(reader, **changes)  # type: ignore[arg-type]


@dataclass
class Readers:
    """The use case over a dictionary, with the rules that its Protocol states; `calls` holds what changed anything."""

    by_token: dict[str, Subscriber] = field(default_factory=lambda: {TOKEN: a_reader()})
    undo_open: bool = True
    calls: list[tuple[str, str]] = field(default_factory=list)

    def look(self, token: str) -> Subscriber | None:
        return self.by_token.get(token)

    def leave(self, token: str, *, way: str) -> Subscriber | None:
        self.calls.append(("leave", way))
        before = self.by_token.get(token)
        if before and before.status not in (SubscriberStatus.LEFT, SubscriberStatus.BLOCKED):
            self.by_token[token] = replace(before, status=SubscriberStatus.LEFT, left_at=LEFT_AT)
        return before

    def undo(self, token: str) -> Subscriber | None:
        self.calls.append(("undo", ""))
        reader = self.by_token.get(token)
        if reader and self.may_undo(token):
            self.by_token[token] = replace(reader, status=SubscriberStatus.ACTIVE, left_at=None)
        return self.by_token.get(token)

    def may_undo(self, token: str) -> bool:
        reader = self.by_token.get(token)
        return reader is not None and reader.status is SubscriberStatus.LEFT and self.undo_open


def index_beside(folder: Path) -> SearchIndex:
    """The index that `an_app` answers from once it was written."""
    return SearchIndex(folder.with_name(f"{folder.name}.sqlite3"))


def an_app(folder: Path, readers: Readers | None = None, *, site: Site | None = None) -> Starlette:
    return create_app(
        folder=folder,
        site=site or a_site(),
        templates=templates(),
        unsubscribe=readers or Readers(),
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
