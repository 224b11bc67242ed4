"""The program: which command stands where, and how every failure ends.

Exit status: 0 done, 1 a problem in what was given, 2 wrong usage, 3 refused by a safeguard, 4 outside trouble,
130 interrupted. A traceback is a bug, and is shown as one.
"""

from __future__ import annotations

import io
import json
import sys
import traceback

import click

from newsletter.cli.door import Door, Group, columns, told
from newsletter.errors import ConfigError, NewsletterError, Outside, Problem, UsageError

BLOCKS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "init": ("newsletter.cli.start:init", "make a new site (no questions)"),
        "new": ("newsletter.cli.start:new", "start a post from the template"),
        "check": ("newsletter.cli.start:check", "read everything, report problems, change nothing"),
        "preview": ("newsletter.cli.preview:preview", "see the site and the next mail while you write"),
        "status": ("newsletter.cli.look:status", "what happens next, on one screen"),
        "explain": ("newsletter.cli.explain:explain", "why: a reader and an issue, a post, a slot"),
    },
    "Posts, issues, readers": {
        "post": ("newsletter.cli.post:post", "list, show, review, approve, correct"),
        "issue": ("newsletter.cli.issue:issue", "list, show, ready, send, pause, cancel"),
        "reader": ("newsletter.cli.reader:reader", "list, show, add, import, export, pause, leave, forget"),
        "feed": ("newsletter.cli.feed:feed", "list, check"),
        "schedule": ("newsletter.cli.schedule:schedule", "show, next, set, pause, resume, move"),
        "backup": ("newsletter.cli.backup:backup", "one file with all that cannot be made anew"),
        "restore": ("newsletter.cli.backup:restore", "a site from a backup"),
        "claim": ("newsletter.cli.claim:claim", "unlock a copied or restored site"),
        "upgrade": ("newsletter.cli.upgrade:upgrade", "a database of an older version, after a backup"),
        "move-to-postgres": ("newsletter.cli.transfer:move_to_postgres", "from a file to a database on a server"),
        "log": ("newsletter.cli.look:log", "who did what"),
        "templates": ("newsletter.cli.templates:templates", "list, copy, diff"),
        "notices": ("newsletter.cli.look:notices", "what editors were told"),
    },
    "The machine verbs, safe to repeat": {
        "publish": ("newsletter.cli.machine:publish", "build feeds and archive"),
        "prepare": ("newsletter.cli.machine:prepare", "make the issue that is due"),
        "deliver": ("newsletter.cli.machine:deliver", "hand out what is waiting"),
        "work": ("newsletter.cli.machine:work", "run all three on a clock"),
        "worker": ("newsletter.cli.worker:worker", "send beside other workers"),
        "serve": ("newsletter.cli.machine:serve", "the web pages, and those of readers"),
    },
}


class Root(Group):
    """The top of the tree; its help is in blocks."""

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in BLOCKS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])


@click.group(
    "newsletter",
    cls=Root,
    table={name: entry for block in BLOCKS.values() for name, entry in block.items()},
    invoke_without_command=True,
    epilog="newsletter COMMAND --help says more.   Options such as --site, --now, --json stand on every command.",
)
@click.version_option(package_name="newsletter", message="newsletter %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Markdown posts become feeds, a web archive and a weekly digest by email."""
    if ctx.invoked_subcommand is None:
        _front(ctx.obj)


def _front(door: Door) -> None:
    """What `newsletter` alone says: how to begin, and in a site what comes next."""
    if door.json:
        raise UsageError(Problem("C204", "Name a command. Nothing was done.", fixes=("newsletter --help",)))
    lines = columns([(f"  {name}", line) for name, (_, line) in BLOCKS["Start"].items()])
    door.answer(None, root.help or "", "", *lines, "", *_in_a_site(door), "More: newsletter --help")


def _in_a_site(door: Door) -> list[str]:
    from newsletter.cli.look import next_lines, reading

    try:
        return [*next_lines(door, reading(door)[0]), ""]
    except ConfigError as error:
        outside = any(problem.code == "C101" for problem in error.problems)
        return [] if outside else ["newsletter.toml has problems: newsletter check", ""]


def main() -> None:
    """Run the program and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of another character set shows ? and goes on
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one call; the exit status. Never raises."""
    door = Door()
    try:
        result = root.main(args, prog_name="newsletter", obj=door, standalone_mode=False)
    except NewsletterError as error:
        return _failed(door, error)
    except click.exceptions.NoArgsIsHelpError as error:
        door.echo(error.format_message())
        return 0
    except click.exceptions.UsageError as error:
        door.json = door.json or "--json" in args  # it may stand behind what could not be read
        return _failed(door, UsageError(_usage(error)))
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        door.echo("\nInterrupted. Nothing half done is left behind; run it again.", err=True)
        return 130
    except OSError as error:
        return _failed(door, Outside(_disk(error)))
    except Exception:  # a bug: said as one, with what is needed to report it
        door.echo(traceback.format_exc(), err=True)
        return _failed(
            door, NewsletterError(Problem("C900", "This is a bug in newsletter. Please report its traceback."))
        )
    return result if isinstance(result, int) else 0


def _failed(door: Door, error: NewsletterError) -> int:
    if door.json:
        click.echo(json.dumps({"problems": [p.as_json() for p in error.problems]}, indent=2, ensure_ascii=False))
    else:
        for line in told(error.problems):
            door.echo(line, err=True)
    return error.exit_status


def _usage(error: click.exceptions.UsageError) -> Problem:
    if isinstance(error, click.exceptions.NoSuchOption):
        guess = f' Did you mean "{error.possibilities[0]}"?' if error.possibilities else ""
        return Problem("C203", f'There is no option "{error.option_name}".{guess} Nothing was done.')
    path = error.ctx.command_path if error.ctx else "newsletter"
    return Problem("C204", f"{error.format_message()} Nothing was done.", fixes=(f"{path} --help",))


def _disk(error: OSError) -> Problem:
    return Problem("C901", f"The system refused: {error.strerror or error}", file=str(error.filename or ""))
