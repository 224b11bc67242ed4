"""Colours as WCAG 2.2 counts them: how far words stand out from what is behind them.

Written `#rrggbb`, in sRGB. 4.5 : 1 is what criterion 1.4.3 asks of text.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.model import Palette

ENOUGH = 4.5
TEXTS = ("ink", "soft", "link")
BEHIND = ("paper", "card", "tint")


@dataclass(frozen=True, slots=True)
class Faint:
    """Words of a Palette that are hard to read."""

    text: str  # the name of their colour
    on: tuple[tuple[str, float], ...]  # names of what is behind them, each with its contrast
    instead: str  # the nearest shade for the words that is enough on all three; empty when there is none


def contrast(one: str, other: str) -> float:
    """1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def faint(palette: Palette) -> Iterator[Faint]:
    """Every colour of words with the grounds on which it falls short."""
    grounds = {behind: getattr(palette, behind) for behind in BEHIND}
    for text in TEXTS:
        colour = getattr(palette, text)
        found = ((behind, contrast(colour, ground)) for behind, ground in grounds.items())
        if short := tuple(pair for pair in found if pair[1] < ENOUGH):
            yield Faint(text, short, nearest(colour, list(grounds.values())))


def nearest(colour: str, grounds: Sequence[str]) -> str:
    """The shade of a colour next to it, darker or lighter, that is enough on all of these; empty for none."""
    hue, light, saturation = colorsys.rgb_to_hls(*_channels(colour))
    shades = (_written(colorsys.hls_to_rgb(hue, level / 255, saturation)) for level in _by_distance(round(light * 255)))
    return next((shade for shade in shades if all(contrast(shade, ground) >= ENOUGH for ground in grounds)), "")


def _by_distance(level: int) -> list[int]:
    return sorted(range(256), key=lambda other: (abs(other - level), other))


def _luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue


def _written(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
