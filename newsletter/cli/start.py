"""`init`, `new`, `check`: from nothing to a sound folder of posts."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import click

from newsletter import words
from newsletter.cli.door import Door, command, stopwatch, told
from newsletter.errors import Problem, stops


@command("init")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--title", default=None, help="Name of the publication; default: from PATH.")
@click.option("--bare", is_flag=True, help="No sample posts.")
@click.option("--dry-run", is_flag=True, help="Say what would be made.")
def init(door: Door, path: Path, title: str | None, bare: bool, dry_run: bool) -> None:
    """Make a new site at PATH: no questions, sandbox on.

    \b
    newsletter init autotrendy
    newsletter init . --title "Auto Trendy" --bare
    """
    from newsletter import starter

    with stopwatch() as took:
        made = starter.make(path, title=title, bare=bare, now=door.now_in(UTC), dry_run=dry_run)
        verb = "Would make" if dry_run else "Made"
        door.answer(
            {"path": str(path), "files": [str(f) for f in made.files], "dry_run": dry_run},
            f"{verb} {path}/ ({took()})",
            "  newsletter.toml      every setting, each with a comment",
            f"  posts/               {words.count(made.posts, 'sample post')}"
            + (", with a back-link and a take" if made.posts else ""),
            "  templates/           empty: the built-in ones are used until you put one here",
            "  feeds/               what readers will see is built here",
            "Sandbox is on: no mail leaves this machine. It lands in var/outbox/.",
            "",
            f"Next:  cd {path} && newsletter preview",
        )


@command("new")
@click.argument("title")
@click.option(
    "--author", default=None, metavar="KEY", help="Who writes it; default: you (--as), else the first writer."
)
@click.option("--topic", "topics", multiple=True, help="A topic; may be given several times.")
@click.option("--date", "day", default=None, metavar="YYYY-MM-DD", help="Its date; default: today.")
@click.option("--previous", default="auto", metavar="SLUG|auto|none", help="The post it follows.")
@click.option("--dry-run", is_flag=True, help="Show the file instead of making it.")
def new(
    door: Door, title: str, author: str | None, topics: tuple[str, ...], day: str | None, previous: str, dry_run: bool
) -> None:
    """Start a post from the template.

    \b
    newsletter new "The hybrid hatch we would actually buy" --topic "Road tests"
    newsletter new "Letters" --previous none --date 2026-11-20
    """
    from newsletter.usecases import write

    draft = write.new_post(
        title,
        site=door.app.config.site,
        loaded=door.app.loaded(door.now),
        author=door.app.person(key) if (key := author or door.person) else None,
        topics=topics,
        day=day,
        previous=previous,
        now=door.now,
    )
    if not dry_run:
        door.app.write_post(draft.path, draft.text)
    data = {"path": str(draft.path), "id": draft.post_id, "dry_run": dry_run}
    if dry_run:
        door.answer(data, f"Would make {draft.path}", "", draft.text.rstrip())
        return
    slot = words.when(door.app.next_slot(door.now).due, door.app.config.cadence.zone)
    door.answer(
        data,
        f"Made {draft.path}",
        f"  author    {draft.author}",
        f"  reviewer  {draft.reviewer or '–'}",
        f"  previous  {draft.previous}",
        f"  date      {words.WEEKDAYS[draft.day.weekday()][:3]} {words.short_date(draft.day)}     (next slot: {slot})",
    )


@command("check")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--strict", is_flag=True, help="Warnings stop too.")
@click.option("--explain", is_flag=True, help="Each problem with its line, why, and what to do.")
def check(door: Door, paths: tuple[str, ...], strict: bool, explain: bool) -> int:
    """Read configuration and posts, report every problem, change nothing.

    \b
    newsletter check
    newsletter check posts/2026-11-20-hybrid-hatch.md --explain
    """
    with stopwatch() as took:
        shown, posts = door.checked(paths)
        stopping = shown if strict else stops(shown)
        data = {"posts": posts, "problems": [p.as_json() for p in shown]}
        if not shown:
            where = f"{', '.join(paths)}, among " if paths else ""
            door.answer(data, f"ok   {where}{words.count(posts, 'post')}: nothing to fix ({took()})")
            return 0
        lines = list(told(shown)) if explain or door.verbose else [_short(p) for p in shown]
        stopped = len(stops(shown))
        files = words.count(len({p.file for p in shown}), "file")
        total = f"{words.count(stopped, 'stop')}, {words.count(len(shown) - stopped, 'warning')} in {files}."
        hint = "" if explain or door.verbose else " Details: newsletter check --explain"
        door.answer(data, f"Checked {words.count(posts, 'post')} in {took()}", *lines, total + hint)
        return 1 if stopping else 0


def _short(problem: Problem) -> str:
    level = click.style(problem.level, fg="red" if problem.level == "stop" else "yellow", bold=True)
    return f"{level} {problem.code}  {problem.place or 'environment'}  {problem.message}"
