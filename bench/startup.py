"""How long a person waits: `newsletter --help`, and `newsletter publish` of this repository's own site.

Each is the median of several runs of the installed command, beside a bare `python -c pass` in the same run. Prints
milliseconds and the ratio.

    python -m bench.startup
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("newsletter")
RUNS = 9


def median_ms(command: list[str], folder: Path) -> float:
    """The median wall-clock time of `RUNS` runs after one to warm the disk's and Python's caches."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[1:])


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch)
        shutil.copytree(ROOT / "posts", site / "posts")
        for name in ("newsletter.toml", "reviews.toml"):
            shutil.copy(ROOT / name, site / name)
        bare = median_ms([sys.executable, "-c", "pass"], site)
        rows = [
            ("python -c pass", bare),
            ("newsletter --help", median_ms([str(COMMAND), "--help"], site)),
            ("newsletter publish, nothing changed", median_ms([str(COMMAND), "publish", "-q"], site)),
            ("newsletter status", median_ms([str(COMMAND), "status", "-q"], site)),
        ]
        for name, ms in rows:
            print(f"{name:<38} {ms:7.0f} ms   {ms / bare:5.1f} ×")


if __name__ == "__main__":
    main()
