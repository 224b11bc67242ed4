"""The one place through which every change of an Issue's state passes, and is written down in the same transaction.

An act asks for the states that it leads from in the statement that changes them, so that of two who decide at once
one wins; what came of it is a line of the log, so that nothing changes unseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from newsletter.model import Hand, IssueAct, IssueState, Turn, issue_name
from newsletter.store import tables
from newsletter.store.rows import Part
from newsletter.store.tables import issue


def act(
    connection: Connection,
    issue_id: int,
    done: IssueAct,
    hand: Hand,
    *conditions: ColumnElement[bool],
    to: IssueState | None = None,
    note: str = "",
    **values: object,
) -> bool:
    """Change the issue if `done` leads on from its state and it meets the conditions; whether it did.

    `to` is its state then; None leaves it.
    """
    here = select(issue.c.state).where(issue.c.id == issue_id).with_for_update()
    before = IssueState(connection.execute(here).scalar_one())
    after = to or before
    starts, ends = done.turns
    assert after in ends or before not in starts, f"{done} does not lead to {after}"  # noqa: S101
    change = update(issue).where(issue.c.id == issue_id, issue.c.state.in_([s.value for s in starts]), *conditions)
    row = connection.execute(
        change.values(state=after.value, **values).returning(issue.c.edition, issue.c.number)
    ).one_or_none()
    if row is not None:
        _write(connection, issue_id, issue_name(*row), done, hand, before, after, note)
    return row is not None


def made(connection: Connection, issue_id: int, name: str, hand: Hand, state: IssueState, note: str) -> None:
    """Write down that an issue was made."""
    _write(connection, issue_id, name, IssueAct.MAKE, hand, None, state, note)


def _write(
    connection: Connection,
    issue_id: int,
    name: str,
    done: IssueAct,
    hand: Hand,
    before: IssueState | None,
    after: IssueState,
    note: str,
) -> None:
    connection.execute(
        insert(tables.log).values(
            at=hand.at,
            who=hand.who,
            channel=hand.channel,
            action=done.value,
            object=f"issue {name}",
            before=before.value if before else "",
            after=after.value,
            note=note,
            issue_id=issue_id,
        )
    )


class Acts(Part):
    def turns(self, *, after: int = 0) -> Sequence[Turn]:
        """As `ports.Ledger` says."""
        log = tables.log
        lines = (
            select(log, issue.c.edition, issue.c.number)
            .join_from(log, issue, log.c.issue_id == issue.c.id)
            .where(log.c.id > after)
            .order_by(log.c.id)
        )
        with self._database.read() as connection:
            return [_turn(line) for line in connection.execute(lines)]


def _turn(line: Row[tuple[object, ...]]) -> Turn:
    return Turn(
        id=line.id,
        edition=line.edition,
        number=line.number,
        act=IssueAct(line.action),
        hand=Hand(line.who, line.channel, line.at),
        before=IssueState(line.before) if line.before else None,
        after=IssueState(line.after),
        note=line.note,
    )
