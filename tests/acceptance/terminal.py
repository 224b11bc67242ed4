"""The installed command at a terminal: somebody who sees its screen, presses keys, and may leave."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.acceptance.harness import COMMAND

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """What a person sees of one command."""

    def __init__(self, process: subprocess.Popen[bytes], place: int) -> None:
        self._process = process
        self._place = place
        self._seen = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # EIO when the last process has closed its side
            while chunk := os.read(self._place, 65536):
                self._seen += chunk.decode(errors="replace")

    @property
    def screen(self) -> str:
        """All that was ever written, without what moves the cursor."""
        return _CONTROL.sub("", self._seen).replace("\r", "")

    @property
    def raw(self) -> str:
        return self._seen

    def shows(self, text: str, seconds: float = 30) -> bool:
        """Whether this is written within so many seconds."""
        end = time.monotonic() + seconds
        while text not in self.screen and time.monotonic() < end:
            time.sleep(0.02)
        return text in self.screen

    def press(self, keys: str) -> None:
        os.write(self._place, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def ended(self, seconds: float = 30) -> int:
        """Its exit status."""
        status = self._process.wait(seconds)
        self._reader.join(5)
        return status

    def is_sane(self) -> bool:
        """Whether it echoes, and waits for whole lines."""
        flags = termios.tcgetattr(self._place)[3]
        return bool(flags & termios.ECHO and flags & termios.ICANON)


@contextmanager
def terminal(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], *, columns: int = 100
) -> Iterator[Terminal]:
    """`newsletter` with these words on a terminal so wide; ended when the block does."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([COMMAND, *words], cwd=folder, env=environment, stdin=its, stdout=its, stderr=its)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(its)
        os.close(ours)
