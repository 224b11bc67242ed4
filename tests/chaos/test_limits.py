"""What limits a send holds over kills as well: the number of a day, the breaker, and mail servers that come and go."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.model import WEEKLY, DeliveryState, IssueState, by_clock
from tests.acceptance.harness import FRIDAY, until
from tests.chaos.ground import NOW, Ground, ground
from tests.chaos.lossy import Lossy
from tests.chaos.points import Point
from tests.chaos.storm import CONNECTIONS, FEW, storm

IN_FULL = "CHAOS_SEEDS" in os.environ


# --- the number of a day ---------------------------------------------------------------------------

PER_DAY = 3


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("day"), readers=5, more=f"per_day = {PER_DAY}\n") as one:
        yield one


@pytest.mark.parametrize(
    "point",
    [Point("after", 1, of="take_of_day"), Point("in", 1, of="take_of_day"), Point("after", 2, of="hand_over")]
    + [Point("DOT", 2), Point("answer", PER_DAY)]
    + [Point("after", nth, of="hand_over") for nth in (3, 4, 5) if IN_FULL],
    ids=str,
)
def test_however_often_a_send_is_killed_a_day_gets_no_more_than_its_number(site: Ground, point: Point) -> None:
    run = site.run(2)
    assert run.dies_at(point)
    before = 0
    for day in range(4):
        for _ in range(2):
            run.ends(NOW + timedelta(days=day))
        assert len(site.server.messages) - before <= PER_DAY, f"day {day}"
        before = len(site.server.messages)
    run.check()


# --- the breaker -----------------------------------------------------------------------------------


def test_an_issue_that_the_breaker_stopped_stays_so_after_a_kill(tmp_path: Path) -> None:
    with ground(tmp_path, readers=70) as site:
        site.server.fault("RCPT", "550 5.1.1 nobody here", times=55)
        run = site.run(2)
        assert run.dies_at(Point("after", 1, of="pause"))
        tried = len([one for one in site.server.commands if one.startswith("RCPT")])
        run.ends()
        issue, deliveries, _ = run.read()
        assert issue.state is IssueState.PAUSED
        assert len([one for one in site.server.commands if one.startswith("RCPT")]) == tried < 70
        assert len(deliveries) == 70
        with closing(App(config.load(run.root))) as app:
            app.ledger.resume(WEEKLY, 1, hand=by_clock(NOW))
        run.ends()
        states = set(run.states().values())
        assert states <= {DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN}


# --- mail servers that come and go -----------------------------------------------------------------


@pytest.mark.parametrize("seed", FEW)
def test_mail_servers_come_and_go_and_the_sender_is_killed_meanwhile(tmp_path: Path, seed: int) -> None:
    with Lossy(random.Random(seed), bad=0.01, delay=0.3) as second:
        more = f'[mail.relays.second]\nhost = "127.0.0.1"\nport = {second.port}\ntls = "none"\nconnections = 2\n'
        with storm(tmp_path, seed=seed, readers=100, bad=0.01, delay=0.3, more=more) as one:
            second.messages, second.stored_at = one.server.messages, one.server.stored_at
            one.site.ok("prepare", now=FRIDAY)
            for gone in (one.server, second):
                with one.site.started("work", "--every", "1", now=FRIDAY) as process:
                    seen = len(one.server.messages)
                    until(lambda: len(one.server.messages) > seen + 8)  # noqa: B023
                    gone.refuse()
                    gone.hang_up()
                    seen = len(one.server.messages)
                    until(lambda: len(one.server.messages) > seen + 8)  # noqa: B023
                    one.kill(process, CONNECTIONS + 2)
                gone.listen()
            second.bad = 0
            one.calm()
            one.check()
