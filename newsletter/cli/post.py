"""`post list | approve`; `post import` has a module of its own."""

from __future__ import annotations

import click

from newsletter import words
from newsletter.cli.door import Door, Group, columns, command
from newsletter.errors import Problem, UsageError
from newsletter.model import Library, Person, Post

_TABLE = {
    "list": ("newsletter.cli.post:list_posts", "all posts with their state"),
    "import": ("newsletter.cli.importing:import_posts", "bring in posts of another program"),
    "approve": ("newsletter.cli.post:approve", "sign off the present text of a post"),
}


@click.group("post", cls=Group, table=_TABLE)
def post() -> None:
    """Posts: what state they are in, and their review."""


def state_of(one: Post, library: Library) -> str:
    """Draft, In review, Approved, Published, or Changed since approval."""
    if one.draft:
        return "Draft"
    public = library.find(one.id) is not None
    if one.id in library.approved:
        return "Published" if public else "Approved"
    return "Changed since approval" if public else "In review"


@command("list")
def list_posts(door: Door) -> None:
    """All posts, newest first.

    \b
    newsletter post list
    newsletter post list --json
    """
    loaded = door.app.loaded(door.now)
    rows = [(one, state_of(one, loaded.library)) for one in loaded.posts]
    data = [
        {"slug": p.slug, "title": p.title, "date": p.published, "state": s, "hash": p.content_hash} for p, s in rows
    ]
    zone = door.app.config.site.timezone
    lines = columns([(words.short_date(p.published.astimezone(zone)), s, p.slug, p.title) for p, s in rows])
    door.answer(data, *(lines or ['No post yet. newsletter new "Title"']))


@command("approve")
@click.argument("slug")
@click.option(
    "--hash", "wanted", default=None, metavar="HASH", help="For scripts: only if the text still has this hash."
)
@click.option("--dry-run", is_flag=True, help="Say whether you may.")
def approve(door: Door, slug: str, wanted: str | None, dry_run: bool) -> None:
    """Sign off a post as its reviewer. Bound to this exact text: any edit voids it.

    \b
    newsletter post approve hybrid-hatch --as review-desk
    """
    from newsletter.errors import Refused, stops
    from newsletter.usecases import review

    app = door.app
    person = _reviewer(door)
    loaded = app.loaded(door.now)
    one = review.post_named(loaded, slug)
    if wrong := [p for p in stops(loaded.problems) if p.file == str(one.path)]:
        raise Refused(wrong)
    if dry_run:
        if refusal := review.may_approve(one, person, app.config.site, wanted):
            raise Refused(refusal)
        new = not review.approved(one, app.reviews)
    else:
        made = review.approve(
            post=one,
            person=person,
            site=app.config.site,
            reviews=app.reviews,
            ledger=app.ledger,
            now=door.now,
            wanted=wanted,
        )
        new = made is not None
    verb, short = "Would approve" if dry_run else "Approved", one.content_hash.removeprefix("sha256:")[:8]
    door.answer(
        {"slug": slug, "hash": one.content_hash, "by": person.key, "new": new, "dry_run": dry_run},
        f"{verb} {slug} ({short}…) as {person.name}." if new else f"{slug} was approved before, in this very text.",
    )


def _reviewer(door: Door) -> Person:
    """The person who acts; an approval is always somebody's. Raises UsageError (C210, C211)."""
    if door.person:
        return door.app.person(door.person)
    known = ", ".join(door.app.config.site.people) or "nobody yet: add [people.KEY]"
    raise UsageError(
        Problem(
            "C211",
            "Say who you are",
            why=f"Under [people] there are: {known}.",
            fixes=("--as KEY", "NEWSLETTER_AS=KEY"),
        )
    )
