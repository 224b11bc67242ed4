"""What every command shares: the common options, the site it works on, how it answers, how it asks.

Options stand before or after the command's name. stdout carries the answer, stderr the rest; without a
terminal there is no colour and no prompt.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from newsletter.errors import ConfigError, Problem, SourceErrors, UsageError
from newsletter.model import Hand

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.config import Config
    from newsletter.model import Library
    from newsletter.usecases.published import Published

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Door:
    """One call of the program."""

    site: str | None = None
    now_given: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_input: bool = False
    plain: bool = False
    person: str | None = None
    _app: App | None = None
    _now: datetime | None = None

    @property
    def app(self) -> App:
        """The site's world, built once and closed with the call. Raises ConfigError."""
        if self._app is None:
            config, problems = self._read_config()
            if problems:
                raise ConfigError(problems)
            self._app = self._world(config)
            click.get_current_context().find_root().call_on_close(self._app.close)
        return self._app

    def _read_config(self) -> tuple[Config, list[Problem]]:
        from newsletter import config

        return config.read(config.find_root(Path(self.site or ".").resolve()))

    @staticmethod
    def _world(config: Config) -> App:
        from newsletter.app import App

        return App(config)

    def checked(self, paths: Sequence[str] = ()) -> tuple[list[Problem], int]:
        """Every problem of configuration and posts together, or those of `paths`, and how many posts there are."""
        from newsletter.config import remarks

        config, problems = self._read_config()
        with closing(self._world(config)) as app:
            wanted = [_inside(config.root, path) for path in paths]
            loaded = app.loaded(self.now_in(config.site.timezone))
            unsaid = app.unsaid(loaded.library, self.now_in(config.site.timezone))
            every = (*problems, *remarks(config), *loaded.problems, *unsaid, *app.stale(loaded.library))
            every += tuple(app.broken_templates())
            return [p for p in every if not paths or _concerns(p, wanted)], len(loaded.library.known_ids)

    def unchanged(self) -> Published | None:
        """What a publish would answer, if configuration, posts and output are as the last one left them."""
        try:
            return self.app.unchanged(self.now)
        except ConfigError:
            return None  # told with what is wrong in the posts

    def sound_library(self) -> Library:
        """The public posts. Raises SourceErrors with what is wrong in configuration and posts, all together."""
        try:
            world = self.app
        except ConfigError:
            config, problems = self._read_config()
            with closing(self._world(config)) as app:
                raise SourceErrors([*problems, *app.loaded(self.now_in(config.site.timezone)).problems]) from None
        return world.library(self.now)

    @property
    def now(self) -> datetime:
        """The present, read once: `--now`, or the machine's clock."""
        return self.now_in(UTC if self.now_given is None else self.app.config.site.timezone)

    def now_in(self, zone: tzinfo) -> datetime:
        """The present; a `--now` without a zone is meant in `zone`. Raises UsageError (C201)."""
        if self._now is None:
            self._now = datetime.now(UTC) if self.now_given is None else self._given(zone)
        return self._now

    def clock(self) -> Callable[[], datetime]:
        """For commands that last: `--now` stands still in those that do one thing, and runs on in `ticking_clock`."""
        if self.now_given is not None:
            fixed = self.now
            return lambda: fixed
        return lambda: datetime.now(UTC)

    def ticking_clock(self) -> Callable[[], datetime]:
        """A clock that starts at `--now` and goes on."""
        if self.now_given is None:
            return lambda: datetime.now(UTC)
        start, began = self.now, time.monotonic()
        return lambda: start + timedelta(seconds=time.monotonic() - began)

    def steady(self) -> Callable[[], float]:
        """Seconds that nobody can set; where the system counts them, those that the machine slept are among them."""
        if self.now_given is None and hasattr(time, "CLOCK_BOOTTIME"):
            return lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic

    def _given(self, zone: tzinfo) -> datetime:
        if moment := moment_of(self.now_given or "", zone):
            return moment
        raise UsageError(
            Problem(
                "C201",
                f'--now "{self.now_given}" is not a date and time of ISO 8601 between 1970 and 2200',
                fixes=("--now 2026-11-27T08:00:00+01:00",),
            )
        )

    @property
    def who(self) -> str:
        """The person that acts, checked against `[people]`; "operator" when none is named."""
        return self.app.person(self.person).key if self.person else "operator"

    @property
    def hand(self) -> Hand:
        """Who acts, here and now."""
        return Hand(self.who, "cli", self.now)

    def remark_on_copy(self) -> None:
        """Say that this may be a copy of a site, to whoever only looks."""
        if self.app.has_state and (doubt := self.app.instance.doubt()):
            self.say(f"warn S309  This copy of the site is locked, {doubt}: newsletter claim")

    def answer(self, data: object, *lines: str) -> None:
        """The command's answer: JSON when asked for, else the lines."""
        if self.json:
            click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=as_plain))
            return
        for line in lines:
            self.echo(line)

    def say(self, *lines: str) -> None:
        """Progress and hints, to stderr."""
        if not self.quiet:
            for line in lines:
                self.echo(line, err=True)

    def echo(self, line: str, *, err: bool = False) -> None:
        """One line; coloured on a terminal, unless `--no-color` or NO_COLOR (no-color.org) say otherwise."""
        click.echo(line, err=err, color=False if self.plain or os.environ.get("NO_COLOR") else None)


def _inside(root: Path, path: str) -> PurePosixPath:
    """A file or folder of the site as problems name it. Raises UsageError (C205)."""
    for place in (Path(path).resolve(), (root / path).resolve()):
        if place.exists() and place.is_relative_to(root):
            return PurePosixPath(place.relative_to(root).as_posix())
    problem = Problem("C205", f"There is no {path} in this site", fixes=("newsletter check   looks at everything",))
    raise UsageError(problem)


def _concerns(problem: Problem, wanted: Sequence[PurePosixPath]) -> bool:
    return any(PurePosixPath(problem.file).is_relative_to(path) for path in wanted)


def moment_of(text: str, zone: tzinfo, *, timed: bool = False) -> datetime | None:
    """A date and time of ISO 8601 in UTC, `zone` where it names none; None for what is not one, or far from any mail.

    With `timed` a date alone is none: midnight is hardly ever meant by it.

    The years are bounded so that nothing reckoned from them (a slot, a week before it) leaves the calendar.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 <= moment.year <= 2200 or (timed and _is_date(text)):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def as_plain(value: object) -> object:
    """What JSON has no word for: times in UTC, all else as it is written."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value not in {None, False}:
            setattr(ctx.ensure_object(Door), name, value)

    return callback


def common_options() -> list[click.Option]:
    """The options that stand on every command."""

    def option(*names: str, callback: Any, **attrs: Any) -> click.Option:
        return click.Option(names, callback=callback, expose_value=False, **attrs)

    return [
        option("--site", callback=_store("site"), metavar="PATH", help="The site; default: here or above."),
        option("--now", callback=_store("now_given"), metavar="ISO-8601", help="Take this for the present."),
        option(
            "--as",
            "--person",
            callback=_store("person"),
            metavar="KEY",
            envvar="NEWSLETTER_AS",
            help="Who you are, of [people].",
        ),
        option("--json", callback=_store("json"), is_flag=True, help="Answer in JSON."),
        option("--no-input", callback=_store("no_input"), is_flag=True, help="Never ask."),
        option("--no-color", callback=_store("plain"), is_flag=True, help="No colour."),
        option("-q", "--quiet", callback=_store("quiet"), is_flag=True, help="Only the answer."),
        option("-v", "--verbose", callback=_store("verbose"), is_flag=True, help="More detail."),
    ]


class Command(click.Command):
    """A command with the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        common = {option.name for option in common_options()}
        own = [p.get_help_record(ctx) for p in self.params if p.name not in common]
        with formatter.section("Options"):
            if rows := [record for record in own if record]:
                formatter.write_dl(rows)
            formatter.write_text("On every command: --site --now --as --json --no-input --no-color -q -v")


def command(name: str, **attrs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command` with the common options and the Door as first argument."""

    def wrap(function: Callable[..., Any]) -> click.Command:
        return click.command(name, cls=Command, **attrs)(click.pass_obj(function))

    return wrap


class Group(click.Group):
    """A group whose commands are imported only when called: `table` holds (module:attribute, one-line help)."""

    def __init__(self, *args: Any, table: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self.params.extend(common_options())

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.table:
            return None
        from importlib import import_module

        module, _, attribute = self.table[name][0].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.table and not name.startswith("-"):
            from newsletter.errors import nearest

            guess = nearest(name, self.table)
            meant = f' Did you mean "{guess}"?' if guess else ""
            where = f" of {ctx.info_name}" if ctx.parent else ""
            raise UsageError(
                Problem(
                    "C202",
                    f'There is no command "{name}"{where}.{meant} Nothing was done.',
                    fixes=(f"{ctx.command_path} --help",),
                )
            )
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows whose cells line up; the last cell of a row takes what room it needs."""
    widths = [max(map(len, column), default=0) for column in zip(*(row[:-1] for row in rows), strict=True)]
    return ["  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]


@contextmanager
def stopwatch() -> Iterator[Callable[[], str]]:
    """Yields a function that words the time since: "0.9 s"."""
    began = time.perf_counter()
    yield lambda: f"{time.perf_counter() - began:.1f} s"


def told(problems: Sequence[Problem]) -> Iterator[str]:
    """Problems worded for a terminal: place, code, the source line underlined, why, and what to do."""
    for problem in problems:
        level = click.style(problem.level, fg="red" if problem.level == "stop" else "yellow", bold=True)
        yield f"{level} {problem.code}  {problem.message}"
        if problem.place:
            yield f"  {problem.place}"
        if problem.excerpt:
            yield from _underlined(problem)
        if problem.why:
            yield f"  {problem.why}"
        if problem.waved:
            yield f"  Waved through by {problem.waved}"
            continue
        if len(problem.fixes) == 1 and problem.fixes[0].endswith("?"):
            yield f"  {problem.fixes[0]}"
            continue
        for n, fix in enumerate(problem.fixes):
            yield f"  {'Fix it by' if n == 0 else '       or'}   {fix}"


def _underlined(problem: Problem) -> Iterator[str]:
    number = f"{problem.line:>7} | "
    yield f"{number}{problem.excerpt}"
    if problem.column:
        yield f"{' ' * (len(number) - 2)}| {' ' * (problem.column - 1)}{'^' * max(1, problem.width)}"
