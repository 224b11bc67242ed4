"""Who has no mailbox any more is blocked by the very commit that records what their mail server answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from newsletter.model import Evidence, Receipt, Settlement
from newsletter.replies import enhanced
from newsletter.store.leaving import MAY_BE_BLOCKED, block
from newsletter.store.rolls import Fingerprint, standing

WAY = "server"
"""Through which such a line of consent came."""


def block_the_dead(
    connection: Connection, fingerprint: Fingerprint, settled: Iterable[Settlement], now: datetime
) -> None:
    """Block the readers of those Settlements that found no mailbox, as a person would."""
    for one in settled:
        if one.is_dead and one.receipt and (reader := standing(connection, one.subscriber_id, MAY_BE_BLOCKED)):
            evidence = Evidence(WAY, one.receipt.words)
            block(connection, fingerprint, reader, reason=_reason(one.receipt), evidence=evidence, now=now)


def _reason(receipt: Receipt) -> str:
    """Without the server's own words: this outlives the reader, whom they often name."""
    return f"no mailbox: {receipt.code} {enhanced(receipt.reply)}".strip()
