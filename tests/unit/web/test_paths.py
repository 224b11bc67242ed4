"""URL paths and the labels of published files."""

from __future__ import annotations

import posixpath
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.web.media import cache_control, content_policy, media_type
from newsletter.web.paths import folder_address, root_of, segments_of

PIECES = st.sampled_from(
    ["", ".", "..", "a", "posts", "\\", "..\\..", "\0", "%2e%2e", ".manifest.json", "/", "\n", "é", "~"]
)
PATHS = st.lists(PIECES | st.text(max_size=8), max_size=8).map(lambda pieces: "/" + "/".join(pieces))


@given(PATHS)
def test_no_path_leads_out_of_the_folder_or_to_a_hidden_name(path: str) -> None:
    segments = segments_of(path)
    if segments is not None:
        joined = "/site/" + "/".join(segments)
        assert posixpath.normpath(joined) == joined
        assert not any(segment.startswith(".") for segment in segments)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", ("index.html",)),
        ("", ("index.html",)),
        ("/rss.xml", ("rss.xml",)),
        ("/posts/x/", ("posts", "x", "index.html")),
        ("/posts/x", ("posts", "x")),
        ("/posts/über uns/", ("posts", "über uns", "index.html")),
    ],
)
def test_a_path_names_a_file_and_a_slash_names_its_index(path: str, segments: tuple[str, ...]) -> None:
    assert segments_of(path) == segments


@pytest.mark.parametrize(
    "path",
    ["//evil.example/", "/a//b", "/../x", "/.manifest.json", "/a/.git/config", "/.publish.lock", "/x.lock", "/x~"],
)
def test_no_published_file_is_called_so(path: str) -> None:
    assert segments_of(path) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_folder_is_redirected_to_on_the_same_host(name: str) -> None:
    target = urlsplit(urljoin("https://autotrendy.example/posts/here", folder_address(name)))
    assert (target.scheme, target.netloc) == ("https", "autotrendy.example")
    assert target.path.startswith("/posts/")
    assert target.path.endswith("/")


@pytest.mark.parametrize(("path", "root"), [("/", "./"), ("/u/token", "../"), ("/a/b/", "../../"), ("/rss.xml", "./")])
def test_the_way_to_the_root_is_relative(path: str, root: str) -> None:
    assert root_of(path) == root
    assert urljoin(f"https://host/blog{path}", root) == "https://host/blog/"


def test_feeds_have_their_registered_types_and_browsers_get_what_they_show() -> None:
    assert media_type("rss.xml") == "application/rss+xml; charset=utf-8"
    assert media_type("atom.xml") == "application/atom+xml; charset=utf-8"
    assert media_type("feed.json") == "application/feed+json"
    assert media_type("rss.xml", for_browser=True) == "application/xml; charset=utf-8"
    assert media_type("feed.json", for_browser=True) == "application/json"


def test_other_files_are_labelled_by_their_suffix_whatever_the_case() -> None:
    assert media_type("index.html") == "text/html; charset=utf-8"
    assert media_type("PHOTO.JPG") == "image/jpeg"
    assert media_type("sitemap.xml") == "application/xml; charset=utf-8"
    assert media_type("unknown.zzz") == media_type("none") == "application/octet-stream"


def test_feeds_live_a_quarter_of_an_hour_pages_are_asked_again_and_pictures_keep_an_hour() -> None:
    assert cache_control("atom.xml") == "public, max-age=900"
    assert cache_control("index.html") == cache_control("style.css") == "no-cache"
    assert cache_control("photo.jpg") == "public, max-age=3600"


def test_a_page_may_post_to_the_web_address_and_a_drawing_may_run_nothing() -> None:
    assert "form-action 'self' https://web.example;" in content_policy("index.html", form_origin="https://web.example")
    assert "sandbox" in content_policy("logo.SVG", form_origin="")
    assert "script-src" not in content_policy("logo.svg", form_origin="")
