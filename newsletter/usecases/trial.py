"""proofs | of this text, from this address | whether a mail was tried on the house before readers get it."""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter.issues.facts import Trial
from newsletter.model import Outcome, Proof
from newsletter.ports import Proofs

RECENT = timedelta(days=7)
"""How long any accepted mail vouches for the From address of an issue that the clock sends."""


def trial(
    proofs: Proofs, digest_hash: str, *, sender: str, staff: bool, sandbox: bool, by_hand: bool, now: datetime
) -> Trial:
    """How a digest was tried. What a hand sends must have been tried in this very text; for the clock, which makes
    the text at the last moment, one accepted mail of the last week is enough.

    `staff` says whether anybody has an address that a test could go to.
    """
    if any(_counts(proof, sender, sandbox=sandbox) for proof in proofs.of(digest_hash)):
        return Trial.ACCEPTED
    if not staff:
        return Trial.NOBODY
    last = proofs.accepted_from(sender)
    if last is None or not _counts(last, sender, sandbox=sandbox):
        return Trial.NEVER
    return Trial.ACCEPTED if not by_hand and now - last.at <= RECENT else Trial.OTHER


def _counts(proof: Proof, sender: str, *, sandbox: bool) -> bool:
    """What the outbox took was accepted by no mail server; it has no code."""
    accepted = proof.receipt.outcome is Outcome.ACCEPTED and (sandbox or proof.receipt.code is not None)
    return accepted and proof.sender == sender
