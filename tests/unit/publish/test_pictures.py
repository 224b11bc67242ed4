"""What goes in is any bytes; what comes out is a picture and nothing else, or a refusal."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from newsletter.errors import SourceErrors
from newsletter.model import SHOWN_BYTES
from newsletter.publish import pictures


def a_photo(width: int = 900, height: int = 600) -> Image.Image:
    """Colours that run into each other, as a camera sees them."""
    return Image.merge(
        "RGB",
        (
            Image.linear_gradient("L").resize((width, height)),
            Image.radial_gradient("L").resize((width, height)),
            Image.linear_gradient("L").rotate(90).resize((width, height)),
        ),
    )


def a_chart(width: int = 900, height: int = 600, mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (width, height), "white")
    ImageDraw.Draw(image).rectangle((width // 9, height // 9, width // 2, height // 2), fill="#9c3d12")
    return image


def saved(image: Image.Image, form: str = "JPEG", **how: object) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **how)
    return stream.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(SourceErrors) as caught:
        pictures.encode(name, content)
    return caught.value.problems[0].code


def test_a_wide_picture_comes_in_three_widths_and_says_its_true_size() -> None:
    variants = pictures.encode("Blaues Auto.jpeg", saved(a_photo(2400, 1200)))

    assert [(v.width, v.height) for v in variants] == [(536, 268), (1072, 536), (1600, 800)]
    for variant in variants:
        image = opened(variant.content)
        assert (image.format, image.size) == ("JPEG", (variant.width, variant.height))
        assert variant.name == f"Blaues-Auto-{variant.width}-{sha256(variant.content).hexdigest()[:8]}.jpg"


@pytest.mark.parametrize(("width", "widths"), [(1, [1]), (400, [400]), (536, [536]), (800, [536, 800])])
def test_no_picture_is_made_larger_than_it_is(width: int, widths: list[int]) -> None:
    variants = pictures.encode("x.jpg", saved(a_photo(width, 100)))
    assert [variant.width for variant in variants] == widths


def test_nothing_is_left_of_what_the_camera_wrote_into_the_file() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x9286] = "SECRET camera", "SECRET place"
    content = saved(a_photo(), exif=exif, comment=b"SECRET words")
    assert content.count(b"SECRET") >= 2

    for variant in pictures.encode("x.jpg", content):
        image = opened(variant.content)
        assert b"SECRET" not in variant.content
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}


def test_a_picture_taken_upright_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter to the right when shown
    image = Image.new("RGB", (600, 300), "white")
    image.paste("red", (0, 0, 600, 60))  # the upper edge of the file is the right one of the picture

    (variant,) = pictures.encode("x.jpg", saved(image, exif=exif))

    shown = opened(variant.content).convert("RGB")
    assert shown.size == (300, 600)
    assert shown.getpixel((290, 300))[1] < 60  # type: ignore[index]
    assert shown.getpixel((10, 300))[1] > 200  # type: ignore[index]


def test_colours_of_another_space_become_those_of_the_web() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain = saved(a_photo())

    (tagged, *_) = pictures.encode("x.jpg", saved(a_photo(), icc_profile=srgb.tobytes()))
    (broken, *_) = pictures.encode("x.jpg", saved(a_photo(), icc_profile=lab.tobytes()))

    assert "icc_profile" not in opened(tagged.content).info
    assert broken.content == pictures.encode("x.jpg", plain)[0].content


def test_a_drawing_stays_sharp_and_a_photograph_becomes_jpeg() -> None:
    kinds = {
        "chart": pictures.encode("x.png", saved(a_chart(), "PNG")),
        "animation": pictures.encode("x.gif", saved(a_chart(), "GIF")),
        "photo": pictures.encode("x.png", saved(a_photo(), "PNG")),
        "webp": pictures.encode("x.webp", saved(a_photo(), "WEBP")),
        "avif": pictures.encode("x.avif", saved(a_photo(), "AVIF")),
    }
    assert {kind: opened(variants[0].content).format for kind, variants in kinds.items()} == {
        "chart": "PNG",
        "animation": "PNG",
        "photo": "JPEG",
        "webp": "JPEG",
        "avif": "JPEG",
    }


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_is_partly_clear_stays_clear_and_what_only_could_be_is_not(form: str) -> None:
    clear = a_photo()
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    solid = a_photo()
    solid.putalpha(255)

    assert opened(pictures.encode("x", saved(clear, form))[0].content).mode == "RGBA"
    assert opened(pictures.encode("x", saved(solid, form, lossless=True))[0].content).format == "JPEG"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_taken(mode: str) -> None:
    (variant,) = pictures.encode("x.png", saved(Image.new(mode, (200, 100), 1), "PNG"))
    assert opened(variant.content).size == (200, 100)


def test_sixteen_bits_of_grey_are_not_cut_off_at_white() -> None:
    image = Image.new("I;16", (256, 10))
    image.putdata([level * 256 for level in range(256)] * 10)
    (variant,) = pictures.encode("x.png", saved(image, "PNG"))
    low, high = opened(variant.content).convert("L").getextrema()
    assert (low, high) == (0, 255)


def test_four_colour_print_becomes_screen_colours() -> None:
    (variant,) = pictures.encode("x.jpg", saved(Image.new("CMYK", (200, 100), (0, 255, 255, 0))))
    red, green, blue = opened(variant.content).convert("RGB").getpixel((100, 50))  # type: ignore[misc]
    assert (red > 200, green < 60, blue < 60) == (True, True, True)


def test_what_mail_gets_is_light_even_if_the_picture_is_full_of_detail() -> None:
    detailed = a_photo(2000, 1000)
    detailed.paste(Image.effect_noise((900, 700), 40), (200, 200))
    heavy = saved(detailed, quality=98)

    mailed = [v for v in pictures.encode("x.jpg", heavy) if v.width <= 1072]

    assert all(len(variant.content) <= SHOWN_BYTES for variant in mailed)
    assert len(heavy) > 3 * SHOWN_BYTES


def test_the_same_picture_gives_the_same_bytes_and_the_same_key() -> None:
    for content in (saved(a_photo(2000, 900)), saved(a_chart(1200, 700), "PNG")):
        assert pictures.encode("x", content) == pictures.encode("x", content)
        assert pictures.key(content) == pictures.key(content)
    assert pictures.key(b"a") != pictures.key(b"b")


def test_what_is_no_picture_is_refused_by_what_it_is_not_by_its_name() -> None:
    assert refusal("car.png", b"<?xml version='1.0'?><SVG onload='alert(1)'/>") == "P136"
    assert refusal("car.png", b"<html><script>alert(1)</script>") == "P137"
    assert refusal("car.jpg", b"") == "P137"
    assert refusal("car.jpg", saved(a_photo())[:2000]) == "P137"
    assert refusal("car.jpg", saved(a_photo(), "TIFF")) == "P137"  # decoders that the web has no use for stay shut


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    for size in ((8000, 7000), (30_001, 1), (20_000, 20_000)):
        assert refusal("bomb.png", saved(Image.new("1", size), "PNG")) == "P134"
    assert refusal("long.jpg", bytes(pictures.READ)) == "P134"


def test_a_file_that_is_also_a_script_is_only_a_picture_afterwards() -> None:
    polyglot = saved(a_photo()) + b"<script>alert(1)</script>"
    assert all(b"<script" not in variant.content for variant in pictures.encode("x.jpg", polyglot))


@pytest.mark.parametrize("name", ["../../etc/passwd", "ö ü.png", ".hidden", "…", "a" * 300, "x\0y", "con.png", "-"])
def test_whatever_a_file_is_called_its_published_name_is_plain(name: str) -> None:
    (variant,) = pictures.encode(name, saved(a_photo(100, 100)))
    assert variant.name[0].isalnum()
    assert len(variant.name) < 100
    assert all(letter.isascii() and (letter.isalnum() or letter in "-.") for letter in variant.name)


_PHOTO = saved(a_photo(120, 80))
_DRAWING = saved(a_chart(120, 80, "P"), "PNG")
_ANIMATION = saved(a_chart(60, 40), "GIF")


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([_PHOTO, _DRAWING, _ANIMATION]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=12),
    st.integers(0, 4000),
)
def test_a_damaged_file_is_a_picture_or_a_refusal(content: bytes, faults: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(content[:cut] if cut % 2 else content)
    for place, value in faults:
        if damaged:
            damaged[place % len(damaged)] = value
    codes = set()
    try:
        variants = pictures.encode("x", bytes(damaged))
    except SourceErrors as refused:
        variants, codes = (), {problem.code for problem in refused.problems}
    assert variants or codes <= {"P136", "P137", "P134"}
