"""What editors hear of, and when: driven by the time of day, without a process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.errors import SourceErrors
from newsletter.model import Hand, NoticeKind, PlanKind, SlotOutcome, SlotPlan
from newsletter.readers.intake import RESTING
from newsletter.usecases import life, review
from tests.acceptance.harness import CONFIGURATION, SiteFolder, parsed, part
from tests.unit.usecases.world import SLOT, WEDNESDAY, WEEK, World, a_world, a_world_in

CHIEF = """
[people.chief]
name = "Chief"
email = "chief@desk.example"
role = "editor"

[people.night]
name = "Night"
email = "night@desk.example"
role = "operator"
"""
THURSDAY = SLOT - timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = a_world(tmp_path / "site", ("hybrid-hatch", "2026-11-24"), more=CHIEF)
    world.join("ada@readers.example", "bob@readers.example")
    world.app.ledger.start("weekly", WEDNESDAY)
    return world


def tick(world: World, now: datetime) -> None:
    """One look of `work`, less the send."""
    loaded = world.app.loaded(now)
    world.prepare_due(now)
    world.app.tell_of_posts(loaded, now)
    world.app.tell(now)
    world.app.hand_over_notices(lambda: now)


def told(world: World) -> list[str]:
    """Kinds of all notices, oldest first."""
    return [notice.kind.value for notice, _ in reversed(world.app.notices.last(50))]


def subjects(folder: SiteFolder, to: str) -> list[str]:
    return sorted(str(mail["Subject"]) for mail in folder.mails() if to in str(mail["To"]))


def test_editors_see_the_mail_a_day_before_and_never_twice_the_same(world: World) -> None:
    tick(world, THURSDAY - MINUTE)
    assert told(world) == []
    for minutes in (0, 1, 20, 60, 600):
        tick(world, THURSDAY + minutes * MINUTE)
    assert told(world) == ["preview"]
    [mail] = world.folder.mails()
    assert str(mail["To"]) == "Chief <chief@desk.example>"  # of texts operators hear nothing
    assert "Preview of issue 1, Fri 27 Nov 2026, 08:00: Hybrid hatch on the road" in str(mail["Subject"])
    text = part(mail, "plain")
    assert "Issue 1, Fri 27 Nov 2026, 08:00 Madrid (07:00 UTC): 1 story, 2 readers." in text
    assert "If you do nothing: it goes out Fri 27 Nov 2026, 08:00." in text
    assert "What we learned about hybrid hatch" in text
    assert "/hold/" in text


_OWN = ("/u/", "/p/", "a…@", "25 November")


def test_the_preview_is_the_mail_that_readers_get_but_for_their_own_words(world: World) -> None:
    tick(world, THURSDAY)
    [shown] = world.folder.mails()
    tick(world, SLOT)
    world.deliver(SLOT)
    [mail] = [mail for mail in world.folder.mails() if "ada@readers.example" in str(mail["To"])]
    _, _, below = part(shown, "plain").partition("=" * 72)
    assert "Preview" not in below
    own = {line for line in part(mail, "plain").splitlines() if any(one in line for one in _OWN)}
    lines = [line for line in part(mail, "plain").splitlines() if line not in own]
    assert [line for line in lines if line not in below.splitlines()] == []


def test_a_slot_that_no_issue_can_be_made_for_is_told_once(world: World) -> None:
    world.app.tell(SLOT + MINUTE / 2)  # it may be in the making
    assert told(world) == []
    for minutes in (2, 3, 300):
        world.app.tell(SLOT + minutes * MINUTE)
    assert told(world) == ["late"]


def test_an_issue_that_cannot_start_is_told_once_with_the_reason(world: World) -> None:
    tick(world, SLOT)
    before = told(world)
    path = world.folder.post("bad", "2026-11-25", front="previous: nowhere\n")
    for minutes in (0, 2, 3):
        with pytest.raises(SourceErrors):
            world.deliver(SLOT + minutes * MINUTE)
    assert told(world) == [*before, "late"]
    [(notice, _)] = world.app.notices.last(1)
    assert "P105" in notice.why
    path.unlink()
    world.deliver(SLOT + 4 * MINUTE)
    assert world.states() == {1: "sent"}


def test_another_text_is_shown_again_as_changed_but_not_at_each_save(world: World) -> None:
    tick(world, THURSDAY)
    world.folder.post("petrol-hatch", "2026-11-25")
    tick(world, THURSDAY + MINUTE)
    assert told(world) == ["preview"]
    tick(world, THURSDAY + 16 * MINUTE)
    assert told(world) == ["preview", "preview"]
    assert any("Preview of issue 1, changed" in subject for subject in subjects(world.folder, "chief"))


def test_a_text_that_came_back_is_shown_again_since_the_last_preview_was_of_another(world: World) -> None:
    path = world.folder.post("petrol-hatch", "2026-11-25")
    tick(world, THURSDAY)
    path.rename(aside := path.with_suffix(".txt"))
    tick(world, THURSDAY + 20 * MINUTE)
    aside.rename(path)
    tick(world, THURSDAY + 40 * MINUTE)
    tick(world, THURSDAY + 60 * MINUTE)
    marks = [notice.mark for notice in world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")]
    assert len(marks) == 3
    assert marks[0] == marks[2] != marks[1]


def test_the_issue_is_frozen_five_minutes_before_its_slot_and_shown_if_it_changed_since(world: World) -> None:
    tick(world, THURSDAY)
    world.folder.post("petrol-hatch", "2026-11-25")
    tick(world, SLOT - 6 * MINUTE)
    assert world.states() == {}
    world.folder.post("van", "2026-11-25")
    tick(world, SLOT - 5 * MINUTE)
    assert world.states() == {1: "ready"}
    world.folder.post("estate", "2026-11-25")
    tick(world, SLOT - MINUTE)
    [issue] = world.app.ledger.issues("weekly")
    assert len(issue.stories) == 3
    assert issue.send_at == SLOT
    shown = world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")
    assert len(shown) == 3
    assert shown[-1].mark == world.app.ledger.digest("weekly", 1).digest_hash


def test_an_issue_that_was_made_ready_days_before_is_shown_a_day_before(world: World) -> None:
    press = world.press(WEDNESDAY)
    life.ready(press, life.readiness(press, None), Hand("chief", "cli", WEDNESDAY))
    tick(world, WEDNESDAY)
    assert told(world) == []
    tick(world, THURSDAY)
    [shown] = world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")
    assert shown.mark == world.app.ledger.digest("weekly", 1).digest_hash
    assert "Its text is frozen: edits change nothing in it." in shown.lines


def test_a_broken_post_is_in_the_preview_since_it_lets_no_issue_be_made(world: World) -> None:
    path = world.folder.post("petrol-hatch", "2026-11-25", front="reviewer: nobody\n")
    loaded = world.app.loaded(THURSDAY)
    world.app.tell_of_posts(loaded, THURSDAY)
    [shown] = world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")
    assert "it cannot be made, 1 problem in the posts" in shown.otherwise
    path.unlink()
    world.app.tell_of_posts(world.app.loaded(THURSDAY + 20 * MINUTE), THURSDAY + 20 * MINUTE)
    assert "it goes out" in world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")[-1].otherwise


def test_a_post_of_the_slots_own_time_is_in_the_frozen_issue(world: World) -> None:
    path = world.folder.post("on-time", "2026-11-27")
    path.write_text(path.read_text().replace("date: 2026-11-27", "date: 2026-11-27 08:00"))
    tick(world, SLOT - 5 * MINUTE)
    assert world.states() == {1: "ready"}
    assert [story.slug for story in world.app.ledger.issues("weekly")[0].stories] == ["on-time", "hybrid-hatch"]


def test_a_slot_with_no_story_is_announced_and_told(tmp_path: Path) -> None:
    world = a_world(tmp_path / "site", more=CHIEF)
    world.app.ledger.start("weekly", WEDNESDAY)
    tick(world, THURSDAY)
    tick(world, SLOT)
    tick(world, SLOT + MINUTE)
    assert told(world) == ["preview", "empty"]
    assert any("no story" in subject for subject in subjects(world.folder, "chief"))
    assert subjects(world.folder, "night") == ["[Auto Trendy] No issue: nothing new"]


def test_a_late_slot_is_told_as_late_with_what_happens_if_nothing_is_done(world: World) -> None:
    tick(world, SLOT + timedelta(hours=4))
    assert told(world) == ["late"]
    [notice] = world.app.notices.about(NoticeKind.LATE, "issue 1")
    assert "4 h after the slot" in notice.why
    assert "stays held" in notice.otherwise
    assert "newsletter issue send 1" in notice.fixes


def test_a_start_is_told_and_an_end_only_where_somebody_was_not_served(world: World) -> None:
    tick(world, SLOT)
    world.deliver(SLOT)
    tick(world, SLOT + MINUTE)
    assert told(world) == ["started"]
    assert "2 readers" in subjects(world.folder, "night")[0]


def test_what_somebody_stopped_is_told(world: World) -> None:
    tick(world, SLOT)
    world.cancel(1, SLOT)
    tick(world, SLOT + MINUTE)
    assert told(world) == ["stopped"]
    [notice] = world.app.notices.about(NoticeKind.STOPPED, "issue 1")
    assert "a test" in notice.why.lower()


@pytest.mark.parametrize("end", ["hold", "cancel", "skip", "web-only", "unready", "skipped slot", "late", "pause"])
def test_every_end_of_a_slot_but_a_sent_issue_is_told(world: World, end: str) -> None:
    ledger, hand, now = world.app.ledger, Hand("chief", "cli", SLOT), SLOT
    if end == "skipped slot":
        ledger.record_slot("weekly", world.app.next_slot(WEDNESDAY), SlotOutcome.SKIPPED, "a holiday")
    if end == "pause":
        ledger.plan("weekly", SlotPlan("all", PlanKind.PAUSE, hand, "a holiday"))
    tick(world, now := SLOT + timedelta(hours=3) if end == "late" else SLOT)
    acts: dict[str, Callable[[], object]] = {
        "hold": lambda: ledger.hold("weekly", 1, reason="wait", hand=hand),
        "cancel": lambda: ledger.cancel("weekly", 1, reason="wait", hand=hand),
        "skip": lambda: (
            ledger.hold("weekly", 1, reason="wait", hand=hand),
            ledger.skip("weekly", 1, reason="", hand=hand),
        ),
        "web-only": lambda: ledger.web_only("weekly", 1, reason="wait", hand=hand),
        "unready": lambda: ledger.unready("weekly", 1, reason="wait", hand=hand, free_slot=False),
    }
    acts.get(end, lambda: None)()
    tick(world, now + MINUTE)
    assert [mail for mail in world.folder.mails() if "night@desk.example" in str(mail["To"])], world.slots()


def test_what_was_cancelled_while_it_was_frozen_is_not_made_again(world: World) -> None:
    tick(world, SLOT - 4 * MINUTE)
    world.cancel(1, SLOT - 3 * MINUTE)
    tick(world, SLOT - 2 * MINUTE)
    tick(world, SLOT)
    assert world.states() == {1: "cancelled"}


def test_nobody_is_told_what_happened_weeks_ago(world: World) -> None:
    tick(world, SLOT)
    world.deliver(SLOT)
    world.app.tell(SLOT + 3 * WEEK)
    assert told(world) == []


def test_a_site_where_nobody_has_an_address_keeps_its_notices(tmp_path: Path) -> None:
    world = a_world(tmp_path / "site", ("hybrid-hatch", "2026-11-24"))
    world.app.ledger.start("weekly", WEDNESDAY)
    tick(world, SLOT + timedelta(hours=4))
    assert told(world) == ["late"]
    assert world.folder.mails() == []


def test_a_preview_that_was_accepted_is_a_test_of_its_text(world: World) -> None:
    tick(world, THURSDAY)
    [notice] = world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")
    [proof] = world.app.proofs.of(notice.mark)
    assert (proof.number, proof.recipient) == (1, "chief@desk.example")
    assert world.app.proofs.accepted_from("editor@auto-trendy.net")


def test_notices_are_mails_of_a_program(world: World) -> None:
    tick(world, SLOT + timedelta(hours=4))
    for mail in world.folder.mails():
        assert mail["Auto-Submitted"] == "auto-generated"
        assert not mail["List-Id"]
        assert parsed(mail.as_bytes())["Message-ID"]


# --- approvals that an edit voids ------------------------------------------------------------------


@pytest.fixture
def reviewed(tmp_path: Path) -> World:
    """A site with review, where two posts are approved."""
    folder = SiteFolder(tmp_path / "site").configure(CONFIGURATION.replace('"off"', '"on"'), more=CHIEF)
    world = a_world_in(folder)
    for slug in ("hybrid-hatch", "recall-watch"):
        folder.post(slug, front="reviewer: review-desk\n", text="Four models are affected.\n\nMore about it.")
        approve(world, slug, WEDNESDAY)
    world.app.ledger.start("weekly", WEDNESDAY)
    return world


def approve(world: World, slug: str, now: datetime) -> None:
    app = world.app
    post = review.post_named(app.loaded(now), slug)
    person, site = app.config.site.people["review-desk"], app.config.site
    source = app.source_of(post)
    assert review.approve(
        review.Case(post, source, person, site, app.reviews, app.versions, app.sources, app.ledger, now)
    )


def edit(world: World, slug: str, old: str = "Four models", new: str = "Three models") -> None:
    [path] = world.folder.root.glob(f"posts/*{slug}.md")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_an_edit_after_approval_is_told_at_once_with_its_lines_and_what_it_does(reviewed: World) -> None:
    tick(reviewed, WEDNESDAY)
    assert told(reviewed) == []
    edit(reviewed, "recall-watch")
    tick(reviewed, WEDNESDAY + MINUTE)
    [mail] = reviewed.folder.mails()
    assert str(mail["Subject"]) == "[Auto Trendy] Changed after approval: Recall watch on the road"
    text = part(mail, "plain").replace("\r\n", "\n")
    assert "  - Four models are affected.\n  + Three models are affected.\n" in text
    assert "It is out of issue 1 until it is approved again; 1 story is left in it." in text
    assert "newsletter post approve recall-watch --as review-desk" in text


def test_it_is_told_once_for_each_approval_however_often_the_post_is_saved(reviewed: World) -> None:
    for n, (old, new) in enumerate([("Four", "Three"), ("Three", "Two"), ("Two", "Six")]):
        edit(reviewed, "recall-watch", f"{old} models", f"{new} models")
        tick(reviewed, WEDNESDAY + n * MINUTE)
    assert told(reviewed) == ["edited"]
    approve(reviewed, "recall-watch", WEDNESDAY + 30 * MINUTE)
    tick(reviewed, WEDNESDAY + timedelta(hours=1))
    edit(reviewed, "recall-watch", old="models are", new="cars are")
    tick(reviewed, WEDNESDAY + timedelta(hours=1, minutes=1))
    assert told(reviewed) == ["edited", "edited"]


def test_an_edit_that_leaves_the_issue_without_a_story_says_so(reviewed: World) -> None:
    for slug in ("recall-watch", "hybrid-hatch"):
        edit(reviewed, slug)
    tick(reviewed, WEDNESDAY)
    effects = {notice.what for notice in reviewed.app.notices.about(NoticeKind.EDITED, "post hybrid-hatch")}
    assert any("without it there is no issue" in effect for effect in effects)


def test_an_edit_of_a_frozen_story_is_said_to_change_nothing(reviewed: World) -> None:
    tick(reviewed, SLOT - 4 * MINUTE)
    edit(reviewed, "recall-watch")
    tick(reviewed, SLOT - 3 * MINUTE)
    [notice] = reviewed.app.notices.about(NoticeKind.EDITED, "post recall-watch")
    assert "Issue 1 is frozen with the text that was approved: it goes out as it was." in notice.what


def test_a_text_that_nobody_kept_is_told_without_lines(reviewed: World) -> None:
    (reviewed.folder.root / "reviews.toml").write_text(
        (reviewed.folder.root / "reviews.toml").read_text().replace("sha256:", "sha256:0")
    )
    tick(reviewed, WEDNESDAY)
    [notice] = reviewed.app.notices.about(NoticeKind.EDITED, "post recall-watch")
    assert notice.lines == ()
    assert "not known here" in notice.why


# --- what was decided about slots, and copies of the site ------------------------------------------


def test_a_hold_a_pause_and_a_doubtful_clock_are_told_once(world: World) -> None:
    ledger = world.app.ledger
    for key, kind in (("2026-W48", PlanKind.HOLD), ("all", PlanKind.PAUSE), ("all", PlanKind.CLOCK)):
        ledger.plan("weekly", SlotPlan(key, kind, Hand("chief", "cli", WEDNESDAY), "letters come late"))
    for _ in range(2):
        world.app.tell(WEDNESDAY)
    assert sorted(told(world)) == ["clock", "held", "paused"]
    [held] = world.app.notices.about(NoticeKind.HELD, "2026-W48")
    assert (held.what.startswith("Chief holds"), held.why) == (True, "Letters come late.")


def test_a_preview_of_what_is_held_says_that_nobody_gets_it(world: World) -> None:
    hand = Hand("chief", "cli", WEDNESDAY)
    world.app.ledger.plan("weekly", SlotPlan("2026-W48", PlanKind.HOLD, hand, "letters come late"))
    tick(world, THURSDAY)
    [notice] = world.app.notices.about(NoticeKind.PREVIEW, "2026-W48")
    assert notice.otherwise == "it is held, and no reader gets it: held by chief: letters come late"


def test_a_copy_of_the_site_tells_that_it_is_locked_and_nothing_that_the_original_owes(world: World) -> None:
    world.app.tell(SLOT)
    tick(world, SLOT + timedelta(hours=4))
    first = len(world.folder.mails())
    world.app.desk.tell(replace(world.app.notices.last(1)[0][0], key="owed by both"))
    world.app.close()
    copy = world.folder.root.with_name("copy")
    shutil.copytree(world.folder.root, copy)
    app = App(config.load(copy))
    for _ in range(2):
        app.tell(SLOT + timedelta(hours=5))
        app.hand_over_notices(lambda: SLOT + timedelta(hours=5))
    new = subjects(SiteFolder(copy), "desk.example")[:]
    app.close()
    assert len(new) == first + 2  # Chief and Night
    assert new.count("[Auto Trendy] A copy of the site is locked") == 2


def test_sign_ups_that_paused_intake_are_told_of_once_a_day(world: World) -> None:
    world.app.rates.hold(RESTING, WEDNESDAY + 30 * MINUTE)
    for after in range(3):
        tick(world, WEDNESDAY + after * MINUTE)
    assert told(world) == ["intake"]
    assert subjects(world.folder, "night@desk.example") == ["[Auto Trendy] Signing up is paused"]
    world.app.rates.hold(RESTING, THURSDAY + 30 * MINUTE)
    tick(world, THURSDAY)
    assert told(world).count("intake") == 2
