"""Messages per second of a whole send, beside postfix's own load generator into the same sink.

A digest of 60 kB, made out to each reader, goes out by the product as a site wires it: real ledger (SQLite,
`synchronous=FULL`), real links, real addresses. Four ways: over 16 connections into `smtp-sink`; the same signed by
DKIM; and into a sink far away over 50 and over 200 connections. Rounds of ours and of theirs alternate, so that a busy
machine slows both; what counts is the ratio. Postfix is a package of Debian.

    python -m bench.send [near dkim far-50 far-200] [--readers 20000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench import site, wire

Round = Callable[[int, int], tuple[float, float]]
"""Of a port and a number of readers: messages per second of ours, and of theirs."""


def ours(port: int, readers: int, connections: int, *, dkim: bool = False) -> float:
    """Messages per second of a send in a process of its own, from the first row to the last."""
    with tempfile.TemporaryDirectory() as folder:
        site.make(Path(folder), readers, port, connections=connections, dkim=dkim)
        with site.opened(Path(folder)) as app:
            site.start(app)
        command = [sys.executable, "-m", "bench.send", "--hand-out", folder, "--readers", str(readers)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return readers / float(done.stdout)


def theirs(port: int, readers: int, sessions: int) -> float:
    return readers / wire.smtp_source(port, readers, site.SIZE, sessions)


def signed_by_all(port: int, readers: int) -> float:
    """What `cryptography` can sign on all processors beside the sink, which takes as many messages meanwhile."""
    processors = os.cpu_count() or 1
    with ExitStack() as stack:
        signers = [stack.enter_context(wire.signing(readers // processors)) for _ in range(processors)]
        began = time.perf_counter()
        for signer in signers:
            signer.send("go")
        beside = threading.Thread(target=wire.smtp_source, args=(port, readers, site.SIZE, 16))
        beside.start()
        for signer in signers:
            signer.recv()
        beside.join()
        return readers / (time.perf_counter() - began)


def plain(sessions: int) -> Round:
    return lambda port, readers: (ours(port, readers, sessions), theirs(port, readers, sessions))


def far(connections: int, sessions: int) -> Round:
    return lambda port, readers: (ours(port, readers, connections), theirs(port, readers, sessions))


WAYS: dict[str, tuple[Callable[[], AbstractContextManager[int]], Round, str]] = {
    "near": (wire.near, plain(16), "16 connections; smtp-source with 16 sessions"),
    "dkim": (
        wire.near,
        lambda port, readers: (ours(port, readers, 16, dkim=True), signed_by_all(port, readers)),
        "RSA-2048, 16 connections; only signatures, on all processors, while smtp-source fills the sink",
    ),
    "far-50": (wire.far, far(50, 50), "50 connections; smtp-source with 50 sessions"),
    "far-200": (wire.far, far(200, 50), "200 connections; smtp-source with 50 sessions"),
}


def hand_out(folder: Path, readers: int) -> None:
    with site.opened(folder) as app:
        site.wake(app)
        began = time.perf_counter()
        site.hand_out(app, readers)
        print(time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", default=list(WAYS), metavar="WAY", help=", ".join(WAYS))
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hand-out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.hand_out:
        hand_out(asked.hand_out, asked.readers)
        return
    for name in asked.ways:
        sink, once, what = WAYS[name]
        print(f"{name}: {what}")
        rounds = []
        for _ in range(asked.rounds):
            with sink() as port:
                mine, other = once(port, asked.readers)
            rounds.append((mine, other))
            print(f"  newsletter {mine:8,.0f}/s   beside it {other:8,.0f}/s   ratio {mine / other:.2f}", flush=True)
        middle = statistics.median(mine for mine, _ in rounds)
        ratio = statistics.median(mine / other for mine, other in rounds)
        print(f"  median     {middle:8,.0f}/s                          ratio {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
