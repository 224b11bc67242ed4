"""Where the mails of a bench go, and who else sends there: postfix's own sink and load generator, and a sink far away.

`smtp-sink` and `smtp-source` are Debian's, of the package postfix. The far sink is our own: it waits before each batch
of replies as a network and a busy server would, for both senders alike, and says how many messages it took.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

BEFORE_REPLIES = 0.020
"""Seconds that the far sink waits before each batch of replies."""

AFTER_DOT = 0.030
"""Seconds more that it waits after the end of a message."""

SENDER, READER = "editor@autotrendy.example", "reader@readers.example"


def program(name: str) -> str:
    """The path of one of postfix's programs."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin")
    if not found:
        sys.exit(f"{name} is not here: apt-get install postfix")
    return found


@contextmanager
def near() -> Iterator[int]:
    """A `smtp-sink` on a port of loopback."""
    port = _free_port()
    as_root = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program("smtp-sink"), *as_root, "-c", f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def far() -> Iterator[int]:
    """The far sink, in a process of its own, on a port of loopback."""
    port = _free_port()
    process = multiprocessing.get_context("spawn").Process(target=_far, args=(port,), daemon=True)
    process.start()
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.join(timeout=10)


def smtp_source(port: int, messages: int, size: int, sessions: int) -> float:
    """Seconds that `smtp-source` takes for so many messages of `size` octets over so many sessions, kept open."""
    command = [program("smtp-source"), "-d", "-s", str(sessions), "-m", str(messages), "-l", str(size)]
    began = time.perf_counter()
    subprocess.run([*command, "-f", SENDER, "-t", READER, f"127.0.0.1:{port}"], check=True)
    return time.perf_counter() - began


@contextmanager
def signing(signatures: int) -> Iterator[Connection]:
    """A process of its own that makes so many RSA-2048 signatures once told to, and says when it is done."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_sign, args=(theirs, signatures), daemon=True)
    process.start()
    try:
        ours.recv()
        yield ours
    finally:
        process.terminate()
        process.join(timeout=10)


def _sign(told: Connection, signatures: int) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    told.send("ready")
    told.recv()
    for number in range(signatures):
        key.sign(b"%1000d" % number, padding.PKCS1v15(), hashes.SHA256())
    told.send("done")


class _Far(asyncio.Protocol):
    """One session: commands are answered late, content is thrown away."""

    def __init__(self) -> None:
        self._rest = b""
        self._tail = b""
        self._content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._late([b"220 far.example ESMTP\r\n"])

    def data_received(self, data: bytes) -> None:
        if self._content:
            self._tail = (self._tail + data[-5:])[-5:]
            if self._tail == b"\r\n.\r\n":
                self._content = False
                self._late([b"250 2.0.0 Ok: queued\r\n"], AFTER_DOT)
            return
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        self._late([self._answer(line[:4].upper()) for line in lines])

    def _answer(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self._content, self._tail = True, b""
            return b"354 go ahead\r\n"
        if verb == b"EHLO":
            return b"250-far.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        return b"221 2.0.0 Bye\r\n" if verb == b"QUIT" else b"250 2.1.0 Ok\r\n"

    def _late(self, replies: list[bytes], more: float = 0) -> None:
        if replies:
            asyncio.get_running_loop().call_later(BEFORE_REPLIES + more, self._say, b"".join(replies))

    def _say(self, replies: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(replies)
            if replies.startswith(b"221"):
                self._transport.close()


def _far(port: int) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Far, "127.0.0.1", port, backlog=1000)
        await server.serve_forever()

    asyncio.run(serve())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("the sink does not answer")
