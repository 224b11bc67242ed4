"""`newsletter preview` as a process: what it says, when it reloads, how it ends."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx

from tests.acceptance.forked import Forked
from tests.acceptance.harness import FRIDAY, SiteFolder, until


def said(site: SiteFolder) -> str:
    return "".join(path.read_text() for path in sorted(site.root.glob("preview-*.log")))


@contextmanager
def previewed(site: SiteFolder, *words: str, now: str = FRIDAY) -> Iterator[tuple[httpx.Client, Forked]]:
    with site.started("preview", *(words or ("--port", "0")), now=now) as process:
        until(lambda: "Ctrl-C" in said(site) or process.poll() is not None)
        address = re.search(r"Site +(http://127\.0\.0\.1:\d+)/", said(site))
        assert address, said(site)
        with httpx.Client(base_url=address[1], timeout=30) as client:
            yield client, process


def test_the_site_the_next_mail_and_the_outbox_are_named_and_there(site: SiteFolder) -> None:
    with previewed(site) as (client, _):
        for path, title in (("/", "Hybrid hatch"), ("/next/", "Next mail"), ("/outbox/", "Outbox")):
            assert str(client.base_url).rstrip("/") + path in said(site)
            assert title in client.get(path).text
    assert not (site.root / "feeds").exists()


def test_a_save_is_told_and_shown_and_an_error_keeps_the_last_good_page(site: SiteFolder) -> None:
    path = site.post("diesel-van", "2026-11-23", front="topics: [Vans]\n")
    with previewed(site) as (client, _):
        good = path.read_text()
        path.write_text(good + "\nWritten a moment ago.\n")
        until(lambda: "Written a moment ago." in client.get("/posts/diesel-van/").text)
        until(lambda: re.search(r"\d\d:\d\d:\d\d  rebuilt posts/2026-11-23-diesel-van\.md +\d+ ms", said(site)))
        path.write_text(good.replace("date: 2026-11-23", "date: 23 Nov"))
        page = until(lambda: "P108" in (text := client.get("/posts/diesel-van/").text) and text)
        assert "Written a moment ago." in page
        line = until(lambda: re.search(r"stop P108 posts/2026-11-23-diesel-van\.md:4  .*", said(site)))
        assert "page shows the last good version" in line[0]
        path.write_text(good)
        until(lambda: "P108" not in client.get("/posts/diesel-van/").text)


def test_open_streams_end_cleanly_when_it_is_interrupted(site: SiteFolder) -> None:
    with previewed(site) as (client, process):
        with client.stream("GET", "/_preview/events") as one, client.stream("GET", "/_preview/events?outbox") as other:
            lines = [answer.iter_lines() for answer in (one, other)]
            assert [next(each) for each in lines] == ["retry: 500", "retry: 500"]
            assert all(any(line.startswith("data: ") for line in each) for each in lines)  # the version, at once
            process.send_signal(signal.SIGINT)
            assert not any("".join(each) for each in lines)  # a stream that is cut off raises here
        assert process.wait(20) == 0
    assert said(site).rstrip().endswith("Stopped.")


def test_a_taken_port_gives_the_next_one_with_a_note(site: SiteFolder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with previewed(site, "--port", str(port), "--no-open") as (client, _):
            assert client.base_url.port != port
            assert f"Port {port} is taken, so this is {client.base_url.port}." in said(site)


def test_a_mail_that_is_sent_meanwhile_is_news_for_the_outbox(site: SiteFolder) -> None:
    site.readers(1)
    with previewed(site) as (client, _), client.stream("GET", "/_preview/events?outbox") as stream:
        lines = stream.iter_lines()
        before = next(line for line in lines if line.startswith("data: "))
        site.ok("prepare", now=FRIDAY)
        site.ok("deliver", now=FRIDAY)
        after = next(line for line in lines if line.startswith("data: "))
        assert after != before
        assert "reader0000@readers.example" in client.get("/outbox/").text


def test_a_site_whose_settings_are_broken_does_not_start_and_says_why(site: SiteFolder) -> None:
    site.configure("[site]\n")
    result = site.run("preview", "--port", "0")
    assert result.status == 1
    assert "C106" in result.err
