"""What request headers ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.web.negotiation import accepts_gzip, accepts_html, unchanged

MODIFIED = datetime(2026, 5, 3, 12, tzinfo=UTC)
ETAG = '"abc"'


@pytest.mark.parametrize("header", ["gzip", "br, gzip", "GZIP;q=0.5", "deflate;q=1.0, *;q=0.1", "gzip; q=1"])
def test_gzip_is_used_where_it_is_accepted(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", ["", "identity", "gzip;q=0", "gzip;q=0.0, *", "br", "gzip;q=high", "xgzip"])
def test_gzip_is_not_used_where_it_is_not(header: str) -> None:
    assert not accepts_gzip(header)


@pytest.mark.parametrize(
    ("header", "browser"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/rss+xml, application/xml;q=0.8, */*;q=0.1", False),
        ("*/*", False),
        ("", False),
        ("application/atom+xml, text/html;q=0", False),
    ],
)
def test_a_browser_is_one_that_names_html(header: str, browser: bool) -> None:
    assert accepts_html(header) is browser


@pytest.mark.parametrize("header", ['"abc"', 'W/"abc"', '"x", "abc"', '"x,y" , W/"abc"', "*", " * ", '"abc","z"'])
def test_a_known_entity_tag_means_unchanged(header: str) -> None:
    assert unchanged(ETAG, MODIFIED, if_none_match=header, if_modified_since="")


@pytest.mark.parametrize("header", ['"abcd"', "abc", '"ABC"', '"x,abc"', 'W/"abc-gz"'])
def test_another_entity_tag_means_changed(header: str) -> None:
    assert not unchanged(ETAG, MODIFIED, if_none_match=header, if_modified_since="")


def test_an_entity_tag_wins_over_a_date() -> None:
    later = format_datetime(MODIFIED + timedelta(days=1), usegmt=True)
    assert not unchanged(ETAG, MODIFIED, if_none_match='"old"', if_modified_since=later)
    earlier = format_datetime(MODIFIED - timedelta(days=1), usegmt=True)
    assert unchanged(ETAG, MODIFIED, if_none_match=ETAG, if_modified_since=earlier)


@given(st.integers(-400, 400))
def test_a_date_means_unchanged_exactly_when_it_is_not_older(seconds: int) -> None:
    date = format_datetime(MODIFIED + timedelta(seconds=seconds), usegmt=True)
    assert unchanged(ETAG, MODIFIED, if_none_match="", if_modified_since=date) is (seconds >= 0)


@given(st.text(max_size=60))
def test_no_header_is_too_strange(text: str) -> None:
    accepts_gzip(text)
    accepts_html(text)
    unchanged(ETAG, MODIFIED, if_none_match=text, if_modified_since=text)


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 03 May 99999 12:00:00 GMT", "03 May 2026", "0"])
def test_a_date_that_is_none_is_ignored(date: str) -> None:
    assert not unchanged(ETAG, MODIFIED, if_none_match="", if_modified_since=date)
