"""Sources for tests: `a_source()` takes what a test is about; `loaded()` reads them as of one Friday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from newsletter.content.library import Loaded, load
from newsletter.model import Approval, Post, Source
from tests.builders import a_site

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)


def a_source(slug: str = "first", body: str = "Some text.", *, day: str = "2022-02-01", **front: str) -> Source:
    """A post called `slug`. A key of front matter given as "" is left out."""
    rows = {"title": f"Post {slug}", "author": "news-desk", "reviewer": "review-desk", "date": day} | front
    head = "\n".join(f"{key}: {value}" for key, value in rows.items() if value)
    return Source(PurePosixPath(f"posts/{day[:10]}-{slug}.md"), f"---\n{head}\n---\n\n{body}\n")


def raw(text: str, name: str = "x") -> Source:
    return Source(PurePosixPath(f"posts/{name}.md"), text)


def loaded(
    *sources: Source, approvals: Sequence[Approval] = (), review: bool = False, now: datetime = NOW, **site: Any
) -> Loaded:
    return load(sources, a_site(review=review, **site), approvals=approvals, now=now)


def post_of(body: str, **front: str) -> Post:
    """The one post with that text; fails on any stop."""
    result = loaded(a_source(body=body, **front))
    assert [p for p in result.problems if p.level == "stop"] == []
    return result.posts[0]


def codes(result: Loaded, level: str = "stop") -> list[str]:
    return [problem.code for problem in result.problems if problem.level == level]


def links(post: Post) -> list[tuple[str, str]]:
    return [(link.kind.value, link.target.rpartition(":")[2]) for link in post.links]
