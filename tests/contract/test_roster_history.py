"""Whatever readers, strangers and operators do in whatever order: who did not agree, or went, is mailed nothing.

The machine keeps a plain account of each address beside the roster, and compares; an issue is on its way now and then.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from newsletter.model import WEEKLY, Chunk, Consent, DeliveryState, LetterKind, SubscriberStatus
from newsletter.store.ledger import SqlLedger
from newsletter.store.letters import SqlLetters
from newsletter.store.roster import SqlRoster
from tests.contract.conftest import Fresh
from tests.contract.desk import FRIDAY, LINK, PAPER, Desk, accepted, hashed, slot_of_week

UNCONFIRMED, ACTIVE, PAUSED, LEFT, BLOCKED = SubscriberStatus
READS = (ACTIVE, PAUSED)
ADDRESSES = [f"{name}@readers.example" for name in ("ada", "ben", "cleo")]
SECOND = timedelta(seconds=1)
EVER = timedelta(days=365)

an_address = st.sampled_from(ADDRESSES)
seldom = st.sampled_from([False, False, True])
who = st.integers(0, 99)
"""Turned into the number of a reader, or of nobody, when a rule is played."""


@dataclass
class Plain:
    """A reader in the account of the test."""

    address: str
    status: SubscriberStatus
    confirmed: bool = False
    asked: bool = False  # since they left
    before_leaving: SubscriberStatus = UNCONFIRMED
    before_block: SubscriberStatus = UNCONFIRMED
    until: datetime | None = None
    said: list[Consent] = field(default_factory=list)

    def becomes(self, status: SubscriberStatus) -> None:
        if status is LEFT:
            self.before_leaving, self.asked = self.status, False
        if status is BLOCKED:
            self.before_block = self.status
        self.confirmed = self.confirmed or status is ACTIVE
        self.status = status


class History(RuleBasedStateMachine):
    fresh: ClassVar[Fresh]

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.database = self.opened.enter_context(History.fresh())
        self.roster = SqlRoster(self.database, hashed)
        self.ledger = SqlLedger(self.database)
        self.letters = SqlLetters(self.database)
        self.now = FRIDAY
        self.week = 4
        self.steps = 0
        self.readers: dict[int, Plain] = {}
        self.never: dict[str, str] = {}  # address -> why it is not mailed
        self.chunks: list[Chunk] = []

    def teardown(self) -> None:
        self._look_closely()
        self.opened.close()

    def _who(self, drawn: int) -> int:
        known = [*self.readers, max(self.readers, default=0) + 1]
        return known[drawn % len(known)]

    def _at(self, address: str) -> Plain | None:
        return next((one for one in self.readers.values() if one.address == address), None)

    def _in(self, reader: int, *among: SubscriberStatus) -> Plain | None:
        found = self.readers.get(reader)
        return found if found and found.status in among else None

    def _blocked(self, address: str) -> bool:
        return self.never.get(address, "forgotten") != "forgotten"

    def _tick(self) -> datetime:
        self.now += SECOND
        return self.now

    def _new(self, address: str, status: SubscriberStatus) -> None:
        made = self.roster.find(address)
        assert made
        assert made.id not in self.readers
        self.readers[made.id] = Plain(address, status, confirmed=status is ACTIVE)

    @initialize()
    def begin(self) -> None:
        for address in ADDRESSES[:2]:
            self.add(address, forgotten=False)
        self.ask(ADDRESSES[2])
        self.issue_starts()

    # -- becoming a reader

    @rule(address=an_address)
    def ask(self, address: str) -> None:
        self.roster.ask(address, edition=WEEKLY, evidence=LINK, now=self._tick())
        there = self._at(address)
        if there and there.status in (UNCONFIRMED, LEFT):
            there.asked = not self._blocked(address)
        elif not there and not self._blocked(address):
            self._new(address, UNCONFIRMED)

    @rule(address=an_address, forgotten=st.booleans())
    def add(self, address: str, forgotten: bool) -> None:
        made = self.roster.add(address, edition=WEEKLY, evidence=PAPER, now=self._tick(), forgotten=forgotten)
        may = not self._at(address) and (address not in self.never or (forgotten and not self._blocked(address)))
        assert (made is not None) is may
        if made:
            self.never.pop(address, None)
            self._new(address, ACTIVE)

    @rule(reader=who)
    def confirm(self, reader: int) -> None:
        self._confirm(self._who(reader))

    def _confirm(self, reader: int) -> None:
        there = self._in(reader, UNCONFIRMED, LEFT)
        may = there is not None and (there.status is UNCONFIRMED or there.asked)
        assert self.roster.confirm(reader, evidence=LINK, now=self._tick()) is may
        if there and may:
            there.becomes(ACTIVE)
            self.never.pop(there.address, None)

    @rule(reader=who)
    def deny(self, reader: int) -> None:
        reader = self._who(reader)
        gone = self._in(reader, UNCONFIRMED)
        assert self.roster.deny(reader, now=self._tick()) is (gone is not None)
        if gone:
            del self.readers[reader]

    @rule(address=an_address, drawn=who)
    def join(self, address: str, drawn: int) -> None:
        """Most of what happens needs readers: so many come."""
        self.ask(address)
        there = next((each for each, one in self.readers.items() if one.address == address), self._who(drawn))
        self._confirm(there)

    @rule(long=seldom)
    def time_passes(self, long: bool) -> None:
        if not long:
            return
        self.now += EVER
        late = [each for each, plain in self.readers.items() if plain.status is UNCONFIRMED]
        assert self.roster.expire(before=self.now) == len(late)
        for each in late:
            del self.readers[each]
        over = [one for one in self.readers.values() if one.status is PAUSED and one.until and one.until <= self.now]
        assert self.roster.wake(self.now) == len(over)
        for one in over:
            one.becomes(ACTIVE)

    # -- going, and coming back

    @rule(reader=who)
    def leave(self, reader: int) -> None:
        reader = self._who(reader)
        there = self._in(reader, UNCONFIRMED, ACTIVE, PAUSED)
        assert self.roster.leave(reader, evidence=LINK, now=self._tick()) is (there is not None)
        if there:
            there.becomes(LEFT)

    @rule(reader=who)
    def come_back(self, reader: int) -> None:
        reader = self._who(reader)
        there = self._in(reader, LEFT)
        may = there is not None and there.confirmed
        assert self.roster.come_back(reader, evidence=LINK, now=self._tick()) is may
        if there and may:
            there.becomes(there.before_leaving)

    @rule(reader=who, long=st.booleans())
    def pause(self, reader: int, long: bool) -> None:
        reader = self._who(reader)
        there = self._in(reader, *READS)
        until = None if long else self.now + EVER / 2
        changes = there is not None and (there.status, there.until) != (PAUSED, until)
        assert self.roster.pause(reader, until=until, evidence=LINK, now=self._tick()) is changes
        if there:
            there.becomes(PAUSED)
            there.until = until

    @rule(reader=who)
    def resume(self, reader: int) -> None:
        reader = self._who(reader)
        there = self._in(reader, PAUSED)
        assert self.roster.resume(reader, evidence=LINK, now=self._tick()) is (there is not None)
        if there:
            there.becomes(ACTIVE)

    @rule(reader=who, reason=st.sampled_from(["bounced", "complained"]))
    def block(self, reader: int, reason: str) -> None:
        reader = self._who(reader)
        there = self._in(reader, UNCONFIRMED, ACTIVE, PAUSED, LEFT)
        assert self.roster.block(reader, reason=reason, evidence=LINK, now=self._tick()) is (there is not None)
        if there:
            there.becomes(BLOCKED)
            self.never[there.address] = reason

    @rule(reader=who)
    def unblock(self, reader: int) -> None:
        reader = self._who(reader)
        there = self._in(reader, BLOCKED)
        assert self.roster.unblock(reader, evidence=LINK, now=self._tick()) is (there is not None)
        if there:
            there.status = there.before_block
            self.never.pop(there.address)

    @rule(reader=who, again=an_address)
    def forget(self, reader: int, again: str) -> None:
        reader = self._who(reader)
        there = self.readers.pop(reader, None)
        assert self.roster.forget(reader, now=self._tick()) is (there is not None)
        if there and not self._blocked(there.address):
            self.never[there.address] = "forgotten"
        self.add(again, forgotten=False)

    @rule(reader=who, address=an_address)
    def move(self, reader: int, address: str) -> None:
        reader = self._who(reader)
        self.roster.ask_move(reader, address, now=self._tick())
        for letter in self.letters.due(self.now, 100):
            if letter.kind is LetterKind.MOVE:
                self._press(letter.id, letter.subscriber_id, letter.address)

    def _press(self, letter: int, reader: int, address: str) -> None:
        moved = self.roster.move(letter, evidence=LINK, now=self._tick())
        there, taken = self._in(reader, *READS), self._at(address)
        if moved is None:
            return
        assert there
        assert not self._blocked(address)
        if taken and taken is not there:
            assert taken.status in (UNCONFIRMED, LEFT)
            self.readers = {each: one for each, one in self.readers.items() if one is not taken}
        there.address = address
        self.never.pop(address, None)

    # -- an issue on its way

    @rule()
    def issue_starts(self) -> None:
        self.week += 1
        number = self.week - 4
        desk = Desk(self.ledger, self.roster)
        assert desk.open(self.week, f"post{number}", slot=slot_of_week(self.week), send_at=self.now)
        issue = self.ledger.start_send(WEEKLY, number, now=self._tick())
        assert issue
        for one in self.readers.values():
            if one.status is PAUSED and one.until and one.until <= self.now:
                one.becomes(ACTIVE)
        assert issue.audience == sum(one.status is ACTIVE for one in self.readers.values())

    @rule()
    def a_worker_takes_what_waits(self) -> None:
        self.chunks = [*self.ledger.due_chunks(self.now)]
        for chunk in self.chunks:
            self.ledger.claim(chunk, limit=2, now=self.now)

    @rule()
    def what_was_taken_is_handed_over(self) -> None:
        for chunk in self.chunks:
            everybody = [*range(1, 20)]
            marked = self.ledger.hand_over(chunk, settled=[], wanted=everybody, now=self.now)
            mailed = [addressee for addressee in marked.values() if addressee]
            for one in mailed:
                plain = self.readers.get(one.subscriber_id)
                assert plain
                assert (plain.status, plain.address) == (ACTIVE, one.address)
            settled = [accepted(one.subscriber_id) for one in mailed]
            self.ledger.hand_over(chunk, settled=settled, wanted=[], now=self.now)

    # -- what holds at any time

    @invariant()
    def the_roster_is_as_the_account_says(self) -> None:
        there = {reader.id: (reader.address, reader.status) for reader in self.roster.all()}
        assert there == {each: (one.address, one.status) for each, one in self.readers.items()}
        for number in range(1, self.week - 3):
            for row in self.ledger.deliveries(WEEKLY, number, DeliveryState.WAITING):
                assert self.readers[row.subscriber_id].status is ACTIVE
        self.steps += 1
        if self.steps % 5 == 0:
            self._look_closely()

    def _look_closely(self) -> None:
        counts = self.roster.counts()
        statuses = [one.status for one in self.readers.values()]
        assert counts == {status: statuses.count(status) for status in SubscriberStatus}
        for address in ADDRESSES:
            assert self.roster.suppressed(address) == self.never.get(address, "")
        for each, one in self.readers.items():
            said = [*self.roster.consents(each)]
            assert said[: len(one.said)] == one.said, "the record of consent only grows"
            assert said
            one.said = said
        for letter in self.letters.due(self.now, 1000):
            reader = self.readers[letter.subscriber_id]
            assert reader.status is not BLOCKED
            assert reader.status is not LEFT or (letter.kind is LetterKind.CONFIRM and reader.asked)


def test_whatever_happens_nobody_is_mailed_who_did_not_agree_or_went(fresh: Fresh, fewer: int) -> None:
    History.fresh = staticmethod(fresh)
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        History,
        settings=settings(max_examples=15 // fewer, stateful_step_count=30, deadline=None, suppress_health_check=slow),
    )
