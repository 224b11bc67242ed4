"""`explain`: why a reader did or did not get an issue, why a post is in which, what became of a slot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice
from typing import TYPE_CHECKING

import click

from newsletter import replies, variants, words
from newsletter.cli.door import Door, command
from newsletter.cli.naming import named
from newsletter.errors import Problem, UsageError, nearest
from newsletter.issues.cadence import edition_of
from newsletter.model import WEEKLY, Attempt, DeliveryState, Issue, Subscriber, SubscriberStatus, issue_name

if TYPE_CHECKING:
    from newsletter.ports import Ledger
    from newsletter.usecases.correct import Reach
    from newsletter.usecases.explain import PostTold, SlotTold
    from newsletter.usecases.report import Explanation

_SLOT = re.compile(r"\d{4}-[WM]\d{1,2}", re.ASCII)
_LAST = 5


@command("explain")
@click.argument("what", metavar="ADDRESS|POST|SLOT")
@click.argument("number", metavar="[ISSUE]", required=False)
def explain(door: Door, what: str, number: str | None) -> None:
    """Why: a reader and an issue, with the mail server's own words; a post and the issues; a slot.

    \b
    newsletter explain reader@example.org 46
    newsletter explain hybrid-hatch
    newsletter explain 2026-W48
    """
    if number is not None or "@" in what:
        _explain_reader(door, what, number)
    elif _SLOT.fullmatch(what):
        _explain_slot(door, what)
    else:
        _explain_post(door, what)


# --- readers ---------------------------------------------------------------------------------------


def _explain_reader(door: Door, address: str, number: str | None) -> None:
    from newsletter.usecases import readers, report

    app = door.app
    reader = readers.known(app.roster, address)
    if number is not None:
        edition, n = named(number)
        told = report.explain(ledger=app.ledger, roster=app.roster, reader=reader, edition=edition, number=n)
        door.answer(_reader_data(told), *_reader_lines(door, told))
        return
    last = _last_of(app.ledger, reader)
    all_told = [
        report.explain(ledger=app.ledger, roster=app.roster, reader=reader, edition=one.edition, number=one.number)
        for one in last
    ]
    zone = door.app.config.cadence.zone
    left = f" {words.when(reader.left_at, zone)}" if reader.left_at else ""
    lines = [f"{reader.address}: {reader.status.value}{left}, joined {words.when(reader.joined_at, zone)}"]
    width = max((len(one.name) for one in last), default=0) + 2
    lines += [f"  issue {told.issue.name:<{width}} {_outcome(told)}" for told in reversed(all_told)]
    lines.append(
        f"More of one: newsletter explain {reader.address} {last[-1].name}" if last else "  No issue was made yet."
    )
    data = {"address": reader.address, "status": reader.status.value, "issues": [_reader_data(t) for t in all_told]}
    door.answer(data, *lines)


def _last_of(ledger: Ledger, reader: Subscriber) -> list[Issue]:
    """The newest issues that the reader was sent, or that their edition made."""
    newest = sorted(ledger.issues(), key=lambda one: (one.slot.due, one.number), reverse=True)
    theirs = (
        one
        for one in newest
        if one.edition == reader.edition or ledger.delivery(one.edition, one.number, reader.id) is not None
    )
    return [*islice(theirs, _LAST)][::-1]


def _outcome(told: Explanation) -> str:
    if told.delivery is None:
        return f"not in the audience: {_why_not(told)}"
    reason = variants.why(told.delivery.reason) or told.delivery.reply
    return f"{told.delivery.state.value}{f' ({reason})' if reason else ''}"


def _reader_data(told: Explanation) -> dict[str, object]:
    delivery = told.delivery
    return {
        "address": told.reader.address,
        "status": told.reader.status.value,
        "issue": told.issue.number,
        "edition": told.issue.edition,
        "issue_state": told.issue.state.value,
        "state": delivery.state.value if delivery else None,
        "reason": delivery.reason if delivery else _why_not(told),
        "attempts": [_attempt_data(attempt) for attempt in told.attempts],
        "copies": [_attempt_data(copy) for copy in told.copies],
    }


def _attempt_data(one: Attempt) -> dict[str, object]:
    enhanced = replies.enhanced(one.reply)
    return {"at": one.at, "outcome": one.outcome, "code": one.code, "enhanced": enhanced, "reply": one.reply}


def _reader_lines(door: Door, told: Explanation) -> Iterator[str]:
    zone = door.app.config.cadence.zone
    reader, delivery, issue = told.reader, told.delivery, told.issue
    yield f"{reader.address} and issue {issue.name} ({issue.state.value}, slot {issue.slot.key})"
    for line in told.consents:
        yield f"  {line.kind:<9} {words.when(line.at, zone)}, through {line.way}"
    copies = [_attempt_line("again", copy, zone) for copy in told.copies]
    if delivery is None:
        yield f"  not in the audience: {_why_not(told)}"
        yield from copies
        return
    yield f"  in the audience, fixed {words.when(issue.started_at, zone) if issue.started_at else '–'}"
    if delivery.variant and delivery.reason not in {variants.NO_TOPIC, variants.HAD_ALL}:
        yield f"  gets      {variants.in_words(delivery.variant, told.titles)}"
    yield from (_attempt_line("try", attempt, zone) for attempt in told.attempts)
    yield from copies
    reason = f" ({variants.why(delivery.reason)})" if delivery.reason else ""
    yield f"  now       {delivery.state.value}{reason}"
    if delivery.state is DeliveryState.UNCERTAIN:
        yield "  It may have arrived or not: the program or the connection broke after the text was handed over."


def _attempt_line(what: str, one: Attempt, zone: tzinfo) -> str:
    reply = " ".join(str(part) for part in (one.code, one.reply) if part)
    return f"  {f'{what} {one.n}':<9} {words.when(one.at, zone)}  {reply or '–'}  {one.outcome}"


def _why_not(told: Explanation) -> str:
    if told.issue.started_at is None:
        reason = f" ({told.issue.reason})" if told.issue.reason else ""
        return f"the issue never started: it is {told.issue.state.value}{reason}"
    if told.reader.edition != told.issue.edition:
        return f"reads the {told.reader.edition} edition"
    if told.reader.joined_at > told.issue.started_at:
        return "joined after it started"
    if told.reader.status is SubscriberStatus.ACTIVE:
        return "was not active when it started"
    return f"{told.reader.status.value} when it started"


# --- posts -----------------------------------------------------------------------------------------


def _explain_post(door: Door, slug: str) -> None:
    from newsletter.usecases import correct, review
    from newsletter.usecases import explain as why

    app = door.app
    loaded = app.loaded(door.now)
    _refuse_unknown(slug, [post.slug for post in loaded.posts])
    one = review.post_named(loaded, slug)
    told = why.post(app.press(loaded.library, door.now), one, app.reviews)
    state = review.state_of(one, loaded.library, app.versions.steps(one.id))
    reach = correct.reach(one, loaded.library, app.ledger)
    data = {
        "post": one.slug,
        "state": state,
        "verdict": told.verdict.value,
        "reason": told.reason,
        "next": told.coming,
        "issues": [
            {"number": issue.number, "edition": issue.edition, "state": issue.state.value} for issue in told.issues
        ],
        "approvals": [
            {"at": at, "by": person.key if person else None, "present": present} for at, person, present in told.signed
        ],
        "linked_by": [other.slug for other in reach.linking],
        "readers": reach.readers,
    }
    door.answer(data, *_post_lines(door, told, state, reach))


def _refuse_unknown(word: str, slugs: list[str]) -> None:
    if word not in slugs:
        guess = nearest(word, slugs)
        elsewhere = (f"newsletter issue show {word}",) if word.isdigit() else ("newsletter post list",)
        fixes = (f"Did you mean {guess}?",) if guess else elsewhere
        why = "One explains a reader (ada@example.org 46), a post (its slug) or a slot (2026-W48)."
        raise UsageError(Problem("P211", f"There is no post {word}", why=why, fixes=fixes))


def _post_lines(door: Door, told: PostTold, state: str, reach: Reach) -> Iterator[str]:
    zone = door.app.config.cadence.zone
    yield f"{told.post.title} ({told.post.slug}): {state}"
    for issue in told.issues:
        reason = f", {issue.reason}" if issue.reason else ""
        yield f"  in        issue {issue.name} ({issue.state.value}{reason}), slot {issue.slot.key}"
    if not any(issue.started_at for issue in told.issues if issue.edition == WEEKLY):
        due = words.when(told.slot.due, zone, door.now)
        yield f"  {told.verdict.value:<9} issue {told.coming}, {due}: {told.reason}"
    for at, person, present in told.signed:
        text = "this text" if present else "an earlier text"
        yield f"  approved  {text}, {words.when(at, zone)}, by {person.name if person else 'somebody who left'}"
    if reach.readers:
        yield f"  mailed to {words.count(reach.readers, 'reader')}"
    if reach.linking:
        yield f"  linked by {', '.join(other.slug for other in reach.linking)}"


# --- slots -----------------------------------------------------------------------------------------


def _explain_slot(door: Door, key: str) -> None:
    from newsletter.usecases import explain as why

    app = door.app
    told = why.slot(app.press(app.loaded(door.now).library, door.now, edition_of(key)), key)
    data = {
        "slot": told.slot.key,
        "due": told.slot.due,
        "stage": told.stage,
        "outcome": told.record.outcome.value if told.record else None,
        "reason": told.record.reason if told.record else "",
        "issue": told.issue.number if told.issue else told.number,
        "decided": told.decided,
        "stories": [choice.post.slug for choice in told.stories],
        "preview": told.preview,
        "freeze": told.freeze,
    }
    zone = app.config.cadence.zone
    door.answer(data, f"{told.slot.key}, {words.when(told.slot.due, zone, door.now)}", *_slot_lines(door, told))


def _slot_lines(door: Door, told: SlotTold) -> Iterator[str]:
    zone = door.app.config.cadence.zone
    if told.record:
        reason = f": {told.record.reason}" if told.record.reason else ""
        yield f"  {told.record.outcome.value}{reason}"
        if told.issue:
            subject = f": {told.issue.subject}" if told.issue.subject else ""
            yield f"  issue {told.issue.name} is {told.issue.state.value}{subject}"
        for entry in told.entries:
            did = f"{entry.action} by {entry.who or 'the clock'}"
            yield f"  {words.when(entry.at, zone)}  {did}  {entry.after}".rstrip()
    elif told.stage == "next":
        stories = words.stories(len(told.stories)) if told.stories else "no story yet, and an empty issue is never sent"
        name = issue_name(edition_of(told.slot.key), told.number or 0)
        yield f"  would {'make' if told.decided else 'send'} issue {name}: {stories}"
        if told.decided:
            yield f"  {told.decided}"
        yield from (f"    {choice.post.title}" for choice in told.stories)
        if told.preview:
            yield f"  preview   to editors {words.when(told.preview, zone)}"
        if told.freeze:
            yield f"  frozen    {words.when(told.freeze, zone)} with what is approved by then"
    else:
        yield f"  {_STAGES[told.stage]}"


_STAGES = {
    "undecided": "it has passed, and nothing decided about it yet: newsletter prepare",
    "before": "it was before the first slot of this newsletter",
    "later": "nothing is decided about it yet: its issue is made when it comes",
}
