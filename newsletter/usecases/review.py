"""post | who may do this to it | one step of its review, in `reviews.toml`, the history and the log."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.content import edit
from newsletter.content.library import Loaded
from newsletter.errors import Problem, Refused, UsageError, nearest, stops
from newsletter.model import (
    Approval,
    Library,
    LogEntry,
    Person,
    Post,
    ReviewAct,
    ReviewStep,
    Site,
    Source,
    Version,
)
from newsletter.ports import Ledger, Reviews, Sources, Versions


def post_named(loaded: Loaded, slug: str) -> Post:
    """The post of a slug. Raises UsageError (P211) with the nearest one."""
    found = next((post for post in loaded.posts if post.slug == slug), None)
    if found is None:
        guess = nearest(slug, (post.slug for post in loaded.posts))
        fixes = (f"Did you mean {guess}?",) if guess else ("newsletter post list",)
        raise UsageError(Problem("P211", f"There is no post {slug}", fixes=fixes))
    return found


def sound_post(loaded: Loaded, slug: str) -> Post:
    """The post of a slug, if nothing is wrong with it. Raises UsageError (P211), Refused with what is wrong."""
    post = post_named(loaded, slug)
    if wrong := [problem for problem in stops(loaded.problems) if problem.file == str(post.path)]:
        raise Refused(wrong)
    return post


@dataclass(frozen=True, slots=True)
class Case:
    """A post before a person who does something about it, and where that is written down."""

    post: Post
    source: Source
    person: Person
    site: Site
    reviews: Reviews
    versions: Versions
    sources: Sources
    ledger: Ledger
    now: datetime

    @property
    def text(self) -> str:
        return self.source.text

    def step(self, act: ReviewAct, note: str = "") -> Version:
        """Write down what is done to the present text."""
        version = self.versions.keep(self.post.id, self.post.content_hash, self.text, self.now)
        self.versions.note(ReviewStep(self.post.id, self.now, self.person.key, act, version.number, note))
        return version

    def log(self, action: str, before: str, after: str) -> None:
        entry = LogEntry(self.now, self.person.key, "cli", action, f"post {self.post.slug}", before, after)
        self.ledger.log(entry)


def ask(case: Case, reviewer: str = "") -> Version:
    """Ask for a review of the present text; a draft is none any more. `reviewer` is a key that must be the post's.

    Raises Refused (P200, P202, P204).
    """
    post = case.post
    if refusal := may_ask(case, reviewer):
        raise Refused(refusal)
    if post.draft:
        case.sources.change(post.path, case.text, edit.without_key(case.text, "draft"))
    version = case.step(ReviewAct.ASKED, post.reviewer.key if post.reviewer else "")
    case.log("review", "draft" if post.draft else "", "in review")
    return version


def may_ask(case: Case, reviewer: str = "") -> Problem | None:
    """Why no review of the present text can be asked for, or None."""
    return _off(case) or _another(case.post, reviewer) or _done(case)


def ask_changes(case: Case, note: str) -> Version:
    """The reviewer asks the author for changes. Raises Refused (P200, P201, P202)."""
    if refusal := may_approve(case.post, case.person, case.site, None):
        raise Refused(refusal)
    version = case.step(ReviewAct.CHANGES, note)
    case.log("ask", "", note)
    return version


def give_back(case: Case, library: Library) -> Version:
    """Back to draft. Raises Refused (P205) for a post that readers have seen, P206 for a draft."""
    post = case.post
    if refusal := may_give_back(post, library):
        raise Refused(refusal)
    version = case.step(ReviewAct.RETURNED)
    case.sources.change(post.path, case.text, edit.with_key(case.text, "draft", "true"))
    case.log("return", "in review", "draft")
    return version


def may_give_back(post: Post, library: Library) -> Problem | None:
    """Why a post cannot be a draft again, or None."""
    if post.draft:
        return Problem("P206", f"{post.slug} is a draft already", str(post.path))
    if not library.find(post.id):
        return None
    fixes = (f'newsletter post withdraw {post.slug} "why"', f'newsletter post correct {post.slug} "what was wrong"')
    why = "Readers hold links to it."
    return Problem("P205", "A published post is no draft any more", str(post.path), why=why, fixes=fixes)


def approve(case: Case, wanted: str | None = None) -> Approval | None:
    """Sign off the present text. None when this was done before.

    Raises Refused when the person wrote it, is not its reviewer, or `wanted` (a hash given by a script) is another
    text's.
    """
    post, person = case.post, case.person
    if refusal := may_approve(post, person, case.site, wanted):
        raise Refused(refusal)
    if approved(post, case.reviews):
        return None
    approval = Approval(post.id, post.content_hash, person.key, case.now)
    case.reviews.add(approval)
    case.step(ReviewAct.APPROVED)
    case.log("approve", "", post.content_hash)
    return approval


def approved(post: Post, reviews: Reviews) -> bool:
    """Whether the present text of `post` was signed off."""
    return any(a.post_id == post.id and a.content_hash == post.content_hash for a in reviews.all())


def may_approve(post: Post, person: Person, site: Site, wanted: str | None) -> Problem | None:
    """Why this person may not approve this text, or None."""
    place = str(post.path)
    if not site.review:
        return _review_is_off(place)
    if person.key == post.author.key:
        return Problem(
            "P201",
            "You wrote this post, so you cannot approve it",
            place,
            why="Author and reviewer must be two people.",
            fixes=(f"newsletter post approve {post.slug} --as {post.reviewer.key if post.reviewer else 'REVIEWER'}",),
        )
    if refusal := _another(post, person.key):
        return refusal
    if wanted and not post.content_hash.removeprefix("sha256:").startswith(wanted.removeprefix("sha256:")):
        return Problem(
            "P203",
            "The post has changed: its hash is not the one that you gave",
            place,
            why=f"You gave {wanted}; the text now is {post.content_hash}.",
            fixes=(f"Read it again, then   newsletter post approve {post.slug}",),
        )
    return None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a post stands in its review."""

    state: str  # Draft, In review, Changes asked, Approved, Published, Changed since approval, Withdrawn
    versions: tuple[Version, ...]  # oldest first
    steps: tuple[ReviewStep, ...]
    approvals: tuple[Approval, ...]
    present: Version | None  # the one that the text is now, if somebody looked at it
    signed: Version | None  # the last that was approved
    changed: tuple[str, ...]  # lines that are not as they were approved: `- as it was`, `+ as it is`


def standing(post: Post, text: str, library: Library, reviews: Reviews, versions: Versions | None) -> Standing:
    """All that is known of the review of a post whose source is `text` now; `versions` where anybody looked."""
    known = tuple(versions.of(post.id)) if versions else ()
    steps = tuple(versions.steps(post.id)) if versions else ()
    signs = tuple(approval for approval in reviews.all() if approval.post_id == post.id)
    hashes = {approval.content_hash for approval in signs}
    signed = next((one for one in reversed(known) if one.content_hash in hashes), None)
    return Standing(
        state_of(post, library, steps),
        known,
        steps,
        signs,
        next((one for one in known if one.content_hash == post.content_hash), None),
        signed,
        lines_changed(signed.text, text) if signed and post.content_hash not in hashes else (),
    )


def state_of(post: Post, library: Library, steps: Sequence[ReviewStep] = ()) -> str:
    """The word for where a post stands."""
    if any(one.id == post.id for one in library.withdrawn):
        return "Withdrawn"
    if post.draft:
        return "Draft"
    public = library.find(post.id) is not None
    if post.id in library.approved:
        return "Published" if public else "Approved"
    if steps and steps[-1].act is ReviewAct.CHANGES:
        return "Changes asked"
    return "Changed since approval" if public else "In review"


def lines_changed(before: str, after: str) -> tuple[str, ...]:
    """The lines that went, each with `- ` before it, and those that came, with `+ `, in the order of the text."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return tuple(f"{line[0]} {line[1:]}" for line in list(lines)[2:] if not line.startswith("@@"))


def _off(case: Case) -> Problem | None:
    return None if case.site.review else _review_is_off(str(case.post.path))


def _review_is_off(place: str) -> Problem:
    return Problem("P200", 'Review is off in newsletter.toml (review = "off"), so nothing is approved', place)


def _another(post: Post, reviewer: str) -> Problem | None:
    """P202 where the post names somebody else; an empty `reviewer` is whom it names."""
    if post.reviewer and reviewer in {"", post.reviewer.key}:
        return None
    named = post.reviewer.name if post.reviewer else "nobody"
    return Problem(
        "P202",
        f"This post names {named} as its reviewer, not {reviewer or 'anybody'}",
        str(post.path),
        why="The byline tells readers who reviewed it; it must be true.",
        fixes=(f"Put   reviewer: {reviewer or 'KEY'}   into its front matter.",),
    )


def _done(case: Case) -> Problem | None:
    if not approved(case.post, case.reviews):
        return None
    return Problem(
        "P204", f"{case.post.slug} is approved in this very text; there is nothing to ask", str(case.post.path)
    )
