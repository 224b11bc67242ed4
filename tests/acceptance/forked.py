"""The command in a process of its own, forked from one that has read the program already.

What each start would do anew, most of its time, is done once. `test_package` starts the installed command itself.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.acceptance.whole_program"])


class Forked:
    """A process like one of `subprocess`, which ends as `function` returns or raises SystemExit.

    It reads `given` and writes into `out` and `err`, in the folder `cwd`, with `environment` and nothing else.
    """

    def __init__(
        self,
        function: Callable[..., object],
        *arguments: object,
        cwd: Path,
        environment: Mapping[str, str],
        out: Path,
        err: Path,
        given: Path = Path(os.devnull),
    ) -> None:
        streams = (str(given), str(out), str(err))
        self._process = _context.Process(target=_run, args=(function, arguments, str(cwd), dict(environment), streams))
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Raises TimeoutExpired after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("newsletter", timeout)
        return self._process.exitcode

    def send_signal(self, signal: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """By SIGTERM, and at last by SIGKILL, unless it has ended."""
        if self.poll() is None:
            self.terminate()
            self._process.join(20)
        self._process.kill()
        self._process.join(10)


def command(words: tuple[str, ...]) -> None:
    """What the installed command does."""
    from newsletter.cli.main import main

    sys.argv = ["newsletter", *words]
    main()


def _run(
    function: Callable[..., object],
    arguments: tuple[Any, ...],
    cwd: str,
    environment: dict[str, str],
    streams: tuple[str, str, str],
) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, place in enumerate(streams):
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY, 0o644)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    function(*arguments)
