"""Contrast as WCAG 2.2 defines it, and the shade that is enough."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.colours import ENOUGH, contrast, faint, nearest
from newsletter.model import DARK, LIGHT, Palette

COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#ff0000", "#00ff00", 2.91),
        ("#123456", "#123456", 1),
    ],
)  # from the contrast checker of WebAIM
def test_the_ratio_is_that_of_the_standard(one: str, other: str, ratio: float) -> None:
    assert round(contrast(one, other), 2) == ratio
    assert contrast(one, other) == contrast(other, one)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_built_in_palettes_are_easy_to_read(palette: Palette) -> None:
    assert list(faint(palette)) == []


def test_each_ground_on_which_words_fall_short_is_told_with_its_figure_and_a_shade() -> None:
    [found] = faint(replace(LIGHT, soft="#999188"))
    assert [(behind, round(figure, 2)) for behind, figure in found.on] == [
        ("paper", 2.86),
        ("card", 3.06),
        ("tint", 2.6),
    ]
    assert (found.text, found.instead) == ("soft", "#716961")


def test_where_no_shade_is_enough_none_is_named() -> None:
    grey = replace(LIGHT, paper="#000000", card="#ffffff", tint="#777777")
    assert {(one.text, one.instead) for one in faint(grey)} == {("ink", ""), ("soft", ""), ("link", "")}


@given(COLOUR, COLOUR)
def test_the_shade_that_is_named_is_enough_and_no_nearer_one_is(colour: str, ground: str) -> None:
    shade = nearest(colour, [ground])
    assert contrast(shade, ground) >= ENOUGH
    if contrast(colour, ground) >= ENOUGH:
        assert all(abs(int(shade[n : n + 2], 16) - int(colour[n : n + 2], 16)) <= 2 for n in (1, 3, 5))
