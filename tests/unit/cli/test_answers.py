"""How a call answers when it is refused: JSON wherever `--json` stands, and no traceback for any time or number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.cli.program import run
from tests.acceptance.harness import SiteFolder


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    return SiteFolder(tmp_path).configure()


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "isue"],
        ["status", "--bogus", "--json"],
        ["schedule", "next", "--count", "0", "--json"],
        ["issue", "send", "--json"],
        ["status", "--json", "--now", "yesterday"],
        ["explain", "nobody", "1", "--json"],
        ["issue", "show", "9" * 30, "--json"],
    ],
    ids=" ".join,
)
def test_a_refusal_is_json_on_stdout_wherever_the_option_stands(
    site: SiteFolder, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--site", str(site.root), *words]) == 2
    told = capsys.readouterr()
    (problem,) = json.loads(told.out)["problems"]
    assert problem["code"] != "C900"
    assert told.err == ""


@pytest.mark.parametrize("now", ["", "now", "2026-13-01", "0001-01-01", "9999-12-31T23:59", "2026-11-27T08:00+25:00"])
def test_a_time_that_is_none_or_leaves_the_calendar_is_refused(
    site: SiteFolder, now: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--site", str(site.root), "status", f"--now={now}"]) == 2
    assert "C201" in capsys.readouterr().err


@pytest.mark.parametrize(
    "now", ["2026-11-27", "20261127T080000", "2026-11-27 08:00", "2026-11-27T07:00Z", "2026-W48-5"]
)
def test_a_time_may_be_written_in_any_form_of_iso_8601(site: SiteFolder, now: str) -> None:
    assert run(["--site", str(site.root), "status", "--now", now, "--json"]) == 0


def test_the_name_alone_says_how_to_begin_and_in_a_site_what_comes_next(
    site: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir("/")
    assert run([]) == 0
    outside = capsys.readouterr().out
    assert "  init " in outside
    assert "Next issue" not in outside
    assert outside.endswith("More: newsletter --help\n")
    monkeypatch.chdir(site.root)
    assert run([]) == 0
    assert "Next issue   1, Fri " in capsys.readouterr().out
    (site.root / "newsletter.toml").write_text("[site", encoding="utf-8")
    assert run([]) == 0
    assert "newsletter.toml has problems: newsletter check" in capsys.readouterr().out


def test_check_of_a_path_tells_only_of_it_and_refuses_one_that_is_not_there(
    site: SiteFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = site.post("diesel-van")
    (site.root / "posts" / "2026-11-24-broken.md").write_text("no front matter", encoding="utf-8")
    monkeypatch.chdir(site.root / "posts")
    for path in (sound.name, f"posts/{sound.name}", str(sound)):
        assert run(["check", path]) == 0
        assert "among 2 posts: nothing to fix" in capsys.readouterr().out
    for path in ("2026-11-24-broken.md", "."):
        assert run(["check", path]) == 1
        assert "P101" in capsys.readouterr().out
    for path in ("nowhere.md", "/etc/hosts"):
        assert run(["check", path]) == 2
        assert "C205" in capsys.readouterr().err


@pytest.mark.parametrize("title", ["", "  ", "???"])
def test_a_post_without_a_title_of_words_is_not_begun(
    site: SiteFolder, title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--site", str(site.root), "new", title]) == 2
    assert "P213" in capsys.readouterr().err
    assert list((site.root / "posts").iterdir()) == []
