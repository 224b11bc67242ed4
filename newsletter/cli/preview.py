"""`preview`: the site with the next mail, on this machine, rebuilt and reloaded whenever a file is saved."""

from __future__ import annotations

import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

from newsletter import config
from newsletter.cli.door import Door, command
from newsletter.errors import ConfigError, Outside, Problem

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.model import Library, Site
    from newsletter.ports import Clock
    from newsletter.usecases.coming import Coming
    from newsletter.usecases.preview import Preview
    from newsletter.web.preview.live import Live, Outbox, State

_HOST = "127.0.0.1"
_TRIES = 20
_TOLD = 5


@command("preview")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port, 0 for a free one; default: web.port.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def preview(door: Door, port: int | None, no_open: bool) -> None:
    """See the site with its drafts and the next mail, on this machine only. It reloads when you save.

    \b
    newsletter preview
    newsletter preview --port 8080 --no-open
    """
    from newsletter.templates import default_folder, environment
    from newsletter.web import serve
    from newsletter.web.preview.app import create_preview
    from newsletter.web.preview.live import Live
    from newsletter.web.preview.watch import Watch

    wanted = door.app.config.web_port if port is None else port
    with _listener(wanted) as listener:
        live = Live(Desk(door.app, door.ticking_clock()))
        log = Log(door, live)
        watch = Watch(door.app.config.root, log.saved)
        watch.start()  # first, so that nothing that is saved during the first build is missed
        log.first(live.rebuild(), serve.address_of(listener), wanted)
        Thread(target=log.look_through, daemon=True).start()
        try:
            serve.run_on(
                listener,
                create_preview(live, environment(default_folder())),
                graceful_seconds=1,
                ready=None if no_open else _open,
                stopping=live.stop,
            )
        finally:
            watch.stop()
            watch.join()
    door.say("Stopped.")


class Desk:
    """The site's world, taken anew when its configuration has changed."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._app.stay()
        self._clock = clock
        self._template_stamps: dict[str, int] = {}

    @property
    def site(self) -> Site:
        return self._app.config.site

    @property
    def outbox(self) -> Outbox:
        return self._app.outbox

    @property
    def sandbox(self) -> bool:
        return self._app.config.mail.sandbox

    def preview(self, *, strict: bool, before: Preview | None = None) -> Preview:
        """Raises NewsletterError: problems of the configuration, or else of the posts."""
        self._take_configuration()
        self._take_templates()
        return self._app.preview(self._clock(), strict=strict, before=before)

    def judge(self, preview: Preview, paths: Sequence[str]) -> Sequence[Problem]:
        return self._app.judge(preview, paths)

    def coming(self, library: Library) -> Coming:
        return self._app.coming(library, self._clock())

    def _take_configuration(self) -> None:
        from newsletter.app import App

        found, problems = config.read(self._app.config.root)
        if problems:
            raise ConfigError(problems)
        if found != self._app.config:
            before, self._app = self._app, App(found)
            self._app.stay()
            before.close()

    def _take_templates(self) -> None:
        """Templates as they are now, for what is built now: the last good pages keep those that they were made of."""
        stamps = {str(path): path.stat().st_mtime_ns for path in (self._app.config.root / "templates").rglob("*")}
        if stamps != self._template_stamps or "templates" not in self._app.__dict__:
            self._app.__dict__.pop("templates", None)
            self._app.templates.auto_reload = False
            self._template_stamps = stamps


class Log:
    """What the terminal says: where to look, then a line for each time something was saved."""

    def __init__(self, door: Door, live: Live) -> None:
        self._door = door
        self._live = live
        self._root = door.app.config.root.resolve()
        self._clock = door.ticking_clock()

    def first(self, state: State, address: str, wanted: int) -> None:
        """The addresses, once the first build is done."""
        port = address.rstrip("/").rpartition(":")[2]
        if wanted not in (0, int(port)):
            self._door.say(f"Port {wanted} is taken, so this is {port}.")
        pages = {"site": address, "next": f"{address}next/", "outbox": f"{address}outbox/"}
        self._door.answer(
            pages,
            f"Site       {pages['site']:<32} reloads when you save (last build {state.milliseconds} ms)",
            f"Next mail  {pages['next']:<32} the digest as it would go out now",
            f"Outbox     {pages['outbox']:<32} every mail this site “sent”",
            "Ctrl-C stops it. Nothing here is visible to others.",
        )
        self._tell_problems(state)

    def saved(self, paths: list[Path]) -> None:
        """Build anew, and say how it went."""
        state = self._live.rebuild()
        if state.problems:
            self._tell_problems(state)
        else:
            self._say(f"rebuilt {self._named(paths)}   {state.milliseconds} ms")
            self.look_through()

    def look_through(self) -> None:
        """Say what is wrong in the files that were left for later."""
        before = self._live.state
        after = self._live.look_through()
        if after.problems != before.problems:
            self._tell_problems(after)

    def _tell_problems(self, state: State) -> None:
        shows = "(page shows the last good version)" if state.was_good else "(page shows what could be read)"
        for problem in state.problems[:_TOLD]:
            self._say(f"stop {problem.code} {problem.place}  {problem.message}   {shows}")
        if len(state.problems) > _TOLD:
            self._say(f"and {len(state.problems) - _TOLD} more: newsletter check")

    def _named(self, paths: list[Path]) -> str:
        there = [path for path in paths if path.exists()] or paths  # an editor's own files are gone again
        first = there[0].relative_to(self._root) if there[0].is_relative_to(self._root) else there[0]
        return f"{first} and {len(there) - 1} more" if len(there) > 1 else str(first)

    def _say(self, line: str) -> None:
        self._door.say(f"{self._clock().astimezone():%H:%M:%S}  {line}")


def _listener(port: int) -> socket.socket:
    """A socket on the port, or on the next one that is free. Raises Outside."""
    from newsletter.web.serve import listen

    last = Outside(Problem("C701", f"Port {port} on {_HOST} is in use"))
    for offset in range(_TRIES if port else 1):
        try:
            return listen(_HOST, port + offset)
        except Outside as refused:
            if refused.problems[0].code != "C701":
                raise
            last = refused
    raise last


def _open(address: str) -> None:
    """Show it in a browser, where there is a screen: a browser for terminals would take this one."""
    has_screen = sys.platform in {"darwin", "win32"} or any(os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY"))
    if sys.stdout.isatty() and has_screen:
        Thread(target=webbrowser.open, args=(address,), daemon=True).start()
