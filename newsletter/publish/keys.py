"""Hashes of what a page depends on, so that it is rendered when one of them changed and not otherwise.

A Post's own page depends on its `mark`, another page that names it on its `face`. A Post without them, which no
cache has seen, stands for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from jinja2 import Environment

from newsletter.model import Library, Post
from newsletter.publish.around import Surroundings


def of(*parts: object) -> str:
    """One hash of values that say all of themselves when they are written out."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()


def mark(post: Post) -> str:
    return post.mark or repr(post)


def face(post: Post) -> str:
    return post.face or repr(post)


class Neighbours:
    """What the page and the feed items of a Post say of other Posts, by their faces, without working it out.

    How a Post links to another is in its own mark.
    """

    def __init__(self, library: Library, around: Surroundings) -> None:
        self._backlinks = library.backlinks
        self._around = around
        self._faces = {post.id: face(post) for post in library.posts}
        faces = ["", *self._faces.values(), ""]
        self._beside = dict(zip(self._faces, zip(faces, faces[2:], strict=False), strict=True))
        self._stories: dict[int, str] = {}  # by the identity of its Posts: a hash of their faces

    def of_page(self, post: Post) -> str:
        faces = self._faces
        parts = [*self._beside[post.id], *[faces.get(link.target, "-") for link in post.links]]
        for link in self._backlinks.get(post.id, ()):
            if link.source in faces:
                parts += (link.kind, faces[link.source])
        story, _ = self._around.story(post.id)
        if story:
            parts.append(self._story(story))
        return " ".join(parts)

    def of_item(self, post: Post) -> str:
        story, place = self._around.story(post.id)
        linked = [self._faces.get(link.target, "-") for link in post.links]
        return " ".join([*linked, *map(face, story[max(0, place - 3) : place])])

    def _story(self, posts: tuple[Post, ...]) -> str:
        """Worked out once for all pages of a story, which would else be as many times as many faces."""
        if id(posts) not in self._stories:
            self._stories[id(posts)] = of(*map(face, posts))
        return self._stories[id(posts)]


def sources(templates: Environment) -> Iterator[str]:
    """Every template by name with its text: a page may include any of them."""
    if templates.loader is None:
        return
    for name in sorted(templates.list_templates(extensions=("html", "css", "txt", "xml"))):
        yield name
        yield templates.loader.get_source(templates, name)[0]
