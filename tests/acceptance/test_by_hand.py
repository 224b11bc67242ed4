"""An issue triggered by hand: once, to the number of readers that was typed, and stoppable until it goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.harness import SiteFolder, part
from tests.acceptance.terminal import terminal

NOW = "2026-11-25T12:00:00+01:00"


def test_an_issue_goes_to_the_number_of_readers_that_was_confirmed(site: SiteFolder) -> None:
    site.readers(3)
    result = site.json("issue", "send", "next", "--confirm", "1:3", "--delay", "0", "--wait", now=NOW)
    assert result["accepted"] == 3
    assert len(site.mails()) == 3
    (issue,) = site.issues()
    assert (issue["state"], issue["deliveries"]) == ("sent", {"accepted": 3})
    assert issue["stories"] == ["hybrid-hatch", "diesel-van"]


def test_a_wrong_number_sends_nothing(site: SiteFolder) -> None:
    site.readers(3)
    for confirm in ("1:2", "1:4", "2:3"):
        result = site.run("issue", "send", "next", "--confirm", confirm, "--delay", "0", "--wait", now=NOW)
        assert (result.status, "S304" in result.err) == (3, True), result.err
    assert site.issues() == []
    assert site.mails() == []


def test_the_second_press_shows_the_first(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", now=NOW)
    result = site.run("issue", "send", "1", "--confirm", "1:1", now=NOW)
    assert (result.status, "S301" in result.err) == (3, True)
    nothing_left = site.run("issue", "send", "next", "--confirm", "2:1", now=NOW)
    assert (nothing_left.status, "S303" in nothing_left.err) == (3, True)
    assert len(site.mails()) == 1


def test_many_presses_at_once_send_one_issue_once(site: SiteFolder) -> None:
    site.readers(2)
    words = ("issue", "send", "1", "--confirm", "1:2", "--delay", "0", "--wait")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: site.run(*words, now=NOW, timeout=120), range(8)))
    assert sum(result.status == 0 for result in results) == 1, [r.err for r in results]
    assert all("S301" in r.err or "S303" in r.err for r in results if r.status), [r.err for r in results]
    assert len(site.issues()) == 1
    assert len(site.mails()) == 2


def test_without_a_terminal_a_script_must_confirm_the_exact_count(site: SiteFolder) -> None:
    site.readers(2)
    for given in ("y\n" * 9, "2\n", ""):
        result = site.run("issue", "send", "next", given=given, now=NOW)
        assert (result.status, "S305" in result.err, "--confirm 1:2" in result.err) == (3, True, True)
    assert site.issues() == []


def test_on_a_terminal_the_number_is_typed(site: SiteFolder) -> None:
    site.readers(2)
    assert _typed(site, "1") == 3
    assert site.issues() == []
    assert _typed(site, "2") == 0
    (issue,) = site.issues()
    assert issue["state"] == "ready"
    assert issue["send_at"] == "2026-11-25T11:02:00Z"


def _typed(site: SiteFolder, number: str) -> int:
    """The exit status of `issue send next` on a terminal where a person types `number`."""
    with terminal(["issue", "send", "next", "--now", NOW], site.root, site.environ()) as screen:
        assert screen.shows("Type the number of readers")
        assert "2 readers" in screen.screen
        assert "Hybrid hatch on the road" in screen.screen
        screen.press(f"{number}\n")
        return screen.ended()


def test_within_the_delay_it_can_be_cancelled_and_its_stories_go_into_the_next_issue(site: SiteFolder) -> None:
    site.readers(2)
    site.ok("issue", "send", "next", "--confirm", "1:2", "--delay", "120", now=NOW)
    cancelled = site.ok("issue", "cancel", "1", "--reason", "wrong photograph", now="2026-11-25T12:01:00+01:00")
    assert "Nobody has it" in cancelled.out
    site.ok("deliver", now="2026-11-25T12:05:00+01:00")
    assert site.mails() == []
    proposal = site.json("issue", "show", "next", now="2026-11-25T12:05:00+01:00")
    assert proposal["number"] == 2
    assert [s["verdict"] for s in proposal["stories"]] == ["in", "in"]


def test_an_early_issue_that_was_cancelled_gives_its_slot_back_to_the_clock(site: SiteFolder) -> None:
    site.readers(2)
    site.ok("issue", "send", "next", "--confirm", "1:2", "--delay", "120", now=NOW)
    site.ok("issue", "cancel", "1", now="2026-11-25T12:01:00+01:00")
    friday = "2026-11-27T08:00:05+01:00"
    assert site.json("prepare", now=friday)["issue"] == 2
    site.ok("deliver", now=friday)
    assert len(site.mails()) == 2
    assert [(i["number"], i["state"]) for i in site.issues()] == [(2, "sent"), (1, "cancelled")]


def test_only_looking_does_not_start_the_rhythm(site: SiteFolder) -> None:
    toml = (site.root / "newsletter.toml").read_text(encoding="utf-8")
    site.configure(toml.replace("first_slot = 2026-11-27", ""))
    for words in (("status",), ("issue", "show", "next"), ("prepare", "--dry-run"), ("schedule", "next")):
        site.run(*words, now="2030-01-01T12:00:00+01:00")
    site.ok("reader", "add", "ada@readers.example", "--consent", "a test", now=NOW)
    assert site.json("prepare", now="2026-11-27T08:00:05+01:00")["issue"] == 1


def test_an_address_in_other_letters_is_the_same_reader(site: SiteFolder) -> None:
    site.ok("reader", "add", "Ada@readers.example", "--consent", "a test", now=NOW)
    assert site.json("reader", "add", "ada@readers.example", now=NOW)["added"] is False
    site.ok("reader", "leave", "ADA@readers.example", now=NOW)
    assert [(r["address"], r["status"]) for r in site.json("reader", "list")] == [("Ada@readers.example", "left")]


def test_a_scheduled_issue_waits_for_its_time_and_then_goes_once(site: SiteFolder) -> None:
    site.readers(2)
    result = site.ok("issue", "send", "next", "--confirm", "1:2", "--delay", "600", now=NOW)
    assert "No sender is running" in result.out
    site.ok("deliver", now="2026-11-25T12:09:59+01:00")
    assert site.mails() == []
    site.ok("deliver", now="2026-11-25T12:10:01+01:00")
    site.ok("deliver", now="2026-11-25T12:20:00+01:00")
    assert len(site.mails()) == 2


def test_a_delay_outside_of_ten_minutes_is_refused(site: SiteFolder) -> None:
    site.readers(1)
    for delay in ("601", "-1", "soon"):
        result = site.run("issue", "send", "next", "--confirm", "1:1", f"--delay={delay}", now=NOW)
        assert (result.status, "S312" in result.err) == (2, True), result.err


def test_an_issue_sent_early_takes_its_slot(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", now=NOW)
    prepared = site.json("prepare", now="2026-11-27T08:00:05+01:00")
    assert prepared["slot"] is None
    assert len(site.issues()) == 1
    assert "Wednesday 25 November 2026" in part(site.mails()[0], "html")


def test_a_reader_who_leaves_before_the_hand_over_gets_nothing(site: SiteFolder) -> None:
    site.readers(3)
    site.ok("issue", "send", "next", "--confirm", "1:3", "--delay", "60", now=NOW)
    site.ok("reader", "leave", "reader0001@readers.example", now=NOW)
    site.ok("deliver", now="2026-11-25T12:02:00+01:00")
    assert sorted(str(m["To"]) for m in site.mails()) == ["reader0000@readers.example", "reader0002@readers.example"]
    told = site.json("explain", "reader0001@readers.example", "1")
    assert (told["state"], told["status"]) == (None, "left")


def test_posts_that_lost_their_approval_wait(site: SiteFolder) -> None:
    text = (site.root / "newsletter.toml").read_text(encoding="utf-8").replace('review = "off"', 'review = "on"')
    site.configure(text)
    for path in (site.root / "posts").glob("*.md"):
        path.write_text(path.read_text().replace("author: news-desk", "author: news-desk\nreviewer: review-desk"))
    site.readers(1)
    for slug in ("diesel-van", "hybrid-hatch"):
        assert site.run("post", "approve", slug, "--as", "news-desk", now=NOW).status == 3
        site.ok("post", "approve", slug, "--as", "review-desk", now=NOW)
    van = site.root / "posts" / "2026-11-23-diesel-van.md"
    van.write_text(van.read_text() + "\nOne more sentence.\n", encoding="utf-8")
    told = {s["slug"]: s["verdict"] for s in site.json("issue", "show", "next", now=NOW)["stories"]}
    assert told == {"hybrid-hatch": "in", "diesel-van": "wait"}
    site.ok("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", now=NOW)
    (issue,) = site.issues()
    assert issue["stories"] == ["hybrid-hatch"]
    assert "Reviewed by Review desk" in part(site.mails()[0], "plain")
