"""`worker`: sends beside others, where a PostgreSQL server keeps the records."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, command, told
from newsletter.cli.machine import interruptible, outcome_words
from newsletter.errors import ConfigError, Problem

if TYPE_CHECKING:
    from newsletter.delivery.progress import Drained

_QUEUES = ("bulk", "housekeeping")


@command("worker")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice(_QUEUES),
    help="What it does: send issues (bulk), free what lost workers held (housekeeping). Default: both.",
)
@click.option(
    "--connections",
    default=None,
    type=click.IntRange(1, 500),
    help="Connections to each mail server; default: mail.connections.",
)
def worker(door: Door, queues: tuple[str, ...], connections: int | None) -> None:
    """Send issues beside other workers, on this machine or others, until stopped. Needs PostgreSQL.

    \b
    newsletter worker
    newsletter worker --queue bulk --connections 25
    """
    app = door.app
    if not app.config.server:
        raise ConfigError(_alone())
    app.own()
    chosen, count = queues or _QUEUES, connections or app.config.mail.servers[0].connections
    interruptible(lambda stop: _stay(door, chosen, count, stop))
    door.say("Stopped. What was not sent is left to other workers, or to work.")


def _stay(door: Door, queues: Sequence[str], connections: int, stop: threading.Event) -> None:
    clock, said = door.ticking_clock(), [""]

    def tell(done: Drained) -> None:
        stamp = f"{clock():%H:%M:%S}Z"
        if outcome := outcome_words(done):
            door.say(f"{stamp}  Handed out: {outcome}")
        trouble = done.trouble.message if done.trouble else ""
        if done.trouble and trouble != said[0]:
            door.say(*(f"{stamp}  {line}" for line in told([done.trouble])))
        said[0] = trouble

    door.say(
        f"Worker {door.app.process}: {' and '.join(queues)}, {words.count(connections, 'connection')}. Ctrl-C stops it."
    )
    door.app.serve_queues(queues, connections=connections, clock=clock, stop=stop, told=tell)


def _alone() -> Problem:
    return Problem(
        "C526",
        "Workers need a PostgreSQL database, and this site keeps its records in a SQLite file",
        file="newsletter.toml",
        why="One process sends from a file: newsletter work, with as many connections as it likes.",
        fixes=("newsletter move-to-postgres URL", "or newsletter work"),
    )
