"""What is owed and what came of it, for those who look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select

from newsletter.model import Answer, Attempt, Delivery, DeliveryState, IssueState
from newsletter.store import tables
from newsletter.store.lifecycle import DOUBTFUL
from newsletter.store.rows import Part, first_waiting
from newsletter.store.tables import chunk, delivery, issue, subscriber

TROUBLED = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.DROPPED)


class Debts(Part):
    def counts(self, edition: str, number: int) -> Mapping[DeliveryState, int]:
        """Every state with its number of readers, zero included; together they are the audience."""
        by_state = (
            select(delivery.c.state, func.count())
            .join(issue)
            .where(issue.c.edition == edition, issue.c.number == number)
            .group_by(delivery.c.state)
        )
        with self._database.read() as connection:
            found = {DeliveryState(state): count for state, count in connection.execute(by_state)}
        return {state: found.get(state, 0) for state in DeliveryState}

    def deliveries(self, edition: str, number: int, state: DeliveryState | None = None) -> Sequence[Delivery]:
        """In the order in which the readers joined."""
        return self._deliveries(
            issue.c.edition == edition,
            issue.c.number == number,
            *([] if state is None else [delivery.c.state == state.value]),
        )

    def answers(self, edition: str, number: int) -> Sequence[Answer]:
        """As `ports.Ledger` says."""
        alike = (delivery.c.state, delivery.c.reason, delivery.c.code, delivery.c.reply)
        tried = delivery.c.state.in_(state.value for state in TROUBLED) | (
            (delivery.c.state == DeliveryState.WAITING.value) & (delivery.c.reply != "")
        )
        first = func.min(delivery.c.next_at, type_=delivery.c.next_at.type)
        grouped = (
            select(*alike, func.count(), first)
            .join(issue, delivery.c.issue_id == issue.c.id)
            .where(issue.c.edition == edition, issue.c.number == number, tried)
            .group_by(*alike)
            .order_by(*alike)
        )
        with self._database.read() as connection:
            return [Answer(DeliveryState(state), *rest) for state, *rest in connection.execute(grouped)]

    def by_provider(self, edition: str, number: int) -> Mapping[str, Mapping[DeliveryState, int]]:
        """As `ports.Ledger` says; who was dropped before the chunks were made is in none."""
        grouped = (
            select(chunk.c.provider, delivery.c.state, func.count())
            .join(delivery, delivery.c.chunk_id == chunk.c.id)
            .join(issue, chunk.c.issue_id == issue.c.id)
            .where(issue.c.edition == edition, issue.c.number == number)
            .group_by(chunk.c.provider, delivery.c.state)
            .order_by(chunk.c.provider)
        )
        found: dict[str, dict[DeliveryState, int]] = {}
        with self._database.read() as connection:
            for provider, state, count in connection.execute(grouped):
                found.setdefault(provider, {})[DeliveryState(state)] = count
        return found

    def doubtful(self, edition: str, number: int) -> Sequence[Delivery]:
        """As `ports.Ledger` says."""
        return self._deliveries(issue.c.edition == edition, issue.c.number == number, DOUBTFUL)

    def delivery(self, edition: str, number: int, subscriber_id: int) -> Delivery | None:
        conditions = (
            issue.c.edition == edition,
            issue.c.number == number,
            delivery.c.subscriber_id == subscriber_id,
        )
        return next(iter(self._deliveries(*conditions)), None)

    def _deliveries(self, *conditions: ColumnElement[bool]) -> Sequence[Delivery]:
        rows = (
            select(issue.c.number, subscriber.c.address, delivery)
            .select_from(delivery)
            .join(issue, delivery.c.issue_id == issue.c.id)
            .join(subscriber, delivery.c.subscriber_id == subscriber.c.id)
            .where(*conditions)
            .order_by(delivery.c.issue_id, delivery.c.subscriber_id)
        )
        with self._database.read() as connection:
            return [
                Delivery(
                    issue_number=row.number,
                    subscriber_id=row.subscriber_id,
                    address=row.address or f"(reader {row.subscriber_id}, forgotten)",
                    state=DeliveryState(row.state),
                    reason=row.reason,
                    attempts=row.attempts,
                    next_at=row.next_at,
                    code=row.code,
                    reply=row.reply,
                    done_at=row.done_at,
                    variant=tuple(row.variant.split()),
                )
                for row in connection.execute(rows)
            ]

    def attempts(self, edition: str, number: int, subscriber_id: int) -> Sequence[Attempt]:
        """Oldest first, numbered from one."""
        attempt = tables.attempt
        made = (
            select(attempt.c.at, attempt.c.outcome, attempt.c.code, attempt.c.reply)
            .join(issue, attempt.c.issue_id == issue.c.id)
            .where(issue.c.edition == edition, issue.c.number == number, attempt.c.subscriber_id == subscriber_id)
            .order_by(attempt.c.id)
        )
        with self._database.read() as connection:
            rows = enumerate(connection.execute(made), start=1)
            return [Attempt(at, n, outcome, code, reply) for n, (at, outcome, code, reply) in rows]

    def trouble(self, edition: str, number: int) -> str:
        """As `ports.Ledger` says; the words that were kept with the attempt."""
        attempt = tables.attempt
        last = (
            select(attempt.c.outcome, attempt.c.reply)
            .join(issue, attempt.c.issue_id == issue.c.id)
            .where(issue.c.edition == edition, issue.c.number == number)
            .order_by(attempt.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            found = connection.execute(last).one_or_none()
        return found.reply if found and found.outcome == DeliveryState.WAITING.value else ""

    def pace(self, edition: str, number: int) -> float | None:
        """As `ports.Ledger` says; from first to last message that was taken at once."""
        first, last = func.min(delivery.c.done_at), func.max(delivery.c.done_at)
        taken = (
            select(func.count(), first, last)
            .join(issue, delivery.c.issue_id == issue.c.id)
            .where(issue.c.edition == edition, issue.c.number == number)
            .where(delivery.c.state == DeliveryState.ACCEPTED.value, delivery.c.attempts == 1)
        )
        with self._database.read() as connection:
            count, began, ended = connection.execute(taken).one()
        lasted = (ended - began).total_seconds() if count else 0
        return count / lasted if lasted else None

    def next_retry(self) -> datetime | None:
        """The earliest time at which a waiting row of a SENDING issue is due and its chunk open.

        In the past for one that is due now.
        """
        each = (
            select(first_waiting(chunk.c.id, issue.c.started_at).label("due"), chunk.c.opens_at)
            .join_from(chunk, issue)
            .where(issue.c.state == IssueState.SENDING.value)
            .subquery()
        )
        later = case((each.c.opens_at > each.c.due, each.c.opens_at), else_=each.c.due)
        earliest = select(func.min(later, type_=delivery.c.next_at.type))
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(earliest)
            return found
