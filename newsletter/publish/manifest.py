"""What a publish put into the folder, as it is remembered there: paths with SHA-256, post ids with slugs and traces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

MANIFEST = ".manifest.json"
_quoted = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files`: path -> hexadecimal SHA-256 of its bytes; `posts`: post id -> slug; `texts`: post id -> its trace."""

    files: Mapping[str, str]
    posts: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)

    def render(self) -> bytes:
        """Stable bytes: the same content gives the same manifest."""
        parts = f'"files": {_lines(self.files)},\n "posts": {_lines(self.posts)},\n "texts": {_lines(self.texts)}'
        return f'{{\n {parts},\n "version": 1\n}}\n'.encode()

    def joined(self, later: Manifest) -> Manifest:
        """Everything that may be in the folder between this state and the later one; texts count as they were."""
        return Manifest({**self.files, **later.files}, {**self.posts, **later.posts}, self.texts)


def parse(content: bytes) -> Manifest:
    """Read what `render` wrote. Raises ValueError for anything else."""
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("version") != 1:
        raise ValueError("no manifest of version 1")
    return Manifest(_words(document.get("files")), _words(document.get("posts")), _words(document.get("texts", {})))


def _lines(words: Mapping[str, str]) -> str:
    """Sorted, one a line, so that a person can compare two; `json.dumps` is ten times as slow at that."""
    lines = ",\n".join(f"  {_quoted(key)}: {_quoted(value)}" for key, value in sorted(words.items()))
    return f"{{\n{lines}\n }}" if lines else "{}"


def _words(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        raise ValueError("a manifest maps words to words")
    return value
