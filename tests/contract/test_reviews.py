"""What every store of approvals promises; today there is one, the committed file."""

from __future__ import annotations

import threading
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigError, Outside
from newsletter.model import Approval
from newsletter.store.reviews import ReviewsFile

TUESDAY = datetime(2022, 2, 1, 9, tzinfo=UTC)


def an_approval(post: str = "batteries", by: str = "review-desk", at: datetime = TUESDAY) -> Approval:
    return Approval(f"tag:autotrendy.example,2022:{post}", f"sha256:{post}", by, at)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reviews.toml"


def test_a_site_without_the_file_has_no_approvals(file: Path) -> None:
    assert ReviewsFile(file).all() == []
    assert not file.exists()


def test_approvals_come_back_in_the_order_in_which_they_were_given(file: Path) -> None:
    reviews = ReviewsFile(file)
    given_ = [an_approval("zebra"), an_approval("ant"), an_approval("ant", by="ada")]
    for each in given_:
        reviews.add(each)
    assert ReviewsFile(file).all() == given_


def test_the_same_approval_twice_changes_nothing(file: Path) -> None:
    reviews = ReviewsFile(file)
    reviews.add(an_approval())
    before = file.read_bytes()
    reviews.add(an_approval(at=TUESDAY + timedelta(days=1)))
    assert file.read_bytes() == before


def test_an_approval_is_added_below_what_a_person_wrote(file: Path) -> None:
    written = (
        '# Our own note.\n\n[[approval]] # by hand\npost = "p"\nhash = "h"\nby = "ada"\nat = 2022-01-31T10:00:00+01:00'
    )
    file.write_text(written)
    ReviewsFile(file).add(an_approval())
    assert file.read_text().startswith(written)
    assert [each.at for each in ReviewsFile(file).all()] == [datetime(2022, 1, 31, 9, tzinfo=UTC), TUESDAY]


def test_a_new_file_says_what_it_is_and_how_to_write_it(file: Path) -> None:
    ReviewsFile(file).add(an_approval(at=TUESDAY.astimezone(timezone(timedelta(hours=1)))))
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# Who has approved which text.")
    assert lines[-5:] == [
        "[[approval]]",
        'post = "tag:autotrendy.example,2022:batteries"',
        'hash = "sha256:batteries"',
        'by = "review-desk"',
        "at = 2022-02-01T09:00:00Z",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("reviews") / "reviews.toml"
    approval = Approval(text, text, text, TUESDAY)
    ReviewsFile(file).add(approval)
    assert ReviewsFile(file).all() == [approval]


def test_two_who_approve_at_once_are_both_heard(file: Path) -> None:
    posts = [f"post-{n}" for n in range(12)]
    threads = [threading.Thread(target=ReviewsFile(file).add, args=[an_approval(post)]) for post in posts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(each.content_hash for each in ReviewsFile(file).all()) == sorted(f"sha256:{post}" for post in posts)


GOOD = '[[approval]]\npost = "p"\nhash = "h"\nby = "b"\nat = 2022-02-01T09:00:00Z\n'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD + "[[approval]\n", 6, "not TOML"),
        (GOOD + 'post = "open\n', 6, "not TOML"),
        ('title = "Reviews"\n' + GOOD, 1, "only [[approval]]"),
        (GOOD + GOOD.replace('by = "b"\n', ""), 6, "lacks by"),
        (GOOD + GOOD.replace("hash", "hsah"), 6, "unknown key: hsah"),
        (GOOD + GOOD.replace('"h"', "12"), 6, "wrong value for hash"),
        (GOOD + GOOD.replace("09:00:00Z", "09:00:00"), 6, "without a zone"),
    ],
)
def test_a_faulty_file_is_told_with_its_line_and_left_alone(file: Path, text: str, line: int, says: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as told:
        ReviewsFile(file).add(an_approval())
    [problem] = told.value.problems
    assert (problem.code, problem.file, problem.line) == ("C511", str(file), line)
    assert says in problem.message
    assert file.read_text() == text


def test_all_faulty_approvals_are_told_together(file: Path) -> None:
    file.write_text(GOOD.replace('"b"', "1") + GOOD + GOOD.replace("post", "pots"))
    with pytest.raises(ConfigError) as told:
        ReviewsFile(file).all()
    assert [each.line for each in told.value.problems] == [1, 11]


def test_a_file_that_is_not_text_is_a_problem_and_no_traceback(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as told:
        ReviewsFile(file).all()
    assert told.value.problems[0].code == "C511"


def test_a_folder_in_the_place_of_the_file_is_trouble_outside(file: Path) -> None:
    file.mkdir()
    with pytest.raises(Outside) as told:
        ReviewsFile(file).all()
    assert told.value.problems[0].code == "C512"


def test_nothing_is_left_beside_the_file(file: Path) -> None:
    ReviewsFile(file).add(an_approval())
    assert [each.name for each in file.parent.iterdir()] == ["reviews.toml"]
    assert tomllib.loads(file.read_text())
