"""Hashes of what a page depends on, so that it is rendered when one of them changed and not otherwise.

A Post's own page depends on its `mark`, another page that names it on its `face`. A Post without them, which no
cache has seen, stands for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields

from jinja2 import Environment

from newsletter.model import Post
from newsletter.publish.around import Around


def of(*parts: object) -> str:
    """One hash of values that say all of themselves when they are written out."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()


def mark(post: Post) -> str:
    return post.mark or repr(post)


def face(post: Post) -> str:
    return post.face or repr(post)


def around(neighbourhood: Around) -> Iterator[str]:
    """The faces of all Posts around one, each in its place."""
    for field in fields(neighbourhood):
        value = getattr(neighbourhood, field.name)
        posts = value if isinstance(value, tuple) else (value,)
        yield f"{field.name}: {' '.join(face(post) for post in posts if post)}"


def sources(templates: Environment) -> Iterator[str]:
    """Every template by name with its text: a page may include any of them."""
    if templates.loader is None:
        return
    for name in sorted(templates.list_templates(extensions=("html", "css", "txt", "xml"))):
        yield name
        yield templates.loader.get_source(templates, name)[0]
