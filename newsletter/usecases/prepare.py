"""slots due | choose stories | decide | render and check | open the issue: make the issue that is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from newsletter.errors import ConfigError, Problem, stops
from newsletter.issues import digest as digests
from newsletter.issues import fit, segments, selection
from newsletter.model import (
    USUAL,
    WEEKLY,
    Brief,
    Cadence,
    Digest,
    File,
    Hand,
    Issue,
    IssueState,
    Library,
    Post,
    Site,
    Slot,
    SlotOutcome,
    Story,
    by_clock,
)
from newsletter.publish.paths import post_path, topic_slug
from newsletter.usecases.choose import Press, choose, due, free_slot, standing
from newsletter.usecases.inspect import Inspection, Specimen, inspected

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of the slot that was due."""

    slot: Slot | None  # None when nothing was due
    next_slot: Slot | None  # None for an edition without a rhythm
    issue: Issue | None = None
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    draft: Draft | None = None  # what would be frozen, on a dry run
    state: IssueState | None = None
    edition: str = WEEKLY


def prepare(press: Press, *, dry_run: bool = False, hand: Hand | None = None) -> Prepared:
    """Make the issue of the slot that is due, once; record an empty or late slot with its reason."""
    if not dry_run:
        press.ledger.start(press.edition, press.now)
    upcoming = free_slot(press.cadence, press.ledger.slots(press.edition), press.now)
    decision = selection.decide(
        press.cadence, due(press), choose(press), press.now, standing(press.ledger, press.edition)
    )
    match decision:
        case selection.Nothing(reason=reason):
            return Prepared(None, upcoming, reason=reason, edition=press.edition)
        case selection.Empty() as empty:
            if not dry_run:
                record(press, empty)
            return Prepared(empty.slot, upcoming, None, empty.reason, edition=press.edition)
        case selection.Make(slot=slot, coalesced=earlier, stories=posts, state=state, reason=reason):
            made = draft_of(press, slot, posts)
            if made.stops and state is IssueState.READY:
                state, reason = IssueState.HELD, "; ".join(f"{p.code} {p.message}" for p in made.stops)
            if dry_run:
                return Prepared(slot, upcoming, None, reason, made.problems, made, state, press.edition)
            by = hand or by_clock(press.now)
            issue = open_issue(press, made, coalesced=earlier, state=state, reason=reason, send_at=slot.due, hand=by)
            became = issue.state if issue else None
            return Prepared(slot, upcoming, issue, reason, made.problems, state=became, edition=press.edition)


def record(press: Press, empty: selection.Empty) -> None:
    """Write down a slot that makes no issue, so that it is never looked at again and never passes in silence."""
    skipped = empty.outcome is SlotOutcome.SKIPPED
    for missed in empty.coalesced:
        outcome = SlotOutcome.SKIPPED if skipped else SlotOutcome.COALESCED
        reason = empty.reason if skipped else f"went into {empty.slot.key}"
        press.ledger.record_slot(press.edition, missed, outcome, reason)
    press.ledger.record_slot(press.edition, empty.slot, empty.outcome, empty.reason)


@dataclass(frozen=True, slots=True)
class Draft:
    """An issue as it would go out, with what the checks of its final bytes say. Nothing is stored yet."""

    number: int
    slot: Slot
    posts: tuple[Post, ...]
    digest: Digest
    problems: tuple[Problem, ...]

    @property
    def stops(self) -> tuple[Problem, ...]:
        return stops(self.problems)

    @property
    def stories(self) -> tuple[Story, ...]:
        return tuple(
            Story(post.id, post.content_hash, post.slug, post.title, len(post.corrections)) for post in self.posts
        )


def draft_of(press: Press, slot: Slot, posts: Sequence[Post], number: int | None = None) -> Draft:
    """Render the next issue (or `number`) and check it. Raises ConfigError when the sender is not fully named.

    The digest bears the date of `slot`; one that goes out ahead of it takes `brought_forward` first.
    """
    issues = press.ledger.issues(press.edition)
    return drafted(
        Shelf(press.library, issues, press.ledger.carried(press.edition), press.ledger.told(press.edition)),
        slot,
        posts,
        number or next_number(issues),
        site=press.site,
        cadence=press.cadence,
        templates=press.templates,
        inspection=press.inspection,
        brief=press.brief,
        remarks=press.remarks,
    )


@dataclass(frozen=True, slots=True)
class Shelf:
    """What has been written and mailed so far, as values."""

    library: Library
    issues: Sequence[Issue] = ()  # oldest first
    carried: Mapping[str, int] = field(default_factory=dict)  # post id -> number of the Issue that carries it
    told: Mapping[str, int] = field(default_factory=dict)  # post id -> how many of its Corrections an Issue has told


def previous_of(issues: Sequence[Issue], number: int) -> Issue | None:
    """The last public issue before this one; `issues` come oldest first."""
    return next((issue for issue in reversed(issues) if issue.number < number and issue.state.public), None)


def next_number(issues: Sequence[Issue]) -> int:
    """Of an issue that was thawed, since it keeps its number; else one that no issue had."""
    draft = next((issue.number for issue in issues if issue.state is IssueState.DRAFT), None)
    return draft or (issues[-1].number + 1 if issues else 1)


def drafted(
    shelf: Shelf,
    slot: Slot,
    posts: Sequence[Post],
    number: int,
    *,
    site: Site,
    cadence: Cadence,
    templates: Environment,
    inspection: Inspection,
    brief: Brief = USUAL,
    remarks: Sequence[Problem] = (),
) -> Draft:
    """Issue `number` of these posts, rendered and checked. Raises ConfigError when the sender is not fully named."""
    require_sender(site)
    previous = previous_of(shelf.issues, number)
    view = digests.view(
        site,
        cadence,
        shelf.library,
        posts,
        number=number,
        slot=slot,
        carried=shelf.carried,
        previous=previous,
        brief=brief,
        errata=segments.errata(shelf.library, shelf.issues, shelf.told),
        topic_key=topic_slug,
    )
    made = fit.fitted(view, templates)
    unmet = selection.unmet(brief, shelf.library, posts)
    specimen = Specimen(number, slot, posts, made.digest, made.view, previous, shelf.library.approved)
    problems = inspected(specimen, site, inspection, (*remarks, *unmet, *made.problems))
    return Draft(number, slot, tuple(posts), made.digest, problems)


def brought_forward(slot: Slot, start: datetime) -> Slot:
    """The slot as it is taken early: its key, at the time when the mail goes out, so that readers see that date."""
    return replace(slot, due=start, local=start.astimezone(slot.local.tzinfo)) if start < slot.due else slot


def open_issue(
    press: Press,
    draft: Draft,
    *,
    coalesced: Sequence[Slot],
    state: IssueState,
    reason: str,
    send_at: datetime | None,
    hand: Hand,
    outside: bool = False,
) -> Issue | None:
    """Freeze the draft in the ledger, and its pictures before it. None when another process was first."""

    def digest_of(number: int) -> Digest:
        if number == draft.number:
            return draft.digest
        return draft_of(press, draft.slot, draft.posts, number).digest  # another issue took the number meanwhile

    if press.pictures:
        for post in draft.posts:
            press.pictures.keep(post.id, named_pictures(post, draft.digest))
    return press.ledger.open_issue(
        edition=press.edition,
        slot=draft.slot,
        coalesced=coalesced,
        stories=draft.stories,
        render=digest_of,
        state=state,
        reason=reason,
        hand=hand,
        outside=outside,
        send_at=send_at if state is IssueState.READY else None,
    )


def named_pictures(post: Post, digest: Digest) -> Iterator[File]:
    """The pictures of a post that its mail shows."""
    for asset in post.assets:
        path = f"{post_path(post.slug)}{asset.name}"
        if path in digest.html:
            yield File(PurePosixPath(path), asset.content)


def require_sender(site: Site) -> None:
    """Raises ConfigError unless the mail's sender and postal address are there."""
    missing = [
        Problem(
            "C110",
            f"sender.{key} is missing",
            file="newsletter.toml",
            why=why,
            fixes=(f'{key} = "…" under [sender]',),
        )
        for key, value, why in (
            ("address", site.sender.address, "Mail needs a From address."),
            ("postal_address", site.sender.postal_address, "Each mail must carry a postal address (16 CFR 316.5)."),
        )
        if not value
    ]
    if missing:
        raise ConfigError(missing)
