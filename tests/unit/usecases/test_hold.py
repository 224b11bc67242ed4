"""The page behind the link of a preview, with the ledger behind it: looking changes nothing, a button does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from newsletter.model import WEEKLY, PlanKind, SlotPlan, by_clock
from newsletter.readers.tokens import HOLD, UNSUBSCRIBE
from newsletter.web.app import create_app
from tests.acceptance.harness import part
from tests.unit.usecases.world import SLOT, WEDNESDAY, World, a_world
from tests.unit.web.parts import a_client

CHIEF = '\n[people.chief]\nname = "Chief"\nemail = "chief@desk.example"\nrole = "editor"\n'
THURSDAY = SLOT - timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Desk:
    """An editor with the link of a preview, at a time."""

    world: World
    client: TestClient
    now: datetime
    link: str = ""

    def look(self) -> str:
        return str(self.client.get(self.link).text)

    def press(self, what: str) -> str:
        return str(self.client.post(self.link, data={"do": what}).text)

    def make(self) -> None:
        self.world.prepare_due(self.now)

    def state(self) -> tuple[object, ...]:
        ledger = self.world.app.ledger
        return (list(ledger.issues(WEEKLY)), list(ledger.plans(WEEKLY)), list(ledger.slots(WEEKLY)), ledger.entries(99))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    world = a_world(tmp_path / "site", ("hybrid-hatch", "2026-11-24"), more=CHIEF)
    world.join("ada@readers.example")
    app = world.app
    app.ledger.start(WEEKLY, WEDNESDAY)
    app.tell_of_posts(app.loaded(THURSDAY), THURSDAY)
    app.hand_over_notices(lambda: THURSDAY)
    [mail] = world.folder.mails()
    found = re.search(r"https://weekly\.auto-trendy\.net(/hold/\S+)", part(mail, "plain"))
    assert found
    desk = Desk(world, a_client(Starlette()), THURSDAY, found[1])
    pages = create_app(
        folder=app.config.output,
        site=app.config.site,
        templates=app.templates,
        unsubscribe=app.unsubscribe(lambda: desk.now),
        hold=app.hold(lambda: desk.now),
    )
    desk.client = a_client(pages, app.config.site.url)
    return desk


def test_looking_at_the_link_changes_nothing(desk: Desk) -> None:
    for now in (THURSDAY, SLOT - 4 * MINUTE):
        desk.now = now
        desk.make()
        before = desk.state()
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            for query in ("", "?do=hold", "?do=release"):
                desk.client.request(method, desk.link + query)
        assert desk.state() == before


def test_one_press_holds_what_is_not_made_yet_and_the_issue_is_made_held(desk: Desk) -> None:
    assert "Hold issue 1?" in desk.look()
    told = desk.press("hold")
    assert "Done: no reader gets it until somebody lets it go." in told
    assert "chief held it" in told
    desk.now = SLOT
    desk.make()
    assert desk.world.states() == {1: "held"}
    desk.world.deliver(SLOT)
    assert len(desk.world.folder.mails()) == 1  # the preview


def test_a_second_press_changes_nothing_and_says_that_it_is_held(desk: Desk) -> None:
    desk.press("hold")
    before = desk.state()
    assert "is held" in desk.press("hold")
    assert desk.state() == before


def test_a_hold_before_the_issue_is_made_can_be_undone(desk: Desk) -> None:
    desk.press("hold")
    assert "Let it go</button>" in desk.look()
    assert "Done: it goes out at its time." in desk.press("release")
    desk.now = SLOT
    desk.make()
    assert desk.world.states() == {1: "ready"}


def test_a_frozen_issue_is_held_and_let_go_again_at_its_time(desk: Desk) -> None:
    desk.now = SLOT - 4 * MINUTE
    desk.make()
    desk.press("hold")
    assert desk.world.states() == {1: "held"}
    desk.press("release")
    [issue] = desk.world.app.ledger.issues(WEEKLY)
    assert (issue.state, issue.send_at) == ("ready", SLOT)
    [hold, release] = [turn for turn in desk.world.app.ledger.turns() if turn.hand.channel == "web"]
    assert (hold.hand.who, release.hand.who) == ("chief", "chief")


def test_after_its_time_the_page_sends_nothing_and_says_what_to_type(desk: Desk) -> None:
    desk.press("hold")
    desk.now = SLOT + MINUTE
    desk.make()
    told = desk.press("release")
    assert "Nothing was changed." in told
    assert desk.world.states() == {1: "held"}
    assert "newsletter issue send 1" in told
    assert "<button" not in told


def test_an_issue_on_its_way_is_not_held_and_says_how_it_is_stopped(desk: Desk) -> None:
    desk.now = SLOT
    desk.make()
    desk.world.deliver(SLOT)
    told = desk.press("hold")
    assert "Nothing was changed." in told
    assert desk.world.states() == {1: "sent"}


def test_another_token_holds_nothing(desk: Desk) -> None:
    before = desk.state()
    for token in ("x", "a" * 600, "%00", "WyIyMDI2LVc0OCIsImNoaWVmIl0.AAAA", f"{desk.link[6:]}A"):
        assert desk.client.post(f"/hold/{token}", data={"do": "hold"}).status_code == 404
    assert desk.state() == before


def test_an_unsubscribe_token_opens_no_hold_page_and_the_other_way_round(desk: Desk) -> None:
    tokens = desk.world.app.tokens
    assert desk.client.get(f"/hold/{tokens.make(UNSUBSCRIBE, (1, 1))}").status_code == 404
    assert desk.client.get(desk.link.replace("/hold/", "/u/")).status_code == 404


def test_one_flipped_bit_fails_a_token(desk: Desk) -> None:
    token = desk.link.rpartition("/")[2]
    for at in range(0, len(token), 5):
        flipped = token[:at] + chr(ord(token[at]) ^ 1) + token[at + 1 :]
        assert desk.world.app.tokens.read(HOLD, flipped, desk.now) is None


def test_an_issue_that_is_let_go_through_the_link_keeps_its_time_whatever_became_of_the_rhythm(desk: Desk) -> None:
    desk.now = SLOT - 4 * MINUTE
    desk.make()
    desk.press("hold")
    ledger, later = desk.world.app.ledger, SLOT + timedelta(hours=5)
    ledger.plan(WEEKLY, SlotPlan("2026-W48", PlanKind.MOVE, by_clock(desk.now), moved_to=later))
    desk.press("release")
    [issue] = ledger.issues(WEEKLY)
    assert (issue.state, issue.send_at) == ("ready", SLOT)
