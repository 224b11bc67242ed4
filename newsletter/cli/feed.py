"""`feed list | check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, Group, command, stopwatch, told
from newsletter.errors import stops

if TYPE_CHECKING:
    from newsletter.publish.catalogue import Feed

_TABLE = {
    "list": ("newsletter.cli.feed:list_feeds", "all feeds with address, posts and newest date"),
    "check": ("newsletter.cli.feed:check", "read the published feeds as a strict reader does"),
}


@click.group("feed", cls=Group, table=_TABLE)
def feed() -> None:
    """Feeds: which there are, and whether they are right."""


@command("list")
def list_feeds(door: Door) -> None:
    """All feeds that a publish makes: everything, issues, topics, authors, stories.

    \b
    newsletter feed list
    newsletter feed list --json
    """
    feeds = door.app.feeds(door.now)
    lines = [_line(door, one) for one in feeds]
    door.answer(
        [_data(door, one) for one in feeds],
        f"{'posts':>6}  {'newest':<12}  address",
        *lines,
        "Each is also atom.xml and feed.json in the same place; feeds.opml lists all.",
    )


def _data(door: Door, one: Feed) -> dict[str, object]:
    site, folder = door.app.config.site, one.heading.folder
    names = {"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"}
    addresses = {key: site.address_of(f"{folder}{name}") for key, name in names.items()}
    return {"kind": one.kind, "title": one.heading.title, "items": one.count, "newest": one.newest, **addresses}


def _line(door: Door, one: Feed) -> str:
    site = door.app.config.site
    newest = words.short_date(one.newest.astimezone(site.timezone)) if one.newest else "–"
    return f"{one.count:>6,}  {newest:<12}  {site.address_of(f'{one.heading.folder}rss.xml')}"


@command("check")
def check(door: Door) -> int:
    """Read every published feed as a strict reader does, and say which rules it breaks. Changes nothing.

    \b
    newsletter feed check
    newsletter feed check --json
    """
    with stopwatch() as took:
        count, problems = door.app.check_feeds(door.now)
        wrong = stops(problems)
        data = {"documents": count, "problems": [p.as_json() for p in problems]}
        read = words.count(count, "feed document")
        if not problems:
            door.answer(data, f"ok   {read}: nothing to fix ({took()})" if count else "Nothing is published yet.")
            return 0
        total = f"{words.count(len(wrong), 'stop')}, {words.count(len(problems) - len(wrong), 'warning')}."
        door.answer(data, f"Checked {read} in {took()}", *told(problems), total)
    return 1 if wrong else 0
