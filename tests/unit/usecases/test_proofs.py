"""An issue before and beside its send: tests to the house, a rehearsal, a copy for one who missed it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.delivery.circuit import Relay
from newsletter.errors import Outside, Problem, Refused, UsageError
from newsletter.model import WEEKLY, Evidence, Hand, IssueState, Message, Outcome, Proof
from newsletter.ports import Transport
from newsletter.readers.tokens import UNSUBSCRIBE
from newsletter.usecases import proof
from newsletter.usecases import resend as again
from newsletter.usecases.rehearse import Rehearsal, rehearse
from newsletter.usecases.texts import Text, drafted, frozen, readers_by_variant, shown, variant_of
from tests.acceptance.harness import parsed, part
from tests.edges.sending import Scripted
from tests.unit.usecases.world import SLOT, WEDNESDAY, WEEK, World, a_world

NEXT = SLOT + WEEK
DESK, SEED = "review@auto-trendy.net", "seed@mailbox.example"
TESTS = f'\n[mail]\ntest_recipients = ["{SEED}", "a@b.example", "c@b.example", "d@b.example", "e@b.example"]\n'
EVERYBODY = {"ada@readers.example": "erratum:1", "ben@readers.example": "erratum:1", "cleo@readers.example": "recap:1"}


def a_saga(root: Path) -> World:
    """Issue 1 went to Ada and Ben; then Cleo joined, a story was continued and another one corrected."""
    made = a_world(root, ("diesel-van", "2026-11-23"), ("hybrid-hatch", "2026-11-24"), more=TESTS)
    made.join("ada@readers.example", "ben@readers.example")
    made.prepare(SLOT)
    made.deliver(SLOT)
    made.join("cleo@readers.example", now=SLOT + timedelta(days=1))
    made.folder.post("petrol-van", "2026-12-01", front="previous: diesel-van\n")
    hatch = made.folder.root / "posts" / "2026-11-24-hybrid-hatch.md"
    front = 'updated: 2026-11-30\ncorrections: ["2026-11-30 The range is 512 km."]\n---\n\n'
    hatch.write_text(hatch.read_text(encoding="utf-8").replace("---\n\n", front, 1), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def saga(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Before issue 2."""
    made = a_saga(tmp_path_factory.mktemp("saga") / "site")
    yield made
    made.app.close()


@dataclass
class Sent:
    """Issue 2 after its send, and what its rehearsal had said."""

    world: World
    rehearsal: Rehearsal
    messages: dict[str, bytes]
    untouched: bool  # by the rehearsal


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    made = a_saga(tmp_path_factory.mktemp("sent") / "site")
    roster = made.app.roster
    roster.ask("dora@readers.example", edition=WEEKLY, evidence=Evidence("form"), now=WEDNESDAY)
    before = state(made)
    done, messages = rehearsed(made, NEXT - timedelta(hours=1))
    untouched = before == state(made)
    made.prepare(NEXT)
    made.deliver(NEXT)
    yield Sent(made, done, messages, untouched)
    made.app.close()


def state(world: World) -> object:
    ledger = world.app.ledger
    return ledger.entries(99), ledger.issues(WEEKLY), ledger.deliveries(WEEKLY, 1), len(world.folder.mails())


def the_text(world: World, now: datetime = NEXT) -> Text:
    """That of `next`."""
    return frozen(world.app.ledger, WEEKLY, None) or drafted(world.press(now))


def prove(world: World, to: Sequence[str], transport: Transport | None = None) -> list[Proof]:
    text, app = the_text(world), world.app
    site, transport = app.config.site, transport or app.transport
    keys = variant_of(text.digest, "all")
    return proof.prove(text, keys, to, site=site, transport=transport, proofs=app.proofs, now=WEDNESDAY)


def mail_to(world: World, address: str) -> list[EmailMessage]:
    return [mail for mail in world.folder.mails() if mail["To"] == address]


# -- tests


def test_a_test_says_that_it_is_one_and_is_remembered_with_its_text(saga: World) -> None:
    [made] = prove(saga, ["d@b.example"])
    [mail] = mail_to(saga, "d@b.example")
    text = the_text(saga)
    assert mail["Subject"] == "[TEST 2] Petrol van on the road"
    assert part(mail, "plain").count("New to this story?") == part(mail, "plain").count("Correction") == 1
    assert saga.app.proofs.of(text.digest.digest_hash)[-1] == made
    assert (made.sender, made.receipt.outcome) == ("editor@auto-trendy.net", Outcome.ACCEPTED)


def test_the_unsubscribe_link_of_a_test_is_nobodys(saga: World) -> None:
    prove(saga, ["e@b.example"])
    [mail] = mail_to(saga, "e@b.example")
    assert re.findall(r"<(https:[^>]*)>", str(mail["List-Unsubscribe"])) == ["https://weekly.auto-trendy.net/u/preview"]
    assert saga.app.tokens.read(UNSUBSCRIBE, "preview", SLOT) is None


def test_what_was_answered_is_kept_also_when_it_was_no(saga: World) -> None:
    transport = Scripted()
    transport.answer_to(SEED, Outcome.REFUSED)
    transport.answer_to("c@b.example", Outside(Problem("S320", "cannot be reached")))
    before = len(saga.app.proofs.of(the_text(saga).digest.digest_hash))
    with pytest.raises(Outside):
        prove(saga, [SEED, "a@b.example", "c@b.example"], transport)
    kept = saga.app.proofs.of(the_text(saga).digest.digest_hash)[before:]
    assert [one.receipt.outcome for one in kept] == [Outcome.REFUSED, Outcome.ACCEPTED]
    assert [problem.code for problem in proof.failed(kept)] == ["S311"]


def house(world: World) -> proof.House:
    return proof.house(world.app.config.site, world.app.config.mail.test_recipients)


@pytest.mark.parametrize("address", ["ada@readers.example", f"{SEED}x", "seed+1@mailbox.example", "*", ""])
def test_a_test_goes_to_nobody_but_the_house(saga: World, address: str) -> None:
    with pytest.raises(Refused) as refused:
        proof.recipients([SEED, address], house(saga))
    assert refused.value.problems[0].code == "S310"


def test_a_test_goes_to_five_at_the_most_and_to_each_once(saga: World) -> None:
    assert proof.recipients([SEED, SEED.upper()], house(saga)) == (SEED,)
    five = saga.app.config.mail.test_recipients
    assert len(proof.recipients(five, house(saga))) == 5
    for wrong in ((), (*five, "more@b.example")):
        with pytest.raises(UsageError, match="S331"):
            proof.recipients(wrong, proof.House((*five, "more@b.example")))


# -- the bytes


def test_a_variant_is_named_by_its_keys(saga: World) -> None:
    digest = the_text(saga).digest
    assert variant_of(digest, "all") == ("erratum:1", "recap:1")
    assert variant_of(digest, "none") == ()
    assert variant_of(digest, "recap:1") == ("recap:1",)
    with pytest.raises(UsageError, match="I118"):
        variant_of(digest, "recap:9")


def test_both_variants_of_a_recap_can_be_shown(saga: World) -> None:
    text, site = the_text(saga), saga.app.config.site
    newcomer, others = (shown(text, keys, site=site, now=NEXT).content for keys in (("recap:1",), ()))
    assert b"New to this story?" in newcomer
    assert b"New to this story?" not in others
    assert b"segment" not in newcomer + others


def test_readers_are_counted_by_what_they_get(saga: World) -> None:
    assert readers_by_variant(saga.app.ledger, the_text(saga)) == {("erratum:1",): 2, ("recap:1",): 1}


def test_next_is_the_issue_that_goes_out_next_frozen_or_not(world: World) -> None:
    draft = the_text(world, SLOT)
    assert (draft.frozen, draft.issue.number) == (False, 1)
    world.prepare(SLOT)
    made = the_text(world, SLOT)
    assert (made.frozen, made.issue.number) == (True, 1)
    assert made.digest.digest_hash == draft.digest.digest_hash
    world.deliver(SLOT)
    assert frozen(world.app.ledger, WEEKLY, None) is None
    assert frozen(world.app.ledger, WEEKLY, 1)
    with pytest.raises(UsageError, match="I110"):
        frozen(world.app.ledger, WEEKLY, 9)


# -- rehearsal and send


def undated(content: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]*", b"", content)


def rehearsed(world: World, now: datetime) -> tuple[Rehearsal, dict[str, bytes]]:
    text, messages = the_text(world, now), dict[str, bytes]()

    def sink(message: Message) -> None:
        messages[message.recipient] = undated(message.content)

    app = world.app
    done = rehearse(text, ledger=app.ledger, roster=app.roster, write=app.write(text, now), sink=sink)
    return done, messages


def test_a_rehearsal_says_who_would_get_what_and_changes_nothing(sent: Sent) -> None:
    done = sent.rehearsal
    assert sent.untouched
    assert {one.address: one.reason for one in done.skipped} == {"dora@readers.example": "unconfirmed"}
    assert done.variants == {("erratum:1",): 2, ("recap:1",): 1}
    assert len(done.sizes) == 3
    assert done.before
    assert (done.before.number, done.before.stories, done.before.readers) == (1, 2, 2)


def test_what_was_rehearsed_is_what_is_sent_but_for_the_date(sent: Sent) -> None:
    rows = sent.world.app.ledger.deliveries(WEEKLY, 2)
    assert {row.address: " ".join(row.variant) for row in rows} == EVERYBODY
    came = (path.read_bytes() for path in (sent.world.folder.root / "var/outbox/new").glob("2.*.eml"))
    by_reader = {str(parsed(content)["To"]): undated(content) for content in came if b"\r\nDate: Fri, 04" in content}
    assert by_reader == sent.messages


# -- once more


def copied(world: World, address: str, number: int = 2) -> again.Copy:
    issue, reader = world.app.ledger.issue(WEEKLY, number), world.app.roster.find(address)
    assert issue
    assert reader
    return again.copy(world.app.ledger, issue, reader)


def resent(world: World, copy: again.Copy, transport: Transport, now: datetime) -> None:
    app = world.app
    again.resend(
        copy,
        ledger=app.ledger,
        transport=transport,
        site=app.config.site,
        unsubscribe_url=app.unsubscribe_url(copy.addressee.subscriber_id, 1),
        preferences_url=app.preferences_url(copy.addressee.subscriber_id, 1),
        message_id_key=app.keys.message_id,
        hand=Hand("review-desk", "cli", now),
    )


def test_a_reader_who_missed_it_gets_the_same_text_under_a_new_name(sent: Sent) -> None:
    [first] = [
        mail for mail in mail_to(sent.world, "cleo@readers.example") if mail["Subject"] == "Petrol van on the road"
    ]
    resent(sent.world, copied(sent.world, "cleo@readers.example"), sent.world.app.transport, NEXT + timedelta(days=1))
    second = next(m for m in mail_to(sent.world, "cleo@readers.example") if m["Message-ID"] != first["Message-ID"])
    assert part(second, "html") == part(first, "html")
    assert part(second, "plain") == part(first, "plain")
    line = next(one for one in sent.world.app.ledger.entries(9) if one.object == "issue 2 to reader 3")
    assert (line.who, line.action) == ("review-desk", "resend")
    assert line.after.startswith("accepted ")


def test_who_got_a_copy_has_what_is_in_it(sent: Sent) -> None:
    sent.world.join("eve@readers.example", now=NEXT + timedelta(days=1))
    eve = sent.world.app.roster.find("eve@readers.example")
    assert eve
    segments = sent.world.app.ledger.digest(WEEKLY, 2).segments
    assert sent.world.app.ledger.variant("weekly", 2, segments, eve.id) == ("recap:1",)
    refused = Scripted()
    refused.answer_to("eve@readers.example", Outcome.REFUSED)
    resent(sent.world, copied(sent.world, "eve@readers.example", 1), refused, NEXT + timedelta(days=1))
    assert sent.world.app.ledger.variant("weekly", 2, segments, eve.id) == ("recap:1",)
    resent(sent.world, copied(sent.world, "eve@readers.example", 1), sent.world.app.transport, NEXT + timedelta(days=2))
    assert sent.world.app.ledger.variant("weekly", 2, segments, eve.id) == ("erratum:1",)


def test_a_copy_that_was_accepted_settles_the_doubt_about_the_first(world: World) -> None:
    made = world.prepare(SLOT).issue
    assert made
    lost = Scripted()
    lost.answer_to("ada@readers.example", Outcome.UNKNOWN)
    world.app.relays = [Relay("main", lost, 1)]
    world.deliver(SLOT)
    assert world.states()[made.number] is IssueState.NEEDS_ATTENTION
    resent(world, copied(world, "ada@readers.example", made.number), lost, SLOT + timedelta(hours=1))
    assert world.app.ledger.doubtful(WEEKLY, made.number) == []
    assert world.states()[made.number] is IssueState.SENT


def test_no_copy_goes_to_who_left_or_has_it_still_to_come_or_of_what_was_never_sent(world: World) -> None:
    made = world.prepare(SLOT).issue
    assert made
    with pytest.raises(Refused, match="S342"):
        copied(world, "ada@readers.example", made.number)
    world.app.ledger.start_send(WEEKLY, made.number, now=SLOT)
    with pytest.raises(Refused, match="S343"):
        copied(world, "ada@readers.example", made.number)
    world.deliver(SLOT)
    reader = world.app.roster.find("ada@readers.example")
    assert reader
    world.app.roster.leave(reader.id, evidence=Evidence("link"), now=SLOT)
    with pytest.raises(Refused, match="S341"):
        copied(world, "ada@readers.example", made.number)
