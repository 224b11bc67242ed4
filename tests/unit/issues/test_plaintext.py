from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues import plaintext
from newsletter.issues.columns import tidy, underlined, wrap
from newsletter.issues.view import SectionView
from newsletter.model import Sentinel
from newsletter.tongue import spoken
from newsletter.variants import seen_by
from tests.builders import a_post
from tests.unit.issues.scene import ALLIANCE, BATTERIES, CHARGING, FOLLOW, REVIEW, a_digest, a_view, templates

FIVE = (ALLIANCE, FOLLOW, REVIEW, CHARGING, BATTERIES)
THE_TEXT = """\
Auto Trendy
===========
Issue 2 · Friday 11 February 2022 · 2 stories · 8 min

Read this issue on the web:
https://autotrendy.example/issues/2/

The Renault-Nissan-Mitsubishi Alliance, from start to future
------------------------------------------------------------
By News desk · Reviewed by Review desk · 8 Feb 2022 · 7 min read

Ten brands, about 420,000 people and one bill for batteries, to be paid
by 2030.

    Auto Trendy's take:
    Sharing innovation takes openness. Splitting risk does too.

    New players can learn it.

Read more:
https://autotrendy.example/posts/alliance/

Earlier in this story:

- Last week: All-solid-state batteries, and who will wait for them
  (1 Feb 2022)
  https://autotrendy.example/posts/all-solid-state-batteries/

How to follow Auto Trendy
-------------------------
By News desk · Reviewed by Review desk · 7 Feb 2022 · 1 min read

What follow mean for the cars of the next decade.

Read more:
https://autotrendy.example/posts/follow/

From last week: All-solid-state batteries, and who will wait for them
https://autotrendy.example/issues/1/

------------------------------------------------------------------------

You get Auto Trendy every Friday because __READER_ADDRESS__ joined on
__READER_JOINED__.

Change how often, or pause:
https://x.invalid/__PREFERENCES__/

Unsubscribe:
https://x.invalid/__UNSUBSCRIBE__/

Prefer RSS? Follow the feed:
https://autotrendy.example/feeds/

Just reply: Review desk reads every answer.

Auto Trendy, 1 Calle Mayor, 28013 Madrid, Spain
"""

words = st.text(st.characters(blacklist_categories=["Cs"]), max_size=200)


def test_the_text_part_reads_like_this() -> None:
    assert seen_by(a_digest(), (), spoken("en")).text == THE_TEXT


def test_the_contents_are_a_numbered_list_from_three_stories_up() -> None:
    text = seen_by(a_digest(*FIVE), (), spoken("en")).text
    assert "In this issue\n-------------\n" in text
    assert "\n4. Charging at altitude\n   https://autotrendy.example/posts/charging/\n" in text


@given(title=words.filter(str.strip), summary=words, take=words)
def test_whatever_the_words_the_shape_holds(title: str, summary: str, take: str) -> None:
    post = a_post(title=title, summary=summary)
    view = a_view(post)
    view = replace(view, sections=(SectionView("", (replace(view.lead, take_text=take),)),))
    text = plaintext.render(view, templates())
    assert "\n\n\n" not in text
    assert text.endswith("\n")
    assert not re.search(r"[ \t]+\n", text)
    assert f"\n{view.lead.url}\n" in text
    assert f"\n{Sentinel.UNSUBSCRIBE.value}\n" in text


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=60), min_size=1))
def test_lines_keep_to_72_columns_and_lose_no_word(every: list[str]) -> None:
    for text in (wrap(" ".join(every)), wrap(" ".join(every), "    "), wrap(" ".join(every), "  ", "- ")):
        assert all(len(line) <= 72 for line in text.splitlines())
        assert text.split()[-len(every) :] == every


def test_an_address_is_never_broken() -> None:
    url = "https://autotrendy.example/posts/" + "long-" * 30
    assert url in wrap(f"See {url} now").splitlines()


def test_the_line_below_a_title_is_as_wide_as_it_looks() -> None:
    assert underlined("Añejo").splitlines() == ["Añejo", "-----"]
    assert underlined("日本", "=").splitlines()[1] == "===="
    assert underlined("e\u0301t").splitlines()[1] == "--"


@pytest.mark.parametrize(("rough", "fine"), [("", "\n"), ("\n\na \n\n\n b\n", "a\n\n b\n"), ("a\r\nb", "a\nb\n")])
def test_blank_lines_are_never_two(rough: str, fine: str) -> None:
    assert tidy(rough) == fine
