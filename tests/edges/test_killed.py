"""A publish that is killed at any of its steps: readers meet whole pages whose links lead somewhere, and the next
publish ends where it would have.

Each step that a publish takes on the disk is tried as its last: from then on nothing is done, and nothing cleared up.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from newsletter.model import File
from newsletter.publish import checks
from newsletter.publish.output import Folder
from tests.builders import a_site

SITE = a_site()
STEPS = ("replace", "unlink", "rmdir", "mkdir", "open", "write_bytes")

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


def write(folder: Path, site: Site) -> None:
    Folder(folder).write([File(PurePosixPath(path), content) for path, content in site.items()], {})


def seen(folder: Path) -> dict[str, bytes]:
    """What a web server would show."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path): (folder / path).read_bytes() for path in found if not any(p[0] == "." for p in path.parts)}


@contextmanager
def _counted(last: int) -> Iterator[list[str]]:
    """Every change of the disk is counted; whoever wants to make one after `last` is dead."""
    steps: list[str] = []
    clear = shutil.rmtree

    def dying(name: str, made: Callable[..., Any]) -> Callable[..., Any]:
        def step(place: Path, *values: Any, **named: Any) -> Any:
            if name != "open" or "xb" in values:
                if len(steps) == last:
                    raise Killed
                steps.append(name)
            return made(place, *values, **named)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(Path, name, dying(name, getattr(Path, name)))
        patch.setattr(shutil, "rmtree", lambda *v, **n: clear(*v, **n) if len(steps) < last else None)
        yield steps


def killed(folder: Path, site: Site, last: int) -> bool:
    """Publish, and die after `last` steps; whether it came to that."""
    with _counted(last):
        try:
            write(folder, site)
        except Killed:
            return True
    return False


def test_whatever_step_was_the_last_the_site_is_whole_and_the_next_publish_completes_it(tmp_path: Path) -> None:
    last = 0
    while True:
        folder = tmp_path / str(last)
        write(folder, OLD)
        died = killed(folder, NEW, last)
        _is_whole(seen(folder))
        if not died:
            assert seen(folder) == NEW
            break
        write(folder, NEW)
        assert seen(folder) == NEW
        assert not [path for path in folder.iterdir() if path.name.startswith(".stage")]
        last += 1
    assert last > 30, "it was tried at every step"


def test_until_everything_stands_beside_the_old_site_is_untouched(tmp_path: Path) -> None:
    with _counted(1_000_000) as steps:
        write(tmp_path / "all", NEW)
    staged = steps.index("replace")
    for last in range(staged + 1):
        folder = tmp_path / str(last)
        write(folder, OLD)
        killed(folder, NEW, last)
        assert seen(folder) == OLD


def test_a_publish_of_something_else_clears_up_as_well(tmp_path: Path) -> None:
    """Who publishes next may have taken back what was being published."""
    with _counted(1_000_000) as steps:
        write(tmp_path / "all", NEW)
    for last in range(steps.index("replace"), len(steps), 3):
        folder = tmp_path / str(last)
        write(folder, OLD)
        killed(folder, NEW, last)
        write(folder, OLD)
        assert seen(folder) == OLD


def _is_whole(site: Site) -> None:
    """Every file is the old or the new one, to its last octet, and leads only to what is there."""
    for path, content in site.items():
        assert content in (OLD.get(path), NEW.get(path)), path
    files = [File(PurePosixPath(path), content) for path, content in site.items()]
    assert [problem for problem in checks.internal_links(files, SITE) if problem.level == "stop"] == []
    assert OLD.keys() & NEW.keys() <= site.keys()


CHILDREN = """
import fcntl, os, sys, time
from newsletter import spread
spread.WORTH_IT = 2
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
def work(place):
    print(os.getpid(), flush=True)
    time.sleep(600)
list(spread.spread(work, range(16)))
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="on one processor nothing is spread")
def test_what_works_for_a_killed_publish_ends_and_lets_go_of_its_lock(tmp_path: Path) -> None:
    script = [sys.executable, "-c", CHILDREN, str(tmp_path / "lock")]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        children = [int(parent.stdout.readline()) for _ in range(2)]
        parent.send_signal(signal.SIGKILL)
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
