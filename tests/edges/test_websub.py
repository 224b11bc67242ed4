"""Hubs on a real socket: told after a publish of what changed, tried again when they were away, never in the way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from newsletter.model import Library, Site
from newsletter.outside.client import Client
from newsletter.publish.output import Folder
from newsletter.publish.websub import Hubs
from tests.builders import a_library, a_post, a_site, feed_files

NOW = datetime(2022, 3, 1, tzinfo=UTC)
ROOT = "https://autotrendy.example/"
ALL = {f"{folder}{name}" for folder in ("", "issues/", "topics/batteries/", "authors/news-desk/")
       for name in ("rss.xml", "atom.xml", "feed.json")}  # fmt: skip


@dataclass
class Hub:
    """A hub that answers with `status` and remembers what it was asked."""

    url: str
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    status: int = 204

    def topics(self) -> list[str]:
        """What it was told of, as paths; then it forgets."""
        told = [form["hub.topic"][0].removeprefix(ROOT) for _, form in self.asked]
        self.asked.clear()
        return told


@contextmanager
def a_hub(status: int = 204) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        hub: ClassVar[Hub]

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
            self.hub.asked.append((self.path, parse_qs(form)))
            self.send_response(self.hub.status)
            self.send_header("Content-Length", "0")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Handler.hub = Hub(f"http://127.0.0.1:{server.server_port}/push?site=1", status=status)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Handler.hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _publish(folder: Path, site: Site, library: Library) -> None:
    Folder(folder / "feeds").write(feed_files(site, library, []), {})


def _hubs(folder: Path, site: Site, seconds: float = 10) -> Hubs:
    client = Client(seconds=seconds, ports=range(1, 65536), may_call=lambda _address: True)
    return Hubs(site, folder / "feeds", folder / "var", client)


def test_a_hub_is_told_of_every_feed_by_a_form_that_all_hubs_read(tmp_path: Path) -> None:
    with a_hub() as hub:
        site = a_site(hubs=(hub.url,))
        _publish(tmp_path, site, a_library(a_post()))

        assert _hubs(tmp_path, site).announce(NOW) == []
        path, form = hub.asked[0]
        assert path == "/push?site=1"
        assert form == {"hub.mode": ["publish"], "hub.url": form["hub.topic"], "hub.topic": form["hub.topic"]}
        assert set(hub.topics()) == ALL


def test_only_feeds_whose_bytes_changed_are_told(tmp_path: Path) -> None:
    with a_hub() as hub:
        site = a_site(hubs=(hub.url,))
        first = a_post("first")
        _publish(tmp_path, site, a_library(first))
        _hubs(tmp_path, site).announce(NOW)
        hub.topics()

        _publish(tmp_path, site, a_library(first))
        _hubs(tmp_path, site).announce(NOW)
        assert hub.topics() == []

        _publish(tmp_path, site, a_library(first, a_post("second", topics=("Makers",))))
        _hubs(tmp_path, site).announce(NOW)
        told = set(hub.topics())
        assert {"rss.xml", "atom.xml", "feed.json", "authors/news-desk/rss.xml", "topics/makers/rss.xml"} < told
        assert not any(topic.startswith(("topics/batteries/", "issues/")) for topic in told)


def test_a_file_that_was_only_touched_is_not_told(tmp_path: Path) -> None:
    with a_hub() as hub:
        site = a_site(hubs=(hub.url,))
        _publish(tmp_path, site, a_library(a_post()))
        _hubs(tmp_path, site).announce(NOW)
        hub.topics()
        (tmp_path / "feeds/rss.xml").touch()

        _hubs(tmp_path, site).announce(NOW)
        assert hub.topics() == []


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_a_hub_that_refuses_is_one_warning_and_is_tried_again_later(tmp_path: Path, status: int) -> None:
    with a_hub(status) as hub:
        site = a_site(hubs=(hub.url,))
        _publish(tmp_path, site, a_library(a_post()))

        found = _hubs(tmp_path, site).announce(NOW)
        assert [(problem.code, problem.level) for problem in found] == [("F550", "warn")]
        assert str(status) in found[0].message
        assert len(hub.topics()) == 1  # one that fails is not asked again in the same round

        hub.status = 202
        assert _hubs(tmp_path, site).announce(NOW) == []
        assert hub.topics() == []
        assert _hubs(tmp_path, site).announce(NOW + timedelta(minutes=1)) == []
        assert set(hub.topics()) == ALL


def test_something_waits_until_every_hub_was_told(tmp_path: Path) -> None:
    with a_hub(503) as hub:
        site = a_site(hubs=(hub.url,))
        _publish(tmp_path, site, a_library(a_post()))
        hubs = _hubs(tmp_path, site)
        assert hubs.waiting()
        hubs.announce(NOW)
        assert hubs.waiting()
        hub.status = 204
        hubs.announce(NOW + timedelta(minutes=1))
        assert not hubs.waiting()


def test_a_dead_hub_keeps_no_other_from_being_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    with a_hub() as hub:
        site = a_site(hubs=(dead, hub.url))
        _publish(tmp_path, site, a_library(a_post()))

        found = _hubs(tmp_path, site).announce(NOW)
        assert [problem.code for problem in found] == ["F550"]
        assert dead in found[0].message
        assert set(hub.topics()) == ALL


def test_a_hub_that_never_answers_is_left_after_a_while(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site = a_site(hubs=(f"http://127.0.0.1:{silent.getsockname()[1]}/",))
        _publish(tmp_path, site, a_library(a_post()))

        assert [problem.code for problem in _hubs(tmp_path, site, seconds=0.05).announce(NOW)] == ["F550"]


def test_a_hub_that_talks_nonsense_is_a_warning(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-hello\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        site = a_site(hubs=(f"http://127.0.0.1:{server.getsockname()[1]}/",))
        _publish(tmp_path, site, a_library(a_post()))
        found = _hubs(tmp_path, site).announce(NOW)
        thread.join()

    assert [problem.code for problem in found] == ["F550"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"known": 1, "waiting": 2, "marks": 3}', "\x00"])
def test_a_damaged_record_is_begun_anew(tmp_path: Path, content: str) -> None:
    with a_hub() as hub:
        site = a_site(hubs=(hub.url,))
        _publish(tmp_path, site, a_library(a_post()))
        (tmp_path / "var").mkdir()
        (tmp_path / "var/websub.json").write_text(content)

        assert _hubs(tmp_path, site).announce(NOW) == []
        assert set(hub.topics()) == ALL
        assert _hubs(tmp_path, site).announce(NOW) == []
        assert hub.topics() == []


def test_a_state_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("in the way")
    site = a_site(hubs=("http://127.0.0.1:9/",))
    _publish(tmp_path, site, a_library(a_post()))

    assert [(p.code, p.level) for p in _hubs(tmp_path, site).announce(NOW)] == [("F551", "warn")]


def test_nothing_published_is_nothing_to_tell(tmp_path: Path) -> None:
    assert _hubs(tmp_path, a_site(hubs=("http://127.0.0.1:9/",))).announce(NOW) == []


def test_while_another_process_tells_the_hubs_it_is_left_to_it(tmp_path: Path) -> None:
    with a_hub() as hub:
        site = a_site(hubs=(hub.url,))
        _publish(tmp_path, site, a_library(a_post()))
        hubs = _hubs(tmp_path, site)
        with hubs._turn() as mine:
            assert mine
            assert _hubs(tmp_path, site).announce(NOW) == []
        assert hub.topics() == []
