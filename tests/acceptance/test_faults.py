"""Ten things wrong at once: all told in one run, each with its place, and nothing published."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import CONFIGURATION, SiteFolder

NOW = "2026-11-25T12:00:00+01:00"


def seed(site: SiteFolder) -> set[tuple[str, int]]:
    """Ten faults in configuration and posts; the place of each."""
    toml = CONFIGURATION.replace('title = "Auto Trendy"', 'titel = "Auto Trendy"\ntitle = "Auto Trendy"')
    toml = toml.replace("[cadence]", '[cadence]\nlate_limit = "soon"')
    site.configure(toml)
    lines = toml.splitlines()
    posts = {
        "unknown-key": ("colour: red\n", "", 6),
        "lost-link": ("continues: never-written\n", "", 6),
        "lost-mention": ("", "See [[petrol-hatch-of-old]].", 8),
        "no-alt": ("image: van.jpg\n", "", 6),
        "himself": ("id: not an id\n", "", 6),
        "two-takes": ("", "::: take\nOne.\n:::\n\n::: take\nTwo.\n:::", 12),
    }
    places = set()
    for slug, (front, text, line) in posts.items():
        site.post(slug, "2026-11-22", front=front, text=text)
        places.add((f"posts/2026-11-22-{slug}.md", line))
    (site.root / "posts" / "van.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    wrong_date = site.post("wrong-date")
    wrong_date.write_text(wrong_date.read_text().replace("date: 2026-11-24", "date: 24 Nov"), encoding="utf-8")
    no_title = site.post("no-title")
    no_title.write_text(no_title.read_text().replace("title: ", "topics: "), encoding="utf-8")
    return places | {
        ("posts/2026-11-24-wrong-date.md", 4),
        ("posts/2026-11-24-no-title.md", 1),
        ("newsletter.toml", 1 + next(i for i, line in enumerate(lines) if line.startswith("titel"))),
        ("newsletter.toml", 1 + next(i for i, line in enumerate(lines) if line.startswith("late_limit"))),
    }


def test_ten_faults_are_told_together_with_file_and_line_and_nothing_is_written(site: SiteFolder) -> None:
    site.ok("publish", now=NOW)
    before = site.tree()
    wanted = seed(site)
    assert len(wanted) == 10
    for command in ("check", "publish"):
        result = site.run(command, "--json", now=NOW)
        assert result.status == 1
        told = {(p["file"], p["line"]) for p in result.problems if p["level"] == "stop"}
        assert wanted <= told, f"{command} missed {wanted - told}"
        assert all(p["code"] and p["message"] for p in result.problems)
    assert site.tree() == before


def test_a_person_reads_place_line_reason_and_fix(site: SiteFolder) -> None:
    seed(site)
    result = site.run("publish", now=NOW)
    assert result.status == 1
    assert "posts/2026-11-22-lost-link.md:6" in result.err
    assert "continues: never-written" in result.err
    assert "^^^" in result.err
    assert "Fix it by" in result.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("isue", "send"), 2, 'Did you mean "issue"?'),
        (("issue", "sned"), 2, 'Did you mean "send"?'),
        (("publish", "--dryrun"), 2, 'Did you mean "--dry-run"?'),
        (("publish", "--dry"), 2, "There is no option"),
        (("issue", "show", "99"), 2, "There is no issue 99"),
        (("reader", "leave", "nobody@readers.example"), 2, "R110"),
        (("reader", "add", "not an address"), 2, "R1"),
        (("issue", "send", "99", "--confirm", "99:0"), 2, "There is no issue 99"),
        (("post", "approve", "hybrid-hutch", "--as", "review-desk"), 2, "Did you mean hybrid-hatch?"),
        (("post", "approve", "hybrid-hatch", "--as", "reveiw-desk"), 2, "Did you mean review-desk?"),
        (("publish", "--now", "next tuesday"), 2, "C201"),
        (("explain", "nobody@readers.example", "1"), 2, "R110"),
    ],
)
def test_a_wrong_word_is_refused_with_the_nearest_right_one(
    site: SiteFolder, words: tuple[str, ...], status: int, said: str
) -> None:
    result = site.run(*words)
    assert (result.status, said in result.err) == (status, True), result.err


def test_outside_of_a_site_the_way_in_is_named(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    result = SiteFolder(tmp_path).run("status")
    assert result.status == 1
    assert "newsletter init" in result.err


def test_an_unknown_variable_of_the_environment_is_refused(site: SiteFolder) -> None:
    site.environment["NEWSLETTER_MIAL__HOST"] = "localhost"
    result = site.run("publish", now=NOW)
    assert result.status == 1
    assert "Did you mean NEWSLETTER_MAIL__HOST?" in result.err


def test_a_password_in_the_file_is_refused_and_never_repeated(site: SiteFolder) -> None:
    site.configure(more='\n[mail]\npassword = "hunter2-in-the-file"\n')
    result = site.run("publish", now=NOW)
    assert result.status == 1
    assert "C104" in result.err
    assert "hunter2" not in result.out + result.err
