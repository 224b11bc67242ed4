"""The envelope sender of a reader's own: read back to the letter, and made by nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.envelope import LONGEST, Returned, ReturnPath, returning
from newsletter.model import WEEKLY, Addressee, Chunk, Message
from tests.edges.sending import NOW

PATH = ReturnPath("b@bounces.autotrendy.example", "a key that lasts")
ADDRESS = PATH.of(WEEKLY, 47, 345)


@given(
    edition=st.sampled_from(["weekly", "monthly", "each-post"]),
    number=st.integers(1, 2**32 - 1),
    reader=st.integers(1, 2**63),
)
def test_a_bounce_names_the_delivery_that_it_speaks_of(edition: str, number: int, reader: int) -> None:
    address = PATH.of(edition, number, reader)
    assert PATH.read(address) == Returned(edition, number, reader)
    assert address == PATH.of(edition, number, reader)
    assert address.islower()


def test_a_server_that_changes_the_case_loses_nothing() -> None:
    assert PATH.read(ADDRESS.upper()) == Returned(WEEKLY, 47, 345)


@given(place=st.integers(0, len(ADDRESS.partition("@")[0]) - 1), letter=st.sampled_from("abcxyz234567=+"))
def test_one_other_letter_is_somebody_elses(place: int, letter: str) -> None:
    other = ADDRESS[:place] + letter + ADDRESS[place + 1 :]
    assert (PATH.read(other) is None) == (other != ADDRESS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "b@bounces.autotrendy.example",
        "b+@x",
        "b+ä@x",
        f"b+{'a' * 29}@x",
        f"c{ADDRESS[1:]}",
        f"{ADDRESS.partition('@')[0][:-1]}=@x",
        f"+{ADDRESS}",
        "b+" * 30,
    ],
)
def test_what_was_not_made_here_is_nobodys(address: str) -> None:
    assert PATH.read(address) is None


def test_another_key_makes_other_addresses() -> None:
    assert PATH.read(ReturnPath("b@bounces.autotrendy.example", "another key").of(WEEKLY, 47, 345)) is None


def test_it_is_never_longer_than_an_address_may_be() -> None:
    local = ReturnPath(f"{'b' * LONGEST}@x.example", "key").of(WEEKLY, 2**32 - 1, 2**63).partition("@")[0]
    assert len(local) == 64


def test_only_the_envelope_of_a_message_changes() -> None:
    plain = Message("editor@autotrendy.example", "ada@readers.example", "47.x@a.example", (b"To: ada\r\n\r\n",))
    chunk, ada = Chunk(1, 47, 1), Addressee(345, "ada@readers.example", NOW, 1)
    made = returning(lambda *_: plain, PATH)(chunk, ada)
    assert (made.sender, made.recipient, made.content) == (ADDRESS, plain.recipient, plain.content)
