"""The machine verbs: `publish`, `prepare`, `deliver`, all three on a clock (`work`), and the web pages (`serve`)."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, command, stopwatch, told
from newsletter.errors import Outside

if TYPE_CHECKING:
    from newsletter.delivery.progress import Drained, Progress
    from newsletter.usecases.deliver import Delivered
    from newsletter.usecases.prepare import Prepared
    from newsletter.usecases.published import Published


# --- publish ---------------------------------------------------------------------------------------


@command("publish")
@click.option("--dry-run", is_flag=True, help="Say what would change.")
def publish(door: Door, dry_run: bool) -> None:
    """Build feeds and archive. A broken post stops the build; nothing is half written.

    \b
    newsletter publish
    newsletter publish --dry-run --now 2026-11-27T08:00:00+01:00
    """
    with stopwatch() as took, _uncollected():
        done = door.unchanged() or door.app.publish(door.sound_library(), door.now, dry_run=dry_run)
        door.say(*told(done.remarks))
        door.answer(_published_data(done, dry_run=dry_run), _published_words(done, took(), dry_run=dry_run))


@contextmanager
def _uncollected() -> Iterator[None]:
    """A build makes much, drops little of it and ends: looking for what was dropped takes a quarter of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _published_data(done: Published, *, dry_run: bool) -> dict[str, object]:
    changes = {name: getattr(done.changes, name) for name in ("new", "changed", "gone", "same")}
    return {"feeds": done.feeds, "posts": done.posts, "issues": done.issues, "dry_run": dry_run, **changes}


def _published_words(done: Published, took: str, *, dry_run: bool) -> str:
    built = f"{words.count(done.feeds, 'feed')}, {words.count(done.posts, 'post')}, {words.count(done.issues, 'issue')}"
    changes = done.changes
    verb = "Would build" if dry_run else "Built"
    told = f"{changes.changed} changed, {changes.new} new, {changes.gone} gone" if changes else "nothing changed"
    return f"{verb} {built}: {told} of {words.count(done.files, 'file')} ({took})"


# --- prepare ---------------------------------------------------------------------------------------


@command("prepare")
@click.option("--dry-run", is_flag=True, help="Say what would be made.")
def prepare(door: Door, dry_run: bool) -> None:
    """Make the issue that is due, once: its stories, its text and its readers' mail are frozen.

    \b
    newsletter prepare
    newsletter prepare --dry-run --now 2026-11-27T08:00:00+01:00
    """
    from newsletter.usecases.prepare import prepare as make

    with stopwatch() as took:
        library = door.sound_library()
        done = make(door.app.press(library, door.now), dry_run=dry_run)
        door.say(*told(done.problems))
        door.answer(prepared_data(done), *prepared_words(door, done, took(), dry_run=dry_run))


def prepared_data(done: Prepared) -> dict[str, object]:
    return {
        "slot": done.slot.key if done.slot else None,
        "issue": done.issue.number if done.issue else None,
        "state": done.issue.state.value if done.issue else None,
        "stories": [story.slug for story in done.issue.stories] if done.issue else [],
        "reason": done.reason,
        "next_slot": done.next_slot.key,
        "next_due": done.next_slot.due,
        "problems": [p.as_json() for p in done.problems],
    }


def prepared_words(door: Door, done: Prepared, took: str, *, dry_run: bool = False) -> list[str]:
    zone = door.app.config.cadence.zone
    upcoming = f"Next slot: {words.when(done.next_slot.due, zone, door.now)}"
    if done.slot is None:
        return [f"Nothing is due. {upcoming}"]
    if dry_run:
        return [f"Would decide slot {done.slot.key}: {done.reason or 'an issue, ready'}"]
    if done.issue is None:
        return [f"No issue for slot {done.slot.key}: {done.reason or 'another process was first'}. {upcoming}"]
    issue = done.issue
    lines = [
        f"Issue {issue.number} is {issue.state.value} for slot {done.slot.key} ({took})",
        *(f"  {n}  {story.title}" for n, story in enumerate(issue.stories, 1)),
        f"  Subject    {issue.subject}",
        f"  Preheader  {issue.preheader}",
    ]
    if issue.reason:
        lines.append(f"  Held       {issue.reason}. Send it: newsletter issue send {issue.number}")
    return lines


# --- deliver ---------------------------------------------------------------------------------------


@command("deliver")
@click.option("--dry-run", is_flag=True, help="Say who would get what.")
def deliver(door: Door, dry_run: bool) -> int:
    """Hand out what is waiting. Safe to repeat: nobody gets an issue twice.

    \b
    newsletter deliver
    newsletter deliver --json
    """
    app = door.app
    if dry_run:
        return _would_deliver(door)
    with stopwatch() as took:
        if not app.lock.acquire():
            door.answer({"lock": app.lock.holder()}, f"Another process is sending ({app.lock.holder()}): left to it.")
            return 0
        uncertain = app.recover(door.now)
        if uncertain:
            door.say(f"warn  A crash left {words.count(uncertain, 'delivery', 'deliveries')} uncertain.")
        done = interruptible(lambda stop: app.deliver(clock=door.clock(), stop=stop, progress=progress_line(door)))
        door.answer(delivered_data(done), *delivered_words(door, done, took()))
        if done.drained.trouble:
            raise Outside(done.drained.trouble)
        return 0


def _would_deliver(door: Door) -> int:
    from newsletter.model import WEEKLY, DeliveryState
    from newsletter.usecases.publish import starting

    rows = []
    for issue in door.app.ledger.issues(WEEKLY):
        if starting(issue, door.now):
            rows.append((issue.number, door.app.roster.counts().get("active", 0)))
        elif waiting := door.app.ledger.counts(WEEKLY, issue.number).get(DeliveryState.WAITING, 0):
            rows.append((issue.number, waiting))
    lines = [f"Would hand out issue {number} to {words.count(n, 'reader')}" for number, n in rows]
    door.answer({"would": dict(rows), "dry_run": True}, *(lines or ["Nothing is waiting."]))
    return 0


def progress_line(door: Door) -> Callable[[Progress], None] | None:
    """A line every ten seconds on stderr; none when quiet."""
    if door.quiet or door.json:
        return None
    began = last = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 10:
            last = now
            door.say(
                f"accepted {progress.accepted:,} · failed {progress.failed:,} · uncertain {progress.uncertain:,}"
                f"    {progress.accepted / (now - began):,.1f}/s"
            )

    return show


def delivered_data(done: Delivered) -> dict[str, object]:
    return {
        "started": [issue.number for issue in done.started],
        "held": [issue.number for issue in done.held],
        "finished": {issue.number: issue.state.value for issue in done.finished},
        **{name: getattr(done.drained, name) for name in ("accepted", "deferred", "failed", "uncertain", "dropped")},
        "next_retry": done.next_retry,
    }


def delivered_words(door: Door, done: Delivered, took: str) -> list[str]:
    lines = [f"Issue {issue.number} was held: {issue.reason}" for issue in done.held]
    lines += [f"Issue {i.number} started to {words.count(i.audience, 'reader')}" for i in done.started]
    if outcome := outcome_words(done.drained):
        lines.append(f"Handed out {outcome} ({took})")
    lines += [f"Issue {issue.number} is {issue.state.value}." for issue in done.finished]
    if done.next_retry and done.next_retry > door.now:
        lines.append(f"The next try is due {words.when(done.next_retry, door.app.config.cadence.zone, door.now)}")
    elif done.next_retry:
        lines.append("Readers still wait: newsletter deliver (or work) goes on where this stopped.")
    return lines or ["Nothing is waiting."]


def outcome_words(drained: Drained) -> str:
    names = ("accepted", "deferred", "failed", "uncertain", "dropped")
    return ", ".join(f"{getattr(drained, name):,} {name}" for name in names if getattr(drained, name))


def interruptible(run: Callable[[threading.Event], Delivered]) -> Delivered:
    """Ctrl-C and SIGTERM stop within the messages in flight; a second one stops at once."""
    stop = threading.Event()
    interrupted = threading.Event()

    def on_signal(number: int, _frame: object) -> None:
        stop.set()
        interrupted.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        done = run(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupted.is_set():
        raise KeyboardInterrupt
    return done


# --- work ------------------------------------------------------------------------------------------


@command("work")
@click.option("--every", default=30, type=click.IntRange(1, 3600), show_default=True, help="Seconds between looks.")
def work(door: Door, every: int) -> None:
    """Run publish, prepare and deliver on a clock, until stopped.

    \b
    newsletter work
    newsletter work --every 10
    """
    from newsletter import clock
    from newsletter.cli.rounds import Rounds

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rounds = Rounds(door, stop)
    zone = door.app.config.cadence.zone
    slot = door.app.next_slot(rounds.clock())
    door.say(f"Working. Next slot: {words.when(slot.due, zone, rounds.clock())}. Ctrl-C stops it.")
    clock.run(rounds.look, due_in=rounds.due_in, every=timedelta(seconds=every), stop=stop)
    door.say("Stopped. What waits is kept, and goes on when work runs again.")


# --- serve -----------------------------------------------------------------------------------------


@command("serve")
@click.option("--host", default=None, help="Address to listen on; default: web.host.")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port, 0 for a free one; default: web.port.")
def serve(door: Door, host: str | None, port: int | None) -> None:
    """Serve the published folder, and answer the unsubscribe link of each mail.

    \b
    newsletter serve
    newsletter serve --port 8080
    """
    from newsletter.web import serve as server
    from newsletter.web.app import create_app

    app = door.app
    if not app.config.output.is_dir():
        app.publish(door.sound_library(), door.now)
    listen = host or app.config.web_host
    at = app.config.web_port if port is None else port
    pages = create_app(
        folder=app.config.output,
        site=app.config.site,
        templates=app.templates,
        unsubscribe=app.unsubscribe(door.ticking_clock()),
        search=app.search,
        hosts=[listen],
        addresses=app.config.state / "hosting" / "addresses.json",
    )
    server.run(pages, host=listen, port=at, ready=lambda url: door.say(f"Site  {url}", "Ctrl-C stops it."))
    door.say("Stopped.")
