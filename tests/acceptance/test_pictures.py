"""A picture beside a post, from the camera to page, feed and mail."""

from __future__ import annotations

import re
import shutil
from io import BytesIO

import pytest
from PIL import Image

from tests.acceptance.harness import FRIDAY, SiteFolder, part

HOST = "https://weekly.auto-trendy.net"


def a_photo(width: int = 2000, height: int = 1000) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SECRET camera"
    image = Image.merge("RGB", [Image.radial_gradient("L").resize((width, height)).rotate(turn) for turn in (0, 9, 99)])
    stream = BytesIO()
    image.save(stream, "JPEG", exif=exif, quality=95)
    return stream.getvalue()


@pytest.fixture
def illustrated(site: SiteFolder) -> SiteFolder:
    site.post("a-car", "2026-11-25", front="image: car.jpg\nimage_alt: A red car\n", text="![The same car](car.jpg)")
    (site.root / "posts" / "car.jpg").write_bytes(a_photo())
    return site


def test_pages_feeds_and_mail_get_what_fits_them_and_nobody_gets_the_file(illustrated: SiteFolder) -> None:
    illustrated.readers(1)
    illustrated.ok("publish", now=FRIDAY)
    illustrated.ok("prepare", now=FRIDAY)
    illustrated.ok("deliver", now=FRIDAY)
    files = illustrated.tree()
    pictures = sorted(path for path in files if path.endswith((".jpg", ".png")))

    assert [re.sub("[0-9a-f]{8}", "HASH", path) for path in pictures] == [
        f"posts/a-car/car-{width}-HASH.jpg" for width in (1072, 1600, 536)
    ]
    shown = next(path for path in pictures if "-1072-" in path)
    assert not any(b"SECRET" in content for content in files.values())
    assert f'src="../../{shown}"' in files["posts/a-car/index.html"].decode()
    assert "1600w" in files["posts/a-car/index.html"].decode()
    assert f"{HOST}/{shown}" in files["rss.xml"].decode()
    assert "1600w" not in files["rss.xml"].decode()
    mail = part(illustrated.mails()[0], "html")
    assert re.search(rf'<img[^>]*src="{re.escape(f"{HOST}/{shown}")}"[^>]*width="536"', mail)


def test_an_unchanged_picture_is_neither_encoded_nor_written_again(illustrated: SiteFolder) -> None:
    illustrated.ok("publish", now=FRIDAY)
    album = illustrated.root / "var" / "cache" / "pictures"
    (page,) = album.iterdir()
    written, before = page.stat().st_mtime_ns, illustrated.tree()

    assert "nothing changed" in illustrated.ok("publish", now=FRIDAY).out
    assert page.stat().st_mtime_ns == written
    page.unlink()
    illustrated.ok("publish", now=FRIDAY)
    assert illustrated.tree() == before


def test_another_picture_of_the_same_name_has_another_address(illustrated: SiteFolder) -> None:
    illustrated.ok("publish", now=FRIDAY)
    before = {path for path in illustrated.tree() if path.endswith(".jpg")}
    (illustrated.root / "posts" / "car.jpg").write_bytes(a_photo(1800, 1000))
    illustrated.ok("publish", now=FRIDAY)
    after = {path for path in illustrated.tree() if path.endswith(".jpg")}

    assert len(after - before) == 3
    files = illustrated.tree()
    for path in ("posts/a-car/index.html", "index.html"):
        page = files[path].decode()
        assert all(path.rpartition("/")[2] in page for path in after - before), path
        assert not any(path.rpartition("/")[2] in page for path in before - after), path
    assert sum(path in files["rss.xml"].decode() for path in after - before) == 1


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("car.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "P136"),
        ("car.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "P136"),
        ("car.jpg", a_photo()[:3000], "P137"),
        ("car.gif", b"not a picture", "P137"),
    ],
)
def test_what_is_no_picture_stops_with_its_line_and_publishes_nothing(
    site: SiteFolder, name: str, content: bytes, code: str
) -> None:
    site.post("a-car", text=f"Text.\n\n![A red car]({name})")
    (site.root / "posts" / name).write_bytes(content)
    result = site.run("publish", now=FRIDAY)

    assert result.status == 1
    assert code in result.err
    assert "posts/2026-11-24-a-car.md:10" in result.err
    assert not (site.root / "feeds" / "rss.xml").exists()


LATER = "2026-11-28T09:00:00+01:00"


def in_mails(site: SiteFolder) -> set[str]:
    """Paths of the pictures that the mails show."""
    html = "".join(part(mail, "html") for mail in site.mails())
    return {path for path in re.findall(rf'"{HOST}/(posts/[^"]+\.(?:jpg|png))"', html) if "-1072-" in path}


@pytest.fixture
def mailed(illustrated: SiteFolder) -> SiteFolder:
    illustrated.readers(1)
    illustrated.ok("prepare", now=FRIDAY)
    illustrated.ok("deliver", now=FRIDAY)
    return illustrated


@pytest.mark.parametrize("gone", ["picture", "slug", "folder"])
def test_a_mail_that_was_sent_keeps_its_pictures_whatever_becomes_of_the_post(mailed: SiteFolder, gone: str) -> None:
    (shown,) = in_mails(mailed)
    before = mailed.tree()[shown]
    if gone == "slug":
        path = mailed.root / "posts" / "2026-11-25-a-car.md"
        path.write_text(path.read_text().replace("---\n", "---\nslug: a-better-car\n", 1))
    else:
        (mailed.root / "posts" / "car.jpg").write_bytes(a_photo(1800))
    if gone == "folder":
        shutil.rmtree(mailed.root / "feeds")
        shutil.rmtree(mailed.root / "var" / "cache")
    mailed.ok("publish", now=LATER)
    assert mailed.tree()[shown] == before
    mailed.ok("publish", now=LATER)
    assert mailed.tree()[shown] == before


def test_a_picture_that_is_replaced_between_making_and_sending_is_there_when_the_mail_is_opened(
    illustrated: SiteFolder,
) -> None:
    illustrated.readers(1)
    illustrated.ok("prepare", now=FRIDAY)
    (illustrated.root / "posts" / "car.jpg").write_bytes(a_photo(1800))
    illustrated.ok("deliver", now=FRIDAY)
    assert in_mails(illustrated) <= illustrated.tree().keys()


def test_the_pictures_of_a_post_that_is_withdrawn_go_with_it(mailed: SiteFolder) -> None:
    (shown,) = in_mails(mailed)
    path = mailed.root / "posts" / "2026-11-25-a-car.md"
    path.write_text(path.read_text().replace("---\n", "---\nwithdrawn: 2026-11-27 The picture was not ours\n", 1))
    mailed.ok("publish", now=LATER)
    assert shown not in mailed.tree()
