"""The site's look in the style sheets of its pages: what it changes of the built-in colours and letters.

Style sheets name their colours once, in `:root`; what stands here is put after them, so that a sheet of the site's own
that keeps the names follows too. On paper every look is black on white.
"""

from __future__ import annotations

from dataclasses import fields

from newsletter.model import Look, Palette

_NAMES = {"soft": "meta"}  # as the sheets call it


def css(look: Look) -> str:
    """Rules for the end of a style sheet; nothing for the built-in look."""
    usual = Look()
    fonts = [
        f"--{name}: var(--{chosen});"
        for name, chosen, default in (("titles", look.titles, usual.titles), ("words", look.text, usual.text))
        if chosen != default
    ]
    # The dark colours have to come again after light ones, which would hide them.
    light = [*_colours(look.light, usual.light), *fonts]
    dark = _colours(look.dark, usual.dark if look.light == usual.light else None)
    screens = (("screen", light), ("screen and (prefers-color-scheme: dark)", dark))
    rules = [f"@media {screen} {{ :root {{ {' '.join(lines)} }} }}\n" for screen, lines in screens if lines]
    return "".join(["\n/* [look] of newsletter.toml */\n", *rules]) if rules else ""


def _colours(palette: Palette, usual: Palette | None) -> list[str]:
    if palette == usual:
        return []
    return [f"--{_NAMES.get(one.name, one.name)}: {getattr(palette, one.name)};" for one in fields(palette)]
