"""One sender at a time, whatever happens to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import Outside
from newsletter.store.lock import SenderLock

HOLD = """
import sys
from pathlib import Path
from newsletter.store.lock import SenderLock

lock = SenderLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""

ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from newsletter.store.lock import SenderLock

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
lock = SenderLock(Path(sys.argv[1]))
print(lock.acquire(), SenderLock(Path(sys.argv[1])).acquire(), lock.holder())
lock.release()
print(lock.acquire())
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "sender.lock"


def test_only_one_holds_the_lock_and_says_who_it_is(file: Path) -> None:
    first, second = SenderLock(file), SenderLock(file)
    assert second.holder() is None
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    holder = second.holder()
    assert holder
    assert holder.startswith(f"{os.getpid()} ")


def test_a_lock_that_was_given_back_is_free(file: Path) -> None:
    first, second = SenderLock(file), SenderLock(file)
    first.acquire()
    first.release()
    first.release()
    assert second.holder() is None
    assert second.acquire()


def test_a_killed_holder_leaves_the_lock_free(file: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        mine = SenderLock(file)
        assert not mine.acquire()
        assert (mine.holder() or "").startswith(f"{other.pid} ")
        other.kill()
    assert mine.holder() is None
    assert mine.acquire()


def test_a_lock_that_cannot_be_opened_is_trouble_outside(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(Outside) as told:
        SenderLock(tmp_path / "var" / "sender.lock").acquire()
    assert told.value.problems[0].code == "C531"


def test_on_a_full_disk_the_lock_holds_without_its_holders_name(file: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ON_A_FULL_DISK, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "True False another process\nTrue\n"
