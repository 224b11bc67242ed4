"""Issues that were sent again to a reader who asked: each is written down before it goes, and its answer after."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, literal, select, update

from newsletter.model import Addressee, Attempt, Hand, Outcome, Receipt
from newsletter.store.rows import Part, issue_id, unless_forgotten
from newsletter.store.tables import issue, resent


class Again(Part):
    def resend(self, edition: str, number: int, one: Addressee, *, hand: Hand) -> int:
        """As `ports.Ledger` says; until it is answered, it may have arrived."""
        with self._database.write() as connection:
            row = insert(resent).values(
                issue_id=issue_id(connection, edition, number),
                subscriber_id=one.subscriber_id,
                variant=" ".join(one.variant),
                at=hand.at,
                who=hand.who,
                outcome=Outcome.UNKNOWN.value,
            )
            return int(connection.scalars(row.returning(resent.c.id)).one())

    def resent(self, resend: int, receipt: Receipt) -> None:
        answer = {
            "outcome": receipt.outcome.value,
            "code": receipt.code,
            "reply": unless_forgotten(resent.c.subscriber_id, literal(receipt.reply)),
        }
        with self._database.write() as connection:
            connection.execute(update(resent).where(resent.c.id == resend).values(answer))

    def copies(self, edition: str, number: int, subscriber_id: int | None = None) -> Sequence[Attempt]:
        """Numbered from one."""
        whose = [] if subscriber_id is None else [resent.c.subscriber_id == subscriber_id]
        made = (
            select(resent.c.at, resent.c.outcome, resent.c.code, resent.c.reply)
            .join(issue, resent.c.issue_id == issue.c.id)
            .where(issue.c.edition == edition, issue.c.number == number, *whose)
            .order_by(resent.c.id)
        )
        with self._database.read() as connection:
            rows = enumerate(connection.execute(made), start=1)
            return [Attempt(at, n, outcome, code, reply) for n, (at, outcome, code, reply) in rows]
