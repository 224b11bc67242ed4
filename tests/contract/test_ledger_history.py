"""Whatever happens in whatever order: nobody is mailed twice, nobody who left is mailed, nobody is lost.

The machine plays readers, editors, a sender that crashes, and a sender that only seemed dead. It keeps its own plain
account of what left the house, and compares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from newsletter.model import (
    WEEKLY,
    Addressee,
    Chunk,
    DeliveryState,
    Hand,
    IssueState,
    Outcome,
    Receipt,
    Settlement,
    SlotOutcome,
    SubscriberStatus,
    by_clock,
)
from newsletter.store.ledger import SqlLedger
from newsletter.store.roster import SqlRoster
from tests.contract.conftest import Fresh
from tests.contract.desk import FRIDAY, LINK, MINUTE, Desk, a_story, accepted, deferred, hashed, slot_of_week

TURNS = (
    *("start", "pause", "resume", "cancel", "hold", "intend", "finish", "let go", "unready", "unready ahead"),
    *("skip", "web only", "leave", "again", "retry"),
)

Pair = tuple[int, int]
"""An issue's number and a reader's id."""


class History(RuleBasedStateMachine):
    fresh: ClassVar[Fresh]

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.database = self.opened.enter_context(History.fresh())
        self.desk = Desk(SqlLedger(self.database), SqlRoster(self.database, hashed))
        self.ledger = self.desk.ledger
        self.now = FRIDAY
        self.week = 4
        self.chunks: list[Chunk] = []
        self.claimed: list[tuple[Chunk, int]] = []
        self.flying: list[tuple[Chunk, int]] = []  # handed to a transport that has not answered
        self.mailed: Counter[Pair] = Counter()
        self.excused: Counter[Pair] = Counter()  # a further Message is allowed: deferred, or sent again by choice
        self.said_yes: set[Pair] = set()
        self.carriers: dict[str, set[int]] = {}

    def teardown(self) -> None:
        self.opened.close()

    @initialize()
    def begin(self) -> None:
        self.desk.join(4)
        self.desk.open(4, "a")
        self.ledger.start_send(WEEKLY, 1, now=self.now)

    # -- readers

    @rule(data=st.data(), turn=st.sampled_from(["join", "leave", "come back"]))
    def readers(self, data: st.DataObject, turn: str) -> None:
        everybody = [*self.desk.roster.all()]
        if turn == "join" or not everybody:
            self.desk.join(2, prefix=f"reader{len(everybody)}-")
            return
        reader = data.draw(st.sampled_from(everybody))
        active = reader.status is SubscriberStatus.ACTIVE
        if turn == "leave":
            assert self.desk.roster.leave(reader.id, evidence=LINK, now=self.now) is active
        else:
            assert self.desk.roster.come_back(reader.id, evidence=LINK, now=self.now) is not active

    # -- editors

    @rule(posts=st.sets(st.sampled_from("abcdef"), min_size=1), held=st.booleans(), same_slot=st.booleans())
    def open(self, posts: set[str], held: bool, same_slot: bool) -> None:
        self.week += not same_slot
        state = IssueState.HELD if held else IssueState.READY
        slot_taken = not self._free(slot_of_week(self.week).key)
        post_taken = {a_story(post).post_id for post in posts} & self.ledger.carried(WEEKLY).keys()
        issue = self.desk.open(self.week, *sorted(posts), state=state, hand=by_clock(self.now), send_at=self.now)
        assert (issue is None) is (slot_taken or bool(post_taken))

    def _free(self, key: str) -> bool:
        """Whether an issue may take the slot: nobody has, or the issue that is thawed and taken up again."""
        record = next((each for each in self.ledger.slots(WEEKLY) if each.key == key), None)
        drafts = [issue.number for issue in self.ledger.issues(WEEKLY) if issue.state is IssueState.DRAFT]
        own = record and record.outcome is SlotOutcome.HELD and record.issue_number in drafts[:1]
        return record is None or bool(own)

    @rule(data=st.data(), turn=st.sampled_from(TURNS))
    def decide(self, data: st.DataObject, turn: str) -> None:
        issues = self.ledger.issues(WEEKLY)
        if issues:
            number = data.draw(st.sampled_from(issues)).number
            self._turn(turn, number)

    def _turn(self, turn: str, number: int) -> None:
        match turn:
            case "start":
                self.ledger.start_send(WEEKLY, number, now=self.now)
            case "pause":
                self.ledger.pause(WEEKLY, number, reason="a doubt", hand=by_clock(self.now))
            case "resume":
                self.ledger.resume(WEEKLY, number, hand=by_clock(self.now))
            case "cancel":
                mine = [state for (issue, _), state in self._rows().items() if issue == number]
                already = self.ledger.cancel(WEEKLY, number, reason="no", hand=by_clock(self.now))
                assert already == sum(s in (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN) for s in mine)
            case "hold":
                self.ledger.hold(WEEKLY, number, reason="a doubt", hand=by_clock(self.now))
            case "intend":
                self.ledger.schedule_send(WEEKLY, number, at=self.now, hand=Hand("ada", "cli", self.now))
            case "finish":
                self.ledger.finish(WEEKLY, number, now=self.now)
            case "leave" | "again" | "retry":
                self._settle(turn, number)
            case _:
                self._edit(turn, number)

    def _edit(self, turn: str, number: int) -> None:
        match turn:
            case "let go":
                self.ledger.let_go(WEEKLY, number, send_at=self.now, hand=by_clock(self.now))
            case "unready" | "unready ahead":
                free = turn == "unready ahead"
                self.ledger.unready(WEEKLY, number, reason="an edit", hand=by_clock(self.now), free_slot=free)
            case "skip":
                self.ledger.skip(WEEKLY, number, reason="a holiday", hand=by_clock(self.now))
            case "web only":
                self.ledger.web_only(WEEKLY, number, reason="a special", hand=by_clock(self.now))

    def _settle(self, turn: str, number: int) -> None:
        """A doubt is decided: left as it is, or sent again, which was asked for then."""
        doubtful = {each.subscriber_id for each in self.ledger.doubtful(WEEKLY, number)}
        before = self._rows()
        if turn == "retry":
            self.ledger.retry(WEEKLY, number, hand=by_clock(self.now))
        else:
            again = turn == "again"
            settled = self.ledger.settle(WEEKLY, number, None, again=again, hand=by_clock(self.now))
            assert settled in (0, len(doubtful))
        after = self._rows()
        for pair in [pair for pair in before if after[pair] is not before[pair]]:
            assert turn != "leave"
            assert before[pair] in (DeliveryState.UNCERTAIN, DeliveryState.FAILED)
            assert after[pair] is DeliveryState.WAITING
            self.excused[pair] += 1

    # -- the sender

    @rule()
    def take(self) -> None:
        taken = self.ledger.due_chunks(self.now)
        again = {each.id for each in taken}
        self.chunks = [each for each in self.chunks if each.id not in again] + list(taken)
        self.claimed = [(held, each) for held, each in self.claimed if held.id not in again]

    @rule(data=st.data(), limit=st.integers(1, 3))
    def claim(self, data: st.DataObject, limit: int) -> None:
        if not self.chunks:
            self.take()
        if self.chunks:
            chunk = data.draw(st.sampled_from(self.chunks))
            self.claimed += [(chunk, each) for each in self.ledger.claim(chunk, limit=limit, now=self.now)]

    @rule(data=st.data(), count=st.integers(1, 3))
    def hand_over(self, data: st.DataObject, count: int) -> None:
        if not self.claimed and not self.flying:
            self.claim(data, 3)
        if not self.claimed and not self.flying:
            return
        chunk = data.draw(st.sampled_from([chunk for chunk, _ in (*self.claimed, *self.flying)]))
        settled = self._answers(data, [each for held, each in self.flying if held == chunk])
        wanted = [each for held, each in self.claimed if held == chunk][:count]
        given = self.ledger.hand_over(chunk, settled=settled, wanted=wanted, now=self.now)
        self._note_answers(chunk, settled)
        self._note_given(chunk, given)

    def _answers(self, data: st.DataObject, readers: Sequence[int]) -> list[Settlement]:
        if not readers:
            return []
        heard = data.draw(st.lists(st.sampled_from(readers), unique=True))
        kinds = [
            accepted(0),
            accepted(0),
            accepted(0),
            deferred(0, self.now + 5 * MINUTE),
            Settlement(0, DeliveryState.FAILED, receipt=Receipt(Outcome.REFUSED, 550, "5.1.1")),
            Settlement(0, DeliveryState.UNCERTAIN, receipt=Receipt(Outcome.UNKNOWN)),
        ]
        return [replace(data.draw(st.sampled_from(kinds)), subscriber_id=each) for each in heard]

    def _note_answers(self, chunk: Chunk, settled: Sequence[Settlement]) -> None:
        for each in settled:
            pair = (chunk.issue_number, each.subscriber_id)
            self.flying.remove((chunk, each.subscriber_id))
            if each.state is DeliveryState.WAITING:
                self.excused[pair] += 1
            state = self._rows()[pair]
            cancelled = each.state is DeliveryState.WAITING and state is DeliveryState.DROPPED
            assert state is each.state or cancelled
            if state is DeliveryState.ACCEPTED:
                self.said_yes.add(pair)

    def _note_given(self, chunk: Chunk, given: Mapping[int, Addressee | None]) -> None:
        issue = self.ledger.issue(WEEKLY, chunk.issue_number)
        assert issue
        for each, addressee in given.items():
            self.claimed.remove((chunk, each))
            if addressee:
                reader = self.desk.roster.get(each)
                assert reader
                assert reader.status is SubscriberStatus.ACTIVE
                assert issue.state is IssueState.SENDING
                assert chunk in self.chunks
                self.mailed[issue.number, each] += 1
                self.flying.append((chunk, each))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self.claimed:
            return
        chunk = data.draw(st.sampled_from([chunk for chunk, _ in self.claimed]))
        self.ledger.release(chunk, [each for held, each in self.claimed if held == chunk])
        self.claimed = [(held, each) for held, each in self.claimed if held != chunk]

    @rule(resend=st.booleans(), wakes=st.booleans())
    def crash(self, resend: bool, wakes: bool) -> None:
        flying, chunks = self.flying, self.chunks
        self.flying, self.claimed, self.chunks = [], [], []
        assert self.ledger.recover(now=self.now, resend=resend) == len(flying)
        rows = self._rows()
        for chunk, each in flying:
            pair = (chunk.issue_number, each)
            assert rows[pair] in (DeliveryState.UNCERTAIN, *([DeliveryState.WAITING] if resend else []))
            self.excused[pair] += rows[pair] is DeliveryState.WAITING
        if wakes:
            self._hear_the_dead(chunks, flying)

    def _hear_the_dead(self, chunks: Sequence[Chunk], flying: Sequence[tuple[Chunk, int]]) -> None:
        """A sender that was taken for dead wakes up: it may tell what it knows, and change nothing."""
        self.take()
        before = self._rows()
        readers = [reader.id for reader in self.desk.roster.all()]
        for chunk in chunks:
            told = [accepted(each) for held, each in flying if held == chunk]
            assert self.ledger.claim(chunk, limit=9, now=self.now) == []
            assert not any(self.ledger.hand_over(chunk, settled=told, wanted=readers, now=self.now).values())
        assert self._rows() == before

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # -- what is always true

    def _rows(self) -> dict[Pair, DeliveryState]:
        return {
            (issue.number, each.subscriber_id): each.state
            for issue in self.ledger.issues(WEEKLY)
            for each in self.ledger.deliveries(WEEKLY, issue.number)
        }

    @invariant()
    def every_promise_is_kept(self) -> None:
        rows = self._rows()
        self._nobody_is_mailed_twice_unasked()
        assert all(rows[pair] is DeliveryState.ACCEPTED for pair in self.said_yes)
        carried = self.ledger.carried(WEEKLY)
        for issue in self.ledger.issues(WEEKLY):
            mine = Counter(state for (number, _), state in rows.items() if number == issue.number)
            assert mine.total() == issue.audience
            if issue.state not in (IssueState.CANCELLED, IssueState.SKIPPED):
                assert all(carried[story.post_id] == issue.number for story in issue.stories)
            if issue.state in (IssueState.SENT, IssueState.NEEDS_ATTENTION):
                assert not mine.keys() & {DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING}
                assert (issue.state is IssueState.SENT) is not bool(self.ledger.doubtful(WEEKLY, issue.number))
        self._each_change_was_allowed()

    def _each_change_was_allowed(self) -> None:
        last: dict[int, IssueState] = {}
        for turn in self.ledger.turns():
            assert turn.before is last.get(turn.number)
            assert turn.before is None or turn.before in turn.act.turns[0]
            assert turn.after in turn.act.turns[1]
            last[turn.number] = turn.after
        assert last == {issue.number: issue.state for issue in self.ledger.issues(WEEKLY)}

    def _nobody_is_mailed_twice_unasked(self) -> None:
        for pair, times in self.mailed.items():
            assert times <= 1 + self.excused[pair]


def test_whatever_the_order_of_events_the_ledger_keeps_its_promises(fresh: Fresh, fewer: int) -> None:
    History.fresh = staticmethod(fresh)
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        History,
        settings=settings(max_examples=30 // fewer, stateful_step_count=30, deadline=None, suppress_health_check=slow),
    )
