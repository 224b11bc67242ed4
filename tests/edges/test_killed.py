"""A publish that is killed at any of its steps: readers meet the old site or the new one, and the next publish ends
where it would have. Where folders cannot be exchanged, they meet whole pages whose links lead somewhere.

Each step that a publish takes on the disk is tried as its last: from then on nothing is done, and nothing cleared up.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from newsletter.model import File
from newsletter.publish import checks, standby
from newsletter.publish.exchange import exchange
from newsletter.publish.output import Folder
from tests.builders import a_site

SITE = a_site()
STEPS = ("replace", "unlink", "rmdir", "mkdir", "link")

Site = Mapping[str, bytes]


class Killed(BaseException):
    """Nothing catches it."""


def a_version(word: str, *slugs: str) -> dict[str, bytes]:
    """A small site: a page for each slug, pages and a feed that lead to them, a picture beside each."""
    page = '<!doctype html><html lang="en"><title>{0}</title><p>{0} {1}</p></html>'
    ways = "".join(f'<a href="{SITE.url}/posts/{slug}/">{slug}</a>' for slug in slugs)
    files = {f"posts/{slug}/index.html": page.format(word, '<img src="a.png" alt="p">').encode() for slug in slugs}
    files |= {f"posts/{slug}/a.png": slug.encode() for slug in slugs}
    files |= {name: page.format(word, ways).encode() for name in ("index.html", "posts/index.html")}
    items = "".join(f"<item><link>{SITE.url}/posts/{slug}/</link></item>" for slug in slugs)
    return files | {"rss.xml": f"<rss><channel><title>{word}</title>{items}</channel></rss>".encode()}


OLD = a_version("old", "a", "b", "gone", "gone-too")
NEW = a_version("new", "a", "b", "fresh", "fresher")


@pytest.fixture(scope="module", autouse=True)
def _unflushed() -> Iterator[None]:
    """The power is never cut here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _handle: None)
        patch.setattr(os, "sync", lambda: None)
        yield


Write = Callable[[Path, Site], None]


def at_once(folder: Path, site: Site) -> None:
    """Publish in one step, with a standby beside the folder."""
    _write(Folder(folder, standby=folder.parent / f"{folder.name}.standby"), site)


def one_by_one(folder: Path, site: Site) -> None:
    """Publish where no two folders can be exchanged."""
    _write(Folder(folder), site)


def _write(folder: Folder, site: Site) -> None:
    folder.write([File(PurePosixPath(path), content) for path, content in site.items()], {})


def seen(folder: Path) -> dict[str, bytes]:
    """What a web server would show."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path): (folder / path).read_bytes() for path in found if not any(p[0] == "." for p in path.parts)}


@contextmanager
def _counted(last: int) -> Iterator[list[str]]:
    """Every change of the disk is counted; whoever wants to make one after `last` is dead."""
    steps: list[str] = []

    def dying(name: str, made: Callable[..., Any]) -> Callable[..., Any]:
        def step(*values: Any, **named: Any) -> Any:
            if name != "open" or {"xb", "w"} & {*values, *named.values()}:
                if len(steps) == last:
                    raise Killed
                steps.append(name)
            return made(*values, **named)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, dying(name, getattr(os, name)))
        patch.setattr(Path, "open", dying("open", Path.open))
        patch.setattr(standby, "exchange", dying("exchange", exchange))
        yield steps


def killed(folder: Path, site: Site, last: int, write: Write) -> bool:
    """Publish, and die after `last` steps; whether it came to that."""
    with _counted(last):
        try:
            write(folder, site)
        except Killed:
            return True
    return False


def steps_of(write: Write, folder: Path) -> list[str]:
    """What a publish of the new site over the old one does on the disk."""
    write(folder, OLD)
    with _counted(1_000_000) as steps:
        write(folder, NEW)
    return steps


def test_whatever_step_was_the_last_readers_see_the_old_site_or_the_new_one(tmp_path: Path) -> None:
    steps = steps_of(at_once, tmp_path / "all")
    assert steps.count("exchange") == 2
    switch = steps.index("exchange")
    for last in range(len(steps)):
        folder = tmp_path / str(last)
        at_once(folder, OLD)
        assert killed(folder, NEW, last, at_once)
        assert seen(folder) == (NEW if last > switch else OLD)
        _is_completed(folder, at_once)


def test_where_folders_cannot_be_exchanged_pages_are_whole_and_lead_somewhere(tmp_path: Path) -> None:
    for last in range(len(steps_of(one_by_one, tmp_path / "all"))):
        folder = tmp_path / str(last)
        one_by_one(folder, OLD)
        assert killed(folder, NEW, last, one_by_one)
        _is_whole(seen(folder))
        _is_completed(folder, one_by_one)


def _is_completed(folder: Path, write: Write) -> None:
    """By the next publish, which leaves nothing else behind."""
    write(folder, NEW)
    assert seen(folder) == NEW
    assert {path.name for path in folder.iterdir() if path.name[0] == "."} == {".lock", ".manifest.json"}


def test_a_publish_that_is_killed_while_it_ends_what_a_killed_one_began_is_ended_by_the_next(tmp_path: Path) -> None:
    switch = steps_of(at_once, tmp_path / "all").index("exchange")
    died = True
    last = 0
    while died:
        folder = tmp_path / str(last)
        at_once(folder, OLD)
        killed(folder, NEW, switch + 4, at_once)
        died = killed(folder, NEW, last, at_once)
        assert seen(folder) == NEW
        _is_completed(folder, at_once)
        last += 1
    assert last > 5


def test_a_first_publish_that_is_killed_shows_nothing_or_everything(tmp_path: Path) -> None:
    with _counted(1_000_000) as steps:
        at_once(tmp_path / "all", NEW)
    for last in range(len(steps)):
        killed(tmp_path / str(last), NEW, last, at_once)
        assert seen(tmp_path / str(last)) in ({}, NEW)


def test_until_everything_stands_beside_the_old_site_is_untouched(tmp_path: Path) -> None:
    staged = steps_of(one_by_one, tmp_path / "all").index("replace")
    for last in range(staged + 1):
        folder = tmp_path / str(last)
        one_by_one(folder, OLD)
        killed(folder, NEW, last, one_by_one)
        assert seen(folder) == OLD


@pytest.mark.parametrize("write", [at_once, one_by_one])
def test_a_publish_of_something_else_clears_up_as_well(tmp_path: Path, write: Write) -> None:
    """Who publishes next may have taken back what was being published."""
    for last in range(0, len(steps_of(write, tmp_path / "all")), 3):
        folder = tmp_path / str(last)
        write(folder, OLD)
        killed(folder, NEW, last, write)
        write(folder, OLD)
        assert seen(folder) == OLD


def _is_whole(site: Site) -> None:
    """Every file is the old or the new one, to its last octet, and leads only to what is there."""
    for path, content in site.items():
        assert content in (OLD.get(path), NEW.get(path)), path
    files = [File(PurePosixPath(path), content) for path, content in site.items()]
    assert [problem for problem in checks.internal_links(files, SITE) if problem.level == "stop"] == []
    assert OLD.keys() & NEW.keys() <= site.keys()


CHILDREN = r"""
import fcntl, os, sys, time
from newsletter import spread
spread.WORTH_IT = 2
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
def work(place):
    os.write(1, b"%d\n" % os.getpid())
    time.sleep(600)
list(spread.spread(work, range(16)))
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="on one processor nothing is spread")
def test_what_works_for_a_killed_publish_ends_and_lets_go_of_its_lock(tmp_path: Path) -> None:
    script = [sys.executable, "-c", CHILDREN, str(tmp_path / "lock")]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        try:
            children = [int(parent.stdout.readline()) for _ in range(2)]
        finally:
            parent.kill()
        parent.wait(10)
        ends = time.monotonic() + 20
        while any(map(_lives, children)) and time.monotonic() < ends:
            time.sleep(0.05)
        assert not any(map(_lives, children))
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
