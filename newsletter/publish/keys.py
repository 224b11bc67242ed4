"""Hashes of what a page depends on, so that it is rendered when one of them changed and not otherwise.

A Post's own page depends on its `mark`, another page that names it on its `face`. A Post without them, which no
cache has seen, stands for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from jinja2 import Environment

from newsletter.model import Post
from newsletter.publish.around import Surroundings


def of(*parts: object) -> str:
    """One hash of values that say all of themselves when they are written out."""
    return hashlib.sha256("\0".join(map(repr, parts)).encode()).hexdigest()


def mark(post: Post) -> str:
    return post.mark or repr(post)


def face(post: Post) -> str:
    return post.face or repr(post)


class Neighbours:
    """What the page and the feed items of a Post say of other Posts, by their faces, without working it out."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._stories: dict[int, str] = {}  # by the identity of its Posts: a hash of their faces

    def of_page(self, post: Post) -> str:
        around = self._around
        sides = [face(other) if other else "" for other in around.beside(post.id)]
        linked = [f"{how}>{face(other)}" for how, other in around.linked(post)]
        linking = [f"{how}<{face(other)}" for how, other in around.linking(post)]
        story, _ = around.story(post.id)
        return " ".join((*sides, *linked, *linking, self._story(story) if story else ""))

    def of_item(self, post: Post) -> str:
        story, place = self._around.story(post.id)
        linked = [face(other) for _, other in self._around.linked(post)]
        return " ".join((*linked, *map(face, story[max(0, place - 3) : place])))

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
