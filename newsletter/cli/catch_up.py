"""`reader catch-up`: bring a reader what they were not sent."""

from __future__ import annotations

import click

from newsletter import words
from newsletter.cli.door import Door, command
from newsletter.cli.reader import reader_data
from newsletter.model import LogEntry


@command("catch-up")
@click.argument("address")
@click.option("--dry-run", is_flag=True, help="Name the stories, and send nothing.")
def catch_up(door: Door, address: str, dry_run: bool) -> None:
    """Send a reader, once, the stories that they were not sent and that will not come by themselves.

    Those that went out while they paused, or before they changed to their edition; and for whoever joined in the middle
    of a story its earlier parts. It is what the button on their own page does.

    \b
    newsletter reader catch-up ada@readers.example --dry-run
    newsletter reader catch-up ada@readers.example
    """
    from newsletter.usecases import readers
    from newsletter.usecases.catch_up import Answer

    app = door.app
    reader = readers.known(app.roster, address)
    readers.gets_mail(reader)
    posts = app.catch_up.missing(reader, door.now)
    answer = None if dry_run else app.catch_up.send(reader, door.now)
    if answer is Answer.ASKED:
        what = f"{len(posts)} stories" if len(posts) != 1 else "1 story"
        app.ledger.log(LogEntry(door.now, door.who, "cli", "catch-up", f"reader {reader.id}", "", what))
    data = {"stories": [post.slug for post in posts], "answer": answer, "dry_run": dry_run}
    lines = [f"  {words.short_date(post.published)}  {post.title}" for post in posts]
    door.answer(reader_data(reader) | data, _told(reader.address, len(posts), answer), *lines)


def _told(address: str, count: int, answer: str | None) -> str:
    if answer == "on-its-way":
        return f"A catch-up for {address} is on its way, or came within a day. Nothing more was sent."
    if not count:
        return f"{address} misses nothing that could be brought."
    verb = "Would bring" if answer is None else "On its way to"
    return f"{verb} {address}, in one letter: {words.stories(count)}"
