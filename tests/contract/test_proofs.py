"""What is remembered of the tests of a Digest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.model import WEEKLY, Outcome, Proof, Receipt
from newsletter.ports import Proofs
from newsletter.store.database import Database
from newsletter.store.proofs import SqlProofs
from tests.contract.desk import FRIDAY, MINUTE, YES

ONE = Proof(WEEKLY, 47, "sha256:1", "editor@autotrendy.example", "review@autotrendy.example", FRIDAY, YES)
NO = replace(ONE, at=FRIDAY + MINUTE, receipt=Receipt(Outcome.REFUSED, 550, "5.1.1 nobody here"))


@pytest.fixture
def proofs(database: Database) -> Proofs:
    return SqlProofs(database)


def test_a_proof_is_found_by_the_text_that_it_was_of(proofs: Proofs) -> None:
    proofs.keep(ONE)
    proofs.keep(replace(ONE, digest_hash="sha256:2"))
    proofs.keep(NO)
    assert proofs.of("sha256:1") == [ONE, NO]
    assert proofs.of("sha256:3") == []


def test_the_newest_proof_that_was_accepted_from_an_address_is_told(proofs: Proofs) -> None:
    later = replace(ONE, number=48, digest_hash="sha256:2", at=FRIDAY + MINUTE)
    assert proofs.accepted_from(ONE.sender) is None
    for made in (ONE, later, NO, replace(ONE, sender="other@autotrendy.example")):
        proofs.keep(made)
    assert proofs.accepted_from(ONE.sender) == later
