"""Somebody watches an issue go out: what they see, which keys they have, and what Ctrl-C ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.acceptance.harness import FRIDAY, SiteFolder
from tests.acceptance.terminal import Terminal, terminal
from tests.acceptance.test_smtp import through
from tests.smtpd import Smtpd

READERS = 60
THURSDAY = "2026-11-26T12:00:00+01:00"


@pytest.fixture
def server() -> Iterator[Smtpd]:
    with Smtpd(delay=0.25) as running:  # a reader at a time: a quarter of a minute in all
        yield running


@pytest.fixture
def going(site: SiteFolder, server: Smtpd) -> SiteFolder:
    """A site whose mail server is slow, with an issue that is due."""
    through(site, server, more="connections = 1\n").readers(READERS)
    site.ok("prepare", now=FRIDAY)
    return site


def terminal_of(
    site: SiteFolder, *words: str, now: str = FRIDAY, columns: int = 80
) -> AbstractContextManager[Terminal]:
    return terminal([*words, "--now", now], site.root, site.environ() | {"TERM": "xterm"}, columns=columns)


def test_p_pauses_it_within_the_message_in_flight_and_the_log_says_who_did(going: SiteFolder, server: Smtpd) -> None:
    with terminal_of(going, "deliver", "--as", "review-desk") as screen:
        assert screen.shows("p pause  c cancel"), screen.screen
        screen.press("p")
        assert screen.shows("newsletter issue resume 1"), screen.screen
        assert screen.ended() == 0
        assert screen.is_sane()
    assert "Issue 1 is paused by review-desk.\nIt goes on with: newsletter issue resume 1" in screen.screen
    assert "issue 1 is paused by review-desk: newsletter issue report 1" in going.ok("status").out
    assert len(server.messages) < READERS
    [pause] = [line for line in going.ok("log").out.splitlines() if "pause issue 1" in line]
    assert "review-desk" in pause
    assert "cli" in pause


def test_c_cancels_once_it_is_pressed_again(going: SiteFolder, server: Smtpd) -> None:
    with terminal_of(going, "deliver", columns=40) as screen:
        assert screen.shows("p pause  c cancel"), screen.screen
        screen.press("c")
        assert screen.shows("c again cancels for good"), screen.screen
        screen.press("x")
        assert going.issues()[0]["state"] == "sending"
        screen.press("cc")
        assert screen.shows("Issue 1 is cancelled"), screen.screen
        assert screen.ended() == 0
    assert going.issues()[0]["state"] == "cancelled"
    assert len(server.messages) < READERS


def test_ctrl_c_stops_the_sending_from_here_and_leaves_the_terminal_as_it_was(going: SiteFolder, server: Smtpd) -> None:
    server.delay = 2.0  # that there is something to wait for when it is stopped
    with terminal_of(going, "deliver") as screen:
        assert screen.shows("p pause  c cancel"), screen.screen
        screen.interrupt()
        assert screen.ended() == 130
        assert screen.is_sane()
        assert "Stopping: the messages in flight are finished first" in screen.screen
        assert "Who waits is kept." in screen.screen


def test_ctrl_c_stops_only_the_watching_when_another_process_sends(site: SiteFolder, server: Smtpd) -> None:
    through(site, server, more="connections = 1\n").readers(READERS)
    words = ("issue", "send", "next", "--confirm", f"1:{READERS}", "--delay", "0", "--wait")
    with site.started("work", "--every", "1", now=THURSDAY) as work, terminal_of(site, *words, now=THURSDAY) as screen:
        assert screen.shows("accepted 1"), screen.screen
        assert f"Another process ({work.pid} newsletter work" in screen.screen
        screen.interrupt()
        assert screen.ended() == 130
        assert "You stopped watching. Issue 1 goes on sending." in screen.screen
        assert site.issues()[0]["state"] == "sending"
