"""Listens on a socket and serves an application until it is told to stop; writes no access log."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from newsletter.errors import Outside, Problem

_STOPPING = (signal.SIGINT, signal.SIGTERM)


def run(
    app: ASGIApp, *, host: str, port: int, graceful_seconds: int = 5, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, then return; requests under way get `graceful_seconds` to end.

    `ready` is called with the address once connections are taken; port 0 takes a free one. Raises Outside: C701
    when the port is taken, C702 when the system refuses to listen there.
    """
    with listen(host, port) as listener:
        run_on(listener, app, graceful_seconds=graceful_seconds, ready=ready)


def run_on(
    listener: socket.socket,
    app: ASGIApp,
    *,
    graceful_seconds: int = 5,
    ready: Callable[[str], None] | None = None,
    stopping: Callable[[], None] | None = None,
) -> None:
    """As `run`, on a socket that listens already. `stopping` is called in the signal's handler: it may only set flags
    and wake those who wait, so that answers without an end come to one.
    """
    server = _Server(_settings(app, graceful_seconds), stopping)
    with _stopping(server):
        if ready is not None:
            ready(address_of(listener))
        server.run(sockets=[listener])


@contextmanager
def beside(
    listener: socket.socket, app: ASGIApp, *, graceful_seconds: int = 5, ended: Callable[[], None]
) -> Iterator[None]:
    """Serve in a thread of its own while the block runs, then end as `run` does; signals are left to the caller.

    `ended` is called when serving is over, for whatever reason: a block that goes on without it had better end too.
    What was wrong is raised after the block.
    """
    server = _Server(_settings(app, graceful_seconds), None)
    with ThreadPoolExecutor(1, "serve") as pool:
        serving = pool.submit(server.run, [listener])
        serving.add_done_callback(lambda _: ended())
        try:
            yield
        finally:
            server.should_exit = True
        serving.result()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._stopping is not None:
            self._stopping()


def _settings(app: ASGIApp, graceful_seconds: int) -> uvicorn.Config:
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each broken form, at anybody's will
    return uvicorn.Config(
        app,
        access_log=False,  # addresses of pages hold tokens
        log_config=None,
        log_level="error",
        lifespan="off",
        ws="none",
        proxy_headers=False,  # uvicorn would also believe a scheme; `web.proxies` tells who asks
        server_header=False,
        timeout_graceful_shutdown=graceful_seconds,
    )


@contextmanager
def _stopping(server: uvicorn.Server) -> Iterator[None]:
    """Stop on the signals without dying of them: uvicorn raises them again when it is done, for a handler of ours."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, server.handle_exit) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections already. Raises Outside (C701, C702)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends small answers without delay only where it sees TCP's number.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)  # at once: until then another process could bind the same port
    except (OSError, ValueError, OverflowError) as error:
        listener.close()
        raise Outside(_problem(error, host, port)) from error
    return listener


def _problem(error: Exception, host: str, port: int) -> Problem:
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return Problem(
            "C701",
            f"Port {port} on {host} is in use",
            why="Another program listens there, perhaps a `newsletter serve` that still runs.",
            fixes=("newsletter serve --port 0  (takes a free one)",),
        )
    return Problem("C702", f"Cannot listen on {host}, port {port}", why=str(error))


def address_of(listener: socket.socket) -> str:
    """Where a browser finds what listens there."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
