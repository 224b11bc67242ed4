"""posts that came out | is each due, late, or too old | render and check | open the issue: each post by itself.

There is no rhythm: a slot is that of one post, due when the post was public and approved. While everything is paused,
or the clock is in doubt, posts wait; found late afterwards, they are held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from newsletter import words
from newsletter.issues.cadence import EACH
from newsletter.model import ALL_SLOTS, Cadence, Hand, IssueState, Post, Slot, SlotOutcome, by_clock
from newsletter.usecases.choose import Press, choose, standing
from newsletter.usecases.prepare import Prepared, draft_of, open_issue

TOO_OLD = timedelta(days=7)
"""How long ago a post may have come out to be an issue at all: an edition that was off for a while mails no archive."""


def prepare(
    press: Press, approved: Mapping[str, datetime], *, dry_run: bool = False, hand: Hand | None = None
) -> list[Prepared]:
    """Make the issue of each post that came out, once. `approved` says since when the text of a post has been."""
    if not dry_run:
        press.ledger.start(press.edition, press.now)
    if any(plan.key == ALL_SLOTS for plan in standing(press.ledger, press.edition)):
        return []
    taken = {record.key for record in press.ledger.slots(press.edition)}
    started = press.ledger.posts_from(press.edition) or press.ledger.started(press.edition) or press.now
    out = [(choice.post, slot_of(press.cadence, choice.post, approved)) for choice in choose(press).stories]
    new = [
        (post, slot)
        for post, slot in out
        if slot.key not in taken and _fresh_until(press.cadence, post, slot) >= started
    ]
    new.sort(key=lambda one: (one[1].due, one[1].key))
    return [_made(press, post, slot, dry_run=dry_run, hand=hand) for post, slot in new]


def slot_of(cadence: Cadence, post: Post, approved: Mapping[str, datetime]) -> Slot:
    """The slot of a post: it is due when the post was both public and approved."""
    due = max(post.published, approved.get(post.id, post.published))
    return Slot(f"{EACH}{hashlib.sha256(post.id.encode()).hexdigest()[:16]}", due, due.astimezone(cadence.zone))


def _fresh_until(cadence: Cadence, post: Post, slot: Slot) -> datetime:
    """From when on it is late: a post that is dated by the day comes out at some hour of it."""
    local = post.published.astimezone(cadence.zone)
    if local.time() != time.min:
        return slot.due
    return max(slot.due, datetime.combine(local.date() + timedelta(days=1), time.min, tzinfo=cadence.zone))


def _made(press: Press, post: Post, slot: Slot, *, dry_run: bool, hand: Hand | None) -> Prepared:
    late = press.now - _fresh_until(press.cadence, post, slot)
    if late > TOO_OLD:
        reason = f"found {words.span(late)} after {post.slug} came out: too old for a mail of its own"
        if not dry_run:
            press.ledger.record_slot(press.edition, slot, SlotOutcome.SKIPPED, reason)
        return Prepared(slot, None, None, reason, edition=press.edition)
    state, reason = IssueState.READY, ""
    if late > press.cadence.late_limit:
        limit = words.span(press.cadence.late_limit)
        state, reason = IssueState.HELD, f"found {words.span(late)} after {post.slug} came out (limit {limit})"
    draft = draft_of(press, slot, [post])
    if draft.stops and state is IssueState.READY:
        state, reason = IssueState.HELD, "; ".join(f"{p.code} {p.message}" for p in draft.stops)
    made = Prepared(slot, None, None, reason, draft.problems, draft, state, press.edition)
    if dry_run:
        return made
    by, start = hand or by_clock(press.now), press.now + press.cadence.delay
    issue = open_issue(press, draft, coalesced=(), state=state, reason=reason, send_at=start, hand=by)
    return replace(made, issue=issue, draft=None, state=issue.state if issue else None)


def approvals(posts: Sequence[Post], given: Sequence[tuple[str, str, datetime]]) -> Mapping[str, datetime]:
    """Since when the present text of each post has been approved; `given` are post id, content hash, time."""
    hashes = {post.id: post.content_hash for post in posts}
    found: dict[str, datetime] = {}
    for post_id, content_hash, at in given:
        if hashes.get(post_id) == content_hash:
            found[post_id] = min(at, found.get(post_id, at))
    return found
