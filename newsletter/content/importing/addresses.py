"""Where things were and where they are now.

Promises that the spellings of one old address count as one: with or without `www.`, `https` or the last slash.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

_SIZED = re.compile(r"-\d{1,5}x\d{1,5}(?=\.[a-z0-9]{1,5}$)", re.IGNORECASE)


def host(url: str) -> str:
    """The host without `www.`; empty for a relative address or none at all."""
    return (_split(url).netloc.lower().rpartition("@")[2]).removeprefix("www.")


def key(url: str) -> str:
    """The same for every spelling of an address; a query counts, a fragment does not."""
    parts = _split(url)
    return f"{host(url)}{path(url).rstrip('/') or '/'}{f'?{parts.query}' if parts.query else ''}"


def picture_key(url: str) -> str:
    """The same for a picture and the smaller copies that WordPress makes: `hatch-300x200.jpg`."""
    return _SIZED.sub("", key(url).partition("?")[0])


def old_path(link: str, home: str) -> str:
    """The path at which a post stood, percent-encoded; empty when no server could tell it from another."""
    parts = _split(link)
    old = quote(f"/{parts.path.removeprefix('/')}", safe="/%:@!$&'()*+,;=~")
    if parts.query or old == "/" or "//" in old or "/.." in old or host(link) not in {"", host(home)}:
        return ""
    return old


def slug(link: str) -> str:
    """The last part of an address, without an ending such as `.html`."""
    return re.sub(r"\.(?:html?|php|aspx?)$", "", path(link).rstrip("/").rpartition("/")[2], flags=re.IGNORECASE)


def joined(base: str, url: str) -> str:
    """`url` as read at `base`; empty when one of the two is no address at all."""
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return ""


def path(url: str) -> str:
    """The path of an address, without percent signs."""
    return unquote(_split(url).path)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return urlsplit("")
