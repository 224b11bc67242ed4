"""Messages per second of a whole send, beside postfix's own load generator into the same sink.

A digest of 60 kB, made out to each reader, goes out through the real ledger (SQLite, `synchronous=FULL`) over 16
connections into `smtp-sink`; `smtp-source` sends as many messages of the same size over 16 sessions. Rounds alternate,
so that a busy machine slows both; what counts is the ratio. Postfix is a package of Debian; about two minutes.

    python -m bench.send [--readers 20000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from newsletter.delivery.engine import Relay, drain
from newsletter.delivery.message import compose
from newsletter.delivery.smtp import SmtpSettings, SmtpTransport
from newsletter.model import Addressee, Chunk, Digest, Issue, IssueState, Message, Sentinel
from tests.builders import a_site, a_slot
from tests.edges.sending import Send, sending

SIZE = 60_000
CONNECTIONS = 16
NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
SITE = a_site()


def a_digest() -> Digest:
    """About SIZE octets as they go over the wire, a tenth of it in the text part, as mails of this program have."""
    line = "<p>The hatch goes further on a charge than its maker says, and we measured it twice.</p>\n"
    footer = f'<p>For {Sentinel.ADDRESS}, since {Sentinel.JOINED}. <a href="{Sentinel.UNSUBSCRIBE}">Leave</a></p>\n'
    html = "<!DOCTYPE html>\n" + line * (SIZE * 9 // 10 // len(line)) + footer
    text = ("It goes further on a charge than its maker says.\n" * (SIZE // 10 // 49)) + f"\n{Sentinel.UNSUBSCRIBE}\n"
    return Digest("The hatch goes further", "Twice measured.", html, text, "sha256:bench")


@dataclass(frozen=True, slots=True)
class Composer:
    """As `usecases.deliver.Composer` makes them, of one Digest."""

    digest: Digest
    issue: Issue

    def __call__(self, _: Chunk, addressee: Addressee) -> Message:
        return compose(
            site=SITE,
            issue=self.issue,
            digest=self.digest,
            addressee=addressee,
            unsubscribe_url=f"{SITE.web_url}/u/WzEyMzQ1LDFd.2b9a7f3c5d8e1a4b6c0d{addressee.subscriber_id:08}",
            preferences_url=f"{SITE.web_url}/p/WzEyMzQ1LDFd.2b9a7f3c5d8e1a4b6c0d{addressee.subscriber_id:08}",
            message_id_key="a lasting key of this bench",
        )


@contextmanager
def sink() -> Iterator[int]:
    """A `smtp-sink` on a port of loopback."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
    if not program:
        sys.exit("smtp-sink is not here: apt-get install postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    as_root = ["-u", "postfix"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *as_root, "-c", f"127.0.0.1:{port}", "1000"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def theirs(port: int, messages: int, size: int) -> float:
    """Messages per second of `smtp-source`."""
    command = ["/usr/sbin/smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(size)]
    addresses = ["-f", "editor@autotrendy.example", "-t", "reader@readers.example"]
    began = time.perf_counter()
    subprocess.run([*command, *addresses, f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - began)


def ours(port: int, send: Send, digest: Digest) -> float:
    """Messages per second of a drain of all that is owed."""
    transport = SmtpTransport(
        SmtpSettings("127.0.0.1", port, tls="none", local_hostname="autotrendy.example", max_per_connection=10_000)
    )
    issue = Issue(1, "weekly", a_slot(), IssueState.SENDING, (), "", "", started_at=NOW)
    began = time.perf_counter()
    done = drain(
        send.ledger,
        [Relay("main", transport, CONNECTIONS)],
        Composer(digest, issue),
        clock=lambda: NOW,
        stop=threading.Event(),
    )
    took = time.perf_counter() - began
    if done.accepted != send.readers:
        raise SystemExit(f"{done.accepted} of {send.readers} were accepted: {done.trouble}")
    return done.accepted / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    digest = a_digest()
    issue = Issue(1, "weekly", a_slot(), IssueState.SENDING, (), "", "", started_at=NOW)
    size = len(Composer(digest, issue)(Chunk(1, 1, 1), Addressee(1, "r1@readers.example", NOW, 1)).content)
    rounds = []
    with sink() as port:
        for _ in range(asked.rounds):
            with tempfile.TemporaryDirectory() as folder, sending(Path(folder), asked.readers) as send:
                mine = ours(port, send, digest)
            other = theirs(port, asked.readers, size)
            rounds.append((mine, other))
            print(f"newsletter {mine:8,.0f}/s   smtp-source {other:8,.0f}/s   ratio {mine / other:.2f}", flush=True)
    ratio = statistics.median(a / b for a, b in rounds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{size:,} octets, {asked.readers:,} readers: median ratio {ratio:.2f}, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
