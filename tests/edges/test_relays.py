"""An issue over several real mail servers, within what a site allows: no reader is lost or mailed twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.delivery.breaker import Breaker
from newsletter.delivery.engine import Patience, Progress, Relay
from newsletter.delivery.smtp import SmtpSettings, SmtpTransport
from newsletter.delivery.throttle import Limits
from newsletter.model import DeliveryState, IssueState, Message, Receipt, by_clock
from newsletter.store.throttle import SqlThrottle
from tests.edges.sending import HURRY, NOW, Scripted, Send, sending
from tests.smtpd import Received, Smtpd

IMPATIENT = replace(HURRY, anew=0.2)

ACCEPTED, WAITING = DeliveryState.ACCEPTED, DeliveryState.WAITING


@pytest.fixture
def one() -> Iterator[Smtpd]:
    with Smtpd() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Smtpd]:
    with Smtpd() as server:
        yield server


def over(name: str, server: Smtpd, connections: int = 2, **settings: str) -> Relay:
    transport = SmtpTransport(SmtpSettings(server.host, server.port, tls="none", **settings))  # type: ignore[arg-type]
    return Relay(name, transport, connections)


def recipients(*servers: Smtpd) -> Counter[str]:
    return Counter(message.recipient for server in servers for message in server.messages)


def each_once(send: Send, *servers: Smtpd) -> bool:
    got = recipients(*servers)
    return len(got) == send.readers and set(got.values()) == {1}


class Silent(Scripted):
    """Answers nothing before it is told to."""

    def __init__(self, answers: threading.Event) -> None:
        super().__init__()
        self._may_answer = answers

    def send(self, message: Message) -> Receipt:
        self._may_answer.wait()
        return super().send(message)


@contextmanager
def throttled(send: Send) -> Iterator[SqlThrottle]:
    yield SqlThrottle(send.ledger._database)


# --- several servers -------------------------------------------------------------------------------


def test_two_servers_share_an_issue(tmp_path: Path, one: Smtpd, other: Smtpd) -> None:
    one.delay = other.delay = 0.01
    with sending(tmp_path, readers=40) as send:
        assert send.over([over("one", one), over("other", other)]).trouble is None
        assert each_once(send, one, other)
        assert min(len(one.messages), len(other.messages)) >= 5


def test_a_server_that_dies_in_mid_send_rests_while_another_goes_on_and_comes_back(
    tmp_path: Path, one: Smtpd, other: Smtpd
) -> None:
    def fall_and_rise(_: Received) -> None:
        if len(other.messages) == 10:
            one.refuse()
            one.hang_up()
        if len(other.messages) == 30:
            one.listen()

    one.delay = other.delay = 0.02
    other.accepted = fall_and_rise
    told: list[Progress] = []
    patience = Patience(relay=(0.05,) * 4, beside=(0.05,), told=0)
    with sending(tmp_path, readers=120) as send:
        drained = send.over([over("one", one), over("other", other)], progress=told.append, patience=patience)
        assert (drained.accepted + drained.uncertain, drained.trouble) == (120, None)
        assert drained.uncertain <= 2
        assert max(recipients(one, other).values()) == 1
    assert {trouble.name for progress in told for trouble in progress.relays} == {"one"}
    assert drained.relays == (), "it came back"


def test_a_server_that_refuses_the_sign_in_is_out_and_the_other_sends_all(tmp_path: Path, other: Smtpd) -> None:
    with Smtpd(user="editor", password="right") as strict, sending(tmp_path, readers=30) as send:
        drained = send.over([over("strict", strict, user="editor", password="wrong"), over("other", other)])
        assert (drained.accepted, drained.trouble) == (30, None)
        assert each_once(send, other)
    (trouble,) = drained.relays
    assert (trouble.name, trouble.out, trouble.fault.code) == ("strict", True, "S322")


def test_when_every_server_is_out_the_send_ends_and_everybody_waits(tmp_path: Path) -> None:
    with Smtpd(user="editor", password="right") as strict, sending(tmp_path, readers=10) as send:
        wrong = [over(name, strict, user="editor", password="wrong") for name in ("a", "b")]
        drained = send.over(wrong)
        assert drained.trouble
        assert drained.trouble.code == "S322"
        assert send.counts() == {WAITING: 10}


def test_with_every_server_away_it_is_given_up_after_as_many_rests_as_with_one(tmp_path: Path, one: Smtpd) -> None:
    one.refuse()
    time.sleep(0.05)
    with sending(tmp_path, readers=10) as send:
        drained = send.over([over("a", one), over("b", one)])
        assert drained.trouble
        assert drained.trouble.code == "S320"
        assert send.counts() == {WAITING: 10}


# --- how fast --------------------------------------------------------------------------------------


def test_a_server_is_given_no_more_in_a_second_than_it_may(tmp_path: Path, one: Smtpd) -> None:
    times: list[float] = []
    one.accepted = lambda _: times.append(time.monotonic())
    with sending(tmp_path, readers=50) as send, throttled(send) as throttle:
        drained = send.over([over("one", one)], throttle=throttle, limits=Limits(relays={"one": 20.0}))
        assert drained.accepted == 50
        assert each_once(send, one)
    assert times[-1] - times[0] >= 1.4, "fifty at twenty a second, the first twenty of them at once"


@pytest.mark.parametrize("said", ["451 4.7.0 too fast", "421 4.7.0 too fast, goodbye"])
def test_a_provider_that_asks_for_less_is_slowed_and_the_others_run_at_speed(
    tmp_path: Path, one: Smtpd, said: str
) -> None:
    for number in (1, 11):
        one.fault("RCPT", said, to=f"r{number}@gmail.com")
    domains = ["readers.example", "gmail.com", *["readers.example"] * 8]
    with sending(tmp_path, readers=60, domains=domains) as send, throttled(send) as throttle:
        drained = send.over([over("one", one)], throttle=throttle)
        got = recipients(one)
        assert sum(address.endswith("readers.example") for address in got) == 54
        assert throttle.slowed(NOW).keys() == {"group:gmail"}
        assert (drained.trouble, drained.deferred, drained.relays) == (None, 2, ())
        assert max(got.values()) == 1
        assert sum(send.counts().values()) == 60
        put_off = send.ledger.delivery("weekly", 1, 1)
        assert put_off
        assert f"{put_off.code} {put_off.reply}" == said


def test_a_small_server_that_greylists_slows_nobody_else(tmp_path: Path, one: Smtpd) -> None:
    one.fault("RCPT", "451 4.7.1 greylisted, come back later", to="r2@readers.example")
    with sending(tmp_path, readers=30) as send, throttled(send) as throttle:
        drained = send.over([over("one", one)], throttle=throttle)
        assert (drained.accepted, drained.deferred) == (29, 1)
        assert throttle.slowed(NOW) == {}


def test_a_slow_provider_ends_a_send_only_when_the_others_are_through(tmp_path: Path, one: Smtpd) -> None:
    limits = Limits(groups={"gmail": 1 / 60})
    with sending(tmp_path, readers=20, domains=["readers.example", "gmail.com"]) as send, throttled(send) as throttle:
        drained = send.over([over("one", one)], throttle=throttle, limits=limits)
        assert drained.accepted == 11
        assert drained.waits_for == "group:gmail"
        assert drained.not_before
        assert timedelta(seconds=50) < drained.not_before - NOW <= timedelta(seconds=70)
        assert send.counts() == {ACCEPTED: 11, WAITING: 9}
        send.now = drained.not_before
        assert send.over([over("one", one)], throttle=throttle, limits=limits).accepted == 1


def test_who_was_put_off_is_tried_again_while_a_slow_provider_is_still_served(tmp_path: Path, one: Smtpd) -> None:
    one.fault("RCPT", "451 4.3.0 later", to="r2@readers.example")
    one.delay = 0.05
    limits = Limits(groups={"gmail": 5.0})
    with sending(tmp_path, readers=30, domains=["readers.example", "gmail.com"]) as send, throttled(send) as throttle:
        drained = send.over([over("one", one)], throttle=throttle, limits=limits, speed=300, patience=IMPATIENT)
        assert (drained.accepted, drained.deferred, drained.not_before) == (30, 1, None)
        assert each_once(send, one)
        order = [message.recipient for message in one.messages]
        assert "gmail.com" in order[-1], "it did not wait for them"


def test_a_server_that_hangs_holds_up_no_other_while_a_slow_provider_is_served(tmp_path: Path, one: Smtpd) -> None:
    answers = threading.Event()
    rescue = threading.Timer(10, answers.set)

    def others_are_through(_: Received) -> None:
        if len(one.messages) == 39:
            answers.set()

    one.accepted = others_are_through
    hangs, limits = Silent(answers), Limits(groups={"gmail": 10.0})
    with sending(tmp_path, readers=40, domains=["gmail.com", "readers.example"]) as send, throttled(send) as throttle:
        rescue.start()
        relays = [Relay("hangs", hangs, 1), over("one", one)]
        drained = send.over(relays, throttle=throttle, limits=limits, patience=replace(IMPATIENT, held=0.1))
        rescue.cancel()
        assert drained.accepted == 40
        assert len(hangs.accepted) == 1, "the others waited for it"


def test_a_paused_issue_stops_within_what_is_in_flight_while_it_waits_for_leave(tmp_path: Path, one: Smtpd) -> None:
    with sending(tmp_path, readers=60) as send, throttled(send) as throttle:

        def pause(_: Received) -> None:
            if len(one.messages) == 15:
                send.ledger.pause("weekly", 1, reason="by hand", hand=by_clock(NOW))

        one.accepted = pause
        drained = send.over([over("one", one)], throttle=throttle, limits=Limits(relays={"one": 10.0}))
        assert 15 <= drained.accepted <= 17
        assert send.counts() == {ACCEPTED: drained.accepted, WAITING: 60 - drained.accepted}


# --- how many a day --------------------------------------------------------------------------------


def test_what_a_day_may_not_have_goes_the_next_and_nobody_is_lost_or_served_twice(tmp_path: Path, one: Smtpd) -> None:
    limits = Limits(per_day=120)
    with sending(tmp_path, readers=200) as send, throttled(send) as throttle:
        first = send.over([over("one", one)], throttle=throttle, limits=limits)
        assert (first.accepted, first.waits_for) == (120, "day:2022-02-11")
        assert first.not_before == limits.tomorrow(NOW)
        again = send.over([over("one", one)], throttle=throttle, limits=limits)
        assert (again.accepted, again.not_before) == (0, first.not_before)
        send.now = first.not_before
        last = send.over([over("one", one)], throttle=throttle, limits=limits)
        assert (last.accepted, last.not_before) == (80, None)
        assert throttle.taken("day:2022-02-12") == 80, "what was leased and not used is given back"
        assert each_once(send, one)


def test_a_server_that_takes_nothing_costs_the_day_nothing(tmp_path: Path, one: Smtpd) -> None:
    one.refuse()
    time.sleep(0.05)
    with sending(tmp_path, readers=10) as send, throttled(send) as throttle:
        assert send.over([over("one", one)], throttle=throttle, limits=Limits(per_day=100)).trouble
        assert throttle.taken("day:2022-02-11") == 0


def test_a_round_in_which_nobody_is_due_costs_the_day_nothing(tmp_path: Path, one: Smtpd) -> None:
    one.fault("RCPT", "451 4.3.0 later", to="r1@readers.example")
    with sending(tmp_path, readers=10) as send, throttled(send) as throttle:
        for _ in range(3):
            send.over([over("one", one)], throttle=throttle, limits=Limits(per_day=100))
        assert send.counts() == {ACCEPTED: 9, WAITING: 1}
        assert throttle.taken("day:2022-02-11") == 10


# --- what stops it ---------------------------------------------------------------------------------


def test_a_list_of_dead_mailboxes_pauses_its_issue_and_a_person_resumes(tmp_path: Path, one: Smtpd) -> None:
    for number in range(1, 31):
        one.fault("RCPT", f"550 5.1.1 <r{number}@readers.example> unknown", to=f"r{number}@readers.example")
    with sending(tmp_path, readers=200) as send:
        breaker = Breaker()
        drained = send.over([over("one", one)], breaker=breaker)
        issue = send.ledger.issue("weekly", 1)
        assert issue
        assert issue.state is IssueState.PAUSED
        assert "mailboxes are not there (more than 5 %)" in issue.reason
        assert "@" not in issue.reason
        assert drained.accepted + drained.failed <= 60
        assert send.over([over("one", one)], breaker=breaker).accepted == 0
        send.ledger.resume("weekly", 1, hand=by_clock(NOW))
        rest = send.over([over("one", one)], breaker=breaker)
        assert drained.accepted + rest.accepted == 170


def test_a_good_list_with_a_few_dead_mailboxes_goes_through(tmp_path: Path, one: Smtpd) -> None:
    for number in range(20, 200, 40):
        one.fault("RCPT", "550 5.1.1 unknown", to=f"r{number}@readers.example")
    with sending(tmp_path, readers=200) as send:
        drained = send.over([over("one", one)])
        assert (drained.accepted, drained.failed) == (195, 5)
