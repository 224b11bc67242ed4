"""Pictures that come along: which octets are one, and what its file is called.

Promises a name that says to which post it belongs, with the ending of what it is, whatever it was called.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import PurePosixPath

from newsletter.content import names
from newsletter.content.importing import addresses


def kind(content: bytes) -> str:
    """The ending for these octets; empty when they are no picture that a post may have."""
    if content.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return ".gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    return ".avif" if content[4:12] in {b"ftypavif", b"ftypavis"} else ""


def name(url: str, slug: str, ending: str, taken: Container[str]) -> str:
    """`hybrid-hatch-boot.jpg`, for a picture of the post `hybrid-hatch`."""
    stem = names.slug_of(PurePosixPath(addresses.path(url)).stem)[:60].rstrip("-")
    found, n = f"{slug}-{stem}{ending}", 2
    while found in taken:
        found, n = f"{slug}-{stem}-{n}{ending}", n + 1
    return found


def places(url: str) -> list[PurePosixPath]:
    """Where the file of a picture may lie below a folder of uploads: its path, then less and less of it."""
    parts = [part for part in addresses.path(url).split("/") if part]
    if any(part in {".", ".."} or "\x00" in part or part.startswith(".") for part in parts):
        return []
    return [PurePosixPath(*parts[n:]) for n in range(len(parts))]
