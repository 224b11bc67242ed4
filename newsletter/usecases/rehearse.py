"""an issue's text | every reader's message, composed as for the send | a sink | what the send would be.

Nothing is handed over and nothing is written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.delivery.message import Run, Urls
from newsletter.errors import NewsletterError
from newsletter.issues import budget
from newsletter.model import Addressee, Issue, Message, Site, SubscriberStatus
from newsletter.ports import Ledger, Roster
from newsletter.usecases.texts import Text

Write = Callable[[Addressee], Message]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A reader who would get nothing, and why."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Before:
    """The issue that was sent last, to compare with."""

    number: int
    stories: int
    octets: int  # of its HTML, for whom it is longest
    readers: int
    pace: float | None  # messages that the mail server took in a second


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a send would be now."""

    text: Text
    sizes: tuple[int, ...]  # octets of each message, smallest first
    variants: Mapping[tuple[str, ...], int]  # keys of segments -> readers, most first
    skipped: tuple[Skipped, ...]
    before: Before | None

    @property
    def duration(self) -> timedelta | None:
        """How long it takes if the mail server is as fast as it was; None when nobody knows."""
        pace = self.before.pace if self.before else None
        return timedelta(seconds=len(self.sizes) / pace) if pace else None


def rehearse(
    text: Text, *, ledger: Ledger, roster: Roster, write: Write, sink: Callable[[Message], None] = lambda _: None
) -> Rehearsal:
    """Compose the message of each reader whom the issue would go to now, one at a time, and give it to `sink`.

    Raises NewsletterError when the text cannot become a message at all (S403, S404).
    """
    sizes: list[int] = []
    counted: Counter[tuple[str, ...]] = Counter()
    skipped = list(_not_asked(roster, text.issue.edition))
    for some in ledger.readers(text.issue.edition, text.issue.number, text.digest.segments):
        for one, why_not in some:
            if why_not:
                skipped.append(Skipped(one.address, why_not))
                continue
            try:
                message = write(one)
            except NewsletterError as refusal:
                if refusal.problems[0].code != "S402":
                    raise
                skipped.append(Skipped(one.address, refusal.problems[0].message))
                continue
            sink(message)
            sizes.append(message.size)
            counted[one.variant] += 1
    before = _before(ledger, text.issue)
    return Rehearsal(text, tuple(sorted(sizes)), dict(counted.most_common()), tuple(skipped), before)


def writer(
    text: Text,
    *,
    site: Site,
    now: datetime,
    unsubscribe_url: Callable[[int, int], str],
    preferences_url: Callable[[int, int], str],
    message_id_key: str,
) -> Write:
    """What composes the messages of a send that starts now: the same bytes, but for the Date."""
    begun = replace(text.issue, started_at=now)
    run = Run(site=site, issue=begun, digest=text.digest, message_id_key=message_id_key)

    def write(addressee: Addressee) -> Message:
        reader = addressee.subscriber_id, addressee.token_version
        return run.message(addressee, Urls(unsubscribe_url(*reader), preferences_url(*reader)))

    return write


def _not_asked(roster: Roster, edition: str) -> Iterator[Skipped]:
    for status in SubscriberStatus:
        if status is not SubscriberStatus.ACTIVE:
            yield from (Skipped(reader.address, status.value) for reader in roster.all(status.value))
    others = (reader for reader in roster.all(SubscriberStatus.ACTIVE.value) if reader.edition != edition)
    yield from (Skipped(reader.address, f"reads the {reader.edition} edition") for reader in others)


def _before(ledger: Ledger, issue: Issue) -> Before | None:
    last = next((i for i in reversed(ledger.issues(issue.edition)) if i.started_at and i.number < issue.number), None)
    if last is None:
        return None
    octets = budget.size(ledger.digest(last.edition, last.number))
    return Before(last.number, len(last.stories), octets, last.audience, ledger.pace(last.edition, last.number))


def spread(sizes: Sequence[int]) -> tuple[int, int, int]:
    """Smallest, median and largest of sorted sizes; zeros of none."""
    return (sizes[0], sizes[len(sizes) // 2], sizes[-1]) if sizes else (0, 0, 0)
