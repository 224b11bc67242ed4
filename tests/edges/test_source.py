"""The folder of posts on disk: what is read, what is not, and that nothing is overwritten."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from newsletter.content.late import at_hand
from newsletter.content.source import Folder
from newsletter.errors import Outside, Refused, SourceErrors
from newsletter.ports import Sources

TEXT = "---\ntitle: A\n---\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "posts" / "2022").mkdir(parents=True)
    return tmp_path


def test_posts_are_read_from_all_folders_in_path_order(site: Path) -> None:
    for name in ("b.md", "2022/c.md", "a.md", "notes.txt", ".hidden.md"):
        (site / "posts" / name).write_text(TEXT, "utf-8")
    (site / "posts" / ".git").mkdir()
    (site / "posts" / ".git" / "d.md").write_text(TEXT, "utf-8")
    folder: Sources = Folder(site)
    assert [str(source.path) for source in folder.read()] == ["posts/2022/c.md", "posts/a.md", "posts/b.md"]


def test_a_site_without_posts_has_none(tmp_path: Path) -> None:
    assert list(Folder(tmp_path).read()) == []


def test_only_pictures_that_a_post_names_come_with_it(site: Path) -> None:
    (site / "posts" / "a.md").write_text(f"{TEXT}![x](car.jpg) ![y](a%20b.png) evil.svg report.pdf", "utf-8")
    for name in ("car.jpg", "a b.png", "other.jpg", "evil.svg", "report.pdf", "2022/far.jpg"):
        (site / "posts" / name).write_bytes(name.encode())
    (source,) = Folder(site).read()
    assert source.assets == {"a b.png": b"a b.png", "car.jpg": b"car.jpg"}


def test_octets_that_are_no_utf_8_and_line_ends_come_through(site: Path) -> None:
    (site / "posts" / "a.md").write_bytes(b"caf\xe9\r\n")
    (source,) = Folder(site).read()
    assert source.text == "caf\udce9\r\n"


def test_a_huge_file_is_cut_just_above_the_limit(site: Path) -> None:
    (site / "posts" / "a.md").write_bytes(b"a" * 3_000_000)
    (source,) = Folder(site).read()
    assert len(source.text) == 2 * 1024 * 1024 + 1


def test_links_that_leave_the_site_and_pipes_are_refused_together(
    site: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.md").write_text(TEXT, "utf-8")
    (outside / "secret.jpg").write_bytes(b"secret")
    (site / "posts" / "link.md").symlink_to(outside / "secret.md")
    (site / "posts" / "folder").symlink_to(outside)
    os.mkfifo(site / "posts" / "pipe.md")
    with pytest.raises(SourceErrors) as caught:
        Folder(site).read()
    assert [(p.code, p.file) for p in caught.value.problems] == [("P129", "posts/link.md"), ("P129", "posts/pipe.md")]


def test_a_picture_that_is_a_link_out_of_the_site_is_not_read(
    site: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret.jpg"
    secret.write_bytes(b"secret")
    (site / "posts" / "a.jpg").symlink_to(secret)
    (site / "posts" / "a.md").write_text(f"{TEXT}![x](a.jpg)", "utf-8")
    (source,) = Folder(site).read()
    assert source.assets == {}


def test_a_link_within_the_site_is_followed(site: Path) -> None:
    (site / "shared.md").write_text(TEXT, "utf-8")
    (site / "posts" / "a.md").symlink_to(site / "shared.md")
    (source,) = Folder(site).read()
    assert (str(source.path), source.text) == ("posts/a.md", TEXT)


def test_a_new_post_never_replaces_another(site: Path) -> None:
    folder = Folder(site)
    folder.write_new(PurePosixPath("posts/new/a.md"), TEXT)
    assert (site / "posts" / "new" / "a.md").read_text("utf-8") == TEXT
    with pytest.raises(Refused, match="P131"):
        folder.write_new(PurePosixPath("posts/new/a.md"), "other")
    assert (site / "posts" / "new" / "a.md").read_text("utf-8") == TEXT


def test_a_post_is_changed_whole_and_only_if_it_is_as_it_was_read(site: Path) -> None:
    place = site / "posts" / "a.md"
    place.write_bytes(b"caf\xe9\r\n")
    place.chmod(0o640)
    folder = Folder(site)
    (source,) = map(at_hand, folder.read())

    folder.change(source.path, source.text, f"{source.text}more")
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"caf\xe9\r\nmore", 0o640)
    with pytest.raises(Refused, match="P146"):
        folder.change(source.path, source.text, "other")
    assert place.read_bytes() == b"caf\xe9\r\nmore"
    assert not [*place.parent.glob(".*")]


def test_a_disk_that_refuses_is_told(site: Path) -> None:
    (site / "posts" / "a.md").write_text(TEXT, "utf-8")
    (site / "posts" / ".a.md.new").mkdir()
    with pytest.raises(Outside, match="P147"):
        Folder(site).change(PurePosixPath("posts/a.md"), TEXT, "other")


@pytest.mark.parametrize("path", ["a.md", "posts/../a.md", "/tmp/a.md"])
def test_a_new_post_is_written_below_posts_only(site: Path, path: str) -> None:
    with pytest.raises(Refused):
        Folder(site).write_new(PurePosixPath(path), TEXT)


def test_a_name_that_is_not_utf_8_is_told_in_letters_that_can_be_written(site: Path) -> None:
    (site / "posts" / os.fsdecode(b"caf\xe9.md")).write_text(TEXT, "utf-8")
    with pytest.raises(SourceErrors) as caught:
        Folder(site).read()
    assert [(p.code, p.file) for p in caught.value.problems] == [("P138", "posts/caf\\xe9.md")]


def test_a_link_to_itself_is_refused_and_as_a_picture_not_there(site: Path) -> None:
    (site / "posts" / "a.png").symlink_to("a.png")
    (site / "posts" / "b.md").write_text(f"{TEXT}![x](a.png)", "utf-8")
    (source,) = Folder(site).read()
    assert source.assets == {}
    (site / "posts" / "a.md").symlink_to("a.md")
    with pytest.raises(SourceErrors, match="P129"):
        Folder(site).read()


def test_a_folder_called_as_a_post_is_a_folder(site: Path) -> None:
    (site / "posts" / "foo.md").mkdir()
    (site / "posts" / "foo.md" / "a.md").write_text(TEXT, "utf-8")
    assert [str(source.path) for source in Folder(site).read()] == ["posts/foo.md/a.md"]


def test_posts_that_are_no_folder_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "posts").write_text("not a folder", "utf-8")
    with pytest.raises(Outside, match="P130"):
        Folder(tmp_path).read()


@pytest.mark.parametrize("text", ["a" * 1_000_000, "." * 1_000_000, "a.png" * 200_000, "%20" * 300_000])
def test_a_word_without_an_end_is_looked_through_once(site: Path, text: str) -> None:
    """Where something is quadratic, this takes minutes."""
    (site / "posts" / "a.md").write_text(f"{TEXT}{text}\n![x](car.png)", "utf-8")
    (site / "posts" / "car.png").write_bytes(b"car")
    (source,) = Folder(site).read()
    assert source.assets == {"car.png": b"car"}
