"""The alarm clock: APScheduler wakes one function every so often, and on the second when something is due.

It knows no rule of the product. A wake means "look", never "do": what is due is decided from the ledger, so a
lost, late or doubled alarm changes nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


def run(
    look: Callable[[], None],
    *,
    due_in: Callable[[], timedelta | None],
    beat: Callable[[], None],
    every: timedelta,
    stop: threading.Event,
) -> None:
    """Call `look` now, then every `every`, and when `due_in` (asked after each look) says; until `stop` is set.

    One look at a time; the one that runs when `stop` is set is waited for. Meanwhile `beat` is called every `every`
    in the calling thread. None of the three may raise: APScheduler would keep it to itself.
    """
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a look that overruns is normal, not a warning
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )

    def wake() -> None:
        look()
        delay = due_in()
        if delay is not None and not stop.is_set():
            at = datetime.now(UTC) + max(delay, timedelta(0))
            scheduler.add_job(wake, "date", run_date=at, id="due", replace_existing=True)

    scheduler.add_job(wake, "interval", seconds=every.total_seconds(), next_run_time=datetime.now(UTC), id="every")
    scheduler.start()
    try:
        while not stop.wait(every.total_seconds()):
            beat()
    finally:
        scheduler.shutdown(wait=True)
