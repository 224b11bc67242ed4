"""What a publish put into the folder, as it is remembered there: paths with SHA-256, and post ids with slugs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

MANIFEST = ".manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files`: path -> hexadecimal SHA-256 of its bytes; `posts`: post id -> slug."""

    files: Mapping[str, str]
    posts: Mapping[str, str]

    def render(self) -> bytes:
        """Stable bytes: the same content gives the same manifest."""
        document = {"version": 1, "posts": self.posts, "files": self.files}
        return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()

    def joined(self, later: Manifest) -> Manifest:
        """Everything that may be in the folder between this state and the later one."""
        return Manifest({**self.files, **later.files}, {**self.posts, **later.posts})


def parse(content: bytes) -> Manifest:
    """Read what `render` wrote. Raises ValueError for anything else."""
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("version") != 1:
        raise ValueError("no manifest of version 1")
    return Manifest(_words(document.get("files")), _words(document.get("posts")))


def _words(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        raise ValueError("a manifest maps words to words")
    return value
