"""The site changes in one step: what the standby shares with the published folder, and when it is made anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from newsletter.model import File, Recipe
from newsletter.publish import standby
from newsletter.publish.exchange import exchange
from newsletter.publish.output import Folder
from newsletter.store.cache import DiskCache

OLD = {"index.html": "old", "posts/a/index.html": "a", "posts/b/index.html": "b", "rss.xml": "old"}
NEW = {"index.html": "new", "posts/a/index.html": "a", "posts/c/index.html": "c", "rss.xml": "new"}


class Killed(BaseException):
    """Nothing catches it."""


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    """A site that was published, with files of others in it."""
    folder = tmp_path / "feeds"
    (folder / ".well-known").mkdir(parents=True)
    (folder / ".well-known" / "security.txt").write_text("Contact: us")
    (folder / "posts" / "a").mkdir(parents=True)
    (folder / "posts" / "a" / "notes.txt").write_text("mine")
    (folder / "latest").symlink_to("posts/a")
    write(folder, OLD)
    return folder


def write(folder: Path, site: dict[str, str]) -> None:
    files = [File(PurePosixPath(path), content.encode()) for path, content in site.items()]
    Folder(folder, standby=place(folder)).write(files, {})


def place(folder: Path) -> Path:
    return folder.parent / "var" / "standby"


def seen(folder: Path) -> dict[str, str]:
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): (folder / path).read_text() for path in found if path.name not in (".lock", ".manifest.json")}


OTHERS = {".well-known/security.txt": "Contact: us", "posts/a/notes.txt": "mine"}


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each exchange that was tried came about."""
    done: list[bool] = []

    def counted(one: Path, other: Path) -> bool:
        done.append(exchange(one, other))
        return done[-1]

    monkeypatch.setattr(standby, "exchange", counted)
    return done


def killed_between(folder: Path, site: dict[str, str]) -> None:
    """Publish, and die once the standby has taken the folder's place."""

    def once(one: Path, other: Path) -> bool:
        exchange(one, other)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standby, "exchange", once)
        with pytest.raises(Killed):
            write(folder, site)


def test_the_folder_is_the_same_one_before_and_after(feeds: Path, exchanges: list[bool]) -> None:
    before = feeds.stat().st_ino
    write(feeds, NEW)

    assert exchanges == [True, True]
    assert feeds.stat().st_ino == before
    assert seen(feeds) == NEW | OTHERS


def test_files_of_others_are_there_while_the_standby_is(feeds: Path) -> None:
    (feeds / "CNAME").write_text("weekly.example")
    (feeds / "posts" / "a" / "more.txt").write_text("mine, too")
    (feeds / "posts" / "a" / "notes.txt").unlink()
    killed_between(feeds, NEW)

    others = {"CNAME": "weekly.example", "posts/a/more.txt": "mine, too", ".well-known/security.txt": "Contact: us"}
    assert {path: text for path, text in seen(feeds).items() if path != ".standby"} == NEW | others
    assert (feeds / "latest").readlink() == Path("posts/a")


def test_what_others_write_while_the_standby_is_there_stays(feeds: Path) -> None:
    killed_between(feeds, NEW)
    (feeds / "CNAME").write_text("weekly.example")
    write(feeds, NEW)

    assert seen(feeds) == NEW | OTHERS | {"CNAME": "weekly.example"}


def test_a_folder_in_which_a_program_works_is_changed_file_by_file(feeds: Path, exchanges: list[bool]) -> None:
    (feeds / ".git").mkdir()
    (feeds / ".git" / "HEAD").write_text("ref: refs/heads/main")
    write(feeds, NEW)

    assert exchanges == []
    assert seen(feeds) == NEW | OTHERS | {".git/HEAD": "ref: refs/heads/main"}
    assert not place(feeds).exists()


def test_another_file_system_is_changed_file_by_file(feeds: Path, exchanges: list[bool]) -> None:
    here = feeds.stat().st_dev
    others = [each for each in map(Path, ("/dev/shm", "/tmp")) if each.is_dir() and each.stat().st_dev != here]
    if not others:
        pytest.skip("there is but one file system")
    elsewhere = others[0] / feeds.parent.name
    files = [File(PurePosixPath(path), content.encode()) for path, content in NEW.items()]
    try:
        Folder(feeds, standby=elsewhere / "standby").write(files, {})
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)

    assert exchanges == []
    assert seen(feeds) == NEW | OTHERS


def test_a_system_that_knows_no_exchange_changes_file_by_file(feeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "exchange", lambda _one, _other: False)
    write(feeds, NEW)
    assert seen(feeds) == NEW | OTHERS
    monkeypatch.undo()
    write(feeds, OLD)
    assert seen(feeds) == OLD | OTHERS


def _scribble(folder: Path) -> None:
    (place(folder) / "index.html").unlink()
    (place(folder) / "index.html").write_text("scribbled")
    (place(folder) / "posts" / "b" / "stray.html").write_text("stray")


def _lead_elsewhere(folder: Path) -> None:
    aside = folder.parent / "aside"
    folder.rename(aside)
    folder.symlink_to(aside)


def _copy(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name("copy"), symlinks=True)
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda folder: shutil.rmtree(place(folder)),
    "scribbled in": _scribble,
    "emptied": lambda folder: shutil.rmtree(place(folder) / "posts"),
    "led elsewhere": lambda folder: _lead_elsewhere(place(folder) / "posts"),
    "its memory spoilt": lambda folder: place(folder).with_name("standby.json").write_text("{"),
    "its memory of another shape": lambda folder: place(folder).with_name("standby.json").write_text('{"posts": 1}'),
    "the folder copied": _copy,
    "the folder led elsewhere": _lead_elsewhere,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_became_of_the_standby_it_shows_the_new_site(feeds: Path, exchanges: list[bool], damage: str) -> None:
    write(feeds, NEW)
    write(feeds, OLD)
    DAMAGE[damage](feeds)
    killed_between(feeds, NEW)
    assert {path: text for path, text in seen(feeds).items() if path != ".standby"} == NEW | OTHERS
    write(feeds, OLD)
    assert seen(feeds) == OLD | OTHERS


def test_a_standby_that_took_the_place_of_a_folder_that_is_lost_is_the_folder(feeds: Path) -> None:
    killed_between(feeds, NEW)
    shutil.rmtree(place(feeds).parent)
    write(feeds, NEW)
    assert seen(feeds) == NEW | OTHERS
    write(feeds, OLD)
    assert seen(feeds) == OLD | OTHERS


def test_an_edit_links_what_it_changed_and_nothing_else(feeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(feeds, OLD | {"index.html": "once more"})
    linked: list[str] = []
    link = os.link

    def watched(source: Path, target: Path, **how: bool) -> None:
        link(source, target, **how)
        linked.append(str(Path(target).relative_to(place(feeds))))

    monkeypatch.setattr(os, "link", watched)
    write(feeds, OLD | {"posts/b/index.html": "an edit"})

    assert sorted(linked) == [".manifest.json", "index.html", "posts/b/index.html"]


def test_a_site_that_did_not_change_is_left_alone(feeds: Path, exchanges: list[bool]) -> None:
    write(feeds, OLD)
    assert exchanges == []


def test_files_are_known_again_after_they_got_links(feeds: Path, tmp_path: Path) -> None:
    shutil.rmtree(place(feeds))
    made: list[str] = []

    def recipe(path: str, content: str) -> Recipe:
        def make() -> bytes:
            made.append(path)
            return content.encode()

        return Recipe(PurePosixPath(path), content, make)

    cache = DiskCache(tmp_path / "cache", "1")
    for site in (OLD, NEW, NEW):
        made.clear()
        Folder(feeds, cache, standby=place(feeds)).write([recipe(path, text) for path, text in site.items()], {})
    cache.close()
    assert made == []


def test_who_may_read_a_folder_may_read_it_in_the_standby(feeds: Path) -> None:
    (feeds / "posts").chmod(0o2750)
    killed_between(feeds, NEW)
    assert (feeds / "posts").stat().st_mode & 0o7777 == 0o2750
