"""`redirects.toml` on disk: lines are added, none is lost, and faults are told with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.store.redirects import RedirectsFile


def test_a_missing_file_holds_nothing_and_asking_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "redirects.toml"

    assert RedirectsFile(file).all() == {}
    RedirectsFile(file).add({})
    assert not file.exists()


def test_what_is_added_is_there_and_what_was_there_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "redirects.toml"
    file.write_text('# by hand\n"/a/" = "x"   # keep\n')
    RedirectsFile(file).add({"/b/": "y", "/a/": "other"})

    assert file.read_text() == '# by hand\n"/a/" = "x"   # keep\n"/b/" = "y"\n'
    assert RedirectsFile(file).all() == {"/a/": "x", "/b/": "y"}


def test_a_new_file_says_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "redirects.toml"
    RedirectsFile(file).add({"/posts/old/": "new"})

    assert file.read_text().startswith("# Old addresses")
    assert RedirectsFile(file).all() == {"/posts/old/": "new"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"/a/" = "x"\n"/b/" = \n', 2),
        ('"/a/" = "x"\n"/b/" = 3\n', 2),
        ('\n\n"b/" = "x"\n', 3),
        ('"/a#b" = "x"\n', 1),
        ('"/a?p=1" = "x"\n', 1),
        ("[table]\n", 1),
    ],
)
def test_a_fault_is_told_with_its_line_and_nothing_is_changed(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "redirects.toml"
    file.write_text(text)
    for ask in (RedirectsFile(file).all, lambda: RedirectsFile(file).add({"/c/": "z"})):
        with pytest.raises(ConfigError) as error:
            ask()
        (problem,) = error.value.problems
        assert (problem.code, problem.file, problem.line) == ("P307", "redirects.toml", line)
    assert file.read_text() == text
