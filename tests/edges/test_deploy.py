"""The command that brings the published folder to its readers: run when something changed, and made up for."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import Outside
from newsletter.publish.deploy import Deploy
from newsletter.publish.manifest import MANIFEST


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / MANIFEST).write_text("{}", encoding="utf-8")
    return tmp_path


def deploy(folder: Path, command: str = 'echo "$NEWSLETTER_PUBLISHED" >> runs') -> Deploy:
    return Deploy(command, folder, folder / "feeds", folder / "var" / "deployed")


def runs(folder: Path) -> list[str]:
    return (folder / "runs").read_text(encoding="utf-8").split() if (folder / "runs").exists() else []


def test_it_is_run_once_for_what_stands_in_the_folder(folder: Path) -> None:
    for _ in range(3):
        deploy(folder).run()
    assert runs(folder) == [str(folder / "feeds")]
    assert not deploy(folder).pending
    (folder / "feeds" / MANIFEST).write_text("{ }", encoding="utf-8")
    assert deploy(folder).pending
    deploy(folder).run()
    assert len(runs(folder)) == 2


def test_one_that_fails_is_told_with_its_own_words_and_tried_again(folder: Path) -> None:
    with pytest.raises(Outside) as failed:
        deploy(folder, "echo one >&2; echo 'no route to host' >&2; exit 23").run()
    (problem,) = failed.value.problems
    assert (problem.code, "it ended with 23" in problem.message) == ("F460", True)
    assert "no route to host" in problem.why
    assert deploy(folder).pending
    deploy(folder).run()
    assert len(runs(folder)) == 1


def test_it_is_told_no_secret_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_MAIL__PASSWORD", "open-sesame")
    deploy(folder, "env > runs").run()
    assert "open-sesame" not in " ".join(runs(folder))


def test_one_that_does_not_end_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.publish.deploy.LONGEST", 0.2)
    with pytest.raises(Outside, match="did not end within"):
        deploy(folder, "exec sleep 20").run()
