"""The marks of segments: a body is cut for a reader, and a mark that is not one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import segments
from newsletter.model import Segment, SegmentKind

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
    assert segments.cut(BODY, ()) == "<p>For all</p>\n<p>For all</p>\n"
    assert segments.cut(BODY, {"recap:1"}) == "<p>For all</p>\n<p>New to this?</p>\n<p>For all</p>\n"
    assert segments.cut(BODY, segments.keys(BODY)).count("<p>") == 4


def test_a_body_without_marks_stays_as_it_is() -> None:
    assert segments.split("one\ntwo\n") == [("", "one\ntwo\n")]


@pytest.mark.parametrize(
    "body",
    [
        "<!--segment recap:1-->\nno end\n",
        "<!--end segment-->\n",
        "<!--segment a-->\n<!--segment b-->\n<!--end segment-->\n<!--end segment-->\n",
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
    assert segments.cut(body, variant) == "".join(f"{t}\n" for k, t in parts if not k or k in variant)


RECAP = Segment("recap:1", SegmentKind.RECAP, "tag:one")
ERRATUM = Segment("erratum:1", SegmentKind.ERRATUM, "tag:one", 2)


def test_a_recap_is_for_who_was_never_sent_the_earlier_part() -> None:
    assert RECAP.concerns({"tag:other": 0})
    assert not RECAP.concerns({"tag:one": 0})


def test_an_erratum_is_for_who_was_sent_a_text_from_before_the_correction() -> None:
    assert ERRATUM.concerns({"tag:one": 1})
    assert not ERRATUM.concerns({"tag:one": 2})
    assert not ERRATUM.concerns({})
