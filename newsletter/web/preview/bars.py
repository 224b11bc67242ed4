"""What a preview adds to a page: bars over it, the script that reloads it, links that stay on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from newsletter.model import Site

_BODY = re.compile(rb"<body\b[^>]*>", re.IGNORECASE)


def dressed(page: bytes, *, head: str, top: str, bottom: str) -> bytes:
    """The page with `head` at the end of its head, `top` and `bottom` at the ends of its body."""
    start, found, rest = page.partition(b"</head>")
    page = start + head.encode() + found + rest if found else head.encode() + page
    body = _BODY.search(page)
    at = body.end() if body else 0
    end = page.rfind(b"</body>")
    end = end if end >= at else len(page)
    return b"".join((page[:at], top.encode(), page[at:end], bottom.encode(), page[end:]))


def at_home(page: bytes, site: Site) -> bytes:
    """The page with its addresses on the site led to this machine: what they name may not be published yet."""
    return page.replace(f'="{site.url}/'.encode(), b'="/')


def draft_marks(hidden: Mapping[str, str]) -> str:
    """A style sheet that marks every link to a post that readers cannot see."""
    links = ",\n".join(f'a[href$="posts/{slug}/"]::after' for slug in sorted(hidden))
    return f'{links} {{ content: " (draft)"; font-size: .75em; font-weight: 400; opacity: .8; }}\n' if links else ""
