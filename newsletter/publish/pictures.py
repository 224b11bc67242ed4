"""Bytes of any picture to the bytes that are published: decoded within limits, encoded anew in a few widths.

Promises that nothing of the file survives but what it shows (no place, camera, preview or hidden text), that it
stands upright and in sRGB, that no width is larger than the original, and the same bytes for the same picture
and the same version of Pillow, which is imported here and nowhere else. What cannot be read within the limits
is refused with a Problem; no decoder's own exception leaves.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import PurePosixPath

import PIL
from PIL import Image, ImageCms, ImageOps, features

from newsletter.errors import Problem, SourceErrors
from newsletter.model import SHOWN_BYTES, SHOWN_WIDTH, Variant

WIDTHS = (536, SHOWN_WIDTH, 1600)
"""Pixels: a mail's column, the same on a fine screen, and the widest place on a page."""

PIXELS, SIDE = 50_000_000, 30_000
READ = 20 * 1024 * 1024
"""Octets that are read of one file; one that is as long was cut."""

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
_QUALITIES = (82, 75, 68, 60, 52, 45)
_COLOURS = 256
_DRAWINGS = (b"\x89PNG", b"GIF8")  # how files begin that few colours are kept in
_RECIPE = 1  # raised when the same picture shall become other bytes


def key(content: bytes) -> str:
    """What decides the answer of `encode` beside the name: the content, the recipe, the libraries. Hexadecimal."""
    versions = (PIL.__version__, *(str(features.version(name)) for name in ("jpg", "zlib", "webp", "avif")))
    recipe = f"{_RECIPE} {' '.join(versions)}\0"
    return hashlib.sha256(recipe.encode() + content).hexdigest()


def encode(name: str, content: bytes) -> tuple[Variant, ...]:
    """The picture in its published widths, narrowest first.

    Raises SourceErrors without a place: P136 for a drawing in SVG, P137 for what is no picture or is damaged, P134
    for one with too many pixels or octets.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of broken metadata, all of which is left behind
        image = _decoded(name, content)
        sized = [_sized(image, width) for width in sorted({min(width, image.width) for width in WIDTHS})]
        suffix, save = (".png", _png) if _is_drawn(image, content, sized) else (".jpg", _jpeg)
        return tuple(_variant(name, suffix, one, save(one)) for one in sized)


def _decoded(name: str, content: bytes) -> Image.Image:
    if len(content) >= READ:
        raise _too_large(f"The picture {name} has over {READ >> 20} MB")
    try:
        image = Image.open(BytesIO(content), formats=_FORMATS)  # only the head: the size is known before a pixel is
        if image.width * image.height <= PIXELS and max(image.size) <= SIDE:
            return _upright(image)
    except Image.DecompressionBombError as fault:
        raise _too_large(f"The picture {name} has too many pixels; {PIXELS // 10**6} million are read") from fault
    except Exception as fault:  # a decoder fed with anything raises anything
        raise _unreadable(name, content) from fault
    pixels = f"{image.width:,} × {image.height:,} pixels"
    raise _too_large(f"The picture {name} has {pixels}; {PIXELS // 10**6} million are read")


def _upright(image: Image.Image) -> Image.Image:
    """All pixels, turned as the camera was held, in sRGB, as RGB, or RGBA where something shines through."""
    image.draft("RGB", (WIDTHS[-1], WIDTHS[-1]))  # a JPEG of 50 megapixels is read at a fraction of its size
    image.load()
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = image.convert("I").point(lambda level: level / 256).convert("L")
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBa", "RGBA"):
        clear = image.convert("RGBA")
        if clear.getchannel("A").getextrema() != (255, 255):
            return clear
        image = clear.convert("RGB")
    return _in_srgb(image, profile).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture that says nothing is taken for sRGB; a profile that does not fit counts as nothing."""
    if not profile or image.mode not in ("RGB", "CMYK", "L"):
        return image
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        turned = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return turned or image


def _is_drawn(image: Image.Image, content: bytes, sized: Sequence[Image.Image]) -> bool:
    """Whether JPEG would harm it: it is partly clear, or a drawing or screenshot whose few colours JPEG would blur."""
    if image.mode == "RGBA":
        return True
    if not content.startswith(_DRAWINGS) or image.getcolors(_COLOURS) is None:
        return False
    return all(len(_png(one)) <= SHOWN_BYTES for one in sized if one.width <= SHOWN_WIDTH)


def _sized(image: Image.Image, width: int) -> Image.Image:
    if width == image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)


def _variant(name: str, suffix: str, image: Image.Image, content: bytes) -> Variant:
    digest = hashlib.sha256(content).hexdigest()[:8]
    return Variant(f"{_stem(name)}-{image.width}-{digest}{suffix}", image.width, image.height, content)


def _jpeg(image: Image.Image) -> bytes:
    """At the best quality with which it is light enough for mail, if mail may get it."""
    qualities = _QUALITIES if image.width <= SHOWN_WIDTH else _QUALITIES[:1]
    content = b""
    for quality in qualities:
        content = _saved(image, "JPEG", quality=quality, optimize=True, progressive=True)
        if len(content) <= SHOWN_BYTES:
            break
    return content


def _png(image: Image.Image) -> bytes:
    if image.mode == "RGB":  # resizing made colours in between
        image = image.quantize(_COLOURS, dither=Image.Dither.NONE)
    return _saved(image, "PNG", optimize=True)


def _saved(image: Image.Image, form: str, **how: object) -> bytes:
    stream = BytesIO()
    plain = image.copy()
    plain.info = {key: value for key, value in image.info.items() if key == "transparency" and image.mode == "P"}
    plain.save(stream, form, **how)
    return stream.getvalue()


def _stem(name: str) -> str:
    """The name without its ending, in letters that need no quoting in an address."""
    plain = unicodedata.normalize("NFKD", PurePosixPath(name).stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:60] or "picture"


def _unreadable(name: str, content: bytes) -> SourceErrors:
    if re.search(rb"<svg[\s>]", content[:4096], re.IGNORECASE):
        why = "It can carry scripts, and mail programs do not show it."
        return _refusal("P136", f"The picture {name} is an SVG drawing", "export it as PNG", why=why)
    return _refusal("P137", f"The picture {name} is damaged, or not a picture", "export it anew as JPEG or PNG")


def _too_large(message: str) -> SourceErrors:
    return _refusal("P134", message, "make it smaller; 2,000 pixels a side are plenty")


def _refusal(code: str, message: str, fix: str, *, why: str = "") -> SourceErrors:
    return SourceErrors(Problem(code, message, why=why, fixes=(fix,)))
