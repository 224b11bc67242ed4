"""A post on its way to readers: asked for, sent back, approved, changed, corrected and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.harness import CONFIGURATION, SiteFolder, part

NOW = "2026-11-25T12:00:00+01:00"
LATER = "2026-11-28T12:00:00+01:00"
DESK, REVIEWER = ("--as", "news-desk"), ("--as", "review-desk")


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    """A site that reviews, with one approved post and one draft."""
    folder = SiteFolder(tmp_path / "site")
    folder.configure(CONFIGURATION.replace('review = "off"', 'review = "on"'))
    folder.post("diesel-van", "2026-11-23", front="reviewer: review-desk\n")
    folder.post("hybrid-hatch", front="reviewer: review-desk\ndraft: true  # not yet\n")
    folder.ok("post", "approve", "diesel-van", *REVIEWER, now=NOW)
    return folder


def state(site: SiteFolder, slug: str) -> str:
    return str(site.json("post", "show", slug, now=NOW)["state"])


def edited(site: SiteFolder, slug: str, old: str, new: str) -> Path:
    (path,) = (site.root / "posts").glob(f"*{slug}.md")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_draft_goes_through_its_review(site: SiteFolder) -> None:
    assert "Would ask" in site.ok("post", "review", "hybrid-hatch", *DESK, "--dry-run", now=NOW).out
    assert state(site, "hybrid-hatch") == "Draft"
    site.ok("post", "review", "hybrid-hatch", *DESK, now=NOW)
    assert state(site, "hybrid-hatch") == "In review"

    site.ok("post", "ask", "hybrid-hatch", "Which battery?", *REVIEWER, now=NOW)
    assert state(site, "hybrid-hatch") == "Changes asked"
    assert "Which battery?" in site.ok("post", "show", "hybrid-hatch", now=NOW).out
    turn = "hybrid-hatch, changes asked: newsletter post review hybrid-hatch --as news-desk"
    assert turn in site.ok("status", now=NOW).out

    edited(site, "hybrid-hatch", "long enough", "with the large battery, long enough")
    site.ok("post", "review", "hybrid-hatch", "--from", "review-desk", *DESK, now=NOW)
    assert "It will be in issue 1, Fri " in site.ok("post", "approve", "hybrid-hatch", *REVIEWER, now=NOW).out
    assert state(site, "hybrid-hatch") == "Published"
    told = site.json("post", "show", "hybrid-hatch", now=NOW)
    assert [(s["act"], s["version"]) for s in told["history"]] == [
        ("asked", 1), ("changes", 1), ("asked", 2), ("approved", 2),
    ]  # fmt: skip


def test_a_post_that_waits_for_review_goes_back_to_draft(site: SiteFolder) -> None:
    before = next((site.root / "posts").glob("*hybrid*")).read_text()
    site.ok("post", "review", "hybrid-hatch", *DESK, now=NOW)
    site.ok("post", "return", "hybrid-hatch", *DESK, now=NOW)

    assert state(site, "hybrid-hatch") == "Draft"
    assert next((site.root / "posts").glob("*hybrid*")).read_text() == before.replace("true  # not yet", "true")


def test_the_lines_that_changed_since_the_approval_are_shown_before_the_next(site: SiteFolder) -> None:
    edited(site, "diesel-van", "long enough", "short enough")

    assert state(site, "diesel-van") == "Changed since approval"
    lines = ["- A paragraph about it, long enough to be read.", "+ A paragraph about it, short enough to be read."]
    assert site.ok("post", "show", "diesel-van", "--diff", now=NOW).out.splitlines() == lines
    told = site.ok("post", "approve", "diesel-van", *REVIEWER, now=NOW)
    assert [line.strip() for line in told.err.splitlines()[1:]] == lines
    assert site.ok("post", "show", "diesel-van", "--diff", now=NOW).out.splitlines() == [
        "No line changed since the last approval."
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ask", "hybrid-hatch", "Why?", *DESK), "P201"),
        (("approve", "hybrid-hatch", *DESK), "P201"),
        (("review", "hybrid-hatch", "--from", "news-desk", *DESK), "P202"),
        (("review", "diesel-van", *DESK), "P204"),
        (("return", "diesel-van", *DESK), "P205"),
        (("return", "hybrid-hatch", *DESK), "P206"),
        (("withdraw", "hybrid-hatch", "Wrong model.", *DESK), "P207"),
        (("correct", "hybrid-hatch", "Wrong model.", *DESK), "P207"),
        (("correct", "diesel-van", " ", *DESK), "P208"),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(site: SiteFolder, words: tuple[str, ...], code: str) -> None:
    before = site.tree("posts")
    result = site.run("post", *words, "--json", now=NOW)

    assert (result.status, [problem["code"] for problem in result.problems]) == (3, [code])
    assert site.tree("posts") == before


def test_a_correction_is_told_on_the_page_where_it_is_linked_and_in_feeds(site: SiteFolder) -> None:
    site.post("winter-tyres", "2026-11-24", front="reviewer: review-desk\n", text="After the [[diesel-van]].")
    site.ok("post", "approve", "winter-tyres", *REVIEWER, now=NOW)
    site.ok("publish", now=NOW)
    before = site.tree("posts")
    said = "The range is 512 km, not 612."
    assert "winter-tyres" in site.ok("post", "correct", "diesel-van", said, *REVIEWER, "--dry-run", now=NOW).out
    assert site.tree("posts") == before

    site.ok("post", "correct", "diesel-van", said, *REVIEWER, now=NOW)
    assert state(site, "diesel-van") == "Changed since approval"
    site.ok("post", "approve", "diesel-van", *REVIEWER, now=NOW)
    site.ok("publish", now=NOW)

    files = {path: content.decode(errors="replace") for path, content in site.tree().items()}
    assert said in files["posts/diesel-van/index.html"]
    assert "which this links to, was corrected" in files["posts/winter-tyres/index.html"]
    assert "updated" in files["posts/diesel-van/index.html"]
    for feed in ("rss.xml", "atom.xml", "feed.json"):
        assert said in files[feed]
    assert said not in files["index.html"]


def test_the_reach_of_an_error_names_the_issues_and_counts_the_readers(site: SiteFolder) -> None:
    site.readers(3)
    site.ok("reader", "leave", "reader0001@readers.example", now=NOW)
    site.ok("issue", "send", "next", "--confirm", "1:2", "--delay", "0", "--wait", now=NOW)
    told = site.json("post", "correct", "diesel-van", "Wrong.", *REVIEWER, "--dry-run", now=LATER)

    assert (told["issues"], told["readers"]) == ([1], 2)
    assert "Mailed in issue 1, to 2 readers" in site.ok("post", "show", "diesel-van", now=LATER).out


def test_a_second_correction_stands_below_the_first(site: SiteFolder) -> None:
    for said in ("One: it was wrong.", 'Two: "so" was #2.'):
        site.ok("post", "correct", "diesel-van", said, *REVIEWER, now=NOW)
        site.ok("post", "approve", "diesel-van", *REVIEWER, now=NOW)
    site.ok("publish", now=NOW)

    page = site.tree()["posts/diesel-van/index.html"].decode()
    assert page.index("One: it was wrong.") < page.index("Two: &#34;so&#34; was #2.")


def test_a_withdrawn_post_says_so_where_it_was(site: SiteFolder) -> None:
    site.ok("publish", now=NOW)
    site.ok("post", "withdraw", "diesel-van", "The figures: of another model.", *REVIEWER, now=NOW)
    site.ok("post", "approve", "diesel-van", *REVIEWER, now=NOW)
    site.ok("publish", now=NOW)

    assert state(site, "diesel-van") == "Withdrawn"
    assert "The figures: of another model." in site.tree()["posts/diesel-van/index.html"].decode()
    assert b"diesel-van" not in site.tree()["rss.xml"]


def test_every_step_is_in_the_log_with_who_took_it(site: SiteFolder) -> None:
    site.ok("post", "review", "hybrid-hatch", *DESK, now=NOW)
    site.ok("post", "approve", "hybrid-hatch", *REVIEWER, now=NOW)
    lines = site.json("log", now=NOW)

    assert [(line["who"], line["action"], line["object"]) for line in lines[:2]] == [
        ("review-desk", "approve", "post hybrid-hatch"),
        ("news-desk", "review", "post hybrid-hatch"),
    ]


def test_mail_still_says_who_reviewed_it(site: SiteFolder) -> None:
    site.readers(1)
    site.ok("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", now=NOW)
    assert "Reviewed by Review desk" in part(site.mails()[0], "plain")
