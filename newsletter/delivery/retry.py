"""What an answer means: the next state of one Delivery, decided from numbers, written by the ledger.

A refusal is final, a deferral is tried again for 48 hours, no answer is `uncertain` and never repeated unasked.
The spread of the waiting times comes from a hash of the reader, so that the same past gives the same future.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha256

from newsletter.model import NO_MAILBOX, NO_UTF8, DeliveryState, Outcome, Receipt, Settlement
from newsletter.replies import enhanced, of_utf8, speaks_of_us

WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 480))
"""Before the second, third … hand-over; the last is used again until the limit."""

LIMIT = timedelta(hours=48)
"""After the first hand-over; then the Delivery has failed as `expired`."""

RESEND_AFTER = timedelta(minutes=15)

_SPREAD = 0.2
_NO_MAILBOX = re.compile(r"5\.1\.(?:[01236]|10)|5\.2\.1")  # 5.1.10: the domain takes no mail at all (RFC 7505)
_MAILBOX_FULL = "5.2.2"
_TOO_LARGE = frozenset({"5.2.3", "5.3.4"})
_MAILBOX_CODES = frozenset({550, 551, 553})  # without an enhanced code these speak of the mailbox (RFC 5321 4.2.3)


def settle(
    subscriber_id: int,
    receipt: Receipt,
    *,
    attempts: int,
    first_at: datetime | None,
    now: datetime,
    after_crash: str = "ask",
) -> Settlement:
    """The Settlement of one answered hand-over.

    `attempts` and `first_at` speak of the counted hand-overs before this one. `after_crash="resend"` lets a
    message without answer be tried once more, under the same Message-ID; `"ask"` leaves it to a person.
    """
    if receipt.outcome is Outcome.ACCEPTED:
        return Settlement(subscriber_id, DeliveryState.ACCEPTED, receipt=receipt)
    if receipt.outcome is Outcome.UNKNOWN:
        if after_crash == "resend" and attempts == 0:
            return _later(subscriber_id, receipt, now + RESEND_AFTER)
        return Settlement(subscriber_id, DeliveryState.UNCERTAIN, "no-answer", receipt=receipt)
    if receipt.outcome is Outcome.REFUSED and receipt.code is None:  # the server was not asked
        return Settlement(subscriber_id, DeliveryState.FAILED, NO_UTF8, counted=False, receipt=receipt)
    if receipt.outcome is Outcome.REFUSED and enhanced(receipt.reply) != _MAILBOX_FULL:
        return Settlement(subscriber_id, DeliveryState.FAILED, reason_of(receipt), receipt=receipt)
    end = (first_at or now) + LIMIT
    if now >= end:
        return Settlement(subscriber_id, DeliveryState.FAILED, "expired", receipt=receipt)
    return _later(subscriber_id, receipt, min(now + wait(subscriber_id, attempts), end))


def relay_fault(subscriber_id: int, now: datetime, reason: str = "") -> Settlement:
    """The mail server itself failed before it took anything: this reader waits on, and no attempt is counted."""
    return Settlement(subscriber_id, DeliveryState.WAITING, reason, next_at=now, counted=False)


def wait(subscriber_id: int, attempts: int) -> timedelta:
    """How long after `attempts` earlier hand-overs the next may begin: the table, spread by up to 20 % either way."""
    digest = sha256(f"{subscriber_id}|{attempts}".encode()).digest()
    spread = int.from_bytes(digest[:4]) / 0xFFFFFFFF * 2 - 1
    return WAITS[min(attempts, len(WAITS) - 1)] * (1 + _SPREAD * spread)


def reason_of(receipt: Receipt) -> str:
    """Why a refusal was a refusal, in one word: no-mailbox, no-smtputf8, too-large, content or policy (RFC 3463)."""
    code = enhanced(receipt.reply)
    if _NO_MAILBOX.fullmatch(code) or (not code and _speaks_of_a_mailbox(receipt)):
        return NO_MAILBOX
    if code in _TOO_LARGE or (not code and receipt.code == 552):
        return "too-large"
    if of_utf8(receipt.reply):
        return NO_UTF8
    return "content" if code.startswith("5.6.") else "policy"


def _speaks_of_a_mailbox(receipt: Receipt) -> bool:
    """Of a refusal without an enhanced code: in doubt it does not, since who has no mailbox is mailed no more."""
    return receipt.code in _MAILBOX_CODES and not receipt.of_content and not speaks_of_us(receipt.reply)


def _later(subscriber_id: int, receipt: Receipt, at: datetime) -> Settlement:
    return Settlement(subscriber_id, DeliveryState.WAITING, "deferred", next_at=at, receipt=receipt)
