"""posts by name | are they free | drafted, frozen outside of the rhythm; and from which post on issues take any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from newsletter import words
from newsletter.errors import Problem, Refused, UsageError, nearest
from newsletter.issues import selection
from newsletter.model import USUAL, Hand, Issue, IssueState, LogEntry, Post, Slot
from newsletter.usecases.choose import Press, choose
from newsletter.usecases.life import too_late
from newsletter.usecases.prepare import Draft, draft_of, open_issue


def extra_draft(press: Press, slugs: Sequence[str]) -> Draft:
    """An issue of these posts, outside of the rhythm. Raises UsageError (P211), Refused (I341, I3xx)."""
    press = replace(press, brief=USUAL, remarks=())  # what is decided about the next one is not about this one
    issues = press.ledger.issues(press.edition)
    number = max((issue.number for issue in issues), default=0) + 1
    local = press.now.astimezone(press.cadence.zone)
    posts = [_free(press, slug) for slug in dict.fromkeys(slugs)]
    draft = draft_of(press, Slot(f"extra:{number}", press.now, local), posts, number)
    if draft.stops:
        raise Refused(draft.stops)
    return draft


def _free(press: Press, slug: str) -> Post:
    chosen = choose(press)
    choices = {choice.post.slug: choice for choice in (*chosen.stories, *chosen.left)}
    if slug not in choices:
        guess = nearest(slug, choices)
        fixes = (f"Did you mean {guess}?",) if guess else ("newsletter post list",)
        raise UsageError(Problem("P211", f"There is no post {slug}", fixes=fixes))
    choice = choices[slug]
    if choice.verdict is not selection.Verdict.IN:
        why = "Each post is in one issue, and only with its text approved."
        raise Refused(Problem("I341", f"{slug} cannot be in an issue now: {choice.reason}", why=why))
    return choice.post


def make_extra(press: Press, draft: Draft, hand: Hand) -> Issue:
    """Freeze it; it waits for a hand. The slots of the rhythm are left alone."""
    press.ledger.start(press.edition, press.now)
    state = IssueState.READY
    made = open_issue(press, draft, coalesced=(), state=state, reason="", send_at=None, hand=hand, outside=True)
    if made is None:
        raise Refused(too_late(press.edition, draft.number))
    return made


def start_from(press: Press, slug: str, hand: Hand, *, dry_run: bool = False) -> Sequence[Post]:
    """Posts from this one on belong to issues, older ones count as carried; those that would be in the next one.

    Raises UsageError (P211).
    """
    known = {post.slug: post for post in press.library.posts}
    if slug not in known:
        guess = nearest(slug, known)
        fixes = (f"Did you mean {guess}?",) if guess else ("newsletter post list",)
        raise UsageError(Problem("P211", f"There is no published post {slug}", fixes=fixes))
    at = known[slug].published
    if not dry_run:
        press.ledger.start(press.edition, press.now)
        press.ledger.start_from(press.edition, at)
        said = f"posts from {words.when(at, press.cadence.zone)} on"
        press.ledger.log(LogEntry(hand.at, hand.who, hand.channel, "start-from", f"post {slug}", "", "", said))
    carried = press.ledger.carried(press.edition)
    chosen = selection.choose(press.library, carried, start=at, now=press.now, brief=press.brief)
    return [choice.post for choice in chosen.stories]
