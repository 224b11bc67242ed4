"""Readers who want not everything, from the choice to the mail: what they get, and what the desk is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from newsletter.errors import Refused
from newsletter.model import WEEKLY, Evidence
from newsletter.usecases import proof, report
from newsletter.usecases.rehearse import Rehearsal, rehearse
from newsletter.usecases.texts import Text, addressee, drafted, frozen, readers_by_variant, variant_of
from tests.acceptance.harness import part
from tests.unit.usecases.world import SLOT, WEDNESDAY, World, a_world

SHOWN = "https://weekly.auto-trendy.net/posts/{}/"
POSTS = {"works": "Cars", "road-law": "Law & order", "diesel-van": "Cars", "hybrid-hatch": "Batteries"}
ADA, BEN, CLEO, DORA = (f"{name}@readers.example" for name in ("ada", "ben", "cleo", "dora"))


TESTS = '\n[mail]\ntest_recipients = ["desk@b.example"]\n'


@dataclass
class Sent:
    """The first issue after its send, and what was said of it before."""

    world: World
    text: Text
    rehearsal: Rehearsal
    counted: Mapping[tuple[str, ...], int]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Ben wants the text alone and nothing of batteries, the lead; Cleo none of the topics, Dora no cars."""
    made = a_world(tmp_path_factory.mktemp("choosers") / "site", more=TESTS)
    for day, (slug, topic) in enumerate(POSTS.items(), 21):
        made.folder.post(slug, f"2026-11-{day}", front=f"topics: [{topic}]\n")
    made.join(ADA, BEN, CLEO, DORA)
    choose(made, BEN, "batteries", plain=True)
    choose(made, CLEO, "batteries", "cars", "law-order")
    choose(made, DORA, "cars")
    app, text = made.app, drafted(made.press(SLOT))
    done = rehearse(text, ledger=app.ledger, roster=app.roster, write=app.write(text, SLOT))
    counted = readers_by_variant(app.ledger, text)
    made.prepare(SLOT)
    made.deliver(SLOT)
    frozen_text = frozen(app.ledger, WEEKLY, 1)
    assert frozen_text
    yield Sent(made, frozen_text, done, counted)
    app.close()


def choose(world: World, address: str, *without: str, plain: bool = False) -> None:
    reader = world.app.roster.find(address)
    assert reader
    by = Evidence("link")
    world.app.roster.choose(reader.id, edition=WEEKLY, without=without, plain=plain, evidence=by, now=WEDNESDAY)


def test_a_rehearsal_knows_who_goes_without_and_who_gets_nothing(sent: Sent) -> None:
    done = sent.rehearsal
    assert [(one.address, one.reason) for one in done.skipped] == [(CLEO, "no-topic")]
    assert set(done.variants.values()) == {1}
    assert len(done.variants) == len(done.sizes) == 3
    assert sent.counted == done.variants == readers_by_variant(sent.world.app.ledger, sent.text)


def test_what_somebody_would_be_sent_who_is_sent_nothing_is_refused(sent: Sent) -> None:
    cleo = sent.world.app.roster.find(CLEO)
    assert cleo
    with pytest.raises(Refused, match="S345"):
        addressee(sent.world.app.ledger, sent.text, cleo)


def test_a_test_says_that_it_is_one_whatever_is_left_out(sent: Sent) -> None:
    text, app = sent.text, sent.world.app
    keys = variant_of(text.digest, "story:1,plain")
    proof.prove(
        text, keys, ["desk@b.example"], site=app.config.site, transport=app.transport, proofs=app.proofs, now=WEDNESDAY
    )
    [mail] = [mail for mail in sent.world.folder.mails() if mail["To"] == "desk@b.example"]
    assert mail["Subject"].startswith("[TEST 1] ")
    assert mail["Subject"] != f"[TEST 1] {text.digest.subject}"


def test_each_gets_the_stories_that_they_want_and_is_told_the_truth_about_them(sent: Sent) -> None:
    text = sent.text
    came = {str(mail["To"]): mail for mail in sent.world.folder.mails()}
    assert CLEO not in came
    titles = {one.key: one.title.partition(": ")[2] for one in text.digest.segments}
    assert came[ADA]["Subject"] == came[DORA]["Subject"] == titles["story:1"] == "Hybrid hatch on the road"
    assert came[BEN]["Subject"] == titles["story:2"]
    assert came[BEN].get_content_type() == "text/plain"
    stories = {reader: {slug for slug in POSTS if SHOWN.format(slug) in part(came[reader], "plain")} for reader in came}
    everything = set(POSTS)
    assert stories[ADA] == everything
    assert stories[BEN] == everything - {"hybrid-hatch"}
    assert stories[DORA] == everything - {"diesel-van", "works"}
    assert "· 2 stories ·" in part(came[DORA], "plain")
    assert "van on the road" not in part(came[DORA], "html")


def test_why_is_told_afterwards(sent: Sent) -> None:
    app = sent.world.app
    ben, cleo = (app.roster.find(address) for address in (BEN, CLEO))
    assert ben
    assert cleo
    told = report.explain(ledger=app.ledger, roster=app.roster, reader=ben, edition=WEEKLY, number=1)
    assert told.titles["story:1"] == "Hybrid hatch on the road"
    dropped = app.ledger.delivery(WEEKLY, 1, cleo.id)
    assert dropped
    assert (dropped.state.value, dropped.reason) == ("dropped", "no-topic")
    [told_of] = report.report(app.ledger, WEEKLY, 1).answers
    assert (told_of.state.value, told_of.reason, told_of.readers) == ("dropped", "no-topic", 1)
