"""Brings a database up to the present schema; imported only when there is something to do (Alembic is slow to load)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_HOME = Path(__file__).parent / "migrations"


def known_revisions() -> tuple[str, ...]:
    """All revisions that this program has, oldest first."""
    newest_first = ScriptDirectory(str(_HOME)).walk_revisions()
    return tuple(reversed([script.revision for script in newest_first]))


def upgrade(connection: Connection, upto: str = "head") -> None:
    """Run what is missing inside the transaction of `connection`; the caller commits, or nothing happened."""
    config = Config()
    config.set_main_option("script_location", str(_HOME).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, upto)
