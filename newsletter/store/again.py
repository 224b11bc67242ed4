"""Issues that were sent again to a reader who asked: each is written down before it goes, and its answer after."""

from __future__ import annotations

from sqlalchemy import insert, update

from newsletter.model import Hand, Outcome, Receipt
from newsletter.store.rows import Part, issue_id
from newsletter.store.tables import resent


class Again(Part):
    def resend(self, edition: str, number: int, subscriber_id: int, *, hand: Hand) -> int:
        """As `ports.Ledger` says; until it is answered, it may have arrived."""
        with self._database.write() as connection:
            row = insert(resent).values(
                issue_id=issue_id(connection, edition, number),
                subscriber_id=subscriber_id,
                at=hand.at,
                who=hand.who,
                outcome=Outcome.UNKNOWN.value,
            )
            return int(connection.scalars(row.returning(resent.c.id)).one())

    def resent(self, resend: int, receipt: Receipt) -> None:
        answer = {"outcome": receipt.outcome.value, "code": receipt.code, "reply": receipt.reply}
        with self._database.write() as connection:
            connection.execute(update(resent).where(resent.c.id == resend).values(answer))
