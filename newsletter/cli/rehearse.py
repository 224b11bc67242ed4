"""`issue rehearse`: the whole send into a sink."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from newsletter import variants, words
from newsletter.cli.door import Door, command, told
from newsletter.cli.limits import spread_data, spread_lines, spread_of
from newsletter.cli.proofs import text_named, variant_rows
from newsletter.model import issue_name

if TYPE_CHECKING:
    from newsletter.usecases.rehearse import Rehearsal


@command("rehearse")
@click.argument("number", metavar="N|next")
@click.option("--dry-run", is_flag=True, help="The same: a rehearsal changes nothing.")
def rehearse(door: Door, number: str, dry_run: bool) -> None:  # noqa: ARG001
    """Compose every reader's message as the send would, and hand over none: counts, sizes, who gets nothing and why.

    \b
    newsletter issue rehearse next
    newsletter issue rehearse 47 --json
    """
    from newsletter.usecases.rehearse import rehearse as run

    app, text = door.app, text_named(door, number)
    began = time.perf_counter()
    done = run(text, ledger=app.ledger, roster=app.roster, write=app.write(text, door.now))
    spent = time.perf_counter() - began
    lines = [*_rehearsed(door, done, spent), *told(text.problems)]
    goes = spread_data(spread_of(door, len(done.sizes), door.now, text.issue.edition))
    door.answer(_data(done) | goes | {"problems": [problem.as_json() for problem in text.problems]}, *lines)


def _rehearsed(door: Door, done: Rehearsal, spent: float) -> list[str]:
    from newsletter.usecases.rehearse import spread

    count, text = len(done.sizes), done.text
    sizes = "  ".join(f"{name} {octets / 1000:.1f} kB" for name, octets in zip(_SIZES, spread(done.sizes), strict=True))
    state = "frozen" if text.frozen else "as it would be made now"
    lines = [
        f"Rehearsed issue {text.issue.name}, {state}: {words.count(count, 'message')} composed, none handed over.",
        f"Subject    {text.digest.subject}",
        f"Readers    {count:,}",
        *(variant_rows(done.variants) if len(done.variants) > 1 else ()),
        f"Size       {sizes}",
        f"Duration   {_duration(done)}; composing took {spent:.1f} s",
        *_spread(door, done),
        *_skipped(door, done),
    ]
    return [*lines, *_difference(done)]


def _spread(door: Door, done: Rehearsal) -> list[str]:
    """Over which days it would go, and to whom first, where the site has limits."""
    goes = spread_of(door, len(done.sizes), door.now, done.text.issue.edition)
    lines = spread_lines(goes, door.app.config.mail.limits.day(door.now))
    return [f"{line[:9]}  {line[9:]}" for line in lines if not line.startswith("Takes")]


_SIZES = ("smallest", "median", "largest")


def _duration(done: Rehearsal) -> str:
    if done.before is None or done.duration is None or done.before.pace is None:
        return "unknown: too little has gone out to say how fast the mail server takes it"
    name = issue_name(done.text.issue.edition, done.before.number)
    return f"about {words.span(done.duration)}, at the {done.before.pace:.1f} a second of issue {name}"


def _skipped(door: Door, done: Rehearsal) -> list[str]:
    """How many readers get nothing, by reason; who they are with -v."""
    reasons = list(dict.fromkeys(one.reason for one in done.skipped))
    counted = [(sum(one.reason == reason for one in done.skipped), variants.why(reason)) for reason in reasons]
    lines = [f"Not to     {', '.join(f'{count:,} {reason}' for count, reason in counted)}"] if counted else []
    return lines + ([f"  {one.address}   {variants.why(one.reason)}" for one in done.skipped] if door.verbose else [])


def _difference(done: Rehearsal) -> list[str]:
    from newsletter.issues import budget

    before, text = done.before, done.text
    if before is None:
        return []
    stories = len(text.issue.stories) - before.stories
    octets = budget.size(text.digest) - before.octets
    readers = len(done.sizes) - before.readers
    told = f"stories {stories:+}  HTML {octets / 1000:+.1f} kB  readers {readers:+,}"
    return [f"Change     {told}   (beside issue {issue_name(text.issue.edition, before.number)})"]


def _data(done: Rehearsal) -> dict[str, object]:
    from newsletter.usecases.rehearse import spread

    before = done.before
    return {
        "number": done.text.issue.number,
        "digest_hash": done.text.digest.digest_hash,
        "readers": len(done.sizes),
        "bytes": dict(zip(_SIZES, spread(done.sizes), strict=True)),
        "variants": [{"segments": list(keys), "readers": count} for keys, count in done.variants.items()],
        "skipped": [{"address": one.address, "reason": one.reason} for one in done.skipped],
        "seconds": done.duration.total_seconds() if done.duration else None,
        "before": {"number": before.number, "stories": before.stories, "html_bytes": before.octets}
        | {"readers": before.readers}
        if before
        else None,
    }
