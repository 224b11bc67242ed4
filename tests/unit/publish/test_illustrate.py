"""A post that names files beside it, after its pictures were made: what pages, feeds and mail see."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from newsletter.errors import Problem, SourceErrors
from newsletter.model import Asset, Post, Take, Variant
from newsletter.publish import items, views
from newsletter.publish.around import around_all
from newsletter.publish.illustrate import IN_TEXT, candidates, cover, illustrated, responsive
from tests.builders import a_library, a_post, a_site

SITE = a_site()
PAGE = "https://autotrendy.example/posts/cars/"


def encode(name: str, content: bytes) -> list[Variant]:
    """Three widths of three to two, as short as bytes can be; one for a file that is called small."""
    if name.startswith("broken"):
        raise SourceErrors(Problem("P137", f"The picture {name} is damaged"))
    widths = (300,) if name.startswith("small") else (536, 1072, 1600)
    return [Variant(f"{name.partition('.')[0]}-{w}-00000000.jpg", w, w * 2 // 3, content) for w in widths]


def a_post_with(html: str, *names: str, **changes: Any) -> tuple[Post, list[Problem]]:
    assets = tuple(Asset(name, b"bytes of " + name.encode()) for name in names or ("car.jpg",))
    return illustrated(a_post("cars", html=html, assets=assets, **changes), SITE, encode)


def images(html: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    class Images(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                found.append({name: value or "" for name, value in attrs})

    Images().feed(html)
    return found


def test_a_picture_in_the_text_is_shown_at_1072_pixels_with_its_size() -> None:
    post, problems = a_post_with(f'<p><img src="{PAGE}car.jpg" alt="A car &gt; a van"></p>')

    assert problems == []
    assert images(post.html) == [
        {"src": f"{PAGE}car-1072-00000000.jpg", "alt": "A car > a van", "width": "1072", "height": "714"}
    ]


def test_a_page_offers_every_width_relative_to_itself_and_loads_late() -> None:
    post, _ = a_post_with(f'<p><img src="{PAGE}car.jpg" alt="A car"></p>')

    (image,) = images(str(views.body(SITE, post, "../../")))

    assert image["src"] == "../../posts/cars/car-1072-00000000.jpg"
    assert image["srcset"] == ", ".join(f"../../posts/cars/car-{w}-00000000.jpg {w}w" for w in (536, 1072, 1600))
    assert (image["sizes"], image["loading"]) == (IN_TEXT, "lazy")
    assert (image["width"], image["height"]) == ("1072", "714")


def test_a_picture_of_one_width_offers_no_choice() -> None:
    post, _ = a_post_with(f'<img src="{PAGE}small.png" alt="An icon">', "small.png")
    (image,) = images(responsive(post, "../../"))
    assert "srcset" not in image
    assert image["width"] == "300"


def test_a_width_that_the_writer_gave_is_kept() -> None:
    post, _ = a_post_with(f'<img src="{PAGE}car.jpg" alt="A car" width="200">')
    (image,) = images(responsive(post, "../../"))
    assert (image["width"], image.get("height"), image["sizes"]) == ("200", None, "200px")


def test_a_picture_elsewhere_on_the_web_is_left_as_it_is() -> None:
    html = '<img src="https://autotrendy.example.evil.example/posts/cars/car.jpg" alt="x">'
    post, _ = a_post_with(html)
    assert post.html == html


@pytest.mark.parametrize("written", ["my%20car.jpg", "my car.jpg", "my%20car.jpg?v=2", "my%20car.jpg#left"])
def test_a_name_is_known_however_it_was_written(written: str) -> None:
    post, _ = a_post_with(f'<img src="{PAGE}{written}" alt="x">', "my car.jpg")
    assert images(post.html)[0]["src"] == f"{PAGE}my car-1072-00000000.jpg"


def test_no_address_of_a_file_that_is_not_published_is_left() -> None:
    """Whatever the element: the file itself, with all that a camera wrote into it, stays at home."""
    html = (
        f'<a href="{PAGE}car.jpg">large</a><video src="{PAGE}film.mp4" poster="{PAGE}car.jpg"></video>'
        f'<picture><source srcset="{PAGE}car.jpg 1x, {PAGE}car.jpg 2x"><img src="{PAGE}car.jpg" '
        f'srcset="{PAGE}car.jpg 3x" alt="{PAGE}car.jpg"></picture>'
    )
    post, _ = a_post_with(html, image=f"{PAGE}car.jpg", take=Take(f'<p><img src="{PAGE}car.jpg" alt="x"></p>', "x"))

    assert post.take is not None
    assert f"{PAGE}car.jpg" not in re.sub(r'alt="[^"]*"', "", post.html + post.take.html)
    assert f'<a href="{PAGE}car-1600-00000000.jpg">' in post.html
    assert f'poster="{PAGE}car-1072-00000000.jpg"' in post.html
    assert f'srcset="{PAGE}car-1072-00000000.jpg 1x, {PAGE}car-1072-00000000.jpg 2x"' in post.html
    assert f'alt="{PAGE}car.jpg"' in post.html
    assert post.image == f"{PAGE}car-1072-00000000.jpg"
    assert [asset.name for asset in post.assets] == [f"car-{w}-00000000.jpg" for w in (536, 1072, 1600)]


def test_two_names_of_one_picture_are_one_file() -> None:
    post, _ = a_post_with("", "car.jpg", "car.png")
    assert len(post.assets) == 3
    assert len(post.pictures) == 2


def test_the_image_of_a_post_has_its_widths_and_size_on_pages() -> None:
    post, _ = a_post_with("", image=f"{PAGE}car.jpg", image_alt="A car")
    teaser = views.teaser(SITE, post, "./")

    assert cover(post, SITE) == post.pictures[0]
    assert teaser.image == "./posts/cars/car-1072-00000000.jpg"
    assert teaser.image_size == (1072, 714)
    assert teaser.image_widths == candidates(post.pictures[0], "./posts/cars/")


def test_an_image_elsewhere_has_neither_widths_nor_size() -> None:
    post, _ = a_post_with("", image="https://example.org/car.jpg")
    teaser = views.teaser(SITE, post, "./")
    assert (teaser.image, teaser.image_widths, teaser.image_size) == ("https://example.org/car.jpg", "", None)


def test_feeds_get_one_whole_address_and_no_choice() -> None:
    post, _ = a_post_with(f'<img src="{PAGE}car.jpg" alt="A car">')
    (image,) = images(items.body(SITE, post, around_all(a_library(post))[post.id]))
    assert image == {"src": f"{PAGE}car-1072-00000000.jpg", "alt": "A car", "width": "1072", "height": "714"}


def test_a_picture_that_cannot_be_published_stops_a_post_and_warns_of_a_draft() -> None:
    for draft, level in ((False, "stop"), (True, "warn")):
        post, (problem,) = a_post_with(f'<img src="{PAGE}broken.jpg" alt="x">', "broken.jpg", draft=draft)
        assert (problem.code, problem.level, problem.file) == ("P137", level, str(post.path))
        assert post.assets == ()


def a_gif(frames: int, *, seconds: int = 0) -> bytes:
    """With a delay between frames each has a block of its own to say so; without one, there is none."""
    first, *others = (Image.effect_noise((30 + n, 20), 90).convert("P").crop((0, 0, 30, 20)) for n in range(frames))
    stream = BytesIO()
    first.save(stream, "GIF", save_all=True, append_images=others, **({"duration": seconds * 1000} if seconds else {}))
    return stream.getvalue()


@pytest.mark.parametrize("seconds", [0, 1])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_gif_that_moves_is_told_however_it_was_written(frames: int, seconds: int) -> None:
    gif = a_gif(frames, seconds=seconds)
    found = illustrated(a_post(assets=(Asset("x.gif", gif),)), SITE, encode)[1]
    assert [problem.code for problem in found] == ["P135"] * (frames > 1)
    for cut in range(0, len(gif), 97):
        illustrated(a_post(assets=(Asset("x.gif", b"GIF89a" + gif[6:cut]),)), SITE, encode)


def test_what_is_heavy_in_mail_and_what_moves_is_told() -> None:
    heavy = (Asset("car.jpg", bytes(150_001)),)
    moving = [a_gif(2), a_gif(9), b"RIFF....WEBPVP8X....ANIM", b"\x89PNG....acTL", b"....ftypavis"]

    assert [p.code for p in illustrated(a_post(assets=heavy), SITE, encode)[1]] == ["P128"]
    for content in moving:
        assert [p.code for p in illustrated(a_post(assets=(Asset("x.gif", content),)), SITE, encode)[1]] == ["P135"]
    assert illustrated(a_post(assets=(Asset("x.gif", a_gif(1)),)), SITE, encode)[1] == []
