"""How workers hear of chunks: procrastinate, in a schema of its own in the same PostgreSQL.

Its jobs carry the numbers of chunks and no truth: what is owed, and who holds it, stands in the ledger. So its tables
may be emptied, or made anew by another release of it, at any time; whoever keeps house tells of what is ready again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from procrastinate import App, PsycopgConnector, jobs
from procrastinate.exceptions import ProcrastinateException
from procrastinate.schema import SchemaManager

from newsletter.delivery.offers import BULK

HOUSEKEEPING = "housekeeping"
"""The queue of what keeps things going when a worker is lost."""

QUEUES = (BULK, HOUSEKEEPING)

EVERY = 10
"""Seconds between two looks for what nobody was told of, and for workers that gave no sign."""

_SCHEMA = "newsletter_engine"
_CHUNK, _LOOK = "chunk", "look"
_HEARTBEAT, _STALLED = 5.0, 20.0
_POLL = 2.0
_REST = 2.0  # seconds after the database was away

logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what it says of a job concerns nobody
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # that a connection was lost is told by who needs it


def install(connection: Any) -> None:
    """Make the schema, as part of a transaction of SQLAlchemy, unless it is there in this release or a newer one."""
    raw, release = connection.connection.driver_connection, version("procrastinate")
    found = raw.execute(_RELEASE, (_SCHEMA,)).fetchone()
    if found and found[0] and _number(found[0]) >= _number(release):
        return
    with _Within(raw):
        raw.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
        raw.execute(f"CREATE SCHEMA {_SCHEMA}")
        raw.execute(SchemaManager.get_schema())
        raw.execute(f"COMMENT ON SCHEMA {_SCHEMA} IS '{release}'")


def wake(connection: Any, chunks: Sequence[int], after: timedelta) -> None:
    """Tell of chunks, as part of a transaction of SQLAlchemy. Nothing where there never was a worker, and where it
    cannot be done: who keeps house tells of them then.
    """
    raw = connection.connection.driver_connection
    if raw.execute("SELECT to_regclass(%s)", (f"{_SCHEMA}.procrastinate_jobs",)).fetchone()[0] is None:
        return
    at = datetime.now(UTC) + after if after else None
    with suppress(ProcrastinateException), connection.begin_nested(), _Within(raw):
        known = {lock for (lock,) in raw.execute(_TOLD, ([_lock(one) for one in chunks],))}
        fresh = [_job(one, at) for one in chunks if _lock(one) not in known]
        if fresh:
            App(connector=PsycopgConnector()).job_manager.batch_defer_jobs(fresh, connection=raw)


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".") if part.isdigit())


class _Within:
    """In the engine's schema before all others, until the end of the block."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __enter__(self) -> None:
        (self._path,) = self._raw.execute("SHOW search_path").fetchone()
        self._raw.execute(_PATH, (f"{_SCHEMA}, {self._path}",))

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._raw.execute(_PATH, (self._path,))


_PATH = "SELECT set_config('search_path', %s, true)"
_RELEASE = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"
_TOLD = "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(%s)"


def _lock(chunk_id: int) -> str:
    return f"chunk:{chunk_id}"


def _job(chunk_id: int, at: datetime | None) -> jobs.Job:
    return jobs.Job(
        id=None,
        queue=BULK,
        lock=None,
        queueing_lock=_lock(chunk_id),
        task_name=_CHUNK,
        task_kwargs={"chunk_id": chunk_id},
        scheduled_at=at,
    )


class Listener(threading.Thread):
    """Hears of chunks until it is dismissed. `offer` gets their numbers; its Future ends a job.

    `look` is called now and then by one of all who keep house, and `made` before it begins, after trouble as well.
    """

    def __init__(
        self,
        address: str,
        queues: Collection[str],
        chunks: int,
        *,
        offer: Callable[[int], Future[None]],
        look: Callable[[], None],
        made: Callable[[], None],
    ) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._queues = {BULK: chunks, HOUSEKEEPING: 1}
        self._queues = {name: count for name, count in self._queues.items() if name in queues}
        self._offer = offer
        self._look = look
        self._made = made
        self._dismissed = threading.Event()

    def dismiss(self) -> None:
        """End, after the jobs that are under way."""
        self._dismissed.set()
        self.join()

    def run(self) -> None:
        asyncio.run(self._stay())

    async def _stay(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # of a job that was emptied away meanwhile
        while not self._dismissed.is_set():
            with suppress(Exception):  # whatever it was: chunks are told of anew
                await asyncio.to_thread(self._made)
                await self._listen()
            if not self._dismissed.is_set():
                await asyncio.sleep(_REST)

    async def _listen(self) -> None:
        app = self._app()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.open_async())
            runs = [asyncio.create_task(self._serve(app, *one)) for one in self._queues.items()]
            while not self._dismissed.is_set() and not any(run.done() for run in runs):
                await asyncio.sleep(0.1)
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

    async def _serve(self, app: App, queue: str, count: int) -> None:
        await app.run_worker_async(
            queues=[queue],
            concurrency=count,
            install_signal_handlers=False,
            delete_jobs="always",
            fetch_job_polling_interval=_POLL,
            update_heartbeat_interval=_HEARTBEAT,
            stalled_worker_timeout=_STALLED,
            shutdown_graceful_timeout=_REST,
        )

    def _app(self) -> App:
        options = f"-c search_path={_SCHEMA}"
        app = App(connector=PsycopgConnector(conninfo=self._address, kwargs={"options": options}, max_size=4))

        @app.task(name=_CHUNK, queue=BULK)
        async def chunk(chunk_id: int) -> None:
            await asyncio.wrap_future(self._offer(chunk_id))

        if HOUSEKEEPING in self._queues:

            @app.periodic(cron=f"*/{EVERY} * * * * *")
            @app.task(name=_LOOK, queue=HOUSEKEEPING, queueing_lock=_LOOK)
            async def look(timestamp: int) -> None:  # noqa: ARG001
                await asyncio.to_thread(self._look)
                for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED):
                    await app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=True)

        return app
