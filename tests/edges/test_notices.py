"""Notices on real sockets: a mail server that is away, a webhook that stumbles, a monitor that listens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.cli.door import Door
from newsletter.cli.rounds import Rounds
from newsletter.model import Notice, NoticeKind
from newsletter.store.keys import webhook_key
from tests.acceptance.harness import SiteFolder, until
from tests.smtpd import DROP_STORED, Smtpd

NOON = datetime.fromisoformat("2026-11-25T12:00:00+01:00")
MINUTE = timedelta(minutes=1)
PEOPLE = """
[people.chief]
name = "Chief"
email = "chief@desk.example"
role = "editor"

[people.night]
name = "Night"
email = "night@desk.example"
role = "operator"
"""


@dataclass
class Listener:
    """A web server elsewhere, which answers with `status` and remembers what it was told."""

    url: str
    status: int = 200
    gate: threading.Event = field(default_factory=threading.Event)  # a GET is answered once it is open
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[dict[str, object]]:
        return [json.loads(content) for method, _, content in self.heard if method == "POST"]


@contextmanager
def listening() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        listener: ClassVar[Listener]

        def do_POST(self) -> None:
            self._hear(self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self) -> None:
            self.listener.gate.wait(10)
            self._hear(b"")

        def _hear(self, content: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.listener.heard.append((self.command, headers, content))
            self.send_response(self.listener.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.listener = Listener(f"http://127.0.0.1:{server.server_port}/ping")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Handler.listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Newsroom:
    """A site whose editors are told things through a real mail server and a real webhook."""

    folder: SiteFolder
    app: App
    server: Smtpd
    web: Listener

    def tell(self, key: str = "held:1", kind: NoticeKind = NoticeKind.HELD) -> None:
        told = Notice(key, kind, NOON, "issue 1", "Issue 1 is held", "It is held.", "Late.", "it stays held.")
        assert self.app.desk.tell(told)

    def round(self, after: timedelta = timedelta(0)) -> None:
        self.app.hand_over_notices(lambda: NOON + after)

    @property
    def mailed(self) -> list[str]:
        return sorted(message.recipient for message in self.server.messages)

    def waiting(self, after: timedelta = timedelta(0)) -> list[tuple[str, str]]:
        return [(copy.to, copy.reply) for copy in self.app.notices.open(NOON + after, timedelta(days=7))]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with Smtpd() as server, listening() as web:
        mail = f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\n'
        notices = f'\n[notices]\nwebhook = "{web.url}"\nheartbeat_url = "{web.url}"\n'
        folder = SiteFolder(tmp_path / "site").configure(more=f"{PEOPLE}{mail}{notices}")
        app = App(config.load(folder.root))
        yield Newsroom(folder, app, server, web)
        app.close()


def test_each_person_and_the_webhook_are_told_once(newsroom: Newsroom) -> None:
    newsroom.tell()
    for minutes in range(3):
        newsroom.round(minutes * MINUTE)
    assert newsroom.mailed == ["chief@desk.example", "night@desk.example"]
    assert [told["subject"] for told in newsroom.web.told] == ["Issue 1 is held"]
    assert newsroom.server.connections == 1


def test_the_webhook_is_told_so_that_a_library_of_the_standard_verifies_it(newsroom: Newsroom) -> None:
    newsroom.tell()
    newsroom.round()
    [(_, headers, content)] = newsroom.web.heard
    key = webhook_key(newsroom.app.config.keys_file)
    assert key.startswith("whsec_")
    assert f'webhook = "{key}"' in newsroom.app.config.keys_file.read_text()
    assert headers["webhook-signature"].startswith("v1,")
    assert headers["content-type"] == "application/json"
    assert json.loads(content)["type"] == "held"


def test_a_mail_server_that_is_away_keeps_nobody_else_waiting_and_nothing_is_lost(newsroom: Newsroom) -> None:
    newsroom.server.refuse()
    newsroom.server.hang_up()
    newsroom.tell()
    newsroom.round()
    assert newsroom.mailed == []
    assert len(newsroom.web.told) == 1
    assert [to for to, _ in newsroom.waiting()] == ["chief", "night"]
    newsroom.server.listen()
    newsroom.round(MINUTE / 2)
    assert newsroom.mailed == []  # the next try is a minute off
    newsroom.round(MINUTE)
    assert newsroom.mailed == ["chief@desk.example", "night@desk.example"]
    assert newsroom.waiting(MINUTE) == []


def test_the_webhook_is_told_once_a_day_that_mail_is_broken_and_no_mail_says_so(newsroom: Newsroom) -> None:
    newsroom.server.refuse()
    newsroom.server.hang_up()
    newsroom.tell()
    rounds = Rounds(Door(site=str(newsroom.folder.root), _app=newsroom.app), threading.Event())
    for minutes in range(0, 30, 10):
        rounds.clock = lambda minutes=minutes: NOON + minutes * MINUTE  # type: ignore[misc]
        rounds.look()
    assert [told["type"] for told in newsroom.web.told] == ["held", "mail"]
    newsroom.server.listen()
    newsroom.round(timedelta(hours=5))
    assert newsroom.mailed == ["chief@desk.example", "night@desk.example"]


def test_an_address_that_the_server_refuses_is_shown_with_its_words_and_the_other_is_served(newsroom: Newsroom) -> None:
    newsroom.server.fault("RCPT", "550 5.1.1 nobody here", to="chief@desk.example", times=99)
    newsroom.tell()
    for hours in range(60):
        newsroom.round(timedelta(hours=hours))
    assert newsroom.mailed == ["night@desk.example"]
    assert newsroom.waiting() == [("chief", "550 5.1.1 nobody here")]


def test_a_connection_that_breaks_after_the_text_is_a_second_try_that_says_so(newsroom: Newsroom) -> None:
    newsroom.server.fault("DOT", DROP_STORED, to="chief@desk.example")
    newsroom.tell()
    newsroom.round()
    newsroom.round(MINUTE)
    first, second = (m.content for m in newsroom.server.messages if m.recipient == "chief@desk.example")
    assert message_from_bytes(first)["Message-ID"] == message_from_bytes(second)["Message-ID"]
    assert b"You may have had this before" not in first
    assert b"You may have had this before" in second


def test_a_webhook_that_stumbles_is_called_again_and_at_last_left_alone(newsroom: Newsroom) -> None:
    newsroom.web.status = 500
    newsroom.tell()
    for hours in range(80):
        newsroom.round(timedelta(hours=hours))
    calls = len(newsroom.web.told)
    assert 5 < calls < 20
    assert newsroom.web.told[-1]["attempt"] == calls
    assert newsroom.waiting(timedelta(hours=80)) == [("(webhook)", "it answered 500")]


def test_a_person_who_left_the_configuration_is_told_nothing(newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.tell()
    text = (newsroom.folder.root / "newsletter.toml").read_text().replace("night@desk.example", "")
    (newsroom.folder.root / "newsletter.toml").write_text(text)
    app = App(config.load(newsroom.folder.root))
    app.hand_over_notices(lambda: NOON)
    app.close()
    assert newsroom.mailed == ["chief@desk.example"]
    assert newsroom.waiting() == [("night", "night has no address under [people] any more")]


SENDER = """
import sys
from datetime import datetime
from pathlib import Path
from newsletter import config
from newsletter.app import App
app = App(config.load(Path(sys.argv[1])))
app.hand_over_notices(lambda: datetime.fromisoformat(sys.argv[2]))
"""


def test_a_sender_that_is_killed_leaves_each_notice_told_or_clearly_told_again(newsroom: Newsroom) -> None:
    newsroom.tell()
    newsroom.server.delay = 0.4  # at the final dot
    command = [sys.executable, "-c", SENDER, str(newsroom.folder.root), NOON.isoformat()]
    process = subprocess.Popen(command)
    until(lambda: newsroom.server.messages or "DATA" in " ".join(newsroom.server.commands), what="the first text")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    newsroom.server.delay = 0
    newsroom.round(MINUTE)
    newsroom.round(2 * MINUTE)
    by_person: dict[str, list[bytes]] = {}
    for message in newsroom.server.messages:
        by_person.setdefault(message.recipient, []).append(message.content)
    assert sorted(by_person) == ["chief@desk.example", "night@desk.example"]
    for first, *again in by_person.values():
        assert all(b"You may have had this before" in content for content in again)
        assert {message_from_bytes(content)["Message-ID"] for content in again} <= {
            message_from_bytes(first)["Message-ID"]
        }
    assert newsroom.waiting(2 * MINUTE) == []


def test_each_look_of_work_is_a_knock_and_a_monitor_that_is_away_is_told_once(
    newsroom: Newsroom, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = Rounds(Door(site=str(newsroom.folder.root), _app=newsroom.app), threading.Event())
    rounds.clock = lambda: NOON
    newsroom.web.status = 503
    newsroom.web.gate.set()
    for _ in range(2):
        rounds.look()
        until(lambda: rounds._telling._knock and not rounds._telling._knock.is_alive())
    assert [method for method, _, _ in newsroom.web.heard] == ["GET", "GET"]
    told = capsys.readouterr().err
    assert told.count("did not hear the heartbeat: it answered 503") == 1
    assert "/ping" not in told


def test_a_monitor_that_does_not_answer_keeps_no_look_waiting(newsroom: Newsroom) -> None:
    rounds = Rounds(Door(site=str(newsroom.folder.root), _app=newsroom.app), threading.Event())
    rounds.clock = lambda: NOON
    rounds.look()
    first = rounds._telling._knock
    rounds.look()
    assert first
    assert first.is_alive()  # both looks are over, and the one knock goes on
    assert rounds._telling._knock is first
    newsroom.web.gate.set()
    first.join(10)
    assert [method for method, _, _ in newsroom.web.heard] == ["GET"]
