"""Whatever the order in which a send is paused, resumed, cancelled, left, refused and killed: its promises hold.

Hypothesis looks for the order; `make chaos` lets it look for longer.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.chaos.machine import ANSWERS, READERS, Act, World, world
from tests.edges.sending import address

EXAMPLES = 600 if "CHAOS_SEEDS" in os.environ else 15

readers = st.integers(1, READERS)
decisions = st.sampled_from(["pause", "resume", "cancel"])
moves = st.sampled_from(["leave", "pause", "come back"])
acts = st.one_of(
    st.tuples(st.just("decide"), decisions),
    st.tuples(st.just("reader"), readers, moves),
    st.tuples(st.just("kill")),
)


class Sending(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.world: World = self._open.enter_context(world())

    def teardown(self) -> None:
        with self._open:
            self.world.ends()

    @rule(what=decisions)
    def decide(self, what: str) -> None:
        self.world.decide(what)

    @rule(number=readers, what=moves)
    def reader(self, number: int, what: str) -> None:
        self.world.reader(number, what)

    @rule(again=st.booleans())
    def settle(self, again: bool) -> None:
        self.world.settle(again=again)

    @rule(minutes=st.sampled_from([-525_600, -60, 5, 20, 600, 525_600]))
    def clock(self, minutes: int) -> None:
        self.world.send.now += timedelta(minutes=minutes)

    @rule(number=readers, said=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3))
    def answer(self, number: int, said: list[str]) -> None:
        self.world.mailbox.answers[address(number)] = said

    @rule(at=st.integers(1, READERS), act=acts)
    def meanwhile(self, at: int, act: tuple[object, ...]) -> None:
        """Something happens while a later sender hands over its message of this number."""
        self.world.mailbox.meanwhile[at] = self._bound(act)

    def _bound(self, act: tuple[object, ...]) -> Act:
        name, *values = act
        return partial(getattr(self.world, str(name)), *values)

    @rule(connections=st.integers(1, 3))
    def send(self, connections: int) -> None:
        self.world.drain(connections)

    @rule(connections=st.integers(1, 3), at=st.integers(1, 9), before=st.booleans())
    def send_and_die(self, connections: int, at: int, before: bool) -> None:
        """At one of its writes, the first of which is its recovery."""
        self.world.drain(connections, kill_at=at, before=before)

    @invariant()
    def promises_hold(self) -> None:
        self.world.check()


def test_whatever_happens_in_whatever_order_the_promises_of_a_send_hold() -> None:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    how = settings(max_examples=EXAMPLES, stateful_step_count=15, deadline=None, suppress_health_check=slow)
    run_state_machine_as_test(Sending, settings=how)
