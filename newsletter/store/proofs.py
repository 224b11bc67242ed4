"""The tests of a Digest that went to addresses of the house: which text, from whom, to whom, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, insert, select

from newsletter.model import Outcome, Proof, Receipt
from newsletter.store.rows import Part
from newsletter.store.tables import proof

_FIELDS = ("edition", "number", "digest_hash", "sender", "recipient", "at")


class SqlProofs(Part):
    """`ports.Proofs` on an SQL database. It reads one table and knows no reader."""

    def keep(self, made: Proof) -> None:
        told = {"outcome": made.receipt.outcome.value, "code": made.receipt.code, "reply": made.receipt.reply}
        row = {name: getattr(made, name) for name in _FIELDS} | told
        with self._database.write() as connection:
            connection.execute(insert(proof).values(row))

    def of(self, digest_hash: str) -> Sequence[Proof]:
        return self._read(select(proof).where(proof.c.digest_hash == digest_hash).order_by(proof.c.id))

    def accepted_from(self, sender: str) -> Proof | None:
        accepted = select(proof).where(proof.c.sender == sender, proof.c.outcome == Outcome.ACCEPTED.value)
        return next(iter(self._read(accepted.order_by(proof.c.id.desc()).limit(1))), None)

    def _read(self, wanted: Select[Any]) -> Sequence[Proof]:
        with self._database.read() as connection:
            return [_proof(row) for row in connection.execute(wanted)]


def _proof(row: Row[Any]) -> Proof:
    receipt = Receipt(Outcome(row.outcome), row.code, row.reply)
    return Proof(**{name: getattr(row, name) for name in _FIELDS}, receipt=receipt)
