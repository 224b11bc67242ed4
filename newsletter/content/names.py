"""Slugs, ids and file names: what a post is called, derived from what its file is called.

Promises that each is a function of its arguments alone, so that a post keeps its identity on every
machine and through every later change of its slug.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePosixPath

from slugify import slugify

from newsletter.model import Site

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_LIMIT = 100

_DATED = re.compile(r"\d{4}-\d\d-\d\d-(?=.)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_TAG = re.compile(  # RFC 4151, section 2.1
    r"tag:(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
    r",\d{4}(?:-\d\d(?:-\d\d)?)?:[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*"
)
# Names that Windows keeps for devices: such a folder cannot be checked out there.
_DEVICES = re.compile(r"con|prn|aux|nul|com\d|lpt\d")


def stem(path: PurePosixPath) -> str:
    """The file's name without its date prefix and suffix, as a slug: what it is called for good."""
    return slug_of(_DATED.sub("", path.stem))


def slug_of(text: str) -> str:
    """Words as a slug: lower-case ASCII letters and digits joined by hyphens; "post" when nothing is left."""
    if is_slug(text):
        return text
    slug = slugify(text, max_length=SLUG_LIMIT, word_boundary=True) or "post"
    return slug if is_slug(slug) else f"{slug}-post"  # the name of a device: NUL becomes nul-post


def is_slug(text: str) -> bool:
    """Whether `text` can be a folder below `posts/` on every host and system."""
    return bool(SLUG.fullmatch(text)) and len(text) <= SLUG_LIMIT and not _DEVICES.fullmatch(text)


def post_id(name: str, day: date, site: Site) -> str:
    """The tag: URI (RFC 4151) of a post called `name` and dated `day` in the site's zone."""
    host = site.authority.partition(",")[0]
    return f"tag:{host},{day.isoformat()}:{name}"


def is_id(text: str) -> bool:
    """Whether `text` is a URI that can be an entry's id (RFC 4287, 4.2.6)."""
    if text[:4].lower() == "tag:":
        return bool(_TAG.fullmatch(text))
    return bool(_URI.fullmatch(text))


def file_name(title: str, day: date) -> str:
    """The name of the file that holds a new post: `2026-11-20-hybrid-hatch.md`."""
    return f"{day.isoformat()}-{slug_of(slugify(title, max_length=70, word_boundary=True))}.md"
