"""When a mail server is given Messages, and when it rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.delivery.circuit import Circuit, Outs, Relay
from newsletter.delivery.outbox import Outbox
from newsletter.errors import Problem

GONE = Problem("S320", "cannot be reached")


@pytest.fixture
def circuit() -> Circuit[str]:
    one: Circuit[str] = Circuit(Relay("main", Outbox(Path("nowhere")), 3), rests=(1, 2, 4))
    one.idle.extend(["a", "b", "c"])
    return one


def lend_all(circuit: Circuit[str], now: float) -> list[str]:
    return [circuit.lend() for _ in range(circuit.room(now))]


def test_faults_that_come_together_count_once(circuit: Circuit[str]) -> None:
    for lane in lend_all(circuit, 0):
        circuit.idle.append(lane)
        circuit.failed(lane, GONE, 0)
    assert (circuit.faults, circuit.rests_until) == (1, 1)


def test_it_comes_back_by_one_message_and_when_that_is_answered_with_all(circuit: Circuit[str]) -> None:
    (first, *others) = lend_all(circuit, 0)
    circuit.idle.extend([*others, first])
    circuit.failed(first, GONE, 0)
    assert circuit.room(0.9) == 0
    assert lend_all(circuit, 1) == ["b"]
    assert circuit.room(1) == 0, "while the first is on its way the others wait"
    circuit.idle.append("b")
    circuit.answered()
    assert (circuit.room(1), circuit.fault) == (3, None)


def test_each_rest_is_longer_and_the_last_goes_on(circuit: Circuit[str]) -> None:
    now, rests = 0.0, []
    for _ in range(5):
        lane = circuit.lend()
        circuit.idle.append(lane)
        circuit.failed(lane, GONE, now)
        assert circuit.rests_until is not None
        rests.append(circuit.rests_until - now)
        now = circuit.rests_until
    assert rests == [1, 2, 4, 4, 4]


def test_a_lane_that_got_no_row_leaves_the_way_back_open(circuit: Circuit[str]) -> None:
    lane = circuit.lend()
    circuit.failed(lane, GONE, 0)
    circuit.take_back(circuit.lend())
    assert circuit.room(1) == 1


# --- from one send to the next ---------------------------------------------------------------------

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE, OTHER = (Relay(name, Outbox(Path("nowhere")), 1) for name in ("one", "other"))


def test_a_server_that_refuses_us_is_left_out_ever_longer_and_forgiven_when_it_takes_part() -> None:
    outs = Outs()
    outs.note([ONE, OTHER], {"one"}, NOON)
    assert outs.fit([ONE, OTHER], NOON + MINUTE / 2) == [OTHER]
    outs.note([OTHER], set(), NOON + MINUTE / 2)
    assert outs.fit([ONE, OTHER], NOON + MINUTE) == [ONE, OTHER]
    outs.note([ONE, OTHER], {"one"}, NOON + MINUTE)
    assert outs.fit([ONE, OTHER], NOON + 2.5 * MINUTE) == [OTHER]
    outs.note([ONE, OTHER], set(), NOON + 3 * MINUTE)
    assert outs.fit([ONE, OTHER], NOON + 3 * MINUTE) == [ONE, OTHER]


def test_where_every_server_refuses_us_each_is_tried_and_a_clock_that_was_set_back_leaves_none_out() -> None:
    outs = Outs()
    outs.note([ONE, OTHER], {"one", "other"}, NOON)
    assert outs.fit([ONE, OTHER], NOON) == [ONE, OTHER]
    outs.note([OTHER], set(), NOON)
    assert outs.fit([ONE, OTHER], NOON - 60 * MINUTE) == [ONE, OTHER]
