"""The published folder on a real disk: whole or untouched, whatever happens in between."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError, Outside, Refused
from newsletter.model import Changes, File
from newsletter.ports import Output
from newsletter.publish.manifest import MANIFEST, Manifest, parse
from newsletter.publish.output import Folder


def _files(**contents: str) -> list[File]:
    return [File(PurePosixPath(path), content.encode()) for path, content in contents.items()]


SITE: Mapping[str, str] = {
    "index.html": "home",
    "posts/a/index.html": "a",
    "posts/b/index.html": "b",
    "style.css": "css",
    "rss.xml": "<rss/>",
}
IDS = {"tag:a": "a", "tag:b": "b"}


def _seen(folder: Path) -> dict[str, str]:
    """What a visitor can read: everything but hidden files."""
    found = (path for path in folder.rglob("*") if path.is_file())
    visible = {path: path.relative_to(folder) for path in found}
    return {
        str(path): place.read_text()
        for place, path in visible.items()
        if not any(part.startswith(".") for part in path.parts)
    }


def _code(error: pytest.ExceptionInfo[NewsletterError]) -> set[str]:
    return {problem.code for problem in error.value.problems}


def test_it_is_an_output(tmp_path: Path) -> None:
    output: Output = Folder(tmp_path)

    assert output.published_ids() == {}


def test_the_first_publish_makes_the_folder_and_remembers_the_posts(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "not" / "yet")

    assert folder.write(_files(**SITE), IDS) == Changes(new=5)
    assert _seen(tmp_path / "not" / "yet") == SITE
    assert folder.published_ids() == IDS


def test_the_same_bytes_are_left_alone(tmp_path: Path) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    assert Folder(tmp_path).write(_files(**SITE), IDS) == Changes(same=5)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == {
        path: time for path, time in before.items() if path.is_file()
    }


def test_changes_are_counted(tmp_path: Path) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)
    later = {**SITE, "posts/a/index.html": "better", "posts/c/index.html": "c"}
    del later["posts/b/index.html"]

    assert Folder(tmp_path).write(_files(**later), IDS) == Changes(new=1, changed=1, gone=1, same=3)
    assert _seen(tmp_path) == later


def test_what_would_change_is_told_without_changing_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "feeds")
    assert folder.compare(_files(**SITE)) == Changes(new=5)
    assert not (tmp_path / "feeds").exists()
    folder.write(_files(**SITE), IDS)

    later = {**SITE, "posts/a/index.html": "better"}
    del later["posts/b/index.html"]

    assert folder.compare(_files(**later)) == Changes(changed=1, gone=1, same=3)
    assert _seen(tmp_path / "feeds") == SITE
    assert folder.published_ids() == IDS


def test_an_emptied_folder_goes_with_its_last_file(tmp_path: Path) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)
    Folder(tmp_path).write(_files(**{"index.html": "home"}), {})

    assert not (tmp_path / "posts").exists()


def test_files_of_others_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "posts" / "b").mkdir(parents=True)
    (tmp_path / ".gitkeep").touch()
    (tmp_path / "CNAME").write_text("autotrendy.example")
    (tmp_path / "posts" / "b" / "notes.txt").write_text("mine")
    Folder(tmp_path).write(_files(**SITE), IDS)

    Folder(tmp_path).write([], {})

    assert _seen(tmp_path) == {"CNAME": "autotrendy.example", "posts/b/notes.txt": "mine"}
    assert (tmp_path / ".gitkeep").exists()


def test_a_file_put_there_by_hand_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("by hand")

    with pytest.raises(Refused) as error:
        Folder(tmp_path).write(_files(**SITE), IDS)

    assert _code(error) == {"F422"}
    assert error.value.problems[0].file == str(tmp_path / "index.html")
    assert _seen(tmp_path) == {"index.html": "by hand"}


def test_a_lost_record_is_made_anew_when_the_bytes_are_the_same(tmp_path: Path) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)
    (tmp_path / MANIFEST).unlink()

    assert Folder(tmp_path).write(_files(**SITE), IDS) == Changes(same=5)
    assert Folder(tmp_path).published_ids() == IDS


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}', '{"version": 1, "files": {"a": 1}, "posts": {}}'])
def test_a_spoilt_record_stops_the_publish_and_says_how_to_go_on(tmp_path: Path, content: str) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)
    (tmp_path / MANIFEST).write_text(content)

    with pytest.raises(Refused) as error:
        Folder(tmp_path).write([], {})

    assert _code(error) == {"F423"}
    assert error.value.problems[0].fixes
    assert _seen(tmp_path) == SITE


@pytest.mark.parametrize(
    "path",
    [
        "../out.html",
        "/etc/out.html",
        "posts/../../out.html",
        "",
        ".",
        MANIFEST,
        ".lock",
        ".git/config",
        "a/\0b",
        "a\nb",
    ],
)
def test_a_path_that_leaves_the_folder_or_hides_in_it_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(Refused) as error:
        Folder(tmp_path / "feeds").write([*_files(**SITE), File(PurePosixPath(path), b"x")], IDS)

    assert _code(error) == {"F420"}
    assert not any(tmp_path.iterdir())


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=20))
def test_no_path_ever_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    root = tmp_path_factory.mktemp("root")
    with suppress(NewsletterError):
        Folder(root / "feeds").write([File(PurePosixPath(path), b"x")], {})
    assert {found.name for found in root.iterdir()} <= {"feeds"}


def test_two_files_for_one_place_are_refused(tmp_path: Path) -> None:
    for twice in (["posts/a", "posts/a"], ["posts/a", "posts/a/index.html"]):
        with pytest.raises(Refused) as error:
            Folder(tmp_path).write([File(PurePosixPath(path), b"x") for path in twice], {})
        assert _code(error) == {"F420"}
    assert not any(tmp_path.iterdir())


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    elsewhere, feeds = tmp_path / "elsewhere", tmp_path / "feeds"
    elsewhere.mkdir()
    feeds.mkdir()
    (elsewhere / "kept").write_text("kept")
    (feeds / "posts").symlink_to(elsewhere)
    (feeds / "index.html").symlink_to(elsewhere / "kept")

    with pytest.raises(Refused) as error:
        Folder(feeds).write(_files(**SITE), IDS)

    assert _code(error) == {"F422"}
    assert _seen(elsewhere) == {"kept": "kept"}


def test_a_page_that_somebody_replaced_by_a_link_becomes_a_page_again(tmp_path: Path) -> None:
    elsewhere, feeds = tmp_path / "elsewhere", tmp_path / "feeds"
    elsewhere.write_text("home")
    Folder(feeds).write(_files(**SITE), IDS)
    (feeds / "index.html").unlink()
    (feeds / "index.html").symlink_to(elsewhere)

    Folder(feeds).write(_files(**SITE), IDS)

    assert not (feeds / "index.html").is_symlink()
    assert elsewhere.read_text() == "home"


def test_nothing_is_removed_through_a_link(tmp_path: Path) -> None:
    feeds, elsewhere = tmp_path / "feeds", tmp_path / "elsewhere"
    Folder(feeds).write(_files(**SITE), IDS)
    (feeds / "posts").rename(elsewhere)
    (feeds / "posts").symlink_to(elsewhere)

    Folder(feeds).write(_files(**{"index.html": "home"}), {})

    assert (elsewhere / "a" / "index.html").read_text() == "a"


@contextmanager
def _full_disk(octets: int) -> Iterator[None]:
    """No file may grow beyond this: what a full disk or a quota does, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)
    record = (tmp_path / MANIFEST).read_bytes()
    larger = {path: content * 10_000 for path, content in SITE.items()}

    with pytest.raises(Outside) as error, _full_disk(30_000):
        Folder(tmp_path).write(_files(**larger), {})

    assert _code(error) == {"F421"}
    assert _seen(tmp_path) == SITE
    assert (tmp_path / MANIFEST).read_bytes() == record
    assert not list(tmp_path.glob(".stage-*"))


def test_a_folder_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "feeds").write_text("")

    with pytest.raises(Outside) as error:
        Folder(tmp_path / "feeds").write(_files(**SITE), IDS)

    assert _code(error) == {"F421"}


_KILLED_AFTER = """
import os, sys
from pathlib import Path, PurePosixPath
from newsletter.model import File
from newsletter.publish.output import Folder
left, move = int(sys.argv[2]), os.replace
def replace(source, target):
    global left
    if not left:
        os.kill(os.getpid(), 9)
    left -= 1
    move(source, target)
os.replace = replace
names = ("index.html", "rss.xml", "posts/new/index.html", "posts/newer/index.html")
Folder(Path(sys.argv[1])).write([File(PurePosixPath(name), b"second") for name in names], {"tag:new": "new"})
"""


@pytest.mark.parametrize("moves", range(6))
def test_a_publish_killed_at_any_move_is_completed_by_the_next(tmp_path: Path, moves: int) -> None:
    Folder(tmp_path).write(_files(**SITE), IDS)

    killed = subprocess.run([sys.executable, "-c", _KILLED_AFTER, tmp_path, str(moves)], check=False)
    third = {"index.html": "third", "rss.xml": "<rss/>"}
    Folder(tmp_path).write(_files(**third), {})

    assert killed.returncode == -9
    assert _seen(tmp_path) == third
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "rss.xml", MANIFEST, ".lock"}


def test_feeds_are_in_place_only_after_the_pages_they_announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    move = os.replace

    def watched(source: Path, target: Path) -> None:
        moved.append(str(Path(target).relative_to(tmp_path)))
        move(source, target)

    monkeypatch.setattr(os, "replace", watched)
    more = {"posts/a/car.png": "png", "atom.xml": "", "posts/index.html": "", "topics/x/rss.xml": ""}
    Folder(tmp_path).write(_files(**SITE, **more), IDS)

    assert moved == [
        MANIFEST,
        "posts/a/car.png",
        "style.css",
        "posts/a/index.html",
        "posts/b/index.html",
        "posts/index.html",
        "index.html",
        "topics/x/rss.xml",
        "atom.xml",
        "rss.xml",
        MANIFEST,
    ]


def test_two_publishes_at_once_take_turns(tmp_path: Path) -> None:
    sites = [{f"posts/{n}/index.html": f"{name}{n}" for n in range(40)} | {"rss.xml": name} for name in "ab"]
    threads = [
        threading.Thread(target=Folder(tmp_path).write, args=(_files(**site), {"tag": site["rss.xml"]}))
        for site in sites * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    seen = _seen(tmp_path)
    assert seen in sites
    assert Folder(tmp_path).published_ids() == {"tag": seen["rss.xml"]}


def test_the_record_is_stable_and_reads_back(tmp_path: Path) -> None:
    manifest = Manifest({"b": "1", "a": "2"}, {"tag:ü": "x"})

    assert parse(manifest.render()) == manifest
    assert manifest.render() == Manifest({"a": "2", "b": "1"}, {"tag:ü": "x"}).render()
    Folder(tmp_path).write(_files(**{"index.html": "home"}), {})
    assert json.loads((tmp_path / MANIFEST).read_text())["files"] == {
        "index.html": "4ea140588150773ce3aace786aeef7f4049ce100fa649c94fbbddb960f1da942"
    }


def test_what_is_published_can_be_read_by_a_web_server(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        Folder(tmp_path / "feeds").write(_files(**SITE), IDS)
    finally:
        os.umask(before)

    assert (tmp_path / "feeds" / "index.html").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "feeds" / "posts").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("path", ["../mine.txt", "{root}/mine.txt", "posts/../../mine.txt", ".lock"])
def test_a_record_that_names_what_is_not_ours_takes_nothing_away(tmp_path: Path, path: str) -> None:
    """A folder may come from elsewhere, with its record."""
    mine, folder = tmp_path / "mine.txt", tmp_path / "feeds"
    mine.write_text("mine")
    Folder(folder).write(_files(**SITE), IDS)
    before = _seen(folder)
    (folder / MANIFEST).write_bytes(Manifest({path.format(root=tmp_path): "0"}, {}).render())

    with pytest.raises(Refused) as refusal:
        Folder(folder).write(_files(**SITE), IDS)

    assert _code(refusal) == {"F423"}
    assert (mine.read_text(), _seen(folder)) == ("mine", before)
