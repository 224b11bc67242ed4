"""The machine verbs: `publish`, `prepare`, `deliver`, all three on a clock (`work`), and the web pages (`serve`), which
may do both.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import click

from newsletter import words
from newsletter.cli.door import Door, command, stopwatch, told
from newsletter.cli.naming import in_json
from newsletter.cli.sending import Watch
from newsletter.errors import Outside
from newsletter.model import IssueState, issue_name
from newsletter.ports import Clock

if TYPE_CHECKING:
    from socket import socket

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from newsletter.delivery.progress import Drained, LettersDone
    from newsletter.usecases.deliver import Delivered
    from newsletter.usecases.prepare import Prepared
    from newsletter.usecases.published import Published

T = TypeVar("T")


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
        done = door.unchanged()
        if done is None:
            library = door.sound_library()  # first: it tells what is wrong in the configuration with what is in posts
            done = door.app.publish(library, door.now, dry_run=dry_run)
            if door.app.has_state and not dry_run:
                door.app.tell_of_posts(door.app.as_loaded(door.now), door.now)
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
        gc.freeze()  # nor is it looked for when the program ends
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
    with stopwatch() as took:
        library = door.sound_library()
        if not dry_run:
            door.app.own()
        told_of = door.app.as_loaded(door.now)
        app = door.app
        made: list[Prepared] = []
        for cadence in app.rhythms:
            made += app.prepare(cadence, library, door.now, hand=door.hand, dry_run=dry_run)
        if not dry_run:
            door.app.tell_of_posts(told_of, door.now)
            door.app.tell(door.now)
        door.say(*told([problem for done in made for problem in done.problems]))
        data = prepared_data(made[0]) | {"others": [prepared_data(done) for done in made[1:]], "dry_run": dry_run}
        shown = [done for n, done in enumerate(made) if n == 0 or done.slot]
        door.answer(data, *(line for done in shown for line in prepared_words(door, done, took())))
        if any(done.issue and done.state is IssueState.READY for done in made):
            door.say("Next:  newsletter deliver hands it out; newsletter work does so by itself")


def prepared_data(done: Prepared) -> dict[str, object]:
    made = done.issue or done.draft
    return {
        "edition": done.edition,
        "slot": done.slot.key if done.slot else None,
        "issue": made.number if made else None,
        "state": done.state.value if done.state else None,
        "stories": [story.slug for story in made.stories] if made else [],
        "reason": done.reason,
        "next_slot": done.next_slot.key if done.next_slot else None,
        "next_due": done.next_slot.due if done.next_slot else None,
        "problems": [p.as_json() for p in done.problems],
    }


def prepared_words(door: Door, done: Prepared, took: str) -> list[str]:
    zone = door.app.config.cadence.zone
    upcoming = f"Next slot: {words.when(done.next_slot.due, zone, door.now)}" if done.next_slot else ""
    if done.slot is None:
        why = f"No issue is made: {done.reason}" if done.reason else "Nothing is due"
        return [f"{why}. {upcoming}"]
    made, text = done.issue or done.draft, done.issue or (done.draft.digest if done.draft else None)
    if made is None or text is None or done.state is None:
        return [f"No issue for slot {done.slot.key}: {done.reason or 'another process was first'}. {upcoming}".rstrip()]
    verb = "Would make issue" if done.issue is None else "Made issue"
    lines = [
        f"{verb} {issue_name(done.edition, made.number)}, {done.state.value}, for slot {done.slot.key} ({took})",
        *(f"  {n}  {story.title}" for n, story in enumerate(made.stories, 1)),
        f"  Subject    {text.subject}",
        f"  Preheader  {text.preheader}",
    ]
    if done.reason:
        lines.append(
            f"  Held       {done.reason}. Send it: newsletter issue send {issue_name(done.edition, made.number)}"
        )
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
    app.own()
    with stopwatch() as took:
        if not app.lock.acquire():
            door.answer({"lock": app.lock.holder()}, f"Another process is sending ({app.lock.holder()}): left to it.")
            return 0
        uncertain = app.recover(door.now)
        if uncertain:
            door.say(f"warn  A crash left {words.count(uncertain, 'delivery', 'deliveries')} uncertain.")
        door.say(*app.tend(door.now).lines)
        _told(door)
        with letters_ahead(door, door.clock()) as letters:
            done, cut = interruptible(lambda stop: sent_and_told(door, door.clock(), stop))
        _told(door)
        return handed_out(door, done, took(), letters, door.clock()(), cut=cut)


def sent_and_told(door: Door, clock: Clock, stop: threading.Event, *, stays: bool = False) -> Delivered:
    """A round of handing out, told while it lasts; with `stays` for as long as a pace makes it last."""
    watch = Watch(door, clock)
    with watch.live(stop):
        return door.app.deliver(clock=clock, stop=stop, progress=watch.heard, stays=stays)


@contextmanager
def letters_ahead(door: Door, clock: Clock) -> Iterator[list[LettersDone]]:
    """Letters leave before what is sent in between, and beside it; what became of them, round by round."""
    rounds: list[LettersDone] = []
    with door.app.ahead(clock, rounds.append):
        yield rounds


def _told(door: Door) -> None:
    """Notices of what happened by now, handed over."""
    door.app.tell(door.now)
    done = door.app.hand_over_notices(door.clock())
    if done.accepted:
        door.say(f"Handed over {words.count(done.accepted, 'notice')} to editors and operators")
    if done.trouble:
        door.app.tell_of_mail(done.trouble, door.now)
        door.say(*told([replace(done.trouble, level="warn")]))


def handed_out(
    door: Door, done: Delivered, took: str, letters: Sequence[LettersDone], now: datetime, *, cut: bool
) -> int:
    """Tell what a round of handing out did, and whether trouble or a signal `cut` it short; the exit status."""
    from newsletter.delivery.progress import together

    ahead = together(letters)
    faults = dict.fromkeys(fault for fault in (ahead.trouble, done.drained.trouble) if fault)
    trouble = [*faults, *done.put_off]
    told_as = {"problems": [problem.as_json() for problem in trouble]}
    data = delivered_data(done) | {"letters": letters_data(ahead)} | told_as
    door.answer(data, *[*letters_words(ahead), *delivered_words(door, done, took, now)])
    if not door.json:
        for line in told(trouble):
            door.echo(line, err=True)
    if cut:
        door.echo("Interrupted. Who waits is kept.", err=True)
        return 130
    return Outside.exit_status if trouble else 0


_COUNTED = 1000
"""Letters that a dry run counts."""


def _would_deliver(door: Door) -> int:
    from newsletter.usecases.deliver import outlook

    app = door.app
    ahead = outlook(ledger=app.ledger, roster=app.roster, now=door.now, late_limit=app.config.cadence.late_limit)
    lines = [f"Would hold issue {issue.name}: it did not start at its time" for issue in ahead.held]
    lines += [f"Would hand out issue {one.name} to {words.count(n, 'reader')}" for one, n in ahead.readers.items()]
    would = {in_json(one): n for one, n in ahead.readers.items()}
    letters = len(app.letters.due(door.now, _COUNTED))
    if letters:
        lines.insert(0, f"Would hand over {words.count(letters, 'letter')}{' or more' if letters == _COUNTED else ''}")
    data = {"letters": letters, "would": would, "held": [in_json(issue) for issue in ahead.held], "dry_run": True}
    door.answer(data, *(lines or ["Nothing is waiting."]))
    return 0


def delivered_data(done: Delivered) -> dict[str, object]:
    return {
        "started": [in_json(issue) for issue in done.started],
        "held": [in_json(issue) for issue in done.held],
        "stopped": {in_json(issue): issue.reason for issue in done.stopped},
        "finished": {in_json(issue): issue.state.value for issue in done.finished},
        **{name: getattr(done.drained, name) for name in ("accepted", "deferred", "failed", "uncertain", "dropped")},
        "next_retry": done.next_retry,
        "not_before": done.drained.not_before,
        "waits_for": done.drained.waits_for,
        "workers": done.drained.workers,
        "relays": [{"name": o.name, "out": o.out, "problem": o.fault.as_json()} for o in done.drained.relays],
    }


def delivered_words(door: Door, done: Delivered, took: str, now: datetime) -> list[str]:
    from newsletter.cli.limits import left_lines
    from newsletter.cli.report import end_lines, stop_lines
    from newsletter.usecases.deliver import PATIENCE

    lines = [f"{issue.title} was held: {issue.reason}" for issue in done.held]
    lines += [f"{i.title} started to {words.count(i.audience, 'reader')}" for i in done.started]
    if done.put_off:
        lines.append(f"Not started yet; asked again for {words.span(PATIENCE)} after its time, and then held.")
    if outcome := outcome_words(done.drained):
        lines.append(f"Handed out: {outcome} ({took})")
    lines += [line for issue in done.stopped for line in stop_lines(issue)]
    lines += [line for issue in done.finished for line in end_lines(door, issue)]
    lines += left_lines(done.drained, door.app.config.cadence.zone, now)
    if done.next_retry and done.next_retry > now:
        lines.append(f"The next try is due {words.when(done.next_retry, door.app.config.cadence.zone, now)}")
    elif done.next_retry and done.drained.workers:
        lines.append(f"Left to {words.count(done.drained.workers, 'worker')}: newsletter status")
    elif done.next_retry and not done.drained.not_before:
        lines.append("Readers still wait: newsletter deliver (or work) goes on where this stopped.")
    return lines or ["Nothing is waiting."]


_OF_LETTERS = ("accepted", "deferred", "failed", "uncertain")


def letters_data(done: LettersDone) -> dict[str, int]:
    return {name: getattr(done, name) for name in _OF_LETTERS}


def letters_words(done: LettersDone) -> list[str]:
    """`Letters: 2 accepted`; nothing when none was due."""
    told = ", ".join(f"{count:,} {name}" for name, count in letters_data(done).items() if count)
    return [f"Letters: {told}"] if told else []


def outcome_words(drained: Drained) -> str:
    """`727 accepted, 2 not handed over`: those left, or the issue was stopped before their turn."""
    said = {name: name for name in ("accepted", "deferred", "failed", "uncertain")} | {"dropped": "not handed over"}
    return ", ".join(f"{getattr(drained, name):,} {words}" for name, words in said.items() if getattr(drained, name))


def interruptible(run: Callable[[threading.Event], T]) -> tuple[T, bool]:
    """What was done, and whether Ctrl-C or SIGTERM ended it: within the messages in flight, a second one at once."""
    stop = threading.Event()

    def on_signal(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return run(stop), stop.is_set()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# --- work ------------------------------------------------------------------------------------------

_every = click.option(
    "--every", default=30, type=click.IntRange(1, 3600), show_default=True, help="Seconds between looks."
)


@command("work")
@_every
def work(door: Door, every: int) -> None:
    """Run publish, prepare and deliver on a clock, until stopped.

    \b
    newsletter work
    newsletter work --every 10
    """
    door.app.own()
    interruptible(lambda stop: _work(door, every, stop))
    door.say("Stopped. What waits is kept, and goes on when work runs again.")


def _work(door: Door, every: int, stop: threading.Event) -> None:
    """Look every so many seconds until `stop` is set."""
    from newsletter import clock
    from newsletter.cli.rounds import Rounds

    between = timedelta(seconds=every)
    with Rounds(door, stop, between) as rounds:
        slot = door.app.next_slot(rounds.clock())
        due = words.when(slot.due, door.app.config.cadence.zone, rounds.clock())
        door.say(f"Working. Next slot: {due}. Ctrl-C stops it.")
        clock.run(rounds.look, due_in=rounds.due_in, beat=rounds.beat, every=between, stop=stop)


# --- serve -----------------------------------------------------------------------------------------


@command("serve")
@click.option("--host", default=None, help="Address to listen on; default: web.host.")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port, 0 for a free one; default: web.port.")
@click.option("--work", "works", is_flag=True, help="Publish, prepare and deliver as well: all that a server needs.")
@_every
def serve(door: Door, host: str | None, port: int | None, works: bool, every: int) -> None:
    """Serve the published folder, the form for readers to sign up, and the pages behind the links of mails.

    \b
    newsletter serve --port 8080
    newsletter serve --work
    """
    from newsletter.web import serve as server

    app = door.app
    if works:
        app.own()
    if not app.config.output.is_dir():
        app.publish(door.sound_library(), door.now)
    listen = host or app.config.web_host
    pages = pages_of(door, listen)
    with server.listen(listen, app.config.web_port if port is None else port) as listener:
        if works:
            interruptible(lambda stop: _serve_and_work(door, every, listener, pages, stop))
        else:
            server.run_on(listener, pages, ready=lambda url: door.say(f"Site  {url}", "Ctrl-C stops it."))
    door.say("Stopped.")


def pages_of(door: Door, listen: str) -> Starlette:
    """What `serve` answers, for one that listens at this address."""
    from newsletter.web.app import Own, create_app
    from newsletter.web.subscribe import Desk

    app, clock = door.app, door.ticking_clock()
    return create_app(
        folder=app.config.output,
        site=app.config.site,
        templates=app.templates,
        unsubscribe=app.unsubscribe(door.ticking_clock()),
        hold=app.hold(door.ticking_clock()),
        own=Own(app.preferences(clock), app.own_data(clock), app.new_address(clock), app.search.topics, app.catch_up),
        desk=Desk(app.signup(clock), lambda: app.showcase(clock()), app.preferences_url, app.catch_up),
        search=app.search,
        hosts=[listen],
        addresses=app.config.state / "hosting" / "addresses.json",
        proxies=app.config.trusted_proxies,
    )


def _serve_and_work(door: Door, every: int, listener: socket, pages: ASGIApp, stop: threading.Event) -> None:
    """Pages in a thread beside the rounds. They are answered until the messages in flight are done: who leaves in
    the last second has left.
    """
    from newsletter.web.serve import address_of, beside

    with beside(listener, pages, ended=stop.set):
        door.say(f"Site  {address_of(listener)}")
        _work(door, every, stop)
