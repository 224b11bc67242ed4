"""The present state of the site, built anew when files change, and who waits to hear of it.

A state is a value: a page is made of one, whole, while the next is being built. What is wrong never takes away
what was right: the last good pages stay, with the problems over them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

from newsletter.errors import NewsletterError, Problem, stops
from newsletter.model import Library, Site
from newsletter.usecases.coming import Coming
from newsletter.usecases.preview import Preview, speaks_for_itself

_log = logging.getLogger("newsletter.web")
_NOTHING = Preview({}, Library((), {}, {}), {}, {})
_IN_A_ROW = 8
_AT_ONCE = 24
"""Pages of posts that are looked through before a new version is shown; the rest afterwards, while it is."""


class Caught(Protocol):
    """A mail in the outbox."""

    @property
    def name(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def size(self) -> int: ...


class Outbox(Protocol):
    """The mails that were caught on this machine."""

    def caught(self) -> Sequence[Caught]:
        """Newest first."""

    def read(self, name: str) -> bytes | None: ...
    def stamp(self) -> object:
        """Another value when a mail came or went."""


class World(Protocol):
    """The site's world, as it is now: configuration and files are read at each call."""

    @property
    def site(self) -> Site: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def sandbox(self) -> bool: ...
    def preview(self, *, strict: bool, before: Preview | None = None) -> Preview:
        """Raises NewsletterError with what would stop a publish. What is as it was `before` is not made again."""

    def judge(self, preview: Preview, paths: Sequence[str]) -> Sequence[Problem]:
        """What would stop a publish in these files; in drafts it is a warning. Raises NewsletterError."""

    def coming(self, library: Library) -> Coming:
        """The next mail. Raises NewsletterError."""


@dataclass(frozen=True, slots=True)
class State:
    """What is shown. `preview` is older than the files when `problems` kept it from being built anew."""

    version: str  # another one for whoever sees anything else, also after a restart
    site: Site
    preview: Preview = field(repr=False)
    problems: tuple[Problem, ...] = ()
    was_good: bool = True  # whether `preview` was ever free of problems
    milliseconds: int = 0

    def shows_the_same(self, other: State) -> bool:
        return self._seen() == other._seen()

    def _seen(self) -> tuple[object, ...]:
        return self.preview.keys, self.preview.hidden, self.preview.notes, self.problems, self.was_good, self.site


class Live:
    """Builds states of a World, and wakes those who listen. Every method may be called from any thread."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stopped = False
        self._run, self._count = secrets.token_hex(4), 0
        self._building = threading.Lock()
        self._sound: set[tuple[str, str]] = set()  # path and key of files in which nothing was wrong
        self._unseen: list[str] = []  # paths of those that nobody has looked through yet
        self._excused: set[str] = set()  # what was said of drafts, and is repeated by lists and feeds
        self._last: Preview | None = None
        self._listeners: set[Listener] = set()
        self.state = State(self._next_version(), world.site, _NOTHING)

    def rebuild(self) -> State:
        """Read everything that changed; the new state. What goes wrong is in it, never raised.

        All but the pages of the first posts that changed are looked through afterwards: see `look_through`.
        """
        with self._building, _undisturbed():
            began = time.perf_counter()
            new = self._built()
            return self._show(replace(new, milliseconds=round((time.perf_counter() - began) * 1000)))

    def look_through(self) -> State:
        """Look through the files that `rebuild` left, until it is called again."""
        while self._unseen and not self.stopped:
            with self._building:
                some, self._unseen = self._unseen[:_IN_A_ROW], self._unseen[_IN_A_ROW:]
                if problems := self._judged(self.state.preview, some):
                    self._unseen = []
                    return self._show(replace(self.state, problems=problems, was_good=False))
        return self.state

    def _show(self, new: State) -> State:
        if new.shows_the_same(self.state):
            new = replace(new, version=self.state.version)
        elif new.version == self.state.version:
            new = replace(new, version=self._next_version())
        changed = new.version != self.state.version
        self.state = new
        if changed:
            self._wake()
        return new

    def _built(self) -> State:
        self._unseen = []
        found = _try(lambda: self.world.preview(strict=True, before=self._last))
        if isinstance(found, Preview):
            self._last = found
            todo = self._unknown(found)
            first = sum(map(speaks_for_itself, todo[:_AT_ONCE]))
            problems = self._judged(found, todo[:first])
            if not problems:
                self._unseen = todo[first:]
                return State(self._next_version(), self.world.site, found)
        else:
            problems = found
        return self._broken(problems)

    def _broken(self, problems: tuple[Problem, ...]) -> State:
        shown, good = self.state.preview, self.state.was_good
        if not (good and shown.recipes):  # nothing good yet: better a page that is not sound than none
            anyway = _try(lambda: self.world.preview(strict=False))
            shown, good = (anyway if isinstance(anyway, Preview) else shown), False
        return State(self._next_version(), self.world.site, shown, problems, good)

    def _unknown(self, preview: Preview) -> list[str]:
        """The files to look through, posts first: what changed, or all when one is gone to which they may lead."""
        if self.state.preview.recipes.keys() - preview.recipes.keys():
            self._sound.clear()
        unknown = (path for path, recipe in preview.recipes.items() if (path, recipe.key) not in self._sound)
        return sorted(unknown, key=lambda path: not speaks_for_itself(path))

    def _judged(self, preview: Preview, paths: list[str]) -> tuple[Problem, ...]:
        found = _try(lambda: tuple(self.world.judge(preview, paths)))
        self._excused |= {problem.message for problem in found if problem.level == "warn"}
        wrong = tuple(p for p in stops(found) if speaks_for_itself(p.file) or p.message not in self._excused)
        if not wrong:
            self._sound |= {(path, preview.recipes[path].key) for path in paths}
        return wrong

    def _next_version(self) -> str:
        self._count += 1
        return f"{self._run}-{self._count}"

    def stop(self) -> None:
        """End every wait; safe in a signal handler, which may interrupt anything."""
        self.stopped = True
        self._wake()

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener of the running event loop."""
        listener = Listener(asyncio.get_running_loop())
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _wake(self) -> None:
        for listener in tuple(self._listeners):
            listener.wake()


class Listener:
    """Waits in an event loop for what another thread says."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._woken = asyncio.Event()

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def wait(self, seconds: float) -> None:
        """Until woken, or for that long."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return
        self._woken.clear()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ten thousand posts stay in memory, and Python's search for garbage would go through them again and again, which
    took half of a build: what a build leaves is not looked at any more.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


T = TypeVar("T")


def _try(build: Callable[[], T]) -> T | tuple[Problem, ...]:
    try:
        return build()
    except NewsletterError as error:
        return error.problems
    except OSError as error:
        return (Problem("C901", f"The system refused: {error.strerror or error}", file=str(error.filename or "")),)
    except Exception as error:  # a bug must not end the preview of everything else
        _log.exception("The site could not be built")
        return (
            Problem("C900", f"This is a bug in newsletter: {type(error).__name__}: {error}", why="See the terminal."),
        )
