"""`redirects.toml`: old addresses of posts, beside `posts/` and committed with them.

A line is `"/2019/05/old/" = "slug"`: the path as a browser asks for it (percent-encoded), and the slug of a post of
this site, or an http(s) address. Promises that lines which are there stay as they are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from newsletter.errors import ConfigError, Problem

FILE = "redirects.toml"
_HEAD = '# Old addresses: "/path/" = "slug of a post", a "/path/" of this site, or an address elsewhere.\n'


def joined(text: str, found: Mapping[str, str]) -> tuple[str, list[str]]:
    """`text` with those of `found` (percent-encoded path -> slug) that it lacks, and the paths that it leads elsewhere.

    Raises ConfigError (P307) when it cannot be read.
    """
    try:
        there = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_problem(f"This is not TOML: {error}")) from None
    if any(not isinstance(target, str) for target in there.values()):
        raise ConfigError(_problem("A redirect is not a path and a slug"))
    elsewhere = [path for path, slug in found.items() if there.get(path, slug) != slug]
    new = [f'"{path}" = "{slug}"' for path, slug in sorted(found.items()) if path not in there]
    if not new:
        return text, elsewhere
    start = text if text.endswith("\n") or not text else f"{text}\n"
    return f"{start or _HEAD}{chr(10).join(new)}\n", elsewhere


def _problem(message: str) -> Problem:
    return Problem("P307", message, FILE, fixes=('write each line as "/old/path/" = "slug"',))
