"""Processes that sign: `cryptography` holds the interpreter's lock for the 0.3 ms that a signature takes, so that lanes
of one process would wait for each other.

Each lane has a socket of its own to one of these processes, and waits on it without that lock. They start with the
first lane that has much to sign and end with the last; the key goes to them over a socket, never to a file or a command
line. One that is gone costs nobody their message: the lane signs for itself and asks for another later.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from newsletter.delivery.dkim import Signer
from newsletter.delivery.rsa import Signature

ALONE = 50
"""Messages that a lane signs for itself before it asks for a process: a process takes longer to start."""

_PATIENCE = 10  # seconds for an answer, a start included
_MOST_DEATHS = 10  # after which there is something wrong here that no new process mends
_COMMAND = (sys.executable, "-P", "-m", "newsletter.delivery.signing_process")


class Signers:
    """As many processes as processors, for the lanes that are open; none on a single processor. Thread-safe."""

    def __init__(self, signer: Signer, processes: int | None = None) -> None:
        self._signer = signer
        self._processes = len(os.sched_getaffinity(0)) if processes is None else processes
        self._children: list[_Child] = []
        self._deaths = 0
        self._lock = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[Signature]:
        """What signs for one lane."""
        if self._processes < 2:
            yield self._signer.signature
            return
        lane = _Lane(self, self._signer)
        try:
            yield lane.signature
        finally:
            lane.close()

    def wire(self) -> _Wire:
        """A way to the process that has the fewest. Raises OSError where none can be had."""
        with self._lock:
            self._bury()
            if self._deaths > _MOST_DEATHS:
                raise OSError("the processes that sign do not stay alive")
            if len(self._children) < self._processes:
                self._children.append(_Child(self._signer.key))
            return min(self._children, key=lambda child: child.wires).wire()

    def leave(self, wire: _Wire | None) -> None:
        """Give it back; with the last one all processes end."""
        with self._lock:
            if wire:
                wire.close()
            self._bury()
            if not any(child.wires for child in self._children):
                self._end(self._children)

    def _bury(self) -> None:
        dead = [child for child in self._children if not child.lives]
        self._deaths += len(dead)
        self._end(dead)

    def _end(self, children: Sequence[_Child]) -> None:
        for child in children:
            child.end()
        self._children = [child for child in self._children if child not in children]


class _Lane:
    """Signs for one lane, alone or over a wire; for one thread."""

    def __init__(self, signers: Signers, signer: Signer) -> None:
        self._signers = signers
        self._signer = signer
        self._alone = ALONE
        self._wire: _Wire | None = None

    def signature(self, digest: bytes) -> bytes:
        """Of a SHA-256 digest: the same whoever makes it."""
        if self._alone:
            self._alone -= 1
            return self._signer.signature(digest)
        try:
            self._wire = self._wire or self._signers.wire()
            return self._wire.ask(digest, self._signer.octets)
        except OSError:
            if self._wire:
                self._wire.despair()
            self.close()
            self._alone = ALONE
            return self._signer.signature(digest)

    def close(self) -> None:
        self._signers.leave(self._wire)
        self._wire = None


class _Wire:
    """One lane's end of a socket to a process."""

    def __init__(self, child: _Child, end: socket.socket) -> None:
        self._child = child
        self._socket = end
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE, 0))  # no poll
        child.wires += 1

    def ask(self, digest: bytes, octets: int) -> bytes:
        """The signature. Raises OSError."""
        self._socket.sendall(digest)
        answer = self._socket.recv(octets, socket.MSG_WAITALL)
        if len(answer) != octets:
            raise ConnectionResetError("the process that signs is gone")
        return answer

    def despair(self) -> None:
        """Of a process that does not answer: its other lanes need not find out by waiting, nor any lane again."""
        self._child.kill()

    def close(self) -> None:
        self._socket.close()
        self._child.wires -= 1


class _Child:
    """One process, from here. It ends when its standard input does, which is when this process ends in any way."""

    def __init__(self, key: bytes) -> None:
        """Raises OSError when it cannot be started."""
        self.wires = 0
        with ExitStack() as undo:
            self._control, theirs = map(undo.enter_context, socket.socketpair())
            self._process = _started(theirs)
            self._control.sendall(len(key).to_bytes(4, "big") + key)
            theirs.close()
            undo.pop_all()

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def wire(self) -> _Wire:
        with ExitStack() as undo:
            ours, theirs = map(undo.enter_context, socket.socketpair())
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            theirs.close()
            undo.pop_all()
        return _Wire(self, ours)

    def kill(self) -> None:
        """Also one that was stopped."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        self._control.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()


def _started(end: socket.socket) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C is for the parent, which finishes what it holds."""
    return subprocess.Popen(  # noqa: S603  this interpreter, with words of our own
        _COMMAND,
        stdin=end.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
