"""`issue ready | unready | hold | skip | pause | resume | web-only | settle | retry | extra | start-from`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from newsletter import words
from newsletter.cli.door import Door, columns, command, told
from newsletter.cli.naming import asked as asked_for
from newsletter.cli.naming import named, press_of
from newsletter.errors import Problem, Refused
from newsletter.model import EDITIONS, WEEKLY, Delivery, DeliveryState, Issue, IssueAct, issue_name, issue_title
from newsletter.usecases import life
from newsletter.usecases.send import open_to, reached

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done.")
_reason = click.option("--reason", default="", help="Why; kept with the issue and in the log.")
_one = click.argument("number", metavar="N")
_one_or_next = click.argument("number", metavar="N|next")


def _when(door: Door, at: Any) -> str:
    return words.when(at, door.app.config.cadence.zone, door.now)


@command("ready")
@_one_or_next
@_dry_run
def ready(door: Door, number: str, dry_run: bool) -> None:
    """Freeze an issue: from now on edits change nothing in it. It goes out at its slot, unless a hand is faster.

    A held issue is let go as it was frozen.

    \b
    newsletter issue ready next
    newsletter issue ready 12 --dry-run
    """
    edition, wanted = asked_for(number)
    press = press_of(door, edition)
    asked = life.readiness(press, wanted)
    name = issue_name(edition, asked.number)
    if not dry_run:
        door.app.own()
    issue = None if dry_run else life.ready(press, asked, door.hand)
    goes = f"goes out {_when(door, asked.send_at)}" if asked.send_at else "waits for a hand"
    lines = [
        f"{'Would make issue' if dry_run else 'Issue'} {name} {'ready' if dry_run else 'is ready'}: {goes}",
        *(f"  {n}  {title}" for n, title in enumerate(asked.stories, 1)),
        *told(asked.draft.problems if asked.draft else ()),
    ]
    text = asked.draft.digest if asked.draft else press.ledger.digest(press.edition, asked.number)
    lines.append(f"Text       {text.digest_hash.removeprefix('sha256:')[:12]}")
    if not dry_run:
        lines.append(f"Next:  newsletter issue show {name}   newsletter issue unready {name} thaws it")
    data = {
        "number": issue.number if issue else asked.number,
        "slot": asked.slot.key,
        "send_at": asked.send_at,
        "stories": list(asked.stories),
        "text": text.digest_hash,
        "problems": [p.as_json() for p in asked.draft.problems] if asked.draft else [],
        "dry_run": dry_run,
    }
    door.answer(data, *lines)


@command("unready")
@_one
@_reason
@_dry_run
def unready(door: Door, number: str, reason: str, dry_run: bool) -> None:
    """Thaw an issue that is ready or held: it is a draft again, under its number, and takes edits in.

    \b
    newsletter issue unready 12 --reason "the lead has a new photograph"
    newsletter issue unready 12 --dry-run
    """
    one = open_to(door.app.ledger, *named(number), IssueAct.UNREADY)
    if not dry_run:
        life.unready(press_of(door, one.edition), one.number, reason=reason, hand=door.hand)
    verb = "Would thaw" if dry_run else "Thawed"
    stories = words.stories(len(one.stories))
    door.answer(
        {"number": one.number, "dry_run": dry_run},
        f"{verb} issue {one.name}: it is a draft, and its {stories} may change.",
        f"Freeze it again: newsletter issue ready {one.name}",
    )


@command("hold")
@_one_or_next
@_reason
@_dry_run
def hold(door: Door, number: str, reason: str, dry_run: bool) -> None:
    """Keep an issue from going out by itself. If `next` is not made yet, its slot is held.

    \b
    newsletter issue hold next --reason "letters come late"
    newsletter issue hold 12
    """
    edition, wanted = asked_for(number)
    press = press_of(door, edition)
    coming = life.coming(press)
    if dry_run:
        held = life.would(press, wanted, IssueAct.HOLD)
        door.answer({"number": held, "dry_run": True}, f"Would hold issue {issue_name(edition, held)}.")
        return
    held, slot = life.hold(press, wanted, reason=reason, hand=door.hand)
    undo = (
        f"newsletter schedule resume {slot.key}"
        if held == coming
        else f"newsletter issue ready {issue_name(edition, held)}"
    )
    door.answer(
        {"number": held, "slot": slot.key, "dry_run": False},
        f"{issue_title(edition, held)} is held: it does not go out {_when(door, slot.due)}.",
        f"Let it go: {undo}",
    )


@command("skip")
@_one_or_next
@_reason
@_dry_run
def skip(door: Door, number: str, reason: str, dry_run: bool) -> None:
    """Let the next slot, or a held issue, pass: its stories wait for the slot after it.

    \b
    newsletter issue skip next --reason "holiday"
    newsletter issue skip 12 --dry-run
    """
    edition, wanted = asked_for(number)
    press = press_of(door, edition)
    if dry_run:
        one = life.would(press, wanted, IssueAct.SKIP)
        door.answer({"number": one, "dry_run": True}, f"Would skip issue {issue_name(edition, one)}.")
        return
    one, slot = life.skip(press, wanted, reason=reason, hand=door.hand)
    after = None if press.cadence.singly else door.app.next_slot(door.now, edition)
    wait = f"Its stories wait for {_when(door, after.due)}." if after else "Its story is in no mail of this edition."
    door.answer(
        {"number": one, "slot": slot.key, "next": after.key if after else None, "dry_run": False},
        f"Slot {slot.key} is skipped. {wait}",
    )


@command("pause")
@_one
@_reason
@_dry_run
def pause(door: Door, number: str, reason: str, dry_run: bool) -> None:
    """Stop handing out an issue for now; who waits is kept.

    \b
    newsletter issue pause 12 --reason "a typo in the lead"
    newsletter issue pause 12 --dry-run
    """
    edition, wanted = named(number)
    ledger, name = door.app.ledger, issue_name(edition, wanted)

    def change() -> Issue:
        return life.pause(ledger, edition, wanted, reason=reason, hand=door.hand)

    counts = _changed(door, edition, wanted, IssueAct.PAUSE, dry_run, change)
    waiting = counts.get(DeliveryState.WAITING, 0) + counts.get(DeliveryState.CLAIMED, 0)
    door.answer(
        {"number": wanted, "have_it": reached(counts), "waiting": waiting, "dry_run": dry_run},
        f"{'Would pause' if dry_run else 'Paused'} issue {name}: {reached(counts):,} have it, {waiting:,} wait.",
        f"Go on: newsletter issue resume {name}   Stop for good: newsletter issue cancel {name}",
    )


@command("resume")
@_one
@_dry_run
def resume(door: Door, number: str, dry_run: bool) -> None:
    """Go on handing out a paused issue; nobody gets it twice.

    \b
    newsletter issue resume 12
    newsletter issue resume 12 --dry-run
    """
    edition, wanted = named(number)
    if not dry_run:
        door.app.own()

    def change() -> Issue:
        return life.resume(door.app.ledger, edition, wanted, hand=door.hand)

    counts = _changed(door, edition, wanted, IssueAct.RESUME, dry_run, change)
    waiting, name = counts.get(DeliveryState.WAITING, 0), issue_name(edition, wanted)
    door.answer(
        {"number": wanted, "waiting": waiting, "dry_run": dry_run},
        f"{'Would go' if dry_run else 'Issue'} {name} {'on' if dry_run else 'goes on'}: {waiting:,} still to go; "
        "nobody gets it twice.",
        "newsletter work hands it out; newsletter deliver does so now",
    )


def _changed(
    door: Door, edition: str, number: int, act: IssueAct, dry_run: bool, change: Callable[[], Issue]
) -> dict[DeliveryState, int]:
    """Do it, or see whether it may be done; the deliveries of the issue then."""
    if dry_run:
        open_to(door.app.ledger, edition, number, act)
    else:
        change()
    return dict(door.app.ledger.counts(edition, number))


@command("web-only")
@_one
@_reason
@_dry_run
def web_only(door: Door, number: str, reason: str, dry_run: bool) -> None:
    """Publish an issue on the web and in feeds, and mail it to nobody (who has it not already).

    \b
    newsletter issue web-only 12 --reason "a special for the archive"
    newsletter issue web-only 12 --dry-run
    """
    ledger, (edition, wanted) = door.app.ledger, named(number)
    if dry_run:
        one = life.may_be_web_only(ledger, edition, wanted)
    else:
        one = life.web_only(ledger, edition, wanted, reason=reason, hand=door.hand)
    door.answer(
        {"number": wanted, "dry_run": dry_run},
        f"{one.title} {'would be' if dry_run else 'is'} on the web only: newsletter publish shows it at",
        f"  {door.app.config.site.address_of(one.page)}",
    )


# --- what is in doubt ------------------------------------------------------------------------------

_RISKS = {
    DeliveryState.UNCERTAIN: "again: it may arrive twice.  leave: it may never arrive.",
    DeliveryState.FAILED: "again: the server may refuse it again.  leave: it does not arrive.",
}


@command("settle")
@_one
@click.option("--leave-all", is_flag=True, help="For scripts: leave each as it is.")
@click.option("--again-all", is_flag=True, help="For scripts: send each again.")
@_dry_run
def settle(door: Door, number: str, leave_all: bool, again_all: bool, dry_run: bool) -> None:
    """Decide what becomes of doubtful deliveries: leave them (the default), or send them again, one by one or all.

    \b
    newsletter issue settle 12
    newsletter issue settle 12 --leave-all
    """
    ledger = door.app.ledger
    one = open_to(ledger, *named(number), IssueAct.SETTLE)
    doubtful = ledger.doubtful(one.edition, one.number)
    rows = columns([(f"  {d.address}", d.state.value, _reply(d)) for d in doubtful])
    if not doubtful or dry_run:
        would = f"Would ask about {words.count(len(doubtful), 'delivery', 'deliveries')}:" if doubtful else ""
        data = {"number": one.number, "doubtful": [d.address for d in doubtful], "dry_run": dry_run}
        door.answer(data, would or f"No delivery of issue {one.name} is in doubt.", *rows)
        return
    if leave_all == again_all:
        again, left = _one_by_one(door, one, doubtful, both=leave_all)
    else:
        everybody = [d.subscriber_id for d in doubtful]
        again, left = (everybody, []) if again_all else ([], everybody)
    if again:
        door.app.own()
    for readers, goes in ((left, False), (again, True)):
        if readers:
            life.settle(ledger, one.edition, one.number, readers, again=goes, hand=door.hand)
    _settled(door, one, len(left), len(again))


def _reply(delivery: Delivery) -> str:
    words_of_it = " ".join(str(part) for part in (delivery.code, delivery.reply) if part)
    return words_of_it or "the connection was lost after the text"


def _one_by_one(door: Door, one: Issue, doubtful: Sequence[Delivery], *, both: bool) -> tuple[list[int], list[int]]:
    """Ask about each; who goes again, and who is left. Raises Refused (S319) where nobody can be asked."""
    if both or door.no_input or not sys.stdin.isatty():
        raise Refused(_needs_an_answer(one.name))
    again: list[int] = []
    left: list[int] = []
    for n, delivery in enumerate(doubtful, 1):
        door.echo(f"{n} of {len(doubtful)}  {delivery.address}  {delivery.state.value}: {_reply(delivery)}", err=True)
        door.echo(f"  {_RISKS[delivery.state]}", err=True)
        answer = click.prompt("  leave, again, rest (leave all others)", default="leave", err=True).strip().lower()
        if answer in {"rest", "r"}:
            return again, [*left, *(d.subscriber_id for d in doubtful[n - 1 :])]
        (again if answer in {"again", "a"} else left).append(delivery.subscriber_id)
    return again, left


def _needs_an_answer(name: str) -> Problem:
    return Problem(
        "S319",
        f"Settling issue {name} needs a terminal, or one of --leave-all and --again-all. Nothing was changed.",
        why="Sent again, a mail may arrive twice; left, it may never arrive.",
        fixes=(f"newsletter issue settle {name} --leave-all", f"newsletter issue settle {name} --again-all"),
    )


def _settled(door: Door, one: Issue, left: int, again: int) -> None:
    after = door.app.ledger.issue(one.edition, one.number)
    state = after.state.value if after else ""
    lines = [f"Settled issue {one.name}: {left:,} left, {again:,} again. It is {state}."]
    if again:
        lines.append("newsletter work hands them out; newsletter deliver does so now")
    door.answer({"number": one.number, "left": left, "again": again, "state": state, "dry_run": False}, *lines)


@command("retry")
@_one
@_dry_run
def retry(door: Door, number: str, dry_run: bool) -> None:
    """Try those deliveries once more that failed in a way that may pass; a server's "never" stays.

    \b
    newsletter issue retry 12
    newsletter issue retry 12 --dry-run
    """
    ledger = door.app.ledger
    one = open_to(ledger, *named(number), IssueAct.RETRY)
    failed = ledger.deliveries(one.edition, one.number, DeliveryState.FAILED)
    passing = sum(1 for d in ledger.doubtful(one.edition, one.number) if d.state is DeliveryState.FAILED)
    if not dry_run:
        door.app.own()
        passing = life.retry(ledger, one.edition, one.number, hand=door.hand)
    never = len(failed) - passing
    door.answer(
        {"number": one.number, "again": passing, "never": never, "dry_run": dry_run},
        f"{'Would try' if dry_run else 'Trying'} {words.count(passing, 'delivery', 'deliveries')} of issue "
        f"{one.name} once more" + (f"; {never:,} were refused for good, or are settled." if never else "."),
        *(["newsletter work hands them out; newsletter deliver does so now"] if passing and not dry_run else []),
    )


# --- outside of the rhythm -------------------------------------------------------------------------


@command("extra")
@click.argument("slugs", metavar="SLUG", nargs=-1, required=True)
@_dry_run
def extra(door: Door, slugs: tuple[str, ...], dry_run: bool) -> None:
    """Make an issue of these posts outside of the rhythm. It waits for a hand; the slots are left alone.

    \b
    newsletter issue extra recall-watch
    newsletter issue extra recall-watch letters --dry-run
    """
    from newsletter.usecases import extra as extras

    press = press_of(door, WEEKLY)
    draft = extras.extra_draft(press, slugs)
    number = draft.number if dry_run else extras.make_extra(press, draft, door.hand).number
    door.answer(
        {
            "number": number,
            "stories": [post.slug for post in draft.posts],
            "subject": draft.digest.subject,
            "problems": [p.as_json() for p in draft.problems],
            "dry_run": dry_run,
        },
        f"{'Would make' if dry_run else 'Made'} issue {number}, outside of the rhythm:",
        *(f"  {n}  {post.title}" for n, post in enumerate(draft.posts, 1)),
        f"  Subject    {draft.digest.subject}",
        *told(draft.problems),
        *([] if dry_run else [f"Send it: newsletter issue send {number}"]),
    )


@command("start-from")
@click.argument("slug")
@click.option("--edition", type=click.Choice(EDITIONS), default=WEEKLY, show_default=True, help="Of which edition.")
@_dry_run
def start_from(door: Door, slug: str, edition: str, dry_run: bool) -> None:
    """Take posts from this one on into issues; older ones count as carried. For a blog that was there before.

    \b
    newsletter issue start-from petrol-hatch --dry-run
    newsletter issue start-from hybrid-hatch --dry-run
    """
    from newsletter.usecases import extra as extras

    posts = extras.start_from(press_of(door, edition), slug, door.hand, dry_run=dry_run)
    door.answer(
        {"from": slug, "edition": edition, "stories": [post.slug for post in posts], "dry_run": dry_run},
        f"Posts from {slug} on {'would belong' if dry_run else 'belong'} to issues; the next one takes",
        *(f"  {n}  {post.title}" for n, post in enumerate(posts, 1)),
        *([] if posts else ["  none: all of them have been in an issue, or wait for approval"]),
    )
