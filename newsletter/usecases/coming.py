"""library, ledger | the issue that comes next | drafted | a message: the next mail, before anybody gets it.

It is addressed to a reader who does not exist, and nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from newsletter import variants, words
from newsletter.delivery.message import compose
from newsletter.errors import NewsletterError, Problem
from newsletter.issues import cadence as cadences
from newsletter.issues import selection as selections
from newsletter.issues.selection import Selection
from newsletter.model import (
    USUAL,
    Addressee,
    Brief,
    Cadence,
    Digest,
    Issue,
    IssueState,
    Library,
    Message,
    Site,
    Slot,
)
from newsletter.ports import Briefs, Ledger
from newsletter.usecases.inspect import Inspection
from newsletter.usecases.prepare import Shelf, drafted, next_number

if TYPE_CHECKING:
    from jinja2 import Environment

_FROZEN = frozenset({IssueState.READY, IssueState.HELD})


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger knows. A site that never mailed has no ledger, and asking makes none."""

    shelf: Shelf
    started: datetime  # when the edition first existed, or now
    posts_from: datetime | None = None  # posts of earlier times count as carried
    taken: AbstractSet[str] = frozenset()  # keys of the slots that have an outcome
    frozen: Issue | None = None  # made, and not yet on its way
    digest: Digest | None = None  # of that Issue
    brief: Brief = USUAL  # for the next one
    remarks: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Coming:
    """The next mail, or why there is none."""

    about: str  # one sentence: which issue, when
    selection: Selection
    preheader: str = ""
    message: Message | None = field(default=None, repr=False)  # with every segment
    shortest: Message | None = field(default=None, repr=False)  # with none; absent where every reader gets the same
    problems: tuple[Problem, ...] = ()


def past(ledger: Ledger, edition: str, library: Library, now: datetime, briefs: Briefs) -> Past:
    """Everything of the ledger that the next mail depends on."""
    issues = ledger.issues(edition)
    frozen = next((issue for issue in issues if issue.state in _FROZEN), None)
    brief, remarks = briefs.of(next_number(issues))
    return Past(
        shelf=Shelf(library, issues, ledger.carried(edition), ledger.told(edition)),
        started=ledger.started(edition) or now,
        posts_from=ledger.posts_from(edition),
        taken={record.key for record in ledger.slots(edition)},
        frozen=frozen,
        digest=ledger.digest(edition, frozen.number) if frozen else None,
        brief=brief,
        remarks=tuple(remarks),
    )


def coming(
    past: Past, *, site: Site, cadence: Cadence, templates: Environment, inspection: Inspection, now: datetime
) -> Coming:
    """The mail as it would go out now; its problems are told beside it, never raised."""
    start = past.posts_from or selections.start(cadence, past.started)
    chosen = selections.choose(past.shelf.library, past.shelf.carried, start=start, now=now, brief=past.brief)
    if past.frozen and past.digest:
        return _composed(_about_frozen(past.frozen, cadence, now), chosen, past.frozen, past.digest, (), site, now)
    slot = _free_slot(cadence, past.taken, now)
    number = next_number(past.shelf.issues)
    about = f"Issue {number}, {words.when(slot.due, cadence.zone, now)}"
    posts = [choice.post for choice in chosen.stories]
    if not posts:
        return Coming(f"{about}: no story is in, and an empty issue is never sent.", chosen)
    try:
        draft = drafted(
            past.shelf,
            slot,
            posts,
            number,
            site=site,
            cadence=cadence,
            templates=templates,
            inspection=inspection,
            brief=past.brief,
            remarks=past.remarks,
        )
    except NewsletterError as error:
        return Coming(f"{about}: it cannot be made.", chosen, problems=error.problems)
    digest = draft.digest
    issue = Issue(number, cadence.edition, slot, IssueState.DRAFT, draft.stories, digest.subject, digest.preheader)
    return _composed(f"{about}: {words.stories(len(posts))}.", chosen, issue, digest, draft.problems, site, now)


def _free_slot(cadence: Cadence, taken: AbstractSet[str], now: datetime) -> Slot:
    upcoming = cadences.next_slots(cadence, now, len(taken) + 1)
    return next(slot for slot in upcoming if slot.key not in taken)


def _about_frozen(issue: Issue, cadence: Cadence, now: datetime) -> str:
    if issue.state is IssueState.HELD:
        return f"Issue {issue.number} is held: {issue.reason or 'it waits for a hand'}. Its text is frozen."
    at = words.when(issue.send_at, cadence.zone, now) if issue.send_at else "when somebody sends it"
    return f"Issue {issue.number} is ready and goes out {at}. Its text is frozen: edits do not change it."


def _composed(
    about: str,
    chosen: Selection,
    issue: Issue,
    digest: Digest,
    problems: tuple[Problem, ...],
    site: Site,
    now: datetime,
) -> Coming:
    every = variants.optional(digest)
    try:
        whole, shortest = (_message(issue, digest, variant, site, now) for variant in (every, ()))
    except NewsletterError as error:
        return Coming(about, chosen, digest.preheader, problems=(*problems, *error.problems))
    return Coming(about, chosen, digest.preheader, whole, shortest if every else None, problems)


def _message(issue: Issue, digest: Digest, variant: tuple[str, ...], site: Site, now: datetime) -> Message:
    return compose(
        site=site,
        issue=issue,
        digest=digest,
        addressee=Addressee(0, "reader@reader.example", now, 1, variant=variant),
        unsubscribe_url=f"{site.web_url}/u/preview",
        preferences_url=f"{site.web_url}/p/preview",
        message_id_key="preview",
    )
