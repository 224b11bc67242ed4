"""The album on a real disk: it remembers, it forgets nothing that matters, and it is never in the way."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.errors import SourceErrors
from newsletter.publish import pictures
from newsletter.publish.album import Album


def a_picture(colour: str = "#9c3d12") -> bytes:
    stream = BytesIO()
    Image.new("RGB", (700, 300), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that were really encoded."""
    names, encode = [], pictures.encode

    def counting(name: str, content: bytes) -> object:
        names.append(name)
        return encode(name, content)

    monkeypatch.setattr(pictures, "encode", counting)
    return names


def test_a_picture_is_encoded_once_in_its_life(tmp_path: Path, encoded: list[str]) -> None:
    first = Album(tmp_path / "album").encode("car.png", a_picture())
    again = Album(tmp_path / "album").encode("car.png", a_picture())

    assert again == first
    assert encoded == ["car.png"]


def test_another_content_or_another_name_is_another_picture(tmp_path: Path, encoded: list[str]) -> None:
    album = Album(tmp_path)
    asked = [("a.png", "red"), ("a.png", "blue"), ("b.png", "red")]
    names = {album.encode(name, a_picture(colour))[0].name for name, colour in asked}
    assert len(names) == len(encoded) == 3


@pytest.mark.parametrize(
    "damage",
    [b"", b"\n", b"[]\n", b"[]garbage", b"[[1]]\n", b'[["../x-00000000.jpg", 1, 1, 3]]\nabc', b"null\n", b"7\n"],
)
def test_a_damaged_page_is_made_anew(tmp_path: Path, encoded: list[str], damage: bytes) -> None:
    album = Album(tmp_path)
    first = album.encode("car.png", a_picture())
    (page,) = tmp_path.iterdir()
    page.write_bytes(damage)

    assert album.encode("car.png", a_picture()) == first
    assert album.encode("car.png", a_picture()) == first
    assert encoded == ["car.png", "car.png"]


def test_one_wrong_byte_is_noticed(tmp_path: Path, encoded: list[str]) -> None:
    album = Album(tmp_path)
    first = album.encode("car.png", a_picture())
    (page,) = tmp_path.iterdir()
    content = bytearray(page.read_bytes())
    content[-1] ^= 1
    page.write_bytes(content)

    assert album.encode("car.png", a_picture()) == first
    assert len(encoded) == 2


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, encoded: list[str]) -> None:
    (tmp_path / "album").write_text("a file where the folder should be", encoding="utf-8")
    album = Album(tmp_path / "album")

    assert album.encode("car.png", a_picture()) == album.encode("car.png", a_picture())
    assert len(encoded) == 2


def test_a_refusal_is_told_each_time_and_leaves_no_file(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(SourceErrors):
            Album(tmp_path).encode("car.png", b"<svg>")
    assert list(tmp_path.iterdir()) == []
