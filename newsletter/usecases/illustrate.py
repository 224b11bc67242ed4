"""loaded | encode every picture | the same, with pictures as they are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from newsletter.content.library import Loaded
from newsletter.errors import Problem
from newsletter.model import Post, Site, Source
from newsletter.ports import Encode
from newsletter.publish.illustrate import illustrated


def with_pictures(loaded: Loaded, sources: Sequence[Source], site: Site, encode: Encode) -> Loaded:
    """Posts without assets are left as they are; problems with pictures join the others, with their lines."""
    pictured = [post for post in loaded.posts if post.assets]
    if not pictured:
        return loaded
    by_path = {str(source.path): source for source in sources}
    done: dict[str, Post] = {}
    found: list[Problem] = []
    for post in pictured:
        done[post.id], problems = illustrated(post, site, encode)
        found += [_placed(problem, post, by_path) for problem in problems]
    return replace(
        loaded,
        posts=tuple(done.get(post.id, post) for post in loaded.posts),
        library=replace(loaded.library, posts=tuple(done.get(post.id, post) for post in loaded.library.posts)),
        problems=tuple(sorted((*loaded.problems, *found), key=lambda p: (p.file, p.line, p.column, p.code))),
    )


def _placed(problem: Problem, post: Post, by_path: Mapping[str, Source]) -> Problem:
    """Where the post first names the picture that the message names."""
    names = sorted((asset.name for asset in post.assets if asset.name in problem.message), key=len)
    source = by_path.get(problem.file)
    for number, line in enumerate(source.text.splitlines() if source else (), 1):
        if names and names[-1] in line:
            column = line.index(names[-1]) + 1
            return replace(problem, line=number, column=column, width=len(names[-1]), excerpt=line)
    return problem
