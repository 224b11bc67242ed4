"""kill -9 at each point that a send comes to: nobody is lost, and nobody is mailed twice unasked.

`make chaos` tries all of them, with one connection and with several; else some are left out that look like others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from newsletter.model import DeliveryState
from tests.chaos.ground import READERS, Ground, Run, ground
from tests.chaos.points import Point

IN_FULL = "CHAOS_SEEDS" in os.environ
LANES = (1, 2, 4) if IN_FULL else (2,)
MAILS = range(1, READERS + 1) if IN_FULL else (2,)
EACH = 1 if IN_FULL else 4
"""Of commits that are torn, every so many."""

STAGES = ("MAIL", "RCPT", "DATA", "DOT lost", "DOT", "answer")
SOME = STAGES if IN_FULL else ("DOT", "answer")
PLACES = ("in", "after") if IN_FULL else ("after",)
WHOLE = {"recover", "_begin", "fill", "due_chunks", "claim", "hand_over"}
"""Who writes while an issue goes out, until it is finished."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("points")) as one:
        yield one


def killed(run: Run, place: str, nth: int, of: str = "") -> str:
    """Killed there, finished by the next, and judged; who was writing there, or empty when it did not come to that."""
    who = run.dies_at(Point(place, nth, of=of))
    run.ends()
    run.check()
    return who


# --- commits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", LANES)
def test_killed_after_each_commit_of_a_send(site: Ground, connections: int) -> None:
    """With nothing done about it: after the claim, after the mark, between two parts of the audience, at the end."""
    found = [""]
    while len(found) == 1 or found[-1]:
        found.append(killed(site.run(connections), "after", len(found)))
    assert set(found) >= WHOLE, found
    assert found.count("fill") >= 3
    assert killed(site.run(connections), "after", 1, "finish")  # how many commits come before it varies


@pytest.mark.parametrize("connections", LANES)
def test_killed_in_the_middle_of_a_commit(site: Ground, connections: int) -> None:
    """Part of it is on the disk: it has not happened."""
    nth = 1
    while killed(site.run(connections), "in", nth):
        nth += EACH
    assert nth > len(WHOLE)


@pytest.mark.parametrize("place", PLACES)
def test_killed_while_it_recovers_from_a_kill(site: Ground, place: str) -> None:
    """With a row on its way, and with an audience that was cut short."""
    for first in (Point("after", 3), Point("DOT", 2)):
        nth, who = 0, "?"
        while who not in ("claim", ""):
            run, nth = site.run(2), nth + 1
            assert run.dies_at(first)
            who = killed(run, place, nth)


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_each_commit_of_a_letter(site: Ground, place: str) -> None:
    who = [killed(site.run(1, letter=True), place, nth) for nth in (1, 2, 3)]
    assert who == ["recover", "begin", "settle"]


# --- the conversation with the mail server ---------------------------------------------------------


@pytest.mark.parametrize("connections", LANES)
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_each_stage_of_a_message(site: Ground, stage: str, connections: int) -> None:
    """Between the final dot and the commit the fate of those on their way is unknown, and of nobody else's."""
    for nth in MAILS:
        run = site.run(connections)
        assert killed(run, stage, nth)
        doubtful = [one for one in run.read()[1] if one.state is DeliveryState.UNCERTAIN]
        assert 1 <= len(doubtful) <= connections


@pytest.mark.parametrize("stage", SOME)
def test_killed_at_each_stage_of_a_letter(site: Ground, stage: str) -> None:
    run = site.run(1, letter=True)
    assert killed(run, stage, 1)
    assert [one.state for one in run.read()[2]] == [DeliveryState.UNCERTAIN]


@pytest.mark.parametrize("stage", SOME)
def test_killed_where_a_resend_was_chosen_everybody_gets_it(site: Ground, stage: str) -> None:
    run = site.run(2, "resend")
    assert killed(run, stage, 2)
    assert {one.state for one in run.read()[1]} == {DeliveryState.ACCEPTED}
