"""A Post with its pictures as they are published: every address leads to a Variant, and each `<img>` has its size.

The file that a writer put beside the post is never published itself. Feeds, mail and previews show the Variant of
1072 pixels (`Picture.shown`); pages offer every width (`responsive`), because only pages know how wide they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import escape, unescape
from urllib.parse import unquote

from newsletter.errors import Problem, SourceErrors
from newsletter.model import SHOWN_BYTES, Asset, Picture, Post, Site, Variant
from newsletter.ports import Encode
from newsletter.publish import keys
from newsletter.publish.paths import post_path

IN_TEXT = "(min-width: 40rem) 36rem, calc(100vw - 2rem)"
"""How wide the text column of `web/style.css` is, as an `img` says it in `sizes`."""

_IMG = re.compile(r"<img\b((?:\s+[\w:-]+(?:=\"[^\"]*\")?)*)\s*/?>")
_TAG = re.compile(r"<(?:a|img|source|video)\b(?:\s+[\w:-]+(?:=\"[^\"]*\")?)*\s*/?>")
_ATTRIBUTE = re.compile(r"([\w:-]+)=\"([^\"]*)\"")
_ADDRESSES = frozenset({"href", "src", "poster", "srcset"})


def illustrated(post: Post, site: Site, encode: Encode) -> tuple[Post, list[Problem]]:
    """The Post with its assets encoded anew, and what is wrong with them (P128, P134 to P137); their file is told,
    not their line. One that cannot be encoded is left out.
    """
    pictures, problems = _pictures(post, encode)
    known = {picture.name: picture for picture in pictures}
    page = site.address_of(post_path(post.slug))
    assets = {v.name: Asset(v.name, v.content) for picture in pictures for v in picture.variants}
    level = "warn" if post.draft else "stop"
    found = [replace(p, file=str(post.path), level=level if p.level == "stop" else p.level) for p in problems]
    return replace(
        post,
        html=_settled(post.html, page, known),
        take=replace(post.take, html=_settled(post.take.html, page, known)) if post.take else None,
        image=_address(post.image, page, known, lambda picture: picture.shown) if post.image else None,
        assets=tuple(assets.values()),
        pictures=pictures,
        mark=keys.of(post.mark, *assets) if post.mark else "",  # another Pillow makes other pages of the same post
    ), found


def cover(post: Post, site: Site) -> Picture | None:
    """The Picture that the Post's `image` shows; None for one that stands elsewhere on the web, or none at all."""
    page = site.address_of(post_path(post.slug))
    return next((picture for picture in post.pictures if post.image == f"{page}{picture.shown.name}"), None)


def candidates(picture: Picture, base: str) -> str:
    """The value of `srcset`: each width with its address below `base`; empty when there is only one."""
    if len(picture.variants) == 1:
        return ""
    return ", ".join(f"{base}{variant.name} {variant.width}w" for variant in picture.variants)


def responsive(post: Post, root: str) -> str:
    """The HTML of an illustrated Post for its page, `root` being the way to the web root: each of its pictures in
    every width, none loaded before a reader comes near it.
    """
    shown = {picture.shown.name: picture for picture in post.pictures}
    below = post_path(post.slug)

    def more(match: re.Match[str]) -> str:
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        folder, _, name = attributes.get("src", "").rpartition("/")
        picture = shown.get(name) if f"{folder}/".endswith(f"/{below}") else None
        if picture and (widths := candidates(picture, f"{root}{below}")):
            own = attributes.get("width", "")
            fixed = own.isdecimal() and int(own) != picture.shown.width
            attributes |= {"srcset": widths, "sizes": f"{own}px" if fixed else IN_TEXT}
        return _img(attributes | {"loading": "lazy"})

    return _IMG.sub(more, post.html)


def _pictures(post: Post, encode: Encode) -> tuple[tuple[Picture, ...], list[Problem]]:
    pictures: list[Picture] = []
    problems: list[Problem] = []
    for asset in post.assets:
        try:
            picture = Picture(asset.name, tuple(encode(asset.name, asset.content)))
        except SourceErrors as refusal:
            problems += refusal.problems
        else:
            pictures.append(picture)
            problems += _remarks(asset, picture)
    return tuple(pictures), problems


def _remarks(asset: Asset, picture: Picture) -> Iterator[Problem]:
    """What a writer should know of a picture that is published all the same."""
    weight = len(picture.shown.content)
    if weight > SHOWN_BYTES:
        message = (
            f"The picture {asset.name} has {weight // 1000:,} kB in mail, which gets slow over {SHOWN_BYTES // 1000}"
        )
        yield Problem("P128", message, fixes=("crop it, or save it as a JPEG",), level="warn")
    if _moves(asset.content):
        message = f"The picture {asset.name} moves; only its beginning is shown"
        why = "Readers could not stop it (WCAG 2.2.2), and Outlook shows its beginning only."
        yield Problem("P135", message, why=why, fixes=("link to it as a video",), level="warn")


def _moves(content: bytes) -> bool:
    """Whether a GIF, WebP, PNG or AVIF says of itself that it has several frames."""
    if content.startswith(b"GIF8"):
        return _has_two_frames(content)
    head = content[:64]
    return (b"WEBP" in head and b"ANIM" in head) or b"acTL" in head or b"ftypavis" in head


def _has_two_frames(gif: bytes) -> bool:
    """Goes from block to block (GIF89a, 20 to 24); what is cut off has no more."""
    frames, at = 0, 13 + _palette(gif[10:11])
    while at < len(gif) and frames < 2 and gif[at] in b"!,":
        if gif[at] == ord(","):
            frames += 1
            at += 11 + _palette(gif[at + 9 : at + 10])
        else:
            at += 2
        while at < len(gif) and gif[at]:
            at += gif[at] + 1
        at += 1
    return frames > 1


def _palette(flags: bytes) -> int:
    """How many octets the colours take that these flags tell of."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _settled(html: str, page: str, known: Mapping[str, Picture]) -> str:
    """The HTML with every address of an asset replaced, and every `<img>` of one given its size."""
    if not known:
        return html
    html = _IMG.sub(lambda match: _sized(match, page, known), html)
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(lambda match: _replaced(match, page, known), tag[0]), html)


def _sized(match: re.Match[str], page: str, known: Mapping[str, Picture]) -> str:
    attributes = dict(_ATTRIBUTE.findall(match[1]))
    picture = _meant(attributes.get("src", ""), page, known)
    if picture is None:
        return match[0]
    shown = picture.shown
    attributes = {name: value for name, value in attributes.items() if name not in ("srcset", "sizes")}
    if not attributes.keys() & {"width", "height"}:
        attributes |= {"width": str(shown.width), "height": str(shown.height)}
    return _img(attributes | {"src": escape(f"{page}{shown.name}")})


def _replaced(match: re.Match[str], page: str, known: Mapping[str, Picture]) -> str:
    """Links lead to the widest Variant; what is shown, shows the usual one."""
    name, value = match[1], match[2]
    if name not in _ADDRESSES:
        return match[0]
    which = _widest if name == "href" else _shown
    parts = [_address(part, page, known, which) if part else part for part in re.split(r"([,\s]+)", value)]
    return f'{name}="{"".join(parts) if name == "srcset" else _address(value, page, known, which)}"'


def _address(written: str, page: str, known: Mapping[str, Picture], which: Callable[[Picture], Variant]) -> str:
    picture = _meant(written, page, known)
    return f"{page}{which(picture).name}" if picture else written


def _meant(written: str, page: str, known: Mapping[str, Picture]) -> Picture | None:
    """The Picture whose asset an absolute address names, however it is quoted."""
    path = unescape(written).partition("#")[0].partition("?")[0]
    return known.get(unquote(path.removeprefix(page))) if path.startswith(page) else None


def _shown(picture: Picture) -> Variant:
    return picture.shown


def _widest(picture: Picture) -> Variant:
    return picture.variants[-1]


def _img(attributes: Mapping[str, str]) -> str:
    """An `<img>`; the values are escaped already, as the sanitiser wrote them."""
    written = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<img {written}>"
