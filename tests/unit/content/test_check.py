"""Checks on one post: each finds its fault, says where, and is silent about good text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.content.sources import a_source, codes, loaded

GOOD = """\
## A head

Text with [a named link](https://x.example/) and `TK {{ code }} ::: [[x]]` in code.[^1]

![A red car in the rain](car.jpg)

### Below it

More text.

[^1]: A note.

::: take
One. Two e.g. this. Three!
:::
"""


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("Text ![](car.jpg)", "P112", 8),
        ("Text <img src='car.jpg'>", "P112", 8),
        ("Text\n\n![A car](gone.jpg)", "P113", 10),
        ("[a report](report.pdf)", "P113", 8),
        ("[another post](../second/)", "P113", 8),
        ("Text TK more", "P118", 8),
        ("Lorem ipsum dolor", "P118", 8),
        ("Dear {{ name }}", "P118", 8),
        ("Text…", "P118", 8),
        ("", "P118", 6),
        ("[click](javascript:alert)", "P120", 8),
        ("[file](file:///etc/passwd)", "P120", 8),
        ("[own machine](http://localhost:8000/)", "P120", 8),
        ("[own machine](https://127.0.0.1/)", "P120", 8),
        ("[odd](http://[::1/)", "P120", 8),
        ("![A red car](car.svg)", "P136", 8),
    ],
)
def test_what_would_embarrass_the_house_stops(body: str, code: str, line: int) -> None:
    source = replace(a_source(body=body), assets={"car.jpg": b"jpeg"})
    found = [(p.code, p.line) for p in loaded(source).problems if p.level == "stop"]
    assert found == [(code, line)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Click [here](https://x.example/)", "P121"),
        ("[Read more…](https://x.example/)", "P121"),
        ("![IMG_1234](car.jpg)", "P122"),
        ("![car.jpg](car.jpg)", "P122"),
        ("Text\n\n::: take\nOne. Two. Three. Four.\n:::", "P123"),
        ("## A\n\ntext\n\n#### B\n\ntext", "P124"),
        ("Text[^1] without its note", "P126"),
        ("::: note\nText\n:::", "P126"),
        ("> [!NOTE]\n> Text", "P126"),
        ("[a car](https://x.example/1) [a car](https://x.example/2)", "P127"),
    ],
)
def test_what_could_be_better_is_advice(body: str, code: str) -> None:
    source = replace(a_source(body=body), assets={"car.jpg": b"jpeg"})
    result = loaded(source)
    assert codes(result) == []
    assert set(codes(result, "warn")) == {code}


def test_a_good_post_gives_no_problem() -> None:
    source = replace(
        a_source(body=GOOD, image="car.jpg", image_alt="A red car", summary="Short."), assets={"car.jpg": b"jpeg"}
    )
    assert loaded(source).problems == ()


def test_the_image_of_a_post_is_described_and_there() -> None:
    assert codes(loaded(a_source(image="car.jpg"))) == ["P112", "P113"]
    assert codes(loaded(a_source(image="../../etc/passwd", image_alt="x"))) == ["P113"]
    assert codes(loaded(a_source(image="ftp://x.example/a.jpg", image_alt="x"))) == ["P120"]


def test_a_long_summary_is_told_and_cut() -> None:
    result = loaded(a_source(summary="word " * 61))
    assert codes(result, "warn") == ["P125"]
    assert len(result.posts[0].summary.split()) == 60


def test_placeholders_wait_while_a_post_is_in_review() -> None:
    result = loaded(a_source(body="Text TK."), review=True)
    assert codes(result) == []
    assert codes(result, "warn") == ["P118"]


def test_links_to_the_site_itself_may_be_local_while_it_is_built_on_this_machine() -> None:
    source = a_source(body="[the feed](/rss.xml)")
    assert loaded(source, url="http://127.0.0.1:8000").problems == ()


def test_a_picture_of_a_phone_is_to_be_exported_and_is_not_called_missing() -> None:
    assert codes(loaded(a_source(body="![A car](car.heic)"))) == ["P137"]


@pytest.mark.parametrize("image", ["http://[", "https://", "http://a]b/x.jpg"])
def test_an_image_that_is_no_address_is_told_and_stops_nothing_else(image: str) -> None:
    assert codes(loaded(a_source(image=f'"{image}"', image_alt="A car"), a_source("second"))) == ["P120"]
