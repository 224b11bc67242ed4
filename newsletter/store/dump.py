"""What PostgreSQL's own program saves of a database: everything, as it was at one moment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import which

from sqlalchemy.engine import make_url

from newsletter.errors import Outside, Problem, Refused

_PROGRAM = "pg_dump"


def can_dump() -> bool:
    """Whether PostgreSQL's program is on this machine."""
    return which(_PROGRAM) is not None


def dump(url: str, file: Path) -> None:
    """Save it in `file`, for its owner's eyes, as `pg_restore` reads it.

    Raises Refused (C527) where the program is missing; Outside (C527) when it fails.
    """
    if not can_dump():
        raise Refused(_failed(f"{_PROGRAM} is not here"))
    parsed = make_url(url)
    whole = parsed.set(drivername="postgresql", password="", query={})
    password = {"PGPASSWORD": parsed.password} if parsed.password else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        done = subprocess.run(  # noqa: S603
            [_PROGRAM, "--format=custom", f"--dbname={whole.render_as_string(hide_password=False)}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env={**os.environ, **password},
            check=False,
        )
        os.fsync(output.fileno())
    if done.returncode:
        file.unlink()
        raise Outside(_failed(" ".join(done.stderr.decode("utf-8", "replace").split())))


def _failed(why: str) -> Problem:
    return Problem(
        "C527",
        "The database could not be saved. Nothing was done.",
        why=why,
        fixes=(
            "install the programs of PostgreSQL, of the server's version or newer: apt-get install postgresql-client",
            "save it yourself; an upgrade then goes on with: newsletter upgrade --backed-up",
        ),
    )
