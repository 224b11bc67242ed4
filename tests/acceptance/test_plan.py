"""What an editor decides about the next issue, in words of the command line and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.harness import SiteFolder, part

NOW = "2026-11-25T12:00:00+01:00"
SLOT = "2026-11-27T08:00:05+01:00"
LATER = "2026-11-28T12:00:00+01:00"
NEXT = "2026-12-04T08:00:05+01:00"


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    folder = SiteFolder(tmp_path / "site").configure(more='\n[people.editor]\nname = "The editor"\n')
    for day, slug in enumerate(("diesel-van", "hybrid-hatch", "winter-tyres", "petrol-coupe"), 21):
        folder.post(slug, f"2026-11-{day}")
    return folder.readers(1)


def stories(site: SiteFolder, now: str = NOW) -> dict[str, tuple[str, str]]:
    return {s["slug"]: (s["verdict"], s["reason"]) for s in site.json("issue", "show", "next", now=now)["stories"]}


def test_lead_pins_and_what_is_left_out(site: SiteFolder) -> None:
    site.ok("issue", "plan", "--lead", "diesel-van", "--pin", "hybrid-hatch", "--leave-out", "petrol-coupe", now=NOW)

    assert stories(site) == {
        "diesel-van": ("in", "lead: chosen by the editor"),
        "hybrid-hatch": ("in", "pinned by the editor"),
        "winter-tyres": ("in", "in no issue yet"),
        "petrol-coupe": ("wait", "left out by the editor"),
    }
    assert list(stories(site)) == ["diesel-van", "hybrid-hatch", "winter-tyres", "petrol-coupe"]
    site.ok("prepare", now=SLOT)
    (issue,) = site.issues()
    assert issue["stories"] == ["diesel-van", "hybrid-hatch", "winter-tyres"]
    assert stories(site, LATER)["petrol-coupe"] == ("in", "lead: newest")


def test_subject_preheader_and_note_are_in_the_mail_and_on_the_page(site: SiteFolder) -> None:
    said = ("--subject", "The van came back from Norway", "--preheader", "It took nine days, and we kept the receipts.")
    note = "We drove it ourselves.\n\nIt was cold; None of us complained."
    site.ok("issue", "plan", *said, "--note", note, "--signed", "editor", now=NOW)
    site.ok("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", now=NOW)

    (mail,) = site.mails()
    assert mail["Subject"] == "The van came back from Norway"
    html, text = part(mail, "html"), part(mail, "plain")
    assert "It took nine days" in html
    for content in (html, text):
        assert content.index("We drove it ourselves.") < content.index("The editor") < content.rindex("Petrol coupe")
    page = site.tree()["issues/1/index.html"].decode()
    assert "None of us complained." in page
    assert "— The editor" in page


def test_a_decision_holds_for_its_own_issue_only(site: SiteFolder) -> None:
    site.ok("issue", "plan", "--subject", "Only for the first one", now=NOW)
    site.ok("prepare", now=SLOT)
    site.post("letters", "2026-12-01")

    told = site.json("issue", "show", "next", now=NEXT)
    assert told["subject"] == "Letters on the road"
    assert [problem["code"] for problem in told["problems"] if problem["code"] == "I331"] == ["I331"]
    site.ok("issue", "plan", "--lead", "letters", now=LATER)
    assert "subject" not in (site.root / "next-issue.toml").read_text()


def test_fewer_stories_than_wanted_make_no_issue_and_more_wait(site: SiteFolder) -> None:
    site.ok("issue", "plan", "--at-most", "2", now=NOW)
    assert [verdict for verdict, _ in stories(site).values()] == ["in", "in", "wait", "wait"]
    assert stories(site)["diesel-van"][1] == "one more than the 2 that an issue takes"

    site.ok("issue", "plan", "--at-least", "3", now=NOW)
    assert "2 stories of at least 3" in site.ok("prepare", now=SLOT).out
    assert site.issues() == []
    assert stories(site, LATER)["winter-tyres"][0] == "in"


def test_what_is_decided_stays_until_it_is_taken_back(site: SiteFolder) -> None:
    site.ok("issue", "plan", "--lead", "diesel-van", "--pin", "winter-tyres", now=NOW)
    told = site.json("issue", "plan", "--subject", "A subject of some length", now=NOW)
    assert (told["lead"], told["pins"], told["subject"]) == (
        "diesel-van", ["winter-tyres"], "A subject of some length",
    )  # fmt: skip
    told = site.json("issue", "plan", "--lead", "", "--pin", "", now=NOW)
    assert (told["lead"], told["pins"], told["subject"]) == ("", [], "A subject of some length")


def test_a_slug_that_no_post_has_holds_the_issue_and_names_the_nearest(site: SiteFolder) -> None:
    site.ok("issue", "plan", "--lead", "diesel-vam", now=NOW)
    (told,) = [p for p in site.json("issue", "show", "next", now=NOW)["problems"] if p["level"] == "stop"]
    assert (told["code"], told["fixes"]) == ("I332", ["Did you mean diesel-van?"])
    site.run("prepare", now=SLOT)
    assert [(issue["state"], "I332" in issue["reason"]) for issue in site.issues()] == [("held", True)]


def test_a_pinned_story_that_waits_is_told(site: SiteFolder) -> None:
    site.post("letters", "2026-12-01")
    site.ok("issue", "plan", "--pin", "letters", now=NOW)
    told = site.json("issue", "show", "next", now=NOW)["problems"]
    assert [(p["code"], p["level"]) for p in told if p["code"] == "I333"] == [("I333", "warn")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('issue = 1\nlaed = "x"\n', "There is no key laed"),
        ("issue = 1\nlead = 3\n", "lead must be a text"),
        ("issue = 1\npins = 3\n", "pins must be a list of slugs"),
        ("issue = 1\nat_most = 0\n", "at_most must be a number of stories"),
        ('lead = "diesel-van"\n', "issue must be the number of the issue"),
        ('issue = 1\nsigned = "edtior"\n', "there is no person edtior"),
        ("issue = \n", "This is not TOML"),
    ],
)
def test_a_faulty_file_is_told_and_makes_no_issue(site: SiteFolder, text: str, message: str) -> None:
    (site.root / "next-issue.toml").write_text(text)
    for words in (("issue", "show", "next"), ("prepare",), ("issue", "plan", "--lead", "diesel-van")):
        result = site.run(*words, "--json", now=SLOT)
        assert result.status == 1
        assert message in result.problems[0]["message"]
    assert site.issues() == []
