"""A million readers: fixing the audience, the whole send, its memory, its speed beside ten thousand, and a letter
meanwhile.

Both sends are the product's own, into `smtp-sink` over 16 connections, each in a process of its own whose most memory
is what the system says of it. While the million go out somebody signs up every few seconds; what counts is how long it
takes from the press to the mail server's answer for their confirmation mail.

    python -m bench.million [--readers 1000000]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import site, wire
from newsletter.app import App
from newsletter.model import WEEKLY, DeliveryState, Evidence

FEW = 10_000
EVERY = 5.0
"""Seconds between two who sign up."""


def measured(folder: Path, step: str, readers: int) -> dict[str, float]:
    """Take one step in a process of its own: what it prints, and the most memory it had, in MB."""
    command = [sys.executable, "-m", "bench.million", "--step", step, str(folder), "--readers", str(readers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def freeze(app: App, readers: int) -> dict[str, float]:  # noqa: ARG001
    began = time.perf_counter()
    site.start(app)
    return {"seconds": time.perf_counter() - began}


def send(app: App, readers: int) -> dict[str, float]:
    over = threading.Event()
    waits: list[float] = []
    site.wake(app)
    press = threading.Thread(target=_sign_up, args=(app, over, waits))
    with app.ahead(lambda: datetime.now(UTC), lambda _: None):
        press.start()
        began = time.perf_counter()
        try:
            site.hand_out(app, readers)
        finally:
            took = time.perf_counter() - began
            over.set()
            press.join()
    return {"seconds": took, "letters": len(waits), "longest": max(waits), "middle": statistics.median(waits)}


def _sign_up(app: App, over: threading.Event, waits: list[float]) -> None:
    """One after the other: from the press to the answer of the mail server."""
    number = 0
    while not over.wait(EVERY if number else 0.5):
        number += 1
        address, began = f"new.{number}@readers.example", time.perf_counter()
        app.roster.ask(address, edition=WEEKLY, evidence=Evidence("form"), now=datetime.now(UTC))
        there = app.roster.find(address)
        assert there
        while not any(one.state is DeliveryState.ACCEPTED for one in app.letters.of(there.id)):
            if time.perf_counter() - began > 60:
                raise SystemExit("a confirmation mail took more than a minute")
            time.sleep(0.01)
        waits.append(time.perf_counter() - began)


STEPS = {"freeze": freeze, "send": send}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step, folder = asked.step
        with site.opened(Path(folder)) as app:
            figures = STEPS[step](app, asked.readers)
        print(json.dumps(figures | {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    rates = {}
    for readers in (FEW, asked.readers):
        with tempfile.TemporaryDirectory() as folder, wire.near() as port:
            site.make(Path(folder), readers, port, connections=16)
            frozen = measured(Path(folder), "freeze", readers)
            print(f"{readers:>9,} readers   frozen in {frozen['seconds']:6.1f} s, at most {frozen['memory']:4.0f} MB")
            sent = measured(Path(folder), "send", readers)
            rates[readers] = readers / sent["seconds"]
            print(f"{'':>9}           sent at {rates[readers]:,.0f}/s, at most {sent['memory']:4.0f} MB")
            print(
                f"{'':>9}           {sent['letters']:.0f} signed up meanwhile: handed over after {sent['middle']:.2f} s"
                f" (median), {sent['longest']:.2f} s (longest)",
                flush=True,
            )
    print(f"{asked.readers:,} beside {FEW:,} readers: {rates[asked.readers] / rates[FEW]:.2f} of the speed")


if __name__ == "__main__":
    main()
