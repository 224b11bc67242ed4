"""published post | how far it reached | a correction or a withdrawal in its front matter, and in the log."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.content import edit
from newsletter.errors import Problem, Refused
from newsletter.model import DeliveryState, Issue, Library, Post
from newsletter.ports import Ledger
from newsletter.usecases.review import Case


@dataclass(frozen=True, slots=True)
class Reach:
    """Who has a published post: where an error in it went."""

    linking: tuple[Post, ...]  # public posts that link to it, newest first
    issues: tuple[Issue, ...]  # that carried it, oldest first
    readers: int  # that an issue with it was accepted for, or may have reached; each once


def reach(post: Post, library: Library, ledger: Ledger | None) -> Reach:
    """How far a post went; no ledger, no mail."""
    sources = {link.source for link in library.backlinks.get(post.id, ())} - {post.id}
    linking = tuple(one for one in library.posts if one.id in sources)
    issues = ledger.issues() if ledger else ()
    carried = tuple(issue for issue in issues if any(story.post_id == post.id for story in issue.stories))
    sent = tuple(issue for issue in carried if issue.started_at)
    readers = {reader for issue in sent if ledger for reader in _reached(ledger, issue)}
    return Reach(linking, sent, len(readers))


def _reached(ledger: Ledger, issue: Issue) -> set[int]:
    states = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
    return {one.subscriber_id for state in states for one in ledger.deliveries(issue.edition, issue.number, state)}


def correct(case: Case, library: Library, text: str) -> None:
    """Say in the post what was wrong: dated today, and `updated` moves. The new text must be approved like any other.

    Raises Refused (P207) for a post that is not published, P208 without words.
    """
    post, said = case.post, " ".join(text.split())
    if refusal := _unpublished(post, library) or _unsaid(post, said, "what was wrong"):
        raise Refused(refusal)
    local = case.now.astimezone(case.site.timezone)
    told = tuple(f"{one.day.isoformat()} {one.text}" for one in post.corrections)
    changed = edit.with_key(case.text, "updated", local.strftime("%Y-%m-%d %H:%M"))
    changed = edit.with_more(changed, "corrections", told, f"{local.date().isoformat()} {said}")
    case.sources.change(post.path, case.text, changed)
    case.log("correct", "", said)


def withdraw(case: Case, library: Library, reason: str) -> None:
    """Take a published post back: its page says so and why. Raises Refused (P207, P208)."""
    post, said = case.post, " ".join(reason.split())
    if refusal := _unpublished(post, library) or _unsaid(post, said, "why it is taken back"):
        raise Refused(refusal)
    day = case.now.astimezone(case.site.timezone).date().isoformat()
    case.sources.change(post.path, case.text, edit.with_key(case.text, "withdrawn", f"{day} {said}"))
    case.log("withdraw", "published", said)


def _unpublished(post: Post, library: Library) -> Problem | None:
    if library.find(post.id):
        return None
    fixes = (f"edit {post.path}: no reader has seen it",)
    return Problem("P207", f"{post.slug} is not published", str(post.path), fixes=fixes)


def _unsaid(post: Post, said: str, what: str) -> Problem | None:
    return None if said else Problem("P208", f"It is not said {what}", str(post.path), why="Readers are told.")
