"""What is looked at before readers get an issue, asked through the commands; and what a person lets pass."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from newsletter.errors import Refused
from newsletter.model import WEEKLY, IssueState
from newsletter.usecases import send as sending
from tests.acceptance.harness import part
from tests.unit.usecases.test_dry_runs import MINUTE, call, codes
from tests.unit.usecases.world import SLOT, WEDNESDAY, WEEK, World

Capsys = pytest.CaptureFixture[str]
BLOCKS = Path(__file__).parents[3] / "templates/email/blocks"


def override(world: World, block: str, old: str, new: str) -> None:
    """The site's own block: the built-in one, but for this."""
    text = (BLOCKS / block).read_text(encoding="utf-8")
    assert old in text
    place = world.folder.root / "templates/email/blocks" / block
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text.replace(old, new), encoding="utf-8")
    world.app.__dict__.pop("templates", None)


def refused(world: World, now: datetime = WEDNESDAY, number: int | None = None) -> list[str]:
    with pytest.raises(Refused) as refusal:
        sending.plan(world.press(now), world.app.roster, number)
    return [problem.code for problem in refusal.value.problems]


def test_a_sound_issue_has_its_figures_and_nothing_that_stops(world: World, capsys: Capsys) -> None:
    status, answer = call(world, capsys, "issue", "check", "next")
    assert (status, answer["state"], answer["number"]) == (0, "draft", 1)
    assert {problem["level"] for problem in answer["problems"]} <= {"warn"}
    figures = answer["figures"]
    assert (figures["stories"], figures["images"]) == (2, 0)
    assert figures["links"] == 4
    assert figures["octets"] > 5_000


def test_it_says_what_is_other_than_in_the_issue_before(world: World, capsys: Capsys) -> None:
    world.send(WEDNESDAY)
    world.deliver(WEDNESDAY)
    world.folder.post("recall-watch", "2026-11-26")
    _, answer = call(world, capsys, "issue", "check", "next", now=WEDNESDAY + WEEK)
    assert (answer["number"], answer["figures"]["stories"], answer["before"]["stories"]) == (2, 1, 2)


def test_what_is_said_of_a_post_is_told_with_file_and_line(world: World, capsys: Capsys) -> None:
    world.folder.post("letters", "2026-11-25", text="All letters are [here](https://letters.org/all).")
    _, answer = call(world, capsys, "issue", "check", "next")
    (found,) = [problem for problem in answer["problems"] if problem["code"] == "P121"]
    assert (found["file"], found["line"]) == ("posts/2026-11-25-letters.md", 8)


def test_a_link_to_a_page_that_the_site_does_not_have_stops_it(world: World, capsys: Capsys) -> None:
    override(world, "footer.html", "{{ digest.feeds_url }}", "{{ digest.home_url }}shop/")
    status, answer = call(world, capsys, "issue", "check", "next")
    assert (status, "I321" in codes(answer)) == (1, True)
    assert refused(world) == ["I321"]
    made = world.prepare(SLOT + MINUTE)
    assert made.issue is not None
    assert (made.issue.state, made.issue.reason) == (
        IssueState.HELD,
        "I321 The link https://weekly.auto-trendy.net/shop/ leads to no page of this site",
    )


def test_an_old_address_that_leads_on_is_a_page(world: World) -> None:
    override(world, "footer.html", "{{ digest.feeds_url }}", "{{ digest.home_url }}old/about/")
    (world.folder.root / "redirects.toml").write_text('"/old/about/" = "diesel-van"\n', encoding="utf-8")
    assert sending.plan(world.press(WEDNESDAY), world.app.roster, None).number == 1


@pytest.mark.parametrize(
    ("block", "lost", "code"),
    [
        ("footer.html", "{{ digest.unsubscribe_url }}", "I305"),
        ("footer.html", "{{ digest.preferences_url }}", "I338"),
        ("footer.txt", "{{ digest.preferences_url }}", "I338"),
        ("footer.txt", "{{ digest.unsubscribe_url }}", "I305"),
        ("footer.html", "{{ digest.postal_address }}", "I306"),
        ("footer.txt", "digest.postal_address", "I306"),
        ("footer.html", "{{ digest.why }}", "I307"),
        ("footer.txt", "digest.why", "I307"),
    ],
)
def test_a_mail_that_lost_a_block_that_each_must_have_goes_to_nobody(
    world: World, block: str, lost: str, code: str
) -> None:
    override(world, block, lost, "''" if lost.startswith("digest") else "")
    assert code in refused(world)


def test_a_warning_that_was_let_pass_is_shown_with_its_reason_and_stops_no_more(world: World, capsys: Capsys) -> None:
    world.folder.post("van", "2026-11-25")  # the lead
    subject = ("issue", "plan", "--subject", "The van")
    call(world, capsys, *subject)
    assert call(world, capsys, "issue", "check", "next", "--strict")[0] == 1
    status, answer = call(world, capsys, "issue", "wave", "next", "i316", "--reason", "Short on purpose")
    assert (status, codes({"problems": answer["waved"]})) == (0, ["I316"])
    for code in {p["code"] for p in call(world, capsys, "issue", "check", "next")[1]["problems"]} - {"I316"}:
        call(world, capsys, "issue", "wave", "next", code, "--reason", "so it is here")
    assert call(world, capsys, "issue", "check", "next", "--strict")[0] == 0
    page = call(world, capsys, "issue", "send", "next", "--dry-run")[1]
    assert "operator: Short on purpose" in [problem.get("waved") for problem in page["problems"]]
    assert any(e.action == "wave" and e.after == "Short on purpose" for e in world.app.ledger.entries())


def test_an_edit_that_changes_what_was_found_brings_the_warning_back(world: World, capsys: Capsys) -> None:
    call(world, capsys, "issue", "plan", "--subject", "The van")
    call(world, capsys, "issue", "wave", "next", "I316", "--reason", "Short on purpose")
    call(world, capsys, "issue", "plan", "--subject", "A van")
    found = {p["code"]: p.get("waved") for p in call(world, capsys, "issue", "check", "next")[1]["problems"]}
    assert found["I316"] is None


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("I316", "--reason", "so"), 3, "I344"),
        (("I321", "--reason", "so"), 3, "I345"),
        (("I328",), 2, "I343"),
    ],
)
def test_a_stop_what_is_not_there_and_silence_are_not_let_pass(
    world: World, capsys: Capsys, words: tuple[str, ...], status: int, code: str
) -> None:
    override(world, "footer.html", "{{ digest.feeds_url }}", "{{ digest.home_url }}shop/")
    world.folder.post("letters", "2026-11-25", front="").write_text(
        "---\ntitle: Letters of the week that was\nauthor: news-desk\ndate: 2026-11-25\n"
        "summary: The letter that came with the attached photograph of an engine.\n---\n\nText.\n",
        encoding="utf-8",
    )
    got, answer = call(world, capsys, "issue", "wave", "next", *words)
    assert (got, codes(answer)) == (status, [code])
    assert world.app.waivers.of(WEEKLY, 1) == []


def test_a_dry_run_lets_nothing_pass(world: World, capsys: Capsys) -> None:
    call(world, capsys, "issue", "plan", "--subject", "The van")
    _, answer = call(world, capsys, "issue", "wave", "next", "I316", "--reason", "so", "--dry-run")
    assert (answer["dry_run"], len(answer["waved"])) == (True, 1)
    assert world.app.waivers.of(WEEKLY, 1) == []


def test_an_edit_between_ready_and_the_slot_changes_nothing_in_it_and_says_so(world: World, capsys: Capsys) -> None:
    made = world.prepare(SLOT)
    assert made.issue is not None
    world.folder.post("diesel-van", "2026-11-23", text="Another text altogether.").touch()
    path = next((world.folder.root / "posts").glob("*diesel-van.md"))
    path.write_text(path.read_text(encoding="utf-8").replace("What we learned", "What we forgot"), encoding="utf-8")
    _, answer = call(world, capsys, "issue", "check", "1", now=SLOT)
    assert answer["edited"] == ["Diesel van on the road"]
    assert {problem["level"] for problem in answer["problems"]} <= {"warn"}
    world.deliver(SLOT)
    sent = part(world.folder.mails()[0], "plain")
    assert "What we learned about diesel van" in " ".join(sent.split())
    assert "forgot" not in sent


def test_a_frozen_issue_is_looked_at_again_before_a_hand_sends_it(world: World) -> None:
    made = world.prepare(SLOT + 3 * 60 * MINUTE)
    assert made.issue is not None
    assert made.issue.state is IssueState.HELD
    world.folder.post("hybrid-hatch", "2026-11-24", front="withdrawn: 2026-11-27 the car was another\n")
    assert refused(world, SLOT + 4 * 60 * MINUTE, 1) == ["I337"]


def test_no_story_is_no_fault_and_no_issue(world: World, capsys: Capsys) -> None:
    for path in (world.folder.root / "posts").glob("*.md"):
        path.write_text(re.sub(r"^date:", "draft: true\ndate:", path.read_text("utf-8"), flags=re.M), "utf-8")
    status, answer = call(world, capsys, "issue", "check", "next")
    assert (status, answer["problems"], answer["figures"]) == (0, [], None)
    assert refused(world) == ["S303"]
