"""What readers see of a site, checked before they do: its pictures, and whether its words can be made out.

Every fault is told at the line of `newsletter.toml` that names the picture or the colour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from newsletter import colours
from newsletter.errors import Problem
from newsletter.model import SHOWN_BYTES, SHOWN_WIDTH, Asset, Palette, Site, Variant

_SEE_THROUGH = (4, 6)  # colour types of PNG that have transparency (PNG 11.2.1)


class At(Protocol):
    """Makes a Problem at the line of a key."""

    def __call__(self, key: tuple[str, ...], code: str, message: str, /, **told: Any) -> Problem: ...


def seen(site: Site, root: Path, icon: str, logo: str, masthead: str, at: At) -> tuple[Site, list[Problem]]:
    """The Site with its pictures, which are files of these names beside `newsletter.toml`, and what is wrong with
    them (C107) or with its colours (C112). An empty name is no picture.
    """
    problems: list[Problem] = []

    def read(key: str, name: str, unfit: Callable[[bytes], str]) -> bytes:
        try:
            content = (root / name).read_bytes() if name else b""
            wrong = unfit(content) if name else ""
        except OSError as error:
            wrong = f"cannot be read: {error.strerror}"
        if wrong:
            problems.append(at(tuple(key.split(".")), "C107", f"{key} {wrong}", why=f"It says {name!r}."))
        return b"" if wrong else content

    square, wide = read("site.icon", icon, _no_icon), read("site.logo", logo, _no_wide_logo)
    head = read("look.logo", masthead, _no_masthead)
    found = replace(
        site,
        icon=Asset("icon.png", square) if square else None,
        logo=Asset("logo.png", wide) if wide else None,
        look=replace(site.look, logo=Variant("masthead.png", *_size(head), head) if head else None),
    )
    return found, [*problems, *_faint("light", site.look.light, at), *_faint("dark", site.look.dark, at)]


def _faint(scheme: str, palette: Palette, at: At) -> Iterator[Problem]:
    for words in colours.faint(palette):
        pairs = ", ".join(f"{contrast:.2f} : 1 on {behind}" for behind, contrast in words.on)
        fix = f'{words.text} = "{words.instead}" under [look.{scheme}]   is the nearest shade that is enough'
        no_fix = f"No shade of {words.text} is enough on paper, card and tint: choose these nearer to each other."
        yield at(
            ("look", scheme, words.text),
            "C112",
            f"{words.text} in [look.{scheme}] stands out too little: {pairs}; 4.5 : 1 is needed",
            why="Readers could not make out the words (WCAG 2.2, 1.4.3).",
            fixes=(fix if words.instead else no_fix,),
        )


def _no_icon(content: bytes) -> str:
    """Why these octets are no icon."""
    width, height = _size(content)
    if not width:
        return "is not a PNG"
    return "" if width == height >= 512 else f"must be square, of 512 pixels or more, and is {width} × {height}"


def _no_wide_logo(content: bytes) -> str:
    """Why these octets are no logo for feeds."""
    width, height = _size(content)
    if not width:
        return "is not a PNG"
    return "" if width == 2 * height else f"must be twice as wide as high, and is {width} × {height}"


def _no_masthead(content: bytes) -> str:
    """Why these octets are no picture for the head of mails."""
    width, _ = _size(content)
    if not width:
        return "is not a PNG"
    if width > SHOWN_WIDTH:
        return f"must not be wider than {SHOWN_WIDTH} pixels, and is {width}"
    if len(content) > SHOWN_BYTES:
        return f"must not be over {SHOWN_BYTES // 1000} kB, and is {len(content) / 1000:.0f}"
    if content[25] in _SEE_THROUGH or b"tRNS" in content[: content.find(b"IDAT")]:
        return "must not be transparent: on a dark screen its letters could vanish"
    return ""


def _size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels, which stand at its start (PNG 11.2.1); zeros for anything else."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        return 0, 0
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
