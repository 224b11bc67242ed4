"""Whatever hand and clock do, in whatever order: no post goes to a reader twice, no slot has two outcomes."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import Refused
from newsletter.model import WEEKLY, IssueState
from tests.acceptance.harness import part
from tests.unit.usecases.world import WEDNESDAY, World, a_world

STEPS = ("post", "prepare", "send", "send", "send later", "cancel", "deliver", "deliver", "an hour", "a day", "a week")
PASSES = {"an hour": timedelta(hours=1), "a day": timedelta(days=1), "a week": timedelta(weeks=1)}


def _step(world: World, step: str, now: datetime, posts: list[str]) -> None:
    issues = world.app.ledger.issues(WEEKLY)
    match step:
        case "post":
            posts.append(f"story-{len(posts)}-end")
            world.folder.post(posts[-1], now.date().isoformat())
        case "prepare":
            world.prepare(now)
        case "send":
            world.send(now)
        case "send later":
            world.send(now, delay=timedelta(minutes=5))
        case "cancel" if issues:
            world.cancel(issues[-1].number, now)
        case "deliver":
            world.deliver(now)
        case _:
            pass


def _holds(world: World, posts: list[str]) -> None:
    ledger = world.app.ledger
    issues = ledger.issues(WEEKLY)
    alive = [issue for issue in issues if issue.state is not IssueState.CANCELLED]
    carried = Counter(story.post_id for issue in alive for story in issue.stories)
    assert all(count == 1 for count in carried.values()), carried
    assert len({issue.slot.key for issue in alive}) == len(alive)
    keys = [record.key for record in ledger.slots(WEEKLY)]
    assert len(set(keys)) == len(keys)
    got = Counter(
        (str(mail["To"]), slug) for mail in world.folder.mails() for slug in posts if f"/{slug}/" in part(mail, "plain")
    )
    assert all(count == 1 for count in got.values()), got
    assert bool(got) == any(issue.state is IssueState.SENT for issue in issues)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(STEPS), min_size=4, max_size=14))
def test_no_post_goes_twice_and_no_slot_ends_twice(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = a_world(Path(folder) / "site")
        world.join("ada@readers.example", "ben@readers.example")
        now, posts = WEDNESDAY, list[str]()
        for step in ("post", *steps):
            try:
                _step(world, step, now, posts)
            except Refused:
                continue
            finally:
                now += PASSES.get(step, timedelta(minutes=1))
            _holds(world, posts)
        world.app.close()
