"""A whole send on a real ledger: whatever happens on the way, nobody is mailed twice and nobody is lost unseen."""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.engine import Progress
from newsletter.delivery.outbox import Outbox
from newsletter.delivery.smtp import SmtpSettings, SmtpTransport
from newsletter.errors import NewsletterError, Outside, Problem
from newsletter.model import Addressee, Chunk, DeliveryState, Evidence, IssueState, Message, Outcome, by_clock
from tests.edges.sending import HURRY, NOW, SITE, Scripted, Send, address, composed, sending

ACCEPTED, FAILED, WAITING = DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.WAITING
UNCERTAIN, DROPPED = DeliveryState.UNCERTAIN, DeliveryState.DROPPED
CLAIMED, SENDING = DeliveryState.CLAIMED, DeliveryState.SENDING

GONE = Outside(Problem("S320", "the mail server cannot be reached"))
BROKE_OFF = Outside(Problem("S328", "the mail server broke off in the middle of a message"))


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Send]:
    with sending(tmp_path, readers=20) as one:
        yield one


def everyone(send: Send) -> list[str]:
    return sorted(address(number) for number in range(1, send.readers + 1))


# --- the good day ----------------------------------------------------------------------------------


def test_every_reader_gets_the_issue_once_and_running_again_sends_nothing(send: Send, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    first, second = send.drain(Outbox(outbox)), send.drain(Outbox(outbox))
    assert (first.accepted, first.trouble, second.accepted) == (20, None, 0)
    assert len(list(outbox.glob("new/*.eml"))) == 20
    assert send.counts() == {ACCEPTED: 20}
    assert send.ledger.finish("weekly", 1, now=NOW).state is IssueState.SENT


def test_progress_is_told_after_each_commit_and_ends_with_the_whole(send: Send) -> None:
    told: list[Progress] = []
    send.drain(Scripted(), progress=told.append)
    accepted = [progress.accepted for progress in told]
    assert accepted == sorted(accepted)
    assert told[-1] == Progress(accepted=20)


def test_with_nothing_due_no_connection_is_opened(tmp_path: Path) -> None:
    with sending(tmp_path, readers=0) as send:
        transport = Scripted()
        assert (send.drain(transport).accepted, transport.opened) == (0, 0)


def test_an_interruption_from_the_keyboard_loses_no_outcome(send: Send) -> None:
    transport = Scripted()

    def interrupt(progress: Progress) -> None:
        if progress.accepted >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send.drain(transport, progress=interrupt)
    assert send.counts() == {ACCEPTED: len(transport.accepted), WAITING: 20 - len(transport.accepted)}
    send.drain(transport)
    assert transport.recipients == everyone(send)


# --- readers who are not there ---------------------------------------------------------------------


def test_a_reader_who_leaves_in_mid_send_gets_nothing(send: Send) -> None:
    transport = Scripted()

    def leave() -> None:
        for number in (2, 11, 20):
            reader = send.roster.find(address(number))
            assert reader
            send.roster.leave(reader.id, evidence=Evidence("one-click"), now=NOW)

    transport.answer(1, leave)
    drained = send.drain(transport, connections=1)
    assert set(transport.recipients) == set(everyone(send)) - {address(number) for number in (2, 11, 20)}
    assert (drained.accepted, drained.dropped, drained.trouble) == (17, 3, None)
    assert send.counts() == {ACCEPTED: 17, DROPPED: 3}


def test_a_reader_who_is_put_off_waits_and_gets_the_very_same_message_later(send: Send) -> None:
    transport = Scripted()
    transport.answer(5, Outcome.DEFERRED)
    assert send.drain(transport).deferred == 1
    assert send.counts() == {ACCEPTED: 19, WAITING: 1}
    assert send.drain(transport).accepted == 0, "it is not due yet"
    send.later(minutes=10)
    assert send.drain(transport).accepted == 1
    assert transport.tried[address(5)] == 2
    assert len({message.message_id for message in transport.accepted}) == 20


def test_a_reader_who_is_put_off_for_two_days_fails_as_expired(send: Send) -> None:
    transport = Scripted()
    transport.answer(5, *[Outcome.DEFERRED] * 50)
    for _ in range(50):
        send.drain(transport)
        retry = send.ledger.next_retry()
        if retry is None:
            break
        send.now = retry
    delivery = send.ledger.delivery("weekly", 1, 5)
    assert delivery
    assert (delivery.state, delivery.reason) == (FAILED, "expired")
    assert send.now - NOW == timedelta(hours=48)


def test_a_refusal_concerns_one_reader_and_is_kept_word_for_word(send: Send) -> None:
    transport = Scripted()
    transport.answer(5, Outcome.REFUSED)
    assert send.drain(transport).failed == 1
    delivery = send.ledger.delivery("weekly", 1, 5)
    assert delivery
    assert (delivery.state, delivery.reason, delivery.code) == (FAILED, "no-mailbox", 550)
    assert delivery.reply == "5.1.1 nobody here"


def test_no_answer_is_uncertain_and_never_tried_again_unasked(send: Send) -> None:
    transport = Scripted()
    transport.answer(5, Outcome.UNKNOWN)
    assert send.drain(transport).uncertain == 1
    send.later(days=1)
    send.drain(transport)
    assert send.counts() == {ACCEPTED: 19, UNCERTAIN: 1}
    assert transport.tried[address(5)] == 1
    assert send.ledger.finish("weekly", 1, now=NOW).state is IssueState.NEEDS_ATTENTION


def test_no_answer_is_tried_once_more_where_the_site_wishes_it(send: Send) -> None:
    transport = Scripted()
    transport.answer(5, Outcome.UNKNOWN)
    send.drain(transport, after_crash="resend")
    send.later(minutes=15)
    send.drain(transport, after_crash="resend")
    assert send.counts() == {ACCEPTED: 20}


# --- the mail server fails -------------------------------------------------------------------------


def test_a_server_that_is_down_holds_nothing_against_anybody(send: Send) -> None:
    transport = Scripted()
    for number in range(1, 21):
        transport.answer(number, *[GONE] * 100)
    drained = send.drain(transport)
    assert drained.trouble == GONE.problems[0]
    assert send.counts() == {WAITING: 20}
    assert {delivery.attempts for delivery in send.ledger.deliveries("weekly", 1)} == {0}
    assert 5 <= sum(transport.tried.values()) <= 15, "five tries of three connections at the most"
    later = Scripted()
    assert send.drain(later).accepted == 20
    assert later.recipients == everyone(send)


def test_a_server_that_stumbles_is_tried_again_and_everybody_is_served_once(send: Send) -> None:
    transport = Scripted()
    transport.answer(1, GONE, GONE)
    transport.answer(7, GONE)
    transport.answer(20, GONE)
    drained = send.drain(transport)
    assert (drained.accepted, drained.trouble) == (20, None)
    assert transport.recipients == everyone(send)


def test_one_reader_at_whom_the_server_always_breaks_does_not_hold_up_the_others(send: Send) -> None:
    transport = Scripted()
    transport.answer(1, *[GONE] * 100)
    drained = send.drain(transport)
    assert drained.trouble == GONE.problems[0]
    assert send.counts() == {ACCEPTED: 19, WAITING: 1}


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("readers", [1, 3])
def test_a_server_that_is_down_is_given_up_after_as_many_rests_whatever_the_numbers(
    tmp_path: Path, readers: int, connections: int
) -> None:
    transport = Scripted()
    with sending(tmp_path, readers) as send:
        for number in range(1, readers + 1):
            transport.answer(number, *[GONE] * 100)
        tries_when_told: list[int] = []

        def note(progress: Progress) -> None:
            if progress.fault:
                tries_when_told.append(sum(transport.tried.values()))

        drained = send.drain(transport, connections=connections, progress=note)
    assert drained.trouble == GONE.problems[0]
    assert 5 <= sum(transport.tried.values()) <= 5 * min(readers, connections)
    assert tries_when_told[0] <= min(readers, connections), "it is said at the first fault, not at the last"


def test_a_reader_at_whom_the_server_always_breaks_off_is_put_off_and_fails_after_two_days(send: Send) -> None:
    transport = Scripted()
    transport.answer(5, *[BROKE_OFF] * 100)
    drained = send.drain(transport)
    assert (drained.accepted, drained.deferred, drained.trouble) == (19, 1, None)
    assert send.drain(transport).trouble is None, "it is not due yet, and ends no drain"
    while retry := send.ledger.next_retry():
        send.now = retry
        send.drain(transport)
    delivery = send.ledger.delivery("weekly", 1, 5)
    assert delivery
    assert (delivery.state, delivery.reason, delivery.reply) == (FAILED, "expired", BROKE_OFF.problems[0].message)
    assert send.now - NOW == timedelta(hours=48)


def test_a_server_that_breaks_off_at_every_message_ends_the_send(send: Send) -> None:
    transport = Scripted()
    for number in range(1, 21):
        transport.answer(number, *[BROKE_OFF] * 100)
    drained = send.drain(transport, connections=2)
    assert drained.trouble == BROKE_OFF.problems[0]
    assert 5 <= sum(transport.tried.values()) <= 10
    assert send.counts() == {WAITING: 20}


@pytest.mark.parametrize("code", ["S321", "S322", "S323", "S327"])
def test_a_fault_that_no_second_try_mends_ends_the_send_at_once(send: Send, code: str) -> None:
    transport = Scripted()
    for number in range(1, 21):
        transport.answer(number, *[Outside(Problem(code, "no"))] * 9)
    drained = send.drain(transport)
    assert drained.trouble
    assert drained.trouble.code == code
    assert sum(transport.tried.values()) <= 3
    assert send.counts() == {WAITING: 20}


def test_a_transport_with_a_bug_ends_the_send_and_leaves_one_uncertain(send: Send) -> None:
    transport = Scripted()
    transport.answer(1, ZeroDivisionError("a bug"))
    drained = send.drain(transport, connections=1)
    assert drained.trouble
    assert drained.trouble.code == "S406"
    assert send.counts() == {UNCERTAIN: 1, WAITING: 19}


# --- somebody stops it -----------------------------------------------------------------------------


def marked(transport: Scripted, number: int, act: Callable[[], object]) -> list[int]:
    """Act while this reader's message is handed over; how many were accepted by then will stand in the list."""
    marks: list[int] = []

    def act_and_mark() -> None:
        act()
        marks.append(len(transport.accepted))

    transport.answer(number, act_and_mark)
    return marks


@pytest.mark.parametrize("connections", [1, 3])
def test_a_send_that_is_stopped_ends_with_what_is_in_flight_and_goes_on_later(send: Send, connections: int) -> None:
    transport = Scripted()
    marks = marked(transport, 4, send.stop.set)
    drained = send.drain(transport, connections=connections)
    assert drained.trouble is None
    assert len(transport.accepted) <= marks[0] + connections
    assert send.counts() == {ACCEPTED: drained.accepted, WAITING: 20 - drained.accepted}
    send.stop.clear()
    send.drain(transport)
    assert transport.recipients == everyone(send)


@pytest.mark.parametrize("connections", [1, 3])
def test_a_paused_issue_stops_within_the_messages_in_flight_and_resumes(send: Send, connections: int) -> None:
    transport = Scripted()
    marks = marked(transport, 4, lambda: send.ledger.pause("weekly", 1, reason="by hand", hand=by_clock(NOW)))
    drained = send.drain(transport, connections=connections)
    assert len(transport.accepted) <= marks[0] + connections
    assert sum(send.counts().values()) == 20
    assert DROPPED not in send.counts()
    assert CLAIMED not in send.counts()
    assert (send.counts()[ACCEPTED], drained.dropped) == (drained.accepted, 0)
    send.ledger.resume("weekly", 1, hand=by_clock(NOW))
    send.drain(transport)
    assert transport.recipients == everyone(send)


@pytest.mark.parametrize("connections", [1, 3])
def test_a_cancelled_issue_stops_within_the_messages_in_flight_for_good(send: Send, connections: int) -> None:
    transport = Scripted()
    marks = marked(transport, 4, lambda: send.ledger.cancel("weekly", 1, reason="wrong", hand=by_clock(NOW)))
    drained = send.drain(transport, connections=connections)
    assert len(transport.accepted) <= marks[0] + connections
    assert send.drain(transport).accepted == 0
    assert set(send.counts()) <= {ACCEPTED, DROPPED}
    assert send.counts()[ACCEPTED] == drained.accepted == len(transport.accepted)


def test_whoever_lost_the_fence_sends_no_more_than_what_is_in_flight(send: Send) -> None:
    transport = Scripted()
    taken: list[int] = []

    def take_over() -> None:
        for chunk in send.ledger.due_chunks(NOW):
            taken.extend(send.ledger.claim(chunk, limit=500, now=NOW))

    transport.answer(4, take_over)
    send.drain(transport)
    assert set(transport.tried.values()) == {1}
    assert not {address(number) for number in taken} & set(transport.recipients)
    assert len(transport.accepted) + len(taken) == 20


# --- the ledger fails ------------------------------------------------------------------------------


def test_while_outcomes_cannot_be_written_nothing_is_sent_and_then_it_goes_on(send: Send) -> None:
    transport = Scripted()
    seen: list[int] = []

    def watch() -> None:
        if send.ledger.outages:
            seen.append(len(transport.accepted))

    def fill_the_disk() -> None:
        send.ledger.outages = 3

    send.ledger.before = watch
    transport.answer(4, fill_the_disk)
    drained = send.drain(transport, connections=1)
    assert seen == [4, 4, 4]
    assert (drained.accepted, drained.trouble) == (20, None)
    assert transport.recipients == everyone(send)


def test_a_ledger_that_stays_broken_ends_the_send_and_leaves_no_doubt_unshown(send: Send) -> None:
    transport = Scripted()

    def fill_the_disk() -> None:
        send.ledger.outages = 1000

    marks = marked(transport, 4, fill_the_disk)
    told: list[Progress] = []
    drained = send.drain(transport, progress=told.append)
    assert drained.trouble
    assert drained.trouble.code == "C504"
    assert 1000 - send.ledger.outages == len(HURRY.ledger) + 2, "all patience once, and one try at the end"
    assert drained.trouble in [progress.fault for progress in told], "it is said while it is tried again"
    assert len(transport.accepted) <= marks[0] + 3
    send.ledger.outages = 0
    in_doubt = send.counts()[SENDING]
    assert 1 <= in_doubt <= 3
    assert send.ledger.recover(now=NOW, resend=False) == in_doubt
    send.drain(transport)
    assert set(transport.tried.values()) == {1}
    assert send.counts() == {ACCEPTED: 20 - in_doubt, UNCERTAIN: in_doubt}


# --- a message cannot be made ----------------------------------------------------------------------


def test_a_reader_whose_message_cannot_be_made_fails_alone(send: Send) -> None:
    def compose(chunk: Chunk, addressee: Addressee) -> Message:
        if addressee.address in (address(3), address(9)):
            raise NewsletterError(Problem("S402", "no address"))
        if addressee.address == address(12):
            raise KeyError("odd")
        return composed(chunk, addressee)

    transport = Scripted()
    drained = send.drain(transport, compose=compose)
    assert (drained.accepted, drained.failed, drained.trouble) == (17, 3, None)
    delivery = send.ledger.delivery("weekly", 1, 3)
    assert delivery
    assert (delivery.reason, delivery.attempts) == ("S402 no address", 0)


def test_a_digest_that_was_damaged_reaches_nobody_and_fails_nobody(send: Send) -> None:
    def compose(chunk: Chunk, addressee: Addressee) -> Message:
        raise NewsletterError(Problem("S403", "a sentinel is left"))

    drained = send.drain(Scripted(), compose=compose)
    assert drained.trouble
    assert drained.trouble.code == "S403"
    assert send.counts() == {WAITING: 20}


def test_where_the_site_has_no_address_to_send_from_nobody_fails(send: Send) -> None:
    nowhere = replace(SITE, sender=replace(SITE.sender, bounces="b@my_host.example"))

    def compose(chunk: Chunk, addressee: Addressee) -> Message:
        return composed(chunk, addressee, site=nowhere)

    drained = send.drain(Scripted(), compose=compose)
    assert drained.trouble
    assert drained.trouble.code == "S402"
    assert send.counts() == {WAITING: 20}


def test_messages_that_cannot_be_made_one_after_the_other_end_the_send(send: Send) -> None:
    def compose(chunk: Chunk, addressee: Addressee) -> Message:
        raise KeyError(f"a bug with {addressee.address}")

    drained = send.drain(Scripted(), compose=compose, connections=2)
    assert drained.trouble
    assert drained.trouble.code == "S405"
    assert "@" not in drained.trouble.message, "logs and notices name no reader"
    assert send.counts() == {FAILED: 6, WAITING: 14}


# --- anything at all -------------------------------------------------------------------------------

answers = st.lists(st.sampled_from([*Outcome, GONE]), max_size=3)


FINAL: dict[Outcome | Exception, DeliveryState] = {
    Outcome.ACCEPTED: ACCEPTED,
    Outcome.REFUSED: FAILED,
    Outcome.UNKNOWN: UNCERTAIN,
}


@settings(max_examples=20, deadline=None)
@given(st.lists(answers, min_size=1, max_size=12), st.integers(1, 4), st.sets(st.integers(1, 12)))
def test_whatever_the_server_answers_the_ledger_tells_the_truth(
    script: list[list[Outcome | Exception]], connections: int, leavers: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder, sending(Path(folder), readers=len(script)) as send:
        transport = Scripted()
        for number, said in enumerate(script, start=1):
            transport.answer(number, *said)
        for number in leavers & set(range(1, len(script) + 1)):
            send.roster.leave(number, evidence=Evidence("link"), now=NOW)
        for _ in range(8):
            send.drain(transport, connections=connections)
            send.later(hours=7)
        states = {delivery.address: delivery.state for delivery in send.ledger.deliveries("weekly", 1)}
        assert sum(send.counts().values()) == len(script)
        assert sorted(a for a, state in states.items() if state is ACCEPTED) == transport.recipients
        for number, said in enumerate(script, start=1):
            expected = next((FINAL[each] for each in said if each in FINAL), ACCEPTED)
            assert states[address(number)] is (DROPPED if number in leavers else expected)


# --- kill -9 ---------------------------------------------------------------------------------------


def _send_and_die(database: str, port: int) -> None:
    from newsletter.delivery.engine import Relay, drain
    from newsletter.store.database import open_database
    from newsletter.store.ledger import SqlLedger

    ledger = SqlLedger(open_database(database))
    transport = SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none"))
    drain(ledger, [Relay("main", transport, 4)], composed, clock=lambda: NOW, stop=threading.Event())


def test_after_kill_9_nobody_is_mailed_twice_and_nobody_is_lost(tmp_path: Path) -> None:
    port_file, log = tmp_path / "port", tmp_path / "log"
    command = [sys.executable, "-m", "tests.smtpd", "--port-file", str(port_file), "--log", str(log), "--delay", "0.01"]
    with sending(tmp_path, readers=120) as send, subprocess.Popen(command) as server:
        try:
            _wait_for(port_file.exists)
            port = int(port_file.read_text())
            spawn = multiprocessing.get_context("spawn")
            sender = spawn.Process(target=_send_and_die, args=(f"sqlite:///{tmp_path}/newsletter.sqlite3", port))
            sender.start()
            _wait_for(lambda: len(_mailed(log)) >= 40)
            assert sender.pid
            sender.kill()
            sender.join(20)
            assert sender.exitcode == -signal.SIGKILL
            in_flight = send.ledger.recover(now=NOW, resend=False)
            assert in_flight <= 4
            send.drain(SmtpTransport(SmtpSettings("127.0.0.1", port, tls="none")), connections=4)
        finally:
            server.terminate()
    mailed = Counter(_mailed(log))
    with_ledger = _states(tmp_path)
    assert set(mailed.values()) == {1}
    assert {recipient for recipient, state in with_ledger.items() if state is ACCEPTED} <= set(mailed)
    assert set(with_ledger.values()) <= {ACCEPTED, UNCERTAIN}
    assert list(with_ledger.values()).count(UNCERTAIN) == in_flight
    assert len(with_ledger) == 120


def _states(folder: Path) -> dict[str, DeliveryState]:
    from newsletter.store.database import open_database
    from newsletter.store.ledger import SqlLedger

    database = open_database(f"sqlite:///{folder}/newsletter.sqlite3")
    try:
        return {each.address: each.state for each in SqlLedger(database).deliveries("weekly", 1)}
    finally:
        database.close()


def _mailed(log: Path) -> list[str]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line)["recipient"] for line in lines if line.endswith("}")]


def _wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
