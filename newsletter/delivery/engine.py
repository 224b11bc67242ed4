"""The embedded sender: drains what the ledger says is owed, over the lanes of several mail servers, with one committer.

The calling thread is the committer. It groups the outcomes of all lanes into one `hand_over`, which also marks each
lane's next row `sending`; a lane goes on only after that commit. So a crash leaves at most one unknown Delivery per
lane, and nobody who left meanwhile is mailed. A row that waits for leave (`gate`) is never `sending`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from newsletter.delivery.account import Account
from newsletter.delivery.breaker import Breaker
from newsletter.delivery.circuit import Relay
from newsletter.delivery.committer import Committer, Patience
from newsletter.delivery.gate import Gate
from newsletter.delivery.lane import Compose, Work
from newsletter.delivery.progress import Drained, Progress
from newsletter.delivery.supply import CLAIM, AllDue, Chunks, Supply
from newsletter.delivery.throttle import Limits
from newsletter.errors import Outside
from newsletter.ports import Clock, Ledger, Throttle

__all__ = ["CLAIM", "Drained", "Limits", "Patience", "Progress", "Relay", "drain"]

SOON = 5.0
"""Seconds that a send waits for leave, as a rule."""


PATIENCE = Patience()


def drain(
    ledger: Ledger,
    relays: Sequence[Relay],
    compose: Compose,
    *,
    clock: Clock,
    stop: threading.Event,
    throttle: Throttle | None = None,
    limits: Limits = Limits(),  # noqa: B008  a value
    breaker: Breaker | None = None,
    progress: Callable[[Progress], None] | None = None,
    after_crash: str = "ask",
    patience: Patience = PATIENCE,
    stays: float = SOON,
    chunks: Chunks | None = None,
) -> Drained:
    """Hand over every row that is due, until none is that may go, `stop` is set, or the outside world fails.

    Only for the holder of the sender lock, or with `chunks` that are taken one by one. `compose` gets a chunk and a
    reader. Trouble outside is returned, never raised: S32x or S330 once every mail server failed, the ledger's own
    Problem once outcomes could not be written (their rows stay `sending`; `recover` settles them), S40x when the Digest
    cannot become a message. Rows that were claimed and not handed over are given back in every case. What must wait for
    leave longer than `stays` seconds is left, and `not_before` says when it may go. An issue at which the `breaker`
    trips is paused.
    """
    try:
        gate = Gate(throttle, limits, _going_on(clock()))
    except Outside as fault:
        return Drained(trouble=fault.problems[0])
    account = Account(progress or (lambda _: None), patience.told, gate)
    supply = Supply(ledger, gate, clock, chunks or AllDue(ledger))
    committer = Committer(ledger, gate, supply, breaker, clock, stop, patience, stays, account)
    return committer.run(relays, Work(compose, clock, after_crash))


def _going_on(now: datetime) -> Clock:
    """A clock that goes on from now, whatever happens to that of the machine: leave is counted by it."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)
