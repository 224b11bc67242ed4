"""An issue before and beside its send: `issue test | rehearse | resend`, and its bytes for `issue show`."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import click

from newsletter import words
from newsletter.cli.door import Door, columns, command, told
from newsletter.cli.issue import number_of
from newsletter.errors import Outside

if TYPE_CHECKING:
    from newsletter.model import Library, Message
    from newsletter.usecases.rehearse import Rehearsal
    from newsletter.usecases.texts import Text


def _text(door: Door, number: str) -> Text:
    """The text of a number, or of `next`: the one that is frozen and still to go, else as it would be made now."""
    from newsletter.usecases import texts

    app = door.app
    found = texts.frozen(app.ledger, None if number == "next" else number_of(number))
    return found or texts.drafted(app.press(app.library(door.now), door.now))


# -- issue show N --html | --text | --eml | --readers


def show_part(door: Door, number: str, part: str, variant: str, reader: str | None) -> None:
    """Print one part of the final bytes, as readers with this variant get them, or this one reader."""
    message = _message(door, _text(door, number), variant, reader)
    if part == "eml":
        sys.stdout.buffer.write(message.content)
        return
    content = _part(message, part)
    door.answer({"part": part, "content": content}, content.rstrip("\n"))


def _message(door: Door, text: Text, variant: str, address: str | None) -> Message:
    from newsletter.usecases import enroll, texts

    if address is None:
        return texts.shown(text, texts.variant_of(text.digest, variant), site=door.app.config.site, now=door.now)
    reader = enroll.known(door.app.roster, address)
    return door.app.write(text, text.issue.started_at or door.now)(texts.addressee(door.app.ledger, text, reader))


def _part(message: Message, part: str) -> str:
    parsed = message_from_bytes(message.content, policy=policy.default)
    body = parsed.get_body(("html",) if part == "html" else ("plain",))
    assert body is not None  # noqa: S101  every message has both
    return str(body.get_content()).replace("\r\n", "\n")


def show_readers(door: Door, number: str) -> None:
    """How many readers get which segments: of the audience that was fixed, or as it would be now."""
    from newsletter.usecases import texts

    text = _text(door, number)
    counted = texts.readers_by_variant(door.app.ledger, text)
    when = "when the audience was fixed" if text.issue.started_at else "if it went out now"
    data = [{"segments": list(keys), "readers": count} for keys, count in counted.items()]
    rows = _variant_rows(counted)
    total = words.count(sum(counted.values()), "reader")
    door.answer(
        data, f"Issue {text.issue.number} · {total}, {when}", *rows, *_segment_lines(text, door.app.library(door.now))
    )


def _variant_rows(counted: Mapping[tuple[str, ...], int]) -> list[str]:
    return columns([(f"  {count:>9,}", ", ".join(keys) or "what everybody gets") for keys, count in counted.items()])


_FOR = {"recap": "for who was not sent", "erratum": "for who was sent, before it was corrected,"}


def _segment_lines(text: Text, library: Library) -> list[str]:
    """For whom each segment is."""
    rows = []
    for one in text.digest.segments:
        post = library.find(one.post_id)
        rows.append((f"  {one.key}", f"{_FOR[one.kind.value]} “{post.title if post else one.post_id}”"))
    return columns(rows)


# -- issue test


@command("test")
@click.argument("number", metavar="N|next")
@click.option("--to", "to", multiple=True, required=True, metavar="ADDRESS", help="Up to 5, of the house.")
@click.option("--variant", default="all", show_default=True, metavar="KEYS", help="Which segments: all, none, or keys.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, to whom.")
def test(door: Door, number: str, to: Sequence[str], variant: str, dry_run: bool) -> None:
    """Send a test of an issue to people of the house, never to readers.

    \b
    newsletter issue test next --to review@autotrendy.example
    newsletter issue test 47 --to review@autotrendy.example --variant none
    """
    from newsletter.usecases import proof
    from newsletter.usecases.texts import variant_of

    if not dry_run:
        door.app.own()
    app, text = door.app, _text(door, number)
    house = proof.house(app.config.site, app.config.mail.test_recipients)
    addresses, keys = proof.recipients(to, house), variant_of(text.digest, variant)
    made = []
    if not dry_run:
        site, transport, proofs = app.config.site, app.transport, app.proofs
        made = proof.prove(text, keys, addresses, site=site, transport=transport, proofs=proofs, now=door.now)
    size = f"{len(text.digest.html.encode()) / 1000:.1f} kB"
    by_address = {one.recipient: " ".join(f"{one.receipt.code or ''} {one.receipt.reply}".split()) for one in made}
    where = "the outbox" if app.config.mail.sandbox else app.config.mail.host
    data = {
        "number": text.issue.number,
        "digest_hash": text.digest.digest_hash,
        "subject": proof.subject(text),
        "variant": list(keys),
        "to": [{"address": one, "reply": by_address.get(one, "")} for one in addresses],
        "dry_run": dry_run,
        "problems": [problem.as_json() for problem in text.problems],
    }
    accepted = {one.recipient for one in made} - {one.recipient for one in made if not proof.accepted(one)}
    what = f"a test of issue {text.issue.number} ({size})"
    lines = [f"Would send {what} to {one}, through {where}." for one in addresses] if dry_run else []
    lines += [f"Sent {what} to {one}: accepted by {where} ({by_address[one]})" for one in addresses if one in accepted]
    door.answer(data, *lines, f"Subject: {proof.subject(text)}")
    door.say(*told(text.problems))
    if problems := proof.failed(made):
        raise Outside(problems)


# -- issue rehearse


@command("rehearse")
@click.argument("number", metavar="N|next")
@click.option("--dry-run", is_flag=True, help="The same: a rehearsal changes nothing.")
def rehearse(door: Door, number: str, dry_run: bool) -> None:  # noqa: ARG001
    """Compose every reader's message as the send would, and hand over none: counts, sizes, who gets nothing and why.

    \b
    newsletter issue rehearse next
    newsletter issue rehearse 47 --json
    """
    from newsletter.usecases.rehearse import rehearse as run

    app, text = door.app, _text(door, number)
    began = time.perf_counter()
    done = run(text, ledger=app.ledger, roster=app.roster, write=app.write(text, door.now))
    spent = time.perf_counter() - began
    lines = [*_rehearsed(door, done, spent), *told(text.problems)]
    door.answer(_data(done) | {"problems": [problem.as_json() for problem in text.problems]}, *lines)


def _rehearsed(door: Door, done: Rehearsal, spent: float) -> list[str]:
    from newsletter.usecases.rehearse import spread

    count, text = len(done.sizes), done.text
    sizes = "  ".join(f"{name} {octets / 1000:.1f} kB" for name, octets in zip(_SIZES, spread(done.sizes), strict=True))
    state = "frozen" if text.frozen else "as it would be made now"
    lines = [
        f"Rehearsed issue {text.issue.number}, {state}: {words.count(count, 'message')} composed, none handed over.",
        f"Subject    {text.digest.subject}",
        f"Readers    {count:,}",
        *(_variant_rows(done.variants) if len(done.variants) > 1 else ()),
        f"Size       {sizes}",
        f"Duration   {_duration(done)}; composing took {spent:.1f} s",
        *_skipped(door, done),
    ]
    return [*lines, *_difference(done)]


_SIZES = ("smallest", "median", "largest")


def _duration(done: Rehearsal) -> str:
    if done.before is None or done.duration is None or done.before.pace is None:
        return "unknown: too little has gone out to say how fast the mail server takes it"
    return f"about {words.span(done.duration)}, at the {done.before.pace:.1f} a second of issue {done.before.number}"


def _skipped(door: Door, done: Rehearsal) -> list[str]:
    """How many readers get nothing, by reason; who they are with -v."""
    reasons = list(dict.fromkeys(one.reason for one in done.skipped))
    counted = [(sum(one.reason == reason for one in done.skipped), reason) for reason in reasons]
    lines = [f"Not to     {', '.join(f'{count:,} {reason}' for count, reason in counted)}"] if counted else []
    return lines + ([f"  {one.address}   {one.reason}" for one in done.skipped] if door.verbose else [])


def _difference(done: Rehearsal) -> list[str]:
    before, text = done.before, done.text
    if before is None:
        return []
    stories = len(text.issue.stories) - before.stories
    octets = len(text.digest.html.encode()) - before.octets
    readers = len(done.sizes) - before.readers
    return [f"Beside {before.number:<4} stories {stories:+}  HTML {octets / 1000:+.1f} kB  readers {readers:+,}"]


def _data(done: Rehearsal) -> dict[str, object]:
    from newsletter.usecases.rehearse import spread

    before = done.before
    return {
        "number": done.text.issue.number,
        "digest_hash": done.text.digest.digest_hash,
        "readers": len(done.sizes),
        "bytes": dict(zip(_SIZES, spread(done.sizes), strict=True)),
        "variants": [{"segments": list(keys), "readers": count} for keys, count in done.variants.items()],
        "skipped": [{"address": one.address, "reason": one.reason} for one in done.skipped],
        "seconds": done.duration.total_seconds() if done.duration else None,
        "before": {"number": before.number, "stories": before.stories, "html_bytes": before.octets}
        | {"readers": before.readers}
        if before
        else None,
    }


# -- issue resend


@command("resend")
@click.argument("number", metavar="N")
@click.argument("address", metavar="ADDRESS")
@click.option("--dry-run", is_flag=True, help="Say what would be sent.")
def resend(door: Door, number: str, address: str, dry_run: bool) -> None:
    """Send one active reader an issue again, as they got it or should have.

    \b
    newsletter issue resend 46 reader@example.org
    """
    from newsletter.usecases import enroll
    from newsletter.usecases import resend as again
    from newsletter.usecases.report import issue_named

    app = door.app
    if not dry_run:
        app.own()
    one = issue_named(app.ledger, number_of(number))
    copy = again.copy(app.ledger, one, enroll.known(app.roster, address))
    data = {"number": one.number, "address": copy.addressee.address, "dry_run": dry_run}
    if dry_run:
        door.answer(data, f"Would send issue {one.number} again to {copy.addressee.address}.")
        return
    receipt = again.resend(
        copy,
        ledger=app.ledger,
        transport=app.transport,
        site=app.config.site,
        unsubscribe_url=app.unsubscribe_url(copy.addressee.subscriber_id, copy.addressee.token_version),
        message_id_key=app.keys.message_id,
        hand=door.hand,
    )
    if refusal := again.refused(copy, receipt):
        raise Outside(refusal)
    reply = " ".join(f"{receipt.code or ''} {receipt.reply}".split())
    data |= {"outcome": receipt.outcome.value, "reply": reply}
    door.answer(data, f"Sent issue {one.number} again to {copy.addressee.address}: accepted ({reply})")
