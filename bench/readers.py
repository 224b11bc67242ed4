"""Moving a million readers in, and counting them: rows per second and the most memory that the process had.

Each command is the installed one, in a process of its own, on a site of its own; its memory is what the system says of
that process (ru_maxrss). Beside it in the same run stands the floor: Python's csv module and one `executemany` into a
table with one unique index, with nothing looked up, checked, recorded or asked.

    python -m bench.readers [ROWS]
"""

from __future__ import annotations

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = Path(sys.executable).with_name("newsletter")
ROWS = 1_000_000
DOMAINS = [f"{name}{n}.example" for name in ("mail", "post", "inbox", "web") for n in range(500)]
HEADER = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,"
    "GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
"""Of an audience that Mailchimp exported."""


def write_list(path: Path, rows: int) -> None:
    """Readers in no order; every thousandth is twice in it, every five-hundredth has no address that can be mailed."""
    with path.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(HEADER.split(","))
        for n in range(rows):
            key = (n if n % 1000 else n // 2) * 2_654_435_761 % 2**32
            address = f"reader.{key:08x}@{DOMAINS[key % len(DOMAINS)]}" if n % 500 else f"reader.{key:08x}.at.home"
            at = f"20{key % 20 + 5:02}-0{key % 9 + 1}-1{key % 10} 10:{key % 60:02}:00"
            place = ["48.85", "2.35", "1", "2", "Europe/Paris", "FR", "IDF"]
            out.writerow([address, "Ada", "Reader", 2, at, "192.0.2.7", at, "192.0.2.7", *place, at, key, key, "", ""])


def floor(path: Path) -> None:
    """What reading the file and writing one table costs by itself."""
    with sqlite3.connect(path.with_suffix(".floor.sqlite3")) as connection, path.open(newline="") as stream:
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;")
        connection.execute("CREATE TABLE reader (id INTEGER PRIMARY KEY, address TEXT UNIQUE, at TEXT) STRICT")
        found = csv.reader(stream)
        next(found)
        connection.executemany(
            "INSERT OR IGNORE INTO reader (address, at) VALUES (?, ?)", ((r[0], r[6]) for r in found)
        )


def measured(name: str, command: list[str], rows: int, base: float | None = None) -> float:
    """Run it; print its figures, and give its seconds of processor time: a busy machine stretches only the others."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds, busy = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}")
    ratio = f"   {busy / base:4.1f} × the floor" if base else ""
    memory = f"{usage.ru_maxrss / 1024:5.0f} MB"
    print(
        f"{name:<34} {seconds:6.1f} s  processor {busy:5.1f} s  {rows / seconds:8,.0f} rows/s {memory}{ratio}",
        flush=True,
    )
    return busy


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        audience = folder / "subscribed_members_export.csv"
        write_list(audience, rows)
        print(f"{rows:,} rows, {audience.stat().st_size / 1e6:,.0f} MB; load {os.getloadavg()[0]:.1f}", flush=True)
        base = measured("csv and executemany", [sys.executable, "-m", "bench.readers", "floor", str(audience)], rows)

        def site(name: str, *words: str) -> list[str]:
            if not (folder / name).exists():
                subprocess.run([str(COMMAND), "init", str(folder / name), "-q"], check=True, stdout=subprocess.DEVNULL)
            return [str(COMMAND), "reader", *words, "--site", str(folder / name)]

        taking, proof = ("import", str(audience)), ("--consent", "signed up there")
        measured("reader import, a dry run", site("asked", *taking), rows, base)
        measured("reader import --go, each is asked", site("asked", *taking, "--go"), rows, base)
        measured("reader import --go --consent", site("vouched", *taking, *proof, "--go"), rows, base)
        measured("reader export", site("vouched", "export", str(folder / "out.csv")), rows, base)
        measured("reader list, which counts all", site("vouched", "list", "--status", "blocked"), rows)
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["floor"]:
        floor(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
