"""library, ledger | the issue as it is frozen, or as it would be made now | its bytes as one reader gets them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter import variants
from newsletter.delivery.message import compose
from newsletter.errors import Problem, Refused, UsageError, nearest
from newsletter.model import Addressee, Digest, Issue, IssueState, Message, Site, Subscriber, issue_name
from newsletter.ports import Ledger
from newsletter.usecases.choose import Press, choose, place
from newsletter.usecases.prepare import draft_of, next_number
from newsletter.usecases.report import issue_named

NOBODY = "reader@reader.example"
"""Whose mail is shown where nobody is named; the domain is reserved (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Text:
    """What an issue says: nothing of it can change any more once it is frozen."""

    issue: Issue
    digest: Digest = field(repr=False)
    frozen: bool
    problems: tuple[Problem, ...] = ()  # of a text that is not frozen yet


def frozen(ledger: Ledger, edition: str, number: int | None) -> Text | None:
    """The text of issue `number`, or for None of the one that was made and is still to go out.

    None where there is no such text: it is that of the next issue, which `drafted` makes. Raises UsageError (I110) for
    an unknown number.
    """
    issues = ledger.issues(edition)
    if number is None:
        made = next((one for one in issues if one.state in _TO_GO), None)
    else:
        made = None if number == next_number(issues) else issue_named(ledger, edition, number)
    return Text(made, ledger.digest(made.edition, made.number), frozen=True) if made else None


_TO_GO = frozenset({IssueState.READY, IssueState.HELD})


def drafted(press: Press) -> Text:
    """The text of the next issue, as it would be made now. Raises Refused (S303) when no story is in, ConfigError."""
    stories = [choice.post for choice in choose(press).stories]
    if not stories:
        fixes = (f"newsletter issue show {issue_name(press.edition, None)}   says why",)
        raise Refused(Problem("S303", "There is no story for the next issue, and so no text", fixes=fixes))
    draft = draft_of(press, place(press).slot, stories)
    digest = draft.digest
    issue = Issue(
        draft.number, press.edition, draft.slot, IssueState.DRAFT, draft.stories, digest.subject, digest.preheader
    )
    return Text(issue, digest, frozen=False, problems=draft.problems)


def variant_of(digest: Digest, wanted: str) -> tuple[str, ...]:
    """`all`, `none`, or keys of segments with commas between, as keys. Raises UsageError (I118) for an unknown one."""
    if wanted in {"all", "none"}:
        return variants.optional(digest) if wanted == "all" else ()
    every = [*(one.key for one in digest.segments), variants.PLAIN]
    keys = [key.strip() for key in wanted.split(",") if key.strip()]
    if unknown := next((key for key in keys if key not in every), None):
        meant = nearest(unknown, every)
        known = ", ".join(every)
        fixes = (f"Did you mean {meant}?",) if meant else ("--variant all", "--variant none")
        raise UsageError(Problem("I118", f"This issue has no segment {unknown}", why=f"It has: {known}.", fixes=fixes))
    return tuple(sorted(set(keys)))


def addressee(ledger: Ledger, text: Text, reader: Subscriber) -> Addressee:
    """A reader as the send addresses them: with the variant that was fixed for them, or that they would get now.

    Raises Refused (S345) for one for whom no story is left.
    """
    edition, number = text.issue.edition, text.issue.number
    delivery = ledger.delivery(edition, number, reader.id)
    variant = delivery.variant if delivery else ledger.variant(edition, number, text.digest.segments, reader.id)
    if variants.is_empty(text.digest.segments, variant):
        why = "They were sent all of its stories before, or want none of their topics."
        raise Refused(Problem("S345", f"{reader.address} is sent nothing of {text.issue.title.lower()}", why=why))
    return Addressee(reader.id, reader.address, reader.joined_at, reader.token_version, variant=variant)


def readers_by_variant(ledger: Ledger, text: Text) -> Mapping[tuple[str, ...], int]:
    """How many readers get which segments, most first: as it was fixed, or as it would be now."""
    if text.issue.started_at:
        return ledger.variants(text.issue.edition, text.issue.number)
    batches = ledger.readers(text.issue.edition, text.issue.number, text.digest.segments)
    return dict(Counter(one.variant for some in batches for one, why_not in some if not why_not).most_common())


def shown(text: Text, variant: Sequence[str], *, site: Site, now: datetime) -> Message:
    """The message as it would go now to somebody who does not exist, with a link that does nothing."""
    return message(text, Addressee(0, NOBODY, now, 1, variant=tuple(variant)), site=site, occasion="shown")


def message(text: Text, addressee: Addressee, *, site: Site, occasion: str) -> Message:
    """The text to one address, outside of the send: its unsubscribe link is nobody's, its Message-ID is none of those
    that readers get.
    """
    return compose(
        site=site,
        issue=text.issue,
        digest=text.digest,
        addressee=addressee,
        unsubscribe_url=f"{site.web_url}/u/preview",
        preferences_url=f"{site.web_url}/p/preview",
        message_id_key="preview",
        occasion=occasion,
    )
