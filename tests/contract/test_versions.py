"""What every store of versions and review steps promises."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.model import ReviewAct, ReviewStep
from newsletter.ports import Versions
from newsletter.store.database import Database
from newsletter.store.versions import SqlVersions

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def versions(database: Database) -> Versions:
    return SqlVersions(database)


def test_each_new_text_of_a_post_is_its_next_version(versions: Versions) -> None:
    numbers = [versions.keep("a", f"sha256:{n}", f"text {n}", NOON + timedelta(hours=n)).number for n in range(3)]
    assert numbers == [1, 2, 3]
    assert versions.keep("b", "sha256:0", "text", NOON).number == 1
    assert [(one.number, one.text) for one in versions.of("a")] == [(1, "text 0"), (2, "text 1"), (3, "text 2")]


def test_a_text_that_is_known_keeps_its_number_and_its_first_day(versions: Versions) -> None:
    first = versions.keep("a", "sha256:0", "text", NOON)
    versions.keep("a", "sha256:1", "other text", NOON)
    assert versions.keep("a", "sha256:0", "text", NOON + timedelta(days=1)) == first


def test_two_who_keep_texts_at_once_get_a_number_each(versions: Versions) -> None:
    def keep(n: int) -> None:
        versions.keep("a", f"sha256:{n}", "text", NOON)

    threads = [threading.Thread(target=keep, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in versions.of("a")] == list(range(1, 9))


def test_steps_come_back_in_their_order_and_of_one_post_only(versions: Versions) -> None:
    steps = [
        ReviewStep("a", NOON, "news-desk", ReviewAct.ASKED, 1, "review-desk"),
        ReviewStep("a", NOON, "review-desk", ReviewAct.CHANGES, 1, "Which one?\nThe large?"),
        ReviewStep("a", NOON - timedelta(days=1), "review-desk", ReviewAct.APPROVED, 1),
    ]
    for post in ("a", "b"):
        versions.keep(post, "sha256:0", "text", NOON)
    for step in steps:
        versions.note(step)
    versions.note(ReviewStep("b", NOON, "news-desk", ReviewAct.RETURNED, 1))

    assert versions.steps("a") == steps
    assert versions.steps("c") == []
