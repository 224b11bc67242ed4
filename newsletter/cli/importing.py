"""`post import`."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, command, told
from newsletter.cli.live import Counting
from newsletter.errors import Problem, UsageError

if TYPE_CHECKING:
    from newsletter.usecases.move_in import Moved, Wanted
    from newsletter.usecases.receive import Row

_MOST = 5  # lines of detail about one thing


@command("import")
@click.argument("where", metavar="FILE|URL")
@click.option("--go", is_flag=True, help="Do it; without it, only say what would be done.")
@click.option("--images", is_flag=True, help="Bring pictures along: from the folder of FILE, else from the web.")
@click.option("--author", default="", metavar="KEY", help="Who wrote the posts whose author is not under [people].")
@click.option("--old-url", default="", metavar="URL", help="Where the old site stands, if the file does not say.")
def import_posts(door: Door, where: str, go: bool, images: bool, author: str, old_url: str) -> None:
    """Bring in posts from WordPress, Squarespace (WXR), Ghost (JSON), or an RSS or Atom feed. A dry run without --go.

    \b
    newsletter post import export.xml
    newsletter post import export.xml --images --go
    newsletter post import https://old.example/feed/
    """
    from newsletter.usecases.move_in import Wanted

    person = door.app.person(author) if author else None
    wanted = Wanted(go=go, images=images, author=person, old_url=_address(old_url))
    with Counting(door, "posts") as counting:
        moved = door.app.move_in(where, wanted, door.now, progress=lambda done: counting("Reading", done))
    door.answer(_data(moved, go=go), *_lines(door, where, moved, wanted))


def _address(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        message = f"--old-url {url} is not a web address"
        raise UsageError(Problem("P308", message, fixes=("--old-url https://old.example/",)))
    return url


def _data(moved: Moved, *, go: bool) -> dict[str, object]:
    plan = moved.plan
    return {
        "program": plan.program,
        "dry_run": not go,
        "cut_short": moved.cut_short,
        "posts": [
            {
                "title": row.title,
                "path": str(row.path) if row.path else None,
                "draft": row.draft,
                "reasons": list(row.reasons),
                "told": list(row.told),
                "pictures_left": row.pictures,
                "pictures_taken": row.carried,
            }
            for row in plan.rows
        ],
        "others": dict(plan.others),
        "redirects": dict(plan.redirects),
        "redirects_kept": list(moved.elsewhere),
        "unknown_authors": {key: byline.name for key, byline in plan.strangers},
        "problems": [problem.as_json() for problem in plan.problems],
    }


def _lines(door: Door, where: str, moved: Moved, wanted: Wanted) -> Iterator[str]:
    plan = moved.plan
    coming = plan.coming
    done = "Wrote" if wanted.go else "Would write"
    rest = "" if wanted.go else " (nothing done yet)"
    yield f"{done} {len(coming):,} of {words.count(len(plan.rows), 'post')} from {where}, a {plan.program}{rest}"
    if moved.cut_short:
        yield f"An import that was cut short {'was' if wanted.go else 'will be'} completed before this one"
    for row in plan.rows:
        yield from _row(row)
    yield from _totals(moved, wanted)
    yield from _people(moved, wanted)
    yield from told(plan.problems[:_MOST])
    if door.app.config.site.review and any(not row.draft for row in coming):
        yield "Review is on: what is no draft waits for its reviewer (newsletter post list)."
    if coming and not wanted.go:
        yield f"Do it: {_again(where, wanted)} --go"


def _row(row: Row) -> Iterator[str]:
    path = str(row.path) if row.path else "–"
    state = f"  draft: {'; '.join(row.reasons)}" if row.draft else f"  {'; '.join(row.reasons)}" if row.reasons else ""
    yield f"  {path:<48}  {row.title}{state}"
    yield from (f"  {'':<48}    {what}" for what in row.told)


def _totals(moved: Moved, wanted: Wanted) -> Iterator[str]:
    plan = moved.plan
    drafts = sum(row.draft for row in plan.coming)
    if drafts:
        yield f"Drafts     {drafts:,}, each for the reason beside it; delete its line draft: true when it is mended"
    refused = Counter(reason for row in plan.rows if not row.path for reason in row.reasons)
    yield from (f"Left out   {count:,} × {reason}" for reason, count in refused.most_common())
    yield from (f"Not a post {count:,} × {reason}" for reason, count in plan.others.items())
    taken, left = sum(row.carried for row in plan.coming), sum(row.pictures for row in plan.coming)
    if taken:
        yield f"Pictures   {words.count(taken, 'picture')} {'came' if wanted.go else 'would come'} along"
    if left:
        more = "" if wanted.images else "; --images brings them along"
        yield f"Pictures   {words.count(left, 'picture')} {'stay' if left > 1 else 'stays'} at the old address{more}"
    if plan.redirects:
        yield f"Redirects  {words.count(len(plan.redirects), 'old address', 'old addresses')} → redirects.toml"
    for path in moved.elsewhere[:_MOST]:
        yield f"           {path} leads elsewhere already, and stays so"


def _people(moved: Moved, wanted: Wanted) -> Iterator[str]:
    strangers = moved.plan.strangers
    if not strangers:
        return
    instead = f"their posts go to {wanted.author.name}" if wanted.author else "or name one for all: --author KEY"
    yield f"Authors    not under [people]; add them to newsletter.toml, {instead}"
    for key, byline in strangers:
        yield f"           [people.{key}]"
        yield f"           name = {json.dumps(byline.name, ensure_ascii=False)}"


def _again(where: str, wanted: Wanted) -> str:
    parts = ["newsletter", "post", "import", where]
    parts += ["--images"] if wanted.images else []
    parts += ["--author", wanted.author.key] if wanted.author else []
    parts += ["--old-url", wanted.old_url] if wanted.old_url else []
    return shlex.join(parts)
