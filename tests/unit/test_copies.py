"""A site's own templates beside the built-in ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter import copies
from newsletter.copies import Standing
from newsletter.errors import Refused, UsageError
from newsletter.issues import digest
from newsletter.templates import default_folder, environment
from tests.unit.issues.scene import a_digest, a_view

TAKE = "email/blocks/take.html"


def standing(folder: Path, name: str = TAKE) -> Standing:
    return next(one.standing for one in copies.templates(folder) if one.name == name)


def test_every_page_and_every_block_of_the_mail_is_listed_with_what_it_is_for(tmp_path: Path) -> None:
    found = {one.name: one for one in copies.templates(tmp_path)}
    assert {"email/digest.html", TAKE, "email/blocks/take.txt", "email/style.css", "web/post.html"} <= found.keys()
    assert {one.standing for one in found.values()} == {Standing.BUILT_IN}
    assert [name for name, one in found.items() if len(one.about) < 10] == []


def test_a_copy_of_each_changes_nothing_in_the_mail_until_it_is_edited(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    for one in copies.templates(folder):
        copies.copy(one.name, folder)
    assert digest.render(a_view(), environment(folder)) == a_digest()
    assert {one.standing for one in copies.templates(folder)} == {Standing.OWN}
    assert [one.name for one in copies.differences(folder) if one.lines] == []


def test_a_copy_replaces_nothing_and_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    copies.copy(TAKE, tmp_path, dry_run=True)
    assert not (tmp_path / TAKE).exists()
    copies.copy(TAKE, tmp_path)
    with pytest.raises(Refused) as refused:
        copies.copy(TAKE, tmp_path)
    assert refused.value.problems[0].code == "C207"


@pytest.mark.parametrize(("name", "meant"), [("take", TAKE), ("web/hom.html", "web/home.html"), ("../x", "")])
def test_an_unknown_name_is_refused_with_the_one_that_was_meant(tmp_path: Path, name: str, meant: str) -> None:
    for act in (copies.copy, lambda name, folder: copies.differences(folder, name)):
        with pytest.raises(UsageError) as refused:
            act(name, tmp_path)
        [problem] = refused.value.problems
        assert problem.code == "C206"
        assert meant in problem.fixes[0]


def test_what_was_changed_is_shown_and_the_mark_of_the_copy_is_not(tmp_path: Path) -> None:
    path = copies.copy("web/style.css", tmp_path)
    assert path.read_text().startswith("/* Copied from")
    path.write_text(path.read_text().replace("scroll-padding: 2rem", "scroll-padding: 3rem"))
    [found] = copies.differences(tmp_path)
    changed = [line for line in found.lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert len(changed) == 2
    assert "3rem" in changed[1]


def test_a_built_in_template_that_changed_since_the_copy_is_told(tmp_path: Path) -> None:
    path = copies.copy(TAKE, tmp_path)
    assert standing(tmp_path) is Standing.OWN
    marked, _, rest = path.read_text().partition(". #}\n")
    path.write_text(f"{marked[:-16]}{'0' * 16}. #}}\n{rest}")  # as if it had been copied from another one
    assert standing(tmp_path) is Standing.OUTDATED


def test_a_template_that_replaces_nothing_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "email" / "blocks").mkdir(parents=True)
    (tmp_path / "email/blocks/takes.html").write_text("{# Ours. #}")
    assert standing(tmp_path, "email/blocks/takes.html") is Standing.UNKNOWN
    assert copies.differences(tmp_path)[0].lines == ()


def test_the_built_in_ones_are_nobodys_own() -> None:
    assert {one.standing for one in copies.templates(default_folder())} == {Standing.BUILT_IN}
