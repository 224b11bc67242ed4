"""The monthly edition, and each post by itself, beside the weekly one."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter import config
from newsletter.app import App
from newsletter.cli.naming import asked
from newsletter.cli.program import run
from newsletter.errors import Refused, UsageError
from newsletter.model import (
    EACH_POST,
    MONTHLY,
    WEEKLY,
    Evidence,
    Hand,
    IssueState,
    NoticeKind,
    PlanKind,
    SlotPlan,
    by_clock,
    issue_name,
)
from newsletter.readers.tokens import HOLD
from newsletter.usecases import life, report
from newsletter.usecases import send as sending
from newsletter.usecases.prepare import Prepared
from tests.acceptance.harness import part
from tests.builders import built_in
from tests.unit.usecases.world import SLOT, WEDNESDAY, World, a_world

ON = '\n[editions]\nmonthly = "first friday 08:00"\neach_post = true\n'
FIRST_FRIDAY = datetime.fromisoformat("2026-12-04T08:00:00+01:00")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OPERATOR = Hand("operator", "cli", WEDNESDAY)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = a_world(tmp_path / "site", ("hybrid-hatch", "2026-11-24"), ("letters", "2026-11-26"), more=ON)
    yield world
    world.app.close()


def look(world: World, now: datetime) -> list[Prepared]:
    """What a look of `work` makes, of every edition."""
    library = world.app.library(now)
    made = [world.app.prepare(each, library, now, hand=by_clock(now)) for each in world.app.rhythms]
    return [one for some in made for one in some]


def join(world: World, edition: str, address: str) -> int:
    reader = world.app.roster.add(address, edition=edition, evidence=Evidence("test"), now=WEDNESDAY)
    assert reader
    return reader.id


def post(world: World, slug: str, at: str) -> Path:
    """A post that comes out at a time of the day."""
    path = world.folder.post(slug, at[:10])
    path.write_text(path.read_text().replace(f"date: {at[:10]}", f"date: {at}"))
    return path


def said(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines that a command answers."""
    assert run(["--site", str(world.folder.root), *words, "--now", WEDNESDAY.isoformat()]) == 0
    return capsys.readouterr().out.splitlines()


def states(world: World) -> dict[str, str]:
    return {issue.name: issue.state.value for issue in world.app.ledger.issues()}


def mails(world: World) -> list[tuple[str, str]]:
    return sorted((str(mail["To"]), str(mail["Subject"])) for mail in world.folder.mails())


def test_each_edition_makes_its_own_issues_with_its_own_numbers(world: World) -> None:
    look(world, WEDNESDAY)
    look(world, SLOT)
    look(world, FIRST_FRIDAY)
    assert {"1": "ready", "monthly/1": "ready"}.items() <= states(world).items()
    stories = {i.name: [story.slug for story in i.stories] for i in world.app.ledger.issues()}
    assert stories["1"] == stories["monthly/1"] == ["letters", "hybrid-hatch"]


def test_an_issue_goes_to_the_readers_of_its_edition_and_to_no_others(world: World) -> None:
    for edition in (WEEKLY, MONTHLY, EACH_POST):
        join(world, edition, f"{edition}@b.example")
    look(world, WEDNESDAY)
    look(world, SLOT)
    world.deliver(SLOT)
    assert mails(world) == [("weekly@b.example", "Letters on the road")]
    look(world, FIRST_FRIDAY)
    world.deliver(FIRST_FRIDAY)
    assert [to for to, _ in mails(world)] == ["monthly@b.example", "weekly@b.example"]


def test_a_post_that_comes_out_is_an_issue_of_its_own_that_can_be_stopped_for_a_while(world: World) -> None:
    join(world, EACH_POST, "each@b.example")
    look(world, WEDNESDAY)
    post(world, "recall-watch", "2026-11-25 13:00")
    now = WEDNESDAY + HOUR + MINUTE
    [made] = [one for one in look(world, now) if one.edition == EACH_POST]
    assert made.issue
    assert (made.issue.name, made.issue.send_at) == ("each-post/1", now + 10 * MINUTE)
    world.deliver(now + 9 * MINUTE)
    assert mails(world) == []
    world.deliver(now + 10 * MINUTE)
    assert mails(world) == [("each@b.example", "Recall watch on the road")]
    assert [one for one in look(world, now + 11 * MINUTE) if one.slot] == []


def test_the_mail_of_a_single_post_is_that_post_and_nothing_of_an_issue(world: World) -> None:
    join(world, EACH_POST, "each@b.example")
    look(world, WEDNESDAY)
    post(world, "recall-watch", "2026-11-25 13:00")
    look(world, WEDNESDAY + HOUR)
    world.deliver(WEDNESDAY + HOUR + 10 * MINUTE)
    [mail] = world.folder.mails()
    text = part(mail, "plain")
    assert "You get each post of" in " ".join(text.split())
    assert "/posts/recall-watch/" in text
    assert "/issues/" not in text
    assert "In this issue" not in text


def test_a_monthly_issue_is_named_by_its_month(world: World) -> None:
    join(world, MONTHLY, "monthly@b.example")
    look(world, WEDNESDAY)
    look(world, FIRST_FRIDAY)
    world.deliver(FIRST_FRIDAY)
    [mail] = world.folder.mails()
    text = " ".join(part(mail, "plain").split())
    assert "December 2026 · 2 stories" in text
    assert "once a month because" in text
    assert "/issues/monthly/1/" in text
    page = (world.folder.root / "feeds/issues/monthly/1/index.html").read_text()
    assert "<h1>December 2026</h1>" in page
    assert 'href="../issues/monthly/1/"' in (world.folder.root / "feeds/issues/index.html").read_text()
    assert "/issues/monthly/" not in (world.folder.root / "feeds/issues/rss.xml").read_text()


def test_a_post_that_is_found_too_late_is_held_and_one_of_last_month_is_told_and_let_be(world: World) -> None:
    look(world, WEDNESDAY)
    post(world, "late", "2026-11-25 13:00")
    [made] = [one for one in look(world, WEDNESDAY + 4 * HOUR) if one.slot]
    assert (made.edition, made.state) == (EACH_POST, IssueState.HELD)
    assert made.reason == "found 3 h after late came out (limit 2 h)"
    post(world, "older", "2026-11-25 17:00")
    old = [one for one in look(world, WEDNESDAY + 20 * DAY) if one.edition == EACH_POST]
    assert [(one.issue, "too old for a mail of its own" in one.reason) for one in old] == [(None, True)] * 2
    assert [one for one in look(world, WEDNESDAY + 20 * DAY + MINUTE) if one.edition == EACH_POST] == []


def test_a_post_dated_by_the_day_is_not_late_on_that_day(world: World) -> None:
    look(world, WEDNESDAY)
    world.folder.post("today", "2026-11-25")
    made = [one for one in look(world, WEDNESDAY + 10 * HOUR) if one.edition == EACH_POST]
    assert [(one.state, one.reason) for one in made] == [(IssueState.READY, "")]


def test_posts_of_days_before_the_edition_was_started_are_not_mailed_by_themselves(world: World) -> None:
    assert [one for one in look(world, WEDNESDAY) if one.edition == EACH_POST] == []
    assert states(world) == {}


def test_while_everything_is_paused_a_post_waits_and_is_not_lost(world: World) -> None:
    look(world, WEDNESDAY)
    world.app.ledger.plan(WEEKLY, SlotPlan("all", PlanKind.PAUSE, OPERATOR, "holiday"))
    post(world, "recall-watch", "2026-11-25 13:00")
    assert [one for one in look(world, WEDNESDAY + HOUR) if one.edition == EACH_POST] == []
    world.app.ledger.unplan(WEEKLY, "all", PlanKind.PAUSE)
    made = [one for one in look(world, WEDNESDAY + DAY) if one.edition == EACH_POST]
    assert [one.state for one in made] == [IssueState.HELD, IssueState.READY]  # the other came out this day


def test_a_single_post_that_was_cancelled_is_not_made_again(world: World) -> None:
    look(world, WEDNESDAY)
    post(world, "recall-watch", "2026-11-25 13:00")
    look(world, WEDNESDAY + HOUR)
    issue = report.issue_named(world.app.ledger, EACH_POST, 1)
    sending.cancel(world.app.ledger, issue, world.app.rhythm(EACH_POST), reason="a slip", hand=OPERATOR)
    assert [one for one in look(world, WEDNESDAY + HOUR + MINUTE) if one.slot] == []


def test_a_single_post_that_was_thawed_is_made_anew_with_its_new_text(world: World) -> None:
    look(world, WEDNESDAY)
    path = post(world, "recall-watch", "2026-11-25 13:00")
    look(world, WEDNESDAY + HOUR)
    now = WEDNESDAY + HOUR + MINUTE
    life.unready(world.app.press(world.app.library(now), now, EACH_POST), 1, reason="", hand=replace(OPERATOR, at=now))
    path.write_text(path.read_text().replace("What we learned", "All that we learned"))
    [made] = [one for one in look(world, now + MINUTE) if one.slot]
    assert made.issue
    assert made.issue.name == "each-post/1"
    assert "All that we learned" in world.app.ledger.digest(EACH_POST, 1).text


def test_an_edition_without_a_rhythm_has_no_next_issue_to_make(world: World) -> None:
    press = world.app.press(world.app.library(WEDNESDAY), WEDNESDAY, EACH_POST)
    for ask in (
        lambda: sending.plan(press, world.app.roster, None),
        lambda: life.readiness(press, None),
        lambda: life.hold(press, None, reason="", hand=OPERATOR),
        lambda: life.skip(press, None, reason="", hand=OPERATOR),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert {p.code for p in refused.value.problems} <= {"I120", "S303"}


def test_an_edition_that_was_switched_off_starts_nothing_and_stops_no_other(world: World) -> None:
    join(world, WEEKLY, "weekly@b.example")
    join(world, MONTHLY, "monthly@b.example")
    look(world, WEDNESDAY)
    look(world, FIRST_FRIDAY - MINUTE)
    assert states(world)["monthly/1"] == "ready"
    world.app.close()
    world.folder.configure()
    world.app = App(config.load(world.folder.root))
    world.app.__dict__["templates"] = built_in()
    with pytest.raises(UsageError):
        world.app.press(world.app.library(FIRST_FRIDAY), FIRST_FRIDAY, MONTHLY)
    world.deliver(FIRST_FRIDAY)
    assert states(world)["monthly/1"] == "held"
    issue = report.issue_named(world.app.ledger, MONTHLY, 1)
    assert "I119" in issue.reason
    sending.cancel(world.app.ledger, issue, None, reason="", hand=OPERATOR)
    assert states(world)["monthly/1"] == "cancelled"


def test_editors_see_a_monthly_issue_the_day_before_and_can_hold_it(world: World) -> None:
    look(world, WEDNESDAY)
    look(world, SLOT)
    now = FIRST_FRIDAY - 12 * HOUR
    world.app.tell_of_posts(world.app.loaded(now), now)
    [shown] = world.app.notices.about(NoticeKind.PREVIEW, "2026-M12")
    assert shown.subject.startswith("Preview of monthly issue 1, Fri 4 Dec")
    assert shown.fixes == ("newsletter issue show monthly/1",)
    link = world.app.hold(lambda: now)
    held = link.hold(world.app.tokens.make(HOLD, (shown.hold, "desk")))
    assert held
    assert held.title == "Monthly issue 1"
    [made] = [one for one in look(world, FIRST_FRIDAY) if one.edition == MONTHLY]
    assert (made.state, made.reason) == (IssueState.HELD, "held by desk: through the link of a notice")


def test_a_monthly_issue_is_sent_by_hand_with_its_name_and_count(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    join(world, MONTHLY, "monthly@b.example")
    join(world, WEEKLY, "weekly@b.example")
    said(world, capsys, "issue", "send", "monthly/next", "--confirm", "monthly/1:1", "--delay", "0")
    world.deliver(WEDNESDAY)
    assert [to for to, _ in mails(world)] == ["monthly@b.example"]
    assert world.app.next_slot(WEDNESDAY, MONTHLY).key == "2027-M01"


def test_status_and_the_schedule_tell_of_every_edition(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    join(world, MONTHLY, "monthly@b.example")
    look(world, WEDNESDAY)
    told = said(world, capsys, "status")
    assert any(line.startswith("Next monthly monthly/1, Fri 4 Dec") and "1 reader" in line for line in told)
    assert "Each post    10 min after it comes out; 0 readers" in told
    rows = said(world, capsys, "schedule", "next", "--count", "3")
    assert [row.split()[0] for row in rows[1:4]] == ["2026-W48", "2026-M12", "2026-W49"]
    world.folder.configure()
    told = said(world, capsys, "status")
    assert any("1 reader chose the monthly edition, which is switched off" in line for line in told)


def test_an_edition_can_be_told_from_which_post_on(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    said(world, capsys, "issue", "start-from", "hybrid-hatch", "--edition", "each-post")
    made = [one for one in look(world, WEDNESDAY) if one.edition == EACH_POST]
    assert [[story.slug for story in one.issue.stories] for one in made if one.issue] == [["hybrid-hatch"]]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("47", (WEEKLY, 47)),
        ("next", (WEEKLY, None)),
        ("monthly/3", (MONTHLY, 3)),
        ("each-post/next", (EACH_POST, None)),
    ],
)
def test_an_issue_is_named_by_its_edition_and_number(typed: str, meant: tuple[str, int | None]) -> None:
    assert asked(typed) == meant
    assert issue_name(*meant) == typed


@pytest.mark.parametrize(
    "typed", ["monthly", "monthly/", "/3", "weekly/3", "biweekly/3", "monthly/-1", "monthly/3/4", ""]
)
def test_what_names_no_issue_is_refused(typed: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(typed)
    assert refused.value.problems[0].code == "I111"


STEPS = ("post", "look", "look", "deliver", "deliver", "half an hour", "a day", "a week", *(WEEKLY, MONTHLY, EACH_POST))
PASSES = {"half an hour": 30 * MINUTE, "a day": DAY, "a week": 7 * DAY}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(STEPS), min_size=6, max_size=16))
def test_whatever_editions_a_reader_passes_through_each_post_comes_at_most_once(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = a_world(Path(folder) / "site", ("first-story-end", "2026-11-25"), more=ON)
        reader, now, posts = join(world, EACH_POST, "ada@b.example"), WEDNESDAY, ["first-story-end"]
        look(world, now)
        for step in [*steps, "look", "half an hour", "deliver"]:
            now += PASSES.get(step, MINUTE)
            match step:
                case "post":
                    posts.append(f"story-{len(posts)}-end")
                    post(world, posts[-1], f"{now:%Y-%m-%d %H:%M}")
                case "look":
                    look(world, now)
                case "deliver":
                    world.deliver(now)
                case "weekly" | "monthly" | "each-post":
                    evidence = Evidence("test")
                    world.app.roster.choose(reader, edition=step, without=(), plain=False, evidence=evidence, now=now)
                case _:
                    pass
        _holds(world, posts)
        world.app.close()


def _holds(world: World, posts: list[str]) -> None:
    issues = world.app.ledger.issues()
    carried = Counter((issue.edition, story.post_id) for issue in issues for story in issue.stories)
    assert all(count == 1 for count in carried.values()), carried
    assert len({(issue.edition, issue.slot.key) for issue in issues}) == len(issues)
    came = Counter(slug for mail in world.folder.mails() for slug in posts if f"/{slug}/" in part(mail, "plain"))
    assert all(count == 1 for count in came.values()), came


# --- what is said of them ---------------------------------------------------------------------------


def coming(world: World) -> tuple[str, int, datetime | None]:
    """The weekly issue that comes next, as the page of a reader, and that for signing up, speak of it."""
    reader = world.app.roster.find("ada@b.example")
    assert reader
    _, slot = world.app.preferences(lambda: WEDNESDAY).outlook(reader)
    shown = world.app._show_what_comes(WEDNESDAY).coming
    assert slot
    assert shown
    one = shown[WEEKLY]
    assert one.slot == slot
    return slot.key, one.number, slot.due


def test_who_asks_when_the_next_issue_comes_is_told_of_no_slot_that_was_sent_ahead(world: World) -> None:
    join(world, WEEKLY, "ada@b.example")
    assert coming(world) == ("2026-W48", 1, SLOT)
    world.send(WEDNESDAY)
    world.deliver(WEDNESDAY)
    assert coming(world)[:2] == ("2026-W49", 2)


def test_an_issue_that_is_ready_for_its_slot_is_the_next_one(world: World) -> None:
    join(world, WEEKLY, "ada@b.example")
    press = world.press(WEDNESDAY)
    life.ready(press, life.readiness(press, None), OPERATOR)
    assert coming(world) == ("2026-W48", 1, SLOT)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("issue", "ready", "monthly/next"), "newsletter issue unready monthly/1   thaws it"),
        (("issue", "wave", "monthly/1", "I316"), "newsletter issue check monthly/1"),
        (("schedule", "pause", "2026-M12"), "newsletter issue show monthly/1"),
        (
            ("post", "withdraw", "hybrid-hatch", "why", "--dry-run", "--as", "review-desk"),
            "newsletter issue unready monthly/1 thaws it",
        ),
    ],
)
def test_what_helps_names_the_issue_of_its_edition(
    world: World, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    press = world.app.press(world.app.library(WEDNESDAY), WEDNESDAY, MONTHLY)
    life.ready(press, life.readiness(press, None), OPERATOR)
    run(["--site", str(world.folder.root), *words, "--now", (SLOT - MINUTE).isoformat()])
    answered = capsys.readouterr()
    assert told in answered.out + answered.err


def test_a_reader_who_is_added_gets_the_issue_that_they_were_told_of_though_nothing_ran_in_between(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    added = said(world, capsys, "reader", "add", "mo@b.example", "--edition", MONTHLY, "--consent", "by phone")
    assert "Fri 4 Dec 2026, 08:00" in added[0]
    look(world, FIRST_FRIDAY)
    assert states(world)["monthly/1"] == "ready"
