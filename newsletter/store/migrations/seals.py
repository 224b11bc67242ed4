"""Tables whose lines nobody changes or takes away, whichever database keeps them: a trigger refuses it."""

from __future__ import annotations

from alembic import op


def seal(table: str, change: str, when: str = "") -> None:
    """Refuse `change` (UPDATE or DELETE) of a line of `table`; only where the condition `when` on OLD holds."""
    write = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}[op.get_bind().dialect.name]
    write(table, change, when, f"{table}_no_{change.lower()}", f"{table} is append-only")


def unseal(table: str, change: str) -> None:
    """Take such a trigger away, for another one."""
    where = f" ON {table}" if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(f"DROP TRIGGER {table}_no_{change.lower()}{where}")


def _on_sqlite(table: str, change: str, when: str, name: str, words: str) -> None:
    condition = f"WHEN {when} " if when else ""
    op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} {condition}BEGIN SELECT RAISE(ABORT, '{words}'); END")


def _on_postgresql(table: str, change: str, when: str, name: str, words: str) -> None:
    """The condition stands in the function: a trigger's own may look at no other table."""
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {when or 'true'} THEN RAISE integrity_constraint_violation USING MESSAGE = '{words}'; END IF; "
        f"RETURN {'OLD' if change == 'DELETE' else 'NEW'}; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
