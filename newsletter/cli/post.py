"""`post list | show | review | approve | ask | return | withdraw | correct`; `post import` has a module of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, Group, columns, command, told
from newsletter.errors import NewsletterError, Problem, Refused, UsageError
from newsletter.model import Person, Post, ReviewAct

if TYPE_CHECKING:
    from newsletter.content.library import Loaded
    from newsletter.usecases.correct import Reach
    from newsletter.usecases.review import Case, Standing

_TABLE = {
    "list": ("newsletter.cli.post:list_posts", "all posts with their state"),
    "show": ("newsletter.cli.post:show", "one post: where it stands, and its history"),
    "import": ("newsletter.cli.importing:import_posts", "bring in posts of another program"),
    "review": ("newsletter.cli.post:ask_for_review", "ask for a review"),
    "approve": ("newsletter.cli.post:approve", "sign off the present text of a post"),
    "ask": ("newsletter.cli.post:ask_changes", "ask the author for changes"),
    "return": ("newsletter.cli.post:give_back", "make it a draft again"),
    "withdraw": ("newsletter.cli.post:withdraw", "take a published post back"),
    "correct": ("newsletter.cli.post:correct", "say what was wrong in a published post"),
}


_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done.")


@click.group("post", cls=Group, table=_TABLE)
def post() -> None:
    """Posts: what state they are in, and their review."""


@command("list")
def list_posts(door: Door) -> None:
    """All posts, newest first.

    \b
    newsletter post list
    newsletter post list --json
    """
    from newsletter.usecases.review import state_of

    app = door.app
    loaded = app.loaded(door.now)
    steps = app.versions.steps if app.has_state else lambda _post_id: ()
    rows = [(one, state_of(one, loaded.library, steps(one.id))) for one in loaded.posts]
    data = [
        {"slug": p.slug, "title": p.title, "date": p.published, "state": s, "hash": p.content_hash} for p, s in rows
    ]
    zone = app.config.site.timezone
    lines = columns([(words.short_date(p.published.astimezone(zone)), s, p.slug, p.title) for p, s in rows])
    door.answer(data, *(lines or ['No post yet. newsletter new "Title"']))


@command("show")
@click.argument("slug")
@click.option("--diff", is_flag=True, help="The lines that changed since the last approval.")
def show(door: Door, slug: str, diff: bool) -> None:
    """Where a post stands: its people, its links, its versions, and how far it went.

    \b
    newsletter post show hybrid-hatch
    newsletter post show recall-watch --diff
    """
    from newsletter.usecases import correct, review

    app = door.app
    loaded = app.loaded(door.now)
    one = review.post_named(loaded, slug)
    versions = app.versions if app.has_state else None
    standing = review.standing(one, app.source_of(one).text, loaded.library, app.reviews, versions)
    reach = correct.reach(one, loaded.library, app.ledger if app.has_state else None)
    data = {
        "slug": slug,
        "title": one.title,
        "state": standing.state,
        "author": one.author.key,
        "reviewer": one.reviewer.key if one.reviewer else None,
        "hash": one.content_hash,
        "version": standing.present.number if standing.present else None,
        "changed": list(standing.changed),
        "history": [
            {"at": s.at, "who": s.who, "act": s.act.value, "version": s.version, "note": s.note} for s in standing.steps
        ],
        **_reach_data(reach),
    }
    if diff:
        door.answer(data, *(standing.changed or ["No line changed since the last approval."]))
        return
    frozen = [problem for problem in app.stale(loaded.library) if problem.file == str(one.path)]
    data["problems"] = [problem.as_json() for problem in frozen]
    door.answer(data, *_show_lines(door, one, standing, reach), *told(frozen))


def _show_lines(door: Door, one: Post, standing: Standing, reach: Reach) -> list[str]:
    zone = door.app.config.site.timezone
    by = f"by {one.author.name}" + (f", reviewed by {one.reviewer.name}" if one.reviewer else "")
    version = f" · v{standing.present.number}" if standing.present else ""
    lines = [one.title, f"  {standing.state}{version} · {by} · {words.short_date(one.published.astimezone(zone))}"]
    lines += [f"  {one.path} · {words.count(one.words, 'word')} · {one.minutes} min"]
    for step in standing.steps:
        act = _ACTS[step.act].format(who=step.who, note=step.note)
        lines.append(f"  {words.when(step.at, zone)}  v{step.version} {act}")
    if standing.changed and standing.signed:
        lines += [f"Changed since v{standing.signed.number}, which was approved:"]
        lines += [f"  {line}" for line in standing.changed]
    return lines + _reach_lines(reach)


_ACTS = {
    ReviewAct.ASKED: "{who} asked {note} for a review",
    ReviewAct.CHANGES: "{who} asked for changes: {note}",
    ReviewAct.RETURNED: "{who} made it a draft again",
    ReviewAct.APPROVED: "{who} approved it",
}


def _reach_data(reach: Reach) -> dict[str, object]:
    return {
        "linked_by": [other.slug for other in reach.linking],
        "issues": [issue.number for issue in reach.issues],
        "readers": reach.readers,
    }


def _reach_lines(reach: Reach) -> list[str]:
    lines = []
    if reach.issues:
        numbers = ", ".join(str(issue.number) for issue in reach.issues)
        lines.append(f"Mailed in issue {numbers}, to {words.count(reach.readers, 'reader')}")
    if reach.linking:
        lines.append(f"Linked by {', '.join(other.slug for other in reach.linking)}")
    return lines


@command("review")
@click.argument("slug")
@click.option("--from", "reviewer", default="", metavar="KEY", help="Of whom; it must be the post's reviewer.")
@_dry_run
def ask_for_review(door: Door, slug: str, reviewer: str, dry_run: bool) -> None:
    """Ask for a review of the present text. A draft becomes ready for it.

    \b
    newsletter post review hybrid-hatch --as writer
    newsletter post review hybrid-hatch --from review-desk
    """
    from newsletter.usecases import review

    case, _ = _case(door, slug)
    if reviewer:
        door.app.person(reviewer)
    named = case.post.reviewer.name if case.post.reviewer else ""
    if dry_run:
        _would(door, case, review.may_ask(case, reviewer), f"Would ask {named} to review {slug}.")
        return
    version = review.ask(case, reviewer)
    door.answer(
        {"slug": slug, "version": version.number, "hash": version.content_hash},
        f"Asked {named} to review {slug} v{version.number}.",
        f"Next: newsletter post approve {slug} --as {case.post.reviewer.key if case.post.reviewer else 'REVIEWER'}",
    )


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
    newsletter post approve recall-watch --hash 6af6cde5 --as review-desk
    """
    from newsletter.usecases import review

    case, loaded = _case(door, slug)
    one, person = case.post, case.person
    if refusal := review.may_approve(one, person, door.app.config.site, wanted):
        raise Refused(refusal)
    standing = review.standing(one, case.text, loaded.library, case.reviews, case.versions)
    if standing.changed and standing.signed:
        door.say(f"Changed since v{standing.signed.number}, which was approved:", *(f"  {c}" for c in standing.changed))
        if not dry_run and not wanted and _may_ask(door) and not click.confirm("Approve this version?", err=True):
            raise click.Abort
    new = not review.approved(one, case.reviews) if dry_run else review.approve(case, wanted) is not None
    verb, short = "Would approve" if dry_run else "Approved", one.content_hash.removeprefix("sha256:")[:8]
    door.answer(
        {"slug": slug, "hash": one.content_hash, "by": person.key, "new": new, "dry_run": dry_run},
        f"{verb} {slug} ({short}…) as {person.name}." if new else f"{slug} was approved before, in this very text.",
        *([] if dry_run else _comes_in(door, slug)),
    )


def _comes_in(door: Door, slug: str) -> Iterator[str]:
    """What the approval means for the issue that is made next; nothing while no issue could be made at all."""
    from newsletter.usecases.choose import choose, place
    from newsletter.usecases.prepare import next_number

    with suppress(NewsletterError):  # the approval stands, whatever is wrong elsewhere
        press = door.app.press(door.app.library(door.now), door.now)
        chosen = choose(press)
        number, slot = next_number(press.ledger.issues(press.edition)), place(press).slot
        if any(choice.post.slug == slug for choice in chosen.stories):
            yield f"It will be in issue {number}, {words.when(slot.due, press.cadence.zone, door.now)}."
        yield from (f"It is not in issue {number}: {c.reason}." for c in chosen.left if c.post.slug == slug)


def _would(door: Door, case: Case, refusal: Problem | None, said: str) -> None:
    """What a step would do, or why it would be refused."""
    if refusal:
        raise Refused(refusal)
    door.answer({"slug": case.post.slug, "hash": case.post.content_hash, "dry_run": True}, said)


def _may_ask(door: Door) -> bool:
    return sys.stdin.isatty() and not (door.no_input or door.json)


@command("ask")
@click.argument("slug")
@click.argument("text")
@_dry_run
def ask_changes(door: Door, slug: str, text: str, dry_run: bool) -> None:
    """Ask the author for changes, as the reviewer. The words stand in the post's history.

    \b
    newsletter post ask hybrid-hatch "Which battery was in the car you drove?" --as review-desk
    newsletter post ask recall-watch "Four models, or three?" --dry-run --as review-desk
    """
    from newsletter.usecases import review

    case, _ = _case(door, slug)
    if dry_run:
        refusal = review.may_approve(case.post, case.person, case.site, None)
        _would(door, case, refusal, f"Would ask {case.post.author.name} for changes to {slug}.")
        return
    version = review.ask_changes(case, text)
    door.answer(
        {"slug": slug, "version": version.number, "note": text},
        f"Asked {case.post.author.name} for changes to {slug} v{version.number}.",
        f"Next: newsletter post review {slug} --as {case.post.author.key}",
    )


@command("return")
@click.argument("slug")
@_dry_run
def give_back(door: Door, slug: str, dry_run: bool) -> None:
    """Make a post that waits for review a draft again.

    \b
    newsletter post return hybrid-hatch --as writer
    newsletter post return recall-watch --dry-run --as writer
    """
    from newsletter.usecases import review

    case, loaded = _case(door, slug)
    if dry_run:
        _would(door, case, review.may_give_back(case.post, loaded.library), f"Would make {slug} a draft again.")
        return
    review.give_back(case, loaded.library)
    door.answer({"slug": slug, "state": "Draft"}, f"{slug} is a draft again.")


@command("withdraw")
@click.argument("slug")
@click.argument("why")
@click.option("--dry-run", is_flag=True, help="Say how far it went, and change nothing.")
def withdraw(door: Door, slug: str, why: str, dry_run: bool) -> None:
    """Take a published post back. Its address stays and says so, and why.

    \b
    newsletter post withdraw hybrid-hatch "The figures were of another model." --as editor
    newsletter post withdraw recall-watch "It was not our story." --dry-run --as editor
    """
    from newsletter.usecases import correct as corrections

    case, loaded = _case(door, slug)
    reach = corrections.reach(case.post, loaded.library, case.ledger)
    if not dry_run:
        corrections.withdraw(case, loaded.library, why)
    data = {"slug": slug, "why": why, "dry_run": dry_run, **_reach_data(reach)}
    end = [] if dry_run else ["Next: newsletter publish"]
    said = [*_reach_lines(reach), *_not_yet_mailed(door, case.post), *end]
    door.answer(data, f"{'Would withdraw' if dry_run else 'Withdrew'} {slug}.", *said)


def _not_yet_mailed(door: Door, post: Post) -> list[str]:
    """What a withdrawal does to an issue that has the post frozen in it."""
    from newsletter.usecases.stale import FROZEN

    issues = (one for one in door.app.issues(None) if one.state in FROZEN)
    return [
        f"{one.title} is {one.state.value} with it, and does not go out like that: "
        f"newsletter issue unready {one.name} thaws it, to freeze it without"
        for one in issues
        if any(story.post_id == post.id for story in one.stories)
    ]


@command("correct")
@click.argument("slug")
@click.argument("text")
@click.option("--dry-run", is_flag=True, help="Say how far the error went, and change nothing.")
def correct(door: Door, slug: str, text: str, dry_run: bool) -> None:
    """Say what was wrong in a published post: dated, on its page and on those that link to it.

    Mend the text itself with your editor, before or after.

    \b
    newsletter post correct hybrid-hatch "The range is 512 km, not 612." --as editor
    newsletter post correct hybrid-hatch "The range is 512 km, not 612." --dry-run
    """
    from newsletter.usecases import correct as corrections

    case, loaded = _case(door, slug)
    reach = corrections.reach(case.post, loaded.library, case.ledger)
    if not dry_run:
        corrections.correct(case, loaded.library, text)
    data = {"slug": slug, "text": text, "dry_run": dry_run, **_reach_data(reach)}
    verb = "Would correct" if dry_run else "Corrected"
    told = ["The first issue after the corrected text is approved tells those readers."] if reach.readers else []
    door.answer(data, f"{verb} {slug}.", *_reach_lines(reach), *told, *([] if dry_run else _next(case)))


def _next(case: Case) -> list[str]:
    reviewer = case.post.reviewer
    first = f"newsletter post approve {case.post.slug} --as {reviewer.key}" if case.site.review and reviewer else ""
    return [f"Next: {first or 'newsletter publish'}"]


def _case(door: Door, slug: str) -> tuple[Case, Loaded]:
    """The post, sound, before the person who acts. Raises UsageError, Refused."""
    from newsletter.usecases.review import Case, sound_post

    app, person = door.app, _person(door)
    loaded = app.loaded(door.now)
    one = sound_post(loaded, slug)
    case = Case(
        post=one,
        source=app.source_of(one),
        person=person,
        site=app.config.site,
        reviews=app.reviews,
        versions=app.versions,
        sources=app.sources,
        ledger=app.ledger,
        now=door.now,
    )
    return case, loaded


def _person(door: Door) -> Person:
    """The person who acts; what is done is always somebody's. Raises UsageError (C210, C211)."""
    if door.person:
        return door.app.person(door.person)
    people = door.app.config.site.people
    if len(people) == 1 and not door.app.config.site.review:
        return next(iter(people.values()))  # a site of one person
    raise UsageError(
        Problem(
            "C211",
            "Say who you are",
            why=f"Under [people] there are: {', '.join(people) or 'nobody yet: add [people.KEY]'}.",
            fixes=("--as KEY", "NEWSLETTER_AS=KEY"),
        )
    )
