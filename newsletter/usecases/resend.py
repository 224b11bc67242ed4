"""issue, reader | may they have it again | written down | one message | its answer: a copy for one who missed it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from newsletter.delivery.message import compose
from newsletter.errors import Outside, Problem, Refused
from newsletter.model import (
    Addressee,
    Delivery,
    DeliveryState,
    Hand,
    Issue,
    LogEntry,
    Message,
    Outcome,
    Receipt,
    Site,
    Subscriber,
    SubscriberStatus,
)
from newsletter.ports import Ledger, Transport
from newsletter.usecases.texts import Text, addressee

_UNDER_WAY = frozenset({DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING})


@dataclass(frozen=True, slots=True)
class Copy:
    """What one reader is sent again."""

    text: Text
    addressee: Addressee


def copy(ledger: Ledger, issue: Issue, reader: Subscriber) -> Copy:
    """The issue as this reader got it, or should have.

    Raises Refused: S341 for a reader who is not active, S342 for an issue that nobody was sent, S343 while the
    reader's own message is still to go.
    """
    delivery = ledger.delivery(issue.edition, issue.number, reader.id)
    if refusal := _not_active(reader) or _not_sent(issue) or _under_way(issue, reader, delivery):
        raise Refused(refusal)
    text = Text(issue, ledger.digest(issue.edition, issue.number), frozen=True)
    return Copy(text, addressee(ledger, text, reader))


def _not_active(reader: Subscriber) -> Problem | None:
    if reader.status is SubscriberStatus.ACTIVE:
        return None
    why = "Only readers who want the mail are sent it."
    return Problem("S341", f"{reader.address} is {reader.status.value}: nothing was sent", why=why)


def _not_sent(issue: Issue) -> Problem | None:
    if issue.started_at and issue.state.public:
        return None
    why = "What was never sent cannot be sent again."
    fix = f"newsletter issue show {issue.name}"
    return Problem("S342", f"{issue.title} is {issue.state.value}: nothing was sent", why=why, fixes=(fix,))


def _under_way(issue: Issue, reader: Subscriber, delivery: Delivery | None) -> Problem | None:
    if delivery is None or delivery.state not in _UNDER_WAY:
        return None
    message = f"{issue.title} is still on its way to {reader.address}: nothing was sent"
    fix = f"newsletter explain {reader.address} {issue.name}"
    return Problem("S343", message, why="They would get it twice.", fixes=(fix,))


def resend(
    copy: Copy,
    *,
    ledger: Ledger,
    transport: Transport,
    site: Site,
    unsubscribe_url: str,
    preferences_url: str,
    message_id_key: str,
    hand: Hand,
) -> Receipt:
    """Hand the copy over; what was answered, which is kept. Raises Outside when the mail server cannot be talked to."""
    edition, number, reader = copy.text.issue.edition, copy.text.issue.number, copy.addressee.subscriber_id
    message = _message(copy, site, unsubscribe_url, preferences_url, message_id_key, hand)
    begun = ledger.resend(edition, number, copy.addressee, hand=hand)
    try:
        with transport.open() as session:
            receipt = session.send(message)
    except Outside as fault:
        ledger.resent(begun, Receipt(Outcome.DEFERRED, None, fault.problems[0].message))
        raise
    ledger.resent(begun, receipt)
    about, told = f"issue {copy.text.issue.name} to reader {reader}", f"{receipt.outcome.value} {receipt.words}"
    ledger.log(LogEntry(hand.at, hand.who, hand.channel, "resend", about, after=told))
    if receipt.outcome is Outcome.ACCEPTED:  # they have it, so that no doubt is left to be sent again
        ledger.settle(edition, number, [reader], again=False, hand=hand)
    return receipt


def _message(
    copy: Copy, site: Site, unsubscribe_url: str, preferences_url: str, message_id_key: str, hand: Hand
) -> Message:
    """The frozen text, dated now and with a Message-ID of its own: a mailbox that has the first copy somewhere, or
    threw it away, would hide a second one of the same name.
    """
    return compose(
        site=site,
        issue=replace(copy.text.issue, started_at=hand.at),
        digest=copy.text.digest,
        addressee=copy.addressee,
        unsubscribe_url=unsubscribe_url,
        preferences_url=preferences_url,
        message_id_key=message_id_key,
        occasion=f"again|{hand.at.isoformat()}",
    )


def refused(copy: Copy, receipt: Receipt) -> Problem | None:
    """S344 when the mail server did not accept it."""
    if receipt.outcome is Outcome.ACCEPTED:
        return None
    message = f"The copy to {copy.addressee.address} was not accepted ({receipt.outcome.value}): {receipt.words}"
    return Problem("S344", message, why="It is not tried again by itself.")
