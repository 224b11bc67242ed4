"""A sender that is frozen while another takes over, and wakes up: the epochs of the chunks keep it from doing harm.

The lock of the kernel forbids this as long as both see one lock: a stopped process keeps it. So here it is deleted, as
somebody may do who believes the first one dead.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.forked import Forked
from tests.acceptance.harness import until
from tests.chaos.ground import Ground, Run, ground
from tests.chaos.points import Point

IN_FULL = "CHAOS_SEEDS" in os.environ
CONNECTIONS = 2
COMMITS = range(1, 17) if IN_FULL else (9,)
"""After which of its commits it is frozen; there are no more than these."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("zombie")) as one:
        yield one


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("zombies"), readers=30) as one:
        yield one


def frozen(run: Run, point: Point) -> Forked:
    """A sender that has come to the Point and stands still there, its lock taken away."""
    process = run.sends(point)
    until(lambda: process.poll() is not None or _stopped(process.pid), what="it is frozen")
    assert process.poll() is None
    (run.root / "var/sender.lock").unlink()
    return process


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "T"


def thawed(run: Run, process: Forked) -> None:
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0, (run.root / "sender.log").read_text("utf-8")
    until(lambda: run.ground.server.quiet)


@pytest.mark.parametrize("after_crash", ["ask", "resend"])
@pytest.mark.parametrize("place", [("after", nth) for nth in COMMITS] + [("DOT", 2)], ids=str)
def test_who_wakes_up_when_all_is_done_sends_no_more_than_what_he_held(
    site: Ground, place: tuple[str, int], after_crash: str
) -> None:
    connections = 1 if place[0] == "DOT" else CONNECTIONS  # with another's commit under way the database were locked
    run = site.run(connections, after_crash)
    process = frozen(run, Point(*place, signal.SIGSTOP))
    run.kills = 1  # to whoever takes over it is the same
    run.ends()
    ends, mails = run.states(), len(site.server.messages)
    thawed(run, process)
    assert run.states() == ends, "he changed what another had settled"
    assert len(site.server.messages) - mails <= connections
    run.check()


@pytest.mark.parametrize("after_crash", ["ask", "resend"] if IN_FULL else ["resend"])
def test_who_wakes_up_while_another_is_at_it_takes_nothing_from_him(many: Ground, after_crash: str) -> None:
    run = many.run(CONNECTIONS, after_crash)
    process = frozen(run, Point("after", 24, signal.SIGSTOP))
    run.kills = 1
    many.server.delay = 0.1
    other = run.sends()
    seen = len(many.server.messages)
    until(lambda: len(many.server.messages) > seen + 4)
    process.send_signal(signal.SIGCONT)
    for one in (process, other):
        assert one.wait(60) == 0, (run.root / "sender.log").read_text("utf-8")
    many.server.delay = 0
    run.ends()
    run.check()
