"""Plain values for tests: `a_site()`, `a_post()`, `a_library()`, `an_issue()`; each takes what a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment

from newsletter.model import Cadence, File, Issue, IssueState, Library, Person, Post, Sender, Site, Slot, Story, Take
from newsletter.publish.catalogue import documents
from newsletter.templates import environment
from newsletter.tongue import tongue_of

NEWS_DESK = Person("news-desk", "News desk", "news@autotrendy.example", "writer")
REVIEW_DESK = Person("review-desk", "Review desk", "review@autotrendy.example", "editor")


def a_site(**changes: Any) -> Site:
    defaults: dict[str, Any] = {
        "title": "Auto Trendy",
        "url": "https://autotrendy.example",
        "web_url": "https://autotrendy.example",
        "tagline": "A weekly about cars.",
        "language": "en",
        "timezone": ZoneInfo("Europe/Madrid"),
        "authority": "autotrendy.example,2022",
        "take_label": "Auto Trendy's take",
        "sender": Sender(
            name="Auto Trendy",
            address="editor@autotrendy.example",
            reply_to="review@autotrendy.example",
            postal_address="Auto Trendy, 1 Calle Mayor, 28013 Madrid, Spain",
            list_id="weekly.autotrendy.example",
        ),
        "people": {p.key: p for p in (NEWS_DESK, REVIEW_DESK)},
        "review": True,
    }
    return Site(**(defaults | changes))


@cache
def built_in(language: str = "en") -> Environment:
    """The templates of a site that has none of its own."""
    return environment(Path("/no/templates/of/its/own"), tongue_of(a_site(language=language)))


def a_cadence(**changes: Any) -> Cadence:
    defaults: dict[str, Any] = {
        "weekday": 4,
        "at": time(8),
        "zone": ZoneInfo("Europe/Madrid"),
        "late_limit": timedelta(hours=2),
        "first_slot": None,
    }
    return Cadence(**(defaults | changes))


def a_post(slug: str = "all-solid-state-batteries", **changes: Any) -> Post:
    day = changes.pop("day", datetime(2022, 2, 1, tzinfo=UTC))
    defaults: dict[str, Any] = {
        "id": f"tag:autotrendy.example,2022:{slug}",
        "slug": slug,
        "title": slug.replace("-", " ").capitalize(),
        "author": NEWS_DESK,
        "reviewer": REVIEW_DESK,
        "published": day,
        "updated": day,
        "topics": ("Batteries",),
        "summary": f"What {slug.replace('-', ' ')} mean for the cars of the next decade.",
        "html": f"<p>The text of {slug}, with a <strong>strong</strong> word.</p>",
        "words": 8,
        "take": Take("<p>We would wait.</p>", "We would wait."),
        "image": None,
        "image_alt": "",
        "links": (),
        "content_hash": f"sha256:{slug}",
        "draft": False,
        "path": PurePosixPath(f"posts/{day:%Y-%m-%d}-{slug}.md"),
    }
    return Post(**(defaults | changes))


def a_library(*posts: Post, **changes: Any) -> Library:
    ordered = tuple(sorted(posts, key=lambda post: (post.published, post.id), reverse=True))
    defaults: dict[str, Any] = {
        "posts": ordered,
        "backlinks": {},
        "chains": {},
        "approved": frozenset(post.id for post in posts),
        "known_ids": frozenset(post.id for post in posts),
    }
    return Library(**(defaults | changes))


def a_slot(key: str = "2022-W06", due: datetime = datetime(2022, 2, 11, 7, tzinfo=UTC)) -> Slot:
    return Slot(key, due, due.astimezone(ZoneInfo("Europe/Madrid")))


def an_issue(number: int = 1, *posts: Post, **changes: Any) -> Issue:
    defaults: dict[str, Any] = {
        "number": number,
        "edition": "weekly",
        "slot": a_slot(),
        "state": IssueState.SENT,
        "stories": tuple(Story(p.id, p.content_hash, p.slug, p.title) for p in posts),
        "subject": posts[0].title if posts else "Nothing",
        "preheader": "What to expect.",
    }
    return Issue(**(defaults | changes))


def feed_files(site: Site, library: Library, issues: Sequence[Issue]) -> list[File]:
    """Every feed document and the list of feeds."""
    return [File(document.path, document.render()) for document in documents(site, library, issues)]
