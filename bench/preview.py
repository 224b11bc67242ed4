"""How long a writer waits: from saving one post until the preview tells of it, and until its page and feed are there.

    python -m bench.preview [--posts 1000,10000] [--edits 7]

The preview runs as its writer runs it, over a site of `bench.corpus`. Each edit changes the text of another post; every
second one its title as well, which other pages and feeds repeat. Seconds of the clock and of the preview's processor
time; medians, and the slowest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from http.client import HTTPResponse
from pathlib import Path

from bench import corpus
from bench.publish import HOME

_TICKS = os.sysconf("SC_CLK_TCK")
_KINDS = ("text", "title")


@dataclass(frozen=True, slots=True)
class Wait:
    """Milliseconds since the file was saved; `processor` until it was told."""

    told: float
    page: float
    feed: float
    processor: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", default="1000,10000", help="sizes, joined by commas")
    parser.add_argument("--edits", type=int, default=7, help="of each kind")
    given = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    for count in map(int, given.posts.split(",")):
        _measure(HOME / f"preview-{count}", count, given.edits)


def _measure(site: Path, count: int, edits: int) -> None:
    shutil.rmtree(site, ignore_errors=True)
    corpus.site(site, count)
    time.sleep(3)  # files that were written just now are not taken for settled
    with _running(site) as (process, address):
        events = _events(address)
        next(events)
        _settle(process)
        waits = {kind: [_saved(site, address, events, process.pid, n, kind) for n in range(edits)] for kind in _KINDS}
        megabytes = _peak(process.pid)
    shutil.rmtree(site)
    _tell(count, waits, megabytes)


@contextmanager
def _running(site: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A preview of the site, and its address."""
    program = str(Path(sys.executable).with_name("newsletter"))
    command = [program, "preview", "--port", "0", "--no-open", "--site", str(site)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first = next(line for line in process.stdout if line.startswith("Site "))
            yield process, next(word for word in first.split() if word.startswith("http"))
        finally:
            process.terminate()


def _events(address: str) -> Iterator[str]:
    """The versions that the preview names, each as soon as it does."""
    stream: HTTPResponse = urllib.request.urlopen(f"{address}_preview/events", timeout=60)
    with stream:
        yield from (line.decode().strip() for line in stream if line.startswith(b"data:"))


def _settle(process: subprocess.Popen[str]) -> None:
    """Until it has looked through all pages, which it does when it starts and nobody waits for."""
    before = -1.0
    while (now := _processor(process.pid)) - before > 0.05:
        before = now
        time.sleep(1)


def _saved(site: Path, address: str, events: Iterator[str], pid: int, number: int, kind: str) -> Wait:
    posts = sorted((site / "posts").glob("*.md"))
    path = posts[len(posts) * (number + 1) // 12 - 1]  # from among the oldest to among the newest
    text = path.read_text(encoding="utf-8") + f"\nOne more sentence, {kind} {number}.\n"
    if kind == "title":
        text = text.replace("title: ", f"title: Changed {number} ", 1)
    time.sleep(2.5)  # nobody saves twice within one look of a file system's clock
    used, began = _processor(pid), time.perf_counter()
    path.write_text(text, encoding="utf-8")
    next(events)
    told, processor = time.perf_counter(), _processor(pid) - used
    slug = path.stem[11:]
    _holds(f"{address}posts/{slug}/", f"{kind} {number}.")
    page = time.perf_counter()
    _holds(f"{address}rss.xml", "<rss")
    feed = time.perf_counter()
    return Wait(*(1000 * passed for passed in (told - began, page - began, feed - began, processor)))


def _holds(address: str, words: str) -> None:
    with urllib.request.urlopen(address, timeout=60) as answer:
        if words not in answer.read().decode():
            sys.exit(f"{address} does not say {words}")


def _processor(pid: int) -> float:
    """Seconds that a process has used."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


def _tell(count: int, waits: Mapping[str, Sequence[Wait]], megabytes: int) -> None:
    print(f"\npreview of {count:,} posts; milliseconds since a save; load {os.getloadavg()[0]:.1f}; {megabytes} MB")
    print(f"{'':<16}" + "".join(f"{name:>12}" for name in ("told", "page", "feed", "CPU, told")))
    for kind, some in waits.items():
        columns = list(zip(*map(astuple, some), strict=True))
        for name, of in (("median", statistics.median), ("slowest", max)):
            print(f"{kind + ', ' + name:<16}" + "".join(f"{of(column):12.0f}" for column in columns))


if __name__ == "__main__":
    main()
