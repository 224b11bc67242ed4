"""The sums of a run, also where several processes ran it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chaos.sums import SUMS


@pytest.fixture(autouse=True)
def _summed(record_property: Any) -> Iterator[None]:
    before = Counter(SUMS)
    yield
    record_property("chaos", dict(SUMS - before))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    ends = [one for one in terminalreporter.stats.get("", ()) if one.when == "teardown"]
    sums = sum((Counter(dict(one.user_properties).get("chaos", {})) for one in ends), Counter[str]())
    if sums:
        broken = len(terminalreporter.stats.get("failed", ()))
        terminalreporter.write_line(
            f"chaos: {sums['kills']:,} kills, {sums['messages']:,} messages, {broken} promises broken; in doubt "
            f"after a kill: {sums['uncertain']:,}, copies where a resend was chosen: {sums['copies']:,}"
        )
