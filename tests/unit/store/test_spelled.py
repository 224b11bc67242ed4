"""The statements of the hot path are the same for every database, and carry no constant that the driver would miss."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Dialect, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from newsletter.store import chunks, marking
from newsletter.store.spelled import Spelled, _places, _spell
from newsletter.store.tables import subscriber

EVERY = {name: found for name, found in {**vars(chunks), **vars(marking)}.items() if isinstance(found, Spelled)}
PSYCOPG = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(("dialect", "mark"), [(sqlite.dialect(), r":(\w+)"), (PSYCOPG, r"%\((\w+)\)s")])
def test_a_statement_names_the_same_values_for_each_database(name: str, dialect: Dialect, mark: str) -> None:
    spelled, plain = (set(re.findall(way, _spell(EVERY[name]._statement, of, 2))) for way, of in _ways(dialect, mark))
    assert spelled == plain != set()


def _ways(dialect: Dialect, mark: str) -> list[tuple[str, Dialect]]:
    return [(mark, dialect), (r":(\w+)", sqlite.dialect())]


def test_a_constant_that_is_not_spelled_out_is_refused() -> None:
    with pytest.raises(AssertionError, match="spelled out"):
        _spell(lambda _: select(subscriber.c.id).where(subscriber.c.address == "ada"), sqlite.dialect(), 0)


def test_a_statement_about_some_readers_has_a_place_for_each_and_few_lengths() -> None:
    assert [_places(n) for n in (0, 1, 2, 3, 8, 9)] == [0, 1, 2, 4, 8, 16]
    text = _spell(lambda among: select(literal_column("1")).where(subscriber.c.id.in_(among)), sqlite.dialect(), 2)
    assert text.endswith("subscriber.id IN (:among_0, :among_1)")
