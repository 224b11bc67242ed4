"""Compressed files beside text: smaller, and the same when unpacked."""

from __future__ import annotations

import gzip
from pathlib import PurePosixPath

import brotli

from newsletter.model import File, Recipe
from newsletter.publish.archive import ready
from newsletter.publish.compressed import beside


def _made(*names: str) -> dict[str, bytes]:
    files = [ready(File(PurePosixPath(name), b"word " * 500)) for name in names]
    return {str(recipe.path): recipe.make() for recipe in beside(files)}


def test_each_text_file_has_both_and_they_unpack_to_the_same() -> None:
    made = _made("posts/x/index.html", "rss.xml")

    assert sorted(made) == ["posts/x/index.html.br", "posts/x/index.html.gz", "rss.xml.br", "rss.xml.gz"]
    assert gzip.decompress(made["rss.xml.gz"]) == brotli.decompress(made["rss.xml.br"]) == b"word " * 500
    assert max(map(len, made.values())) < 500


def test_pictures_are_left_alone_and_equal_content_has_equal_bytes() -> None:
    assert _made("car.jpg", "_headers") == {}
    assert _made("a.css") == _made("a.css")


def test_what_is_compressed_changes_with_what_it_is_made_of() -> None:
    one, other = (Recipe(PurePosixPath("a.css"), key, lambda: b"") for key in ("1", "2"))

    assert not {r.key for r in beside([one])} & {r.key for r in beside([other])}
