"""What an issue says before it goes: its bytes for `issue show`, and `issue test`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import click

from newsletter import variants, words
from newsletter.cli.door import Door, columns, command, told
from newsletter.cli.naming import asked, press_of, variant_option
from newsletter.errors import Outside, Problem, UsageError
from newsletter.model import SegmentKind

if TYPE_CHECKING:
    from newsletter.model import Library, Message, Proof
    from newsletter.usecases.texts import Text


def text_named(door: Door, number: str) -> Text:
    """The text of a number, or of `next`: the one that is frozen and still to go, else as it would be made now."""
    from newsletter.usecases import texts

    edition, wanted = asked(number)
    found = texts.frozen(door.app.ledger, edition, wanted)
    return found or texts.drafted(press_of(door, edition))


# -- issue show N --html | --text | --eml | --readers


def show_part(door: Door, number: str, part: str, variant: str, reader: str | None) -> None:
    """Print one part of the final bytes, as readers with this variant get them, or this one reader."""
    message = _message(door, text_named(door, number), variant, reader)
    if part == "eml":
        sys.stdout.buffer.write(message.content)
        return
    content = _part(message, part)
    door.answer({"part": part, "content": content}, content.rstrip("\n"))


def _message(door: Door, text: Text, variant: str, address: str | None) -> Message:
    from newsletter.usecases import readers, texts

    if address is None:
        return texts.shown(text, texts.variant_of(text.digest, variant), site=door.app.config.site, now=door.now)
    reader = readers.known(door.app.roster, address)
    return door.app.write(text, text.issue.started_at or door.now)(texts.addressee(door.app.ledger, text, reader))


def _part(message: Message, part: str) -> str:
    parsed = message_from_bytes(message.content, policy=policy.default)
    body = parsed.get_body(("html",) if part == "html" else ("plain",))
    if body is None:
        fix = "newsletter issue show … --text"
        raise UsageError(Problem("I120", "Who gets the text alone gets no HTML", fixes=(fix,)))
    return str(body.get_content()).replace("\r\n", "\n")


def show_readers(door: Door, number: str) -> None:
    """How many readers get which segments: of the audience that was fixed, or as it would be now."""
    from newsletter.usecases import texts

    text = text_named(door, number)
    counted = texts.readers_by_variant(door.app.ledger, text)
    when = "when the audience was fixed" if text.issue.started_at else "if it went out now"
    data = [{"segments": list(keys), "readers": count} for keys, count in counted.items()]
    rows = variant_rows(counted)
    total = words.count(sum(counted.values()), "reader")
    named = {key for keys in counted for key in keys}
    lines = _segment_lines(text, door.app.library(door.now), named)
    door.answer(data, f"{text.issue.title} · {total}, {when}", *rows, *lines)


def variant_rows(counted: Mapping[tuple[str, ...], int]) -> list[str]:
    return columns([(f"  {count:>9,}", variants.in_words(keys, {})) for keys, count in counted.items()])


_FOR = {
    "story": "left out for who was sent it before, or wants none of its topics:",
    "recap": "for who was not sent",
    "erratum": "for who was sent, before it was corrected,",
}


def _segment_lines(text: Text, library: Library, named: Collection[str]) -> list[str]:
    """For whom each segment is that some readers get, and each story that is left out for some."""
    rows = []
    for one in text.digest.segments:
        if one.kind is SegmentKind.STORY and one.key not in named:
            continue
        post = library.find(one.post_id)
        rows.append((f"  {one.key}", f"{_FOR[one.kind.value]} “{post.title if post else one.post_id}”"))
    return columns(rows)


# -- issue test

_UNTRIED = {"S307", "S329"}  # that it was not tried yet: here it is


@command("test")
@click.argument("number", metavar="N|next")
@click.option("--to", "to", multiple=True, required=True, metavar="ADDRESS", help="Up to 5, of the house.")
@variant_option
@click.option("--dry-run", is_flag=True, help="Say what would be sent, to whom.")
def test(door: Door, number: str, to: Sequence[str], variant: str, dry_run: bool) -> int:
    """Send a test of an issue to people of the house, never to readers.

    \b
    newsletter issue test next --to review@autotrendy.example
    newsletter issue test 47 --to review@autotrendy.example --variant none
    """
    from newsletter.usecases import proof
    from newsletter.usecases.texts import variant_of

    if not dry_run:
        door.app.own()
    app, text = door.app, text_named(door, number)
    house = proof.house(app.config.site, app.config.mail.test_recipients)
    addresses, keys = proof.recipients(to, house), variant_of(text.digest, variant)
    made: list[Proof] = []
    if not dry_run:
        site, transport, proofs = app.config.site, app.transport, app.proofs
        made = proof.prove(text, keys, addresses, site=site, transport=transport, proofs=proofs, now=door.now)
    problems = [*(p for p in text.problems if p.code not in _UNTRIED), *(failed := proof.failed(made))]
    told_to = dict.fromkeys(addresses, "") | {one.recipient: one.receipt.words for one in made}
    data = {
        "number": text.issue.number,
        "digest_hash": text.digest.digest_hash,
        "subject": proof.subject(text),
        "variant": list(keys),
        "to": [{"address": address, "reply": reply} for address, reply in told_to.items()],
        "dry_run": dry_run,
        "problems": [problem.as_json() for problem in problems],
    }
    lines = _would_test(door, text, addresses) if dry_run else _tested(door, text, made)
    door.answer(data, *lines, f"Subject: {proof.subject(text)}")
    if not door.json:
        for line in told(problems):
            door.echo(line, err=True)
    return Outside.exit_status if failed else 0


def _would_test(door: Door, text: Text, addresses: Sequence[str]) -> list[str]:
    return [f"Would send {_what(text)} to {address}, through {_where(door)}." for address in addresses]


def _tested(door: Door, text: Text, made: Sequence[Proof]) -> list[str]:
    from newsletter.usecases.proof import accepted

    done = [one for one in made if accepted(one)]
    return [f"Sent {_what(text)} to {one.recipient}: accepted by {_where(door)} ({one.receipt.words})" for one in done]


def _what(text: Text) -> str:
    from newsletter.issues import budget

    return f"a test of issue {text.issue.name} ({budget.size(text.digest) / 1000:.1f} kB)"


def _where(door: Door) -> str:
    return "the outbox" if door.app.config.mail.sandbox else door.app.config.mail.host
