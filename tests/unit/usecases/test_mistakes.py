"""Mistakes that must be impossible, by the mechanism that prevents them; `docs/mistakes.md` names the others' tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.cli.program import run
from newsletter.errors import Refused, SourceErrors
from newsletter.issues.facts import Trial
from newsletter.model import WEEKLY, Hand, Outcome, Proof, Receipt
from newsletter.usecases import send as sending
from newsletter.usecases.choose import choose, place
from newsletter.usecases.prepare import brought_forward, draft_of
from newsletter.usecases.trial import trial
from tests.acceptance.harness import CONFIGURATION
from tests.smtpd import Smtpd
from tests.unit.usecases.test_dry_runs import call, codes
from tests.unit.usecases.world import SLOT, WEDNESDAY, World, a_world

MINUTE = timedelta(minutes=1)
PEOPLE = CONFIGURATION.replace('name = "Review desk"', 'name = "Review desk"\nemail = "review@auto-trendy.net"')
LIVE = '\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = 9\n'


def proof(digest_hash: str, sender: str = "editor@auto-trendy.net", code: int | None = 250, days: int = 0) -> Proof:
    at = WEDNESDAY - timedelta(days=days)
    return Proof(WEEKLY, 1, digest_hash, sender, "review@auto-trendy.net", at, Receipt(Outcome.ACCEPTED, code, "ok"))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[World]:
    """A site that would reach readers, with somebody whom a test can go to."""
    world = a_world(tmp_path / "site", ("diesel-van", "2026-11-23"), ("hybrid-hatch", "2026-11-24"))
    world.folder.configure(PEOPLE, LIVE)
    world = anew(world)
    world.join("ada@readers.example")
    yield world
    world.app.close()


def anew(world: World) -> World:
    world.app.close()
    return World(world.folder, App(config.load(world.folder.root)))


def test_fifty_presses_at_once_send_one_issue(world: World) -> None:
    press = world.press(WEDNESDAY)
    plan = sending.plan(press, world.app.roster, None)

    def send(n: int) -> str:
        hand = Hand(f"operator{n}", "cli", WEDNESDAY)
        try:
            return str(sending.send(press, plan, confirmed=2, delay=MINUTE, at=None, hand=hand).number)
        except Refused as refusal:
            return refusal.problems[0].code

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    assert sorted(answers) == ["1", *["S301"] * 49]
    assert len(world.app.ledger.issues(WEEKLY)) == 1
    world.deliver(WEDNESDAY + MINUTE)
    assert len(world.folder.mails()) == 2


def refused(world: World) -> list[str]:
    try:
        sending.plan(world.press(WEDNESDAY), world.app.roster, None)
    except Refused as refusal:
        return [problem.code for problem in refusal.problems]
    return []


def test_a_from_that_no_server_has_accepted_yet_sends_nothing_by_hand(live: World) -> None:
    assert refused(live) == ["S329"]
    live.app.proofs.keep(proof("sha256:of another text"))
    assert refused(live) == ["S307"]
    press = live.press(WEDNESDAY)
    slot, posts = brought_forward(place(press).slot, WEDNESDAY), [choice.post for choice in choose(press).stories]
    live.app.proofs.keep(proof(draft_of(press, slot, posts).digest.digest_hash))
    assert refused(live) == []


def test_once_its_frozen_text_was_tried_on_the_house_a_hand_may_send_it(
    live: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with Smtpd() as server:
        live.folder.configure(PEOPLE, LIVE.replace("port = 9", f'port = {server.port}\ntls = "none"'))
        live.app.proofs.keep(proof("sha256:last week", days=6))
        assert call(live, capsys, "issue", "ready", "next")[0] == 0
        refusal = call(live, capsys, "issue", "send", "1", "--dry-run")
        assert (refusal[0], codes(refusal[1])) == (3, ["S307"])
        assert call(live, capsys, "issue", "test", "1", "--to", "review@auto-trendy.net")[0] == 0
        assert [message.recipient for message in server.messages] == ["review@auto-trendy.net"]
        words = ["--site", str(live.folder.root), "--now", WEDNESDAY.isoformat(), "issue", "send", "1", "--dry-run"]
        assert run(words) == 0
        assert re.search(r"Tested   .* to review@auto-trendy.net \(this text\)", capsys.readouterr().out)


def test_a_from_that_was_changed_after_the_test_is_asked_for_a_test_again(live: World) -> None:
    live.app.proofs.keep(proof("sha256:1"))
    live.folder.configure(PEOPLE.replace("editor@auto-trendy.net", "news@auto-trendy.net"), LIVE)
    changed = anew(live)
    changed.join("ben@readers.example")
    assert refused(changed) == ["S329"]
    made = changed.prepare(SLOT + MINUTE)
    assert made.reason.startswith("S329 No mail server has accepted a mail from news@auto-trendy.net yet")
    changed.app.close()


@pytest.mark.parametrize(
    ("kept", "by_hand", "sandbox", "expected"),
    [
        (None, False, False, Trial.NEVER),
        (proof("other", days=7), False, False, Trial.ACCEPTED),
        (proof("other", days=8), False, False, Trial.OTHER),
        (proof("other"), True, False, Trial.OTHER),
        (proof("this", days=8), True, False, Trial.ACCEPTED),
        (proof("this", sender="other@auto-trendy.net"), True, False, Trial.NEVER),
        (proof("this", code=None), False, False, Trial.NEVER),  # the outbox took it, no mail server
        (proof("this", code=None), False, True, Trial.ACCEPTED),
    ],
)
def test_a_hand_needs_a_test_of_this_text_and_the_clock_one_of_the_last_week(
    world: World, kept: Proof | None, by_hand: bool, sandbox: bool, expected: Trial
) -> None:
    if kept:
        world.app.proofs.keep(kept)
    sender = "editor@auto-trendy.net"
    found = trial(world.app.proofs, "this", sender=sender, staff=True, sandbox=sandbox, by_hand=by_hand, now=WEDNESDAY)
    assert found is expected


def test_a_back_link_whose_target_was_unpublished_lets_no_issue_out(world: World) -> None:
    world.folder.post("hybrid-hatch", "2026-11-24", front="continues: diesel-van\n")
    assert refused(world) == []
    world.folder.post("diesel-van", "2026-11-23", front="draft: true\n")
    with pytest.raises(SourceErrors) as broken:
        world.press(WEDNESDAY)
    assert [problem.code for problem in broken.value.problems] == ["P104"]


def test_a_draft_is_in_no_byte_of_what_is_published(world: World) -> None:
    secret = "Zwischengas"
    world.folder.post("letters", "2026-11-24", front=f"draft: true\ntopics: [{secret}]\n", text=f"The {secret} story.")
    world.app.publish(world.app.library(WEDNESDAY), WEDNESDAY)
    files = [path for path in world.folder.root.rglob("*") if path.is_file() and "posts" not in path.parts[-2:]]
    told = [path for path in files if secret.encode() in path.read_bytes() or "letters" in str(path)]
    assert [path for path in told if "cache" not in path.parts] == []
