"""The marks of segments: a body is cut for a reader, and a mark that is not one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import segments
from newsletter.model import Segment, SegmentKind, Tally

BODY = f"""<p>For all</p>
{segments.begin("recap:1")}
<p>New to this?</p>
{segments.END}
<p>For all</p>
  {segments.begin("errata")}
<p>Corrections</p>
  {segments.END}
"""


def test_a_reader_gets_what_their_variant_names_and_no_mark() -> None:
    assert segments.cut(BODY, (), {}) == "<p>For all</p>\n<p>For all</p>\n"
    assert segments.cut(BODY, {"recap:1"}, {}) == "<p>For all</p>\n<p>New to this?</p>\n<p>For all</p>\n"
    assert segments.cut(BODY, segments.keys(BODY), {}).count("<p>") == 4


def test_a_body_without_marks_stays_as_it_is() -> None:
    assert segments.split("one\ntwo\n") == [((), "one\ntwo\n")]


@pytest.mark.parametrize(
    "body",
    [
        "<!--segment recap:1-->\nno end\n",
        "<!--end segment-->\n",
        "<!--segment a-->\n<!--segment b-->\n<!--end segment-->\n",
        "<!--segment 1 of story:2-->\n<!--end segment-->\n",
        "<p><!--segment recap:1-->\nwithin a line\n<!--end segment-->\n",
        "<!--segment recap:1-->\nlast line\n<!--end segment-->",
        "<!--segment Recap 1-->\n",
        "an author writes <!-- segment recap:1--> into a text\n",
    ],
)
def test_a_mark_that_is_damaged_or_out_of_place_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="segment"):
        segments.split(body)


lines = st.lists(st.tuples(st.sampled_from(["", "a", "b:2"]), st.text("xyz <>-", max_size=9)), max_size=12)


@given(lines, st.sets(st.sampled_from(["a", "b:2"])))
def test_cutting_is_leaving_out_what_is_for_others(parts: list[tuple[str, str]], variant: set[str]) -> None:
    body = "".join(f"{segments.begin(k)}\n{t}\n{segments.END}\n" if k else f"{t}\n" for k, t in parts)
    assert segments.cut(body, variant, {}) == "".join(f"{t}\n" for k, t in parts if not k or k in variant)


def test_a_story_is_shown_unless_it_is_left_out_and_what_is_in_it_with_it() -> None:
    body = "<!--segment story:1-->\nOne\n<!--segment recap:1-->\nBefore\n<!--end segment-->\n<!--end segment-->\n"
    assert segments.cut(body, (), {}) == "One\n"
    assert segments.cut(body, ("recap:1",), {}) == "One\nBefore\n"
    assert segments.cut(body, ("recap:1", "story:1"), {}) == ""


@pytest.mark.parametrize(
    ("key", "without", "goes"),
    [
        ("1 of 1-3", (1, 2), True),
        ("1 of 1-3", (1, 2, 3), False),
        ("3 of 1-4 7", (2, 7), True),
        ("3 of 1-4 7", (2, 3, 7), False),
        ("2 of 1 1 3-4", (3, 4), True),
        ("2 of 1 1 3-4", (1, 4), False),
    ],
)
def test_what_stands_around_stories_goes_with_the_last_of_them(key: str, without: tuple[int, ...], goes: bool) -> None:
    assert segments.goes_to([f"story:{number}" for number in without], key) is goes


@given(st.integers(1, 4), st.lists(st.integers(1, 9), min_size=1, max_size=9), st.sets(st.integers(1, 9)))
def test_a_key_of_many_stories_counts_each_as_often_as_it_was_named(
    wanted: int, numbers: list[int], without: set[int]
) -> None:
    key = segments.at_least(wanted, numbers)
    shown = sum(number not in without for number in numbers)
    assert segments.goes_to({f"story:{number}" for number in without}, key) is (shown >= wanted)
    assert segments.is_mark(segments.begin(key))


def test_lines_of_a_list_are_numbered_as_they_are_shown() -> None:
    body = "".join(f"<!--segment story:{n}-->\n{Tally.NUMBER}{n}. Line\n<!--end segment-->\n" for n in (1, 2, 3))
    assert segments.cut(body, ("story:2",), {}) == "1. Line\n2. Line\n"


RECAP = Segment("recap:1", SegmentKind.RECAP, "tag:one")
ERRATUM = Segment("erratum:1", SegmentKind.ERRATUM, "tag:one", 2)


def test_a_recap_is_for_who_was_never_sent_the_earlier_part() -> None:
    assert RECAP.concerns({"tag:other": 0})
    assert not RECAP.concerns({"tag:one": 0})


def test_an_erratum_is_for_who_was_sent_a_text_from_before_the_correction() -> None:
    assert ERRATUM.concerns({"tag:one": 1})
    assert not ERRATUM.concerns({"tag:one": 2})
    assert not ERRATUM.concerns({})
