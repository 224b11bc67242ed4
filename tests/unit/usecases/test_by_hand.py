"""An issue by hand: which slot it takes, what may not be, and what a cancel leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.errors import Refused, UsageError, stops
from newsletter.issues import inline as inlining
from newsletter.model import ALL_SLOTS, WEEKLY, Hand, IssueState, PlanKind, SlotOutcome, SlotPlan, by_clock
from newsletter.usecases import extra, life, recheck, report
from newsletter.usecases import send as sending
from newsletter.usecases.choose import choose
from tests.unit.usecases.world import SLOT, WEDNESDAY, WEEK, World

MINUTE = timedelta(minutes=1)
HAND = Hand("operator", "cli", WEDNESDAY)


def test_after_a_cancel_the_same_stories_can_be_sent_again_at_once(world: World) -> None:
    world.send(WEDNESDAY, delay=2 * MINUTE)
    assert world.cancel(1, WEDNESDAY + MINUTE) == 0
    again = world.send(WEDNESDAY + MINUTE)
    assert again.number == 2
    world.deliver(WEDNESDAY + 2 * MINUTE)
    assert world.states() == {1: IssueState.CANCELLED, 2: IssueState.SENT}
    assert world.slots() == {"2026-W48": "issued"}  # the cancelled one gave it back
    assert len(world.folder.mails()) == 2


def test_two_issues_sent_ahead_take_two_slots(world: World) -> None:
    world.send(WEDNESDAY)
    world.deliver(WEDNESDAY)
    world.folder.post("recall-watch", "2026-11-25")
    world.send(WEDNESDAY + MINUTE)
    assert world.slots() == {"2026-W48": "issued", "2026-W49": "issued"}
    assert world.prepare(SLOT + MINUTE).slot is None
    assert world.prepare(SLOT + WEEK + MINUTE).slot is None


def test_the_next_slot_is_one_that_no_issue_has_taken(world: World) -> None:
    assert world.app.next_slot(WEDNESDAY).due == SLOT
    world.send(WEDNESDAY)
    assert world.app.next_slot(WEDNESDAY).due == SLOT + WEEK
    assert world.prepare(WEDNESDAY).next_slot == world.app.next_slot(WEDNESDAY)
    rows = report.upcoming(ledger=world.app.ledger, cadence=world.app.config.cadence, now=WEDNESDAY, count=3)
    assert [(row.slot.key, row.issue and row.issue.number, row.drafted) for row in rows] == [
        ("2026-W48", 1, None),
        ("2026-W49", None, 2),
        ("2026-W50", None, None),
    ]


@pytest.mark.parametrize("away", [timedelta(seconds=-1), timedelta(days=-2500), timedelta(days=32)])
def test_a_start_that_is_past_or_far_away_is_refused_and_nothing_is_frozen(world: World, away: timedelta) -> None:
    with pytest.raises(Refused) as refused:
        sending.plan(world.press(WEDNESDAY), world.app.roster, None, at=WEDNESDAY + away)
    assert [p.code for p in refused.value.problems] == ["S315"]
    assert world.states() == {}


def test_an_unknown_number_is_named_the_same_way_everywhere(world: World) -> None:
    for ask in (
        lambda: sending.plan(world.press(WEDNESDAY), world.app.roster, 9),
        lambda: sending.stoppable(world.app.ledger, WEEKLY, 9),
        lambda: report.issue_named(world.app.ledger, WEEKLY, 9),
    ):
        with pytest.raises(UsageError) as wrong:
            ask()
        assert [p.code for p in wrong.value.problems] == ["I110"]


def test_an_issue_that_is_over_cannot_be_stopped(world: World) -> None:
    world.send(WEDNESDAY)
    world.deliver(WEDNESDAY)
    with pytest.raises(Refused) as refused:
        world.cancel(1, WEDNESDAY)
    assert [p.code for p in refused.value.problems] == ["S314"]


def test_an_issue_whose_time_passed_unsent_is_held_with_its_reason(world: World) -> None:
    world.send(WEDNESDAY)
    (held,) = world.deliver(WEDNESDAY + timedelta(hours=3)).held
    assert held.state is IssueState.HELD
    assert "3 h later" in held.reason
    assert world.folder.mails() == []


def test_status_shows_slots_that_passed_while_nothing_ran(world: World) -> None:
    now = SLOT + WEEK + timedelta(days=2)
    press = world.press(now)
    told = report.status(press, world.app.roster, choose(press))
    assert [slot.key for slot in told.undecided] == ["2026-W48", "2026-W49"]
    assert told.place.slot.key == "2026-W49"
    made = world.prepare(now)
    assert made.issue is not None
    assert made.issue.state is IssueState.HELD
    after = report.status(world.press(now), world.app.roster, choose(world.press(now)))
    assert after.undecided == ()
    assert [issue.number for issue in after.attention] == [1]
    assert after.last_slot is not None
    assert after.last_slot.key == "2026-W49"


def test_one_slot_has_one_issue_whoever_is_first(world: World) -> None:
    world.prepare(SLOT + MINUTE)
    with pytest.raises(Refused) as refused:
        world.send(SLOT + MINUTE, number=1)
    assert [p.code for p in refused.value.problems] == ["S301"]
    assert len(world.app.ledger.issues(WEEKLY)) == 1


def test_what_was_never_approved_is_named_by_status_and_by_the_refusal_to_send(world: World) -> None:
    toml = world.folder.root / "newsletter.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"off"', '"on"'), encoding="utf-8")
    for path in (world.folder.root / "posts").glob("*.md"):
        text = path.read_text(encoding="utf-8").replace("author: news-desk", "author: news-desk\nreviewer: review-desk")
        path.write_text(text, encoding="utf-8")
    reviewed = World(world.folder, App(config.load(world.folder.root)))
    press = reviewed.press(WEDNESDAY)
    told = report.status(press, reviewed.app.roster, choose(press))
    assert [(c.post.slug, c.reason) for c in told.selection.waiting] == [
        ("hybrid-hatch", "in review"),
        ("diesel-van", "in review"),
    ]
    with pytest.raises(Refused) as refused:
        reviewed.send(WEDNESDAY)
    (problem,) = refused.value.problems
    assert "newsletter post approve hybrid-hatch --as review-desk" in problem.fixes
    held = reviewed.prepare(SLOT + MINUTE)
    assert (held.issue, held.reason) == (None, "2 stories wait for approval")
    reviewed.app.close()


def test_the_mail_is_inlined_once_however_many_readers_get_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    honest = inlining.transform

    def counted(html: str, sheet: str) -> str:
        calls.append(html)
        return honest(html, sheet)

    monkeypatch.setattr(inlining, "transform", counted)
    world.join(*(f"reader{n}@readers.example" for n in range(60)))
    world.prepare(SLOT)
    assert len(calls) == 1
    world.deliver(SLOT)
    assert len(world.folder.mails()) == 62
    assert len(calls) == 1


def test_while_the_clock_is_in_doubt_no_hand_sends(world: World) -> None:
    doubt = SlotPlan(ALL_SLOTS, PlanKind.CLOCK, by_clock(WEDNESDAY), "this machine's clock jumped 2 days forward")
    world.app.ledger.plan(WEEKLY, doubt)
    with pytest.raises(Refused) as refused:
        world.send(WEDNESDAY)
    assert [p.code for p in refused.value.problems] == ["S333"]
    assert "jumped 2 days forward" in refused.value.problems[0].message


def test_an_extra_issue_can_be_made_beside_one_that_was_thawed(world: World) -> None:
    life.ready(world.press(WEDNESDAY), life.readiness(world.press(WEDNESDAY), None), HAND)
    life.unready(world.press(WEDNESDAY), 1, reason="", hand=HAND)
    press = world.press(WEDNESDAY)
    made = extra.make_extra(press, extra.extra_draft(press, ["diesel-van"]), HAND)
    assert (made.number, made.slot.key) == (2, "extra:2")
    assert world.states() == {1: IssueState.DRAFT, 2: IssueState.READY}


def test_the_slot_of_an_issue_that_was_thawed_and_went_out_at_a_later_one_is_missed(world: World) -> None:
    life.hold(world.press(WEDNESDAY), None, reason="", hand=HAND)
    world.prepare(SLOT)
    life.unready(world.press(SLOT), 1, reason="", hand=HAND)
    world.prepare(SLOT + WEEK)
    world.deliver(SLOT + WEEK)
    assert world.states() == {1: IssueState.SENT}
    assert world.slots() == {"2026-W48": "coalesced", "2026-W49": "issued"}


def test_an_issue_does_not_start_with_a_link_to_a_page_that_went_after_it_was_frozen(world: World) -> None:
    life.ready(world.press(WEDNESDAY), life.readiness(world.press(WEDNESDAY), None), HAND)
    path = world.folder.root / "posts" / "2026-11-23-diesel-van.md"
    path.write_text(path.read_text().replace("---\n", "---\nslug: big-van\n", 1))
    [issue] = world.app.ledger.issues(WEEKLY)
    assert {p.code for p in stops(recheck.frozen(world.press(WEDNESDAY), issue).problems)} == {"I321"}
    world.deliver(SLOT)
    [issue] = world.app.ledger.issues(WEEKLY)
    assert (issue.state, issue.reason.split()[0], world.folder.mails()) == (IssueState.HELD, "I321", [])


def test_a_slot_that_was_held_without_a_story_is_made_up_by_hand_and_the_next_one_is_left_alone(world: World) -> None:
    world.app.ledger.start(WEEKLY, WEDNESDAY)
    slot = world.app.next_slot(WEDNESDAY)
    world.app.ledger.record_slot(WEEKLY, slot, SlotOutcome.HELD, "2 stories wait for approval")
    world.send(SLOT + MINUTE)
    world.deliver(SLOT + 2 * MINUTE)
    assert world.slots() == {"2026-W48": "issued"}
    assert world.app.next_slot(SLOT + 3 * MINUTE).key == "2026-W49"


def test_a_draft_that_was_cancelled_has_nothing_that_could_stand_on_the_web(world: World) -> None:
    life.ready(world.press(WEDNESDAY), life.readiness(world.press(WEDNESDAY), None), HAND)
    life.unready(world.press(WEDNESDAY), 1, reason="", hand=HAND)
    world.cancel(1, WEDNESDAY)
    with pytest.raises(Refused) as refused:
        life.web_only(world.app.ledger, WEEKLY, 1, reason="", hand=HAND)
    assert [p.code for p in refused.value.problems] == ["S303"]
    assert world.states() == {1: IssueState.CANCELLED}


def test_an_issue_that_was_thawed_after_its_slot_and_is_held_does_not_go_out_at_the_next(world: World) -> None:
    life.hold(world.press(WEDNESDAY), None, reason="", hand=HAND)
    world.prepare(SLOT)
    life.unready(world.press(SLOT + MINUTE), 1, reason="", hand=replace(HAND, at=SLOT + MINUTE))
    number, slot = life.hold(world.press(SLOT + MINUTE), 1, reason="", hand=HAND)
    assert (number, slot.key) == (1, "2026-W49")
    world.prepare(SLOT + WEEK)
    assert world.states() == {1: IssueState.HELD}


def test_a_deleted_post_is_not_called_edited(world: World) -> None:
    life.ready(world.press(WEDNESDAY), life.readiness(world.press(WEDNESDAY), None), HAND)
    (world.folder.root / "posts" / "2026-11-23-diesel-van.md").unlink()
    [told] = world.app.stale(world.app.library(WEDNESDAY))
    assert (told.file, "was deleted after issue 1" in told.message) == ("posts/", True)
