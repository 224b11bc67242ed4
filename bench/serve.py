"""Requests per second of the published folder, beside Starlette's StaticFiles in the same run.

Both are served by uvicorn with the product's own settings, in processes of their own, on loopback; rounds
alternate, so that a busy machine slows both. What counts is the ratio. About twenty seconds.

    python -m bench.serve
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from newsletter.web.serve import run
from tests.unit.web.parts import an_app

ROUNDS = 7
SECONDS = 0.4
CONNECTIONS = 8
PAGE = "<!doctype html><title>A page</title>" + "".join(f"<p>Sentence {n} of thirty kilobytes.</p>" for n in range(850))
SERVERS = ("newsletter", "StaticFiles", "StaticFiles+gzip")
ACCEPT = "Accept-Encoding: gzip\r\n"


def application(name: str, folder: Path) -> ASGIApp:
    if name == "newsletter":
        return an_app(folder)
    middleware = [Middleware(GZipMiddleware)] if name.endswith("gzip") else []
    return Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))], middleware=middleware)


def start(name: str, folder: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.serve", name, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])


def rate(port: int, headers: str = "") -> float:
    """Requests per second over CONNECTIONS kept-alive connections, from one thread."""
    request = f"GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
    lines = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(CONNECTIONS)]
    answered, begun = 0, time.perf_counter()
    try:
        while time.perf_counter() - begun < SECONDS:
            for line in lines:
                line.sendall(request)
            for line in lines:
                read_answer(line)
            answered += len(lines)
        return answered / (time.perf_counter() - begun)
    finally:
        for line in lines:
            line.close()


def read_answer(line: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += line.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(row.split(b":")[1]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")), 0
    )
    missing = length - len(body)
    while missing > 0:
        missing -= len(line.recv(65536))
    return head


def etag(port: int, headers: str = "") -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        rows = read_answer(line).decode().split("\r\n")
    return next(row.partition(": ")[2] for row in rows if row.lower().startswith("etag:"))


def compare(title: str, ours: tuple[int, str], theirs: tuple[int, str]) -> None:
    rounds = [(rate(*ours), rate(*theirs)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"{title:34}{mine:8,.0f}/s {other:8,.0f}/s   ratio {ratio:.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "index.html").write_text(PAGE)
        processes = {server: start(server, folder) for server in SERVERS}
        try:
            ours, plain, packed = (processes[server][1] for server in SERVERS)
            print(f"{f'page of {len(PAGE) // 1000} kB':34}newsletter  StaticFiles")
            compare("plain", (ours, ""), (plain, ""))
            compare("gzip (beside GZipMiddleware)", (ours, ACCEPT), (packed, ACCEPT))
            known = [(port, f"If-None-Match: {etag(port)}\r\n") for port in (ours, plain)]
            compare("304 to a known entity tag", *known)
        finally:
            for process, _ in processes.values():
                process.terminate()
                process.wait(timeout=10)
                if process.stdout:
                    process.stdout.close()


if __name__ == "__main__":
    if sys.argv[1:]:
        run(
            application(sys.argv[1], Path(sys.argv[2])),
            host="127.0.0.1",
            port=0,
            ready=lambda address: print(address, flush=True),
        )
    else:
        main()
