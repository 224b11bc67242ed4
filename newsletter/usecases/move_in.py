"""an export | receive | stage | redirects: another program's posts move in, all together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from newsletter.content.importing import redirects
from newsletter.content.importing.arrival import Piece
from newsletter.content.library import Loaded
from newsletter.errors import Problem
from newsletter.model import Person, Site
from newsletter.ports import Client, Stage
from newsletter.usecases.gather import Gatherer
from newsletter.usecases.receive import Plan, Terms, receive


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for."""

    go: bool = False  # else a dry run
    images: bool = False
    author: Person | None = None
    old_url: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done, or in a dry run would be."""

    plan: Plan
    elsewhere: tuple[str, ...]  # old paths that `redirects.toml` leads elsewhere already; they stay so
    problems: tuple[Problem, ...]  # why pictures stay where they are


def move_in(
    read: Callable[[], Iterable[Piece]],
    stage: Stage,
    wanted: Wanted,
    *,
    site: Site,
    loaded: Loaded,
    beside: Callable[[str], bytes | None],
    client: Client,
    now: datetime,
    progress: Callable[[int], None] = lambda _done: None,
) -> Moved:
    """Move in what `read` gives, once for each pass; `progress` hears of each post.

    Raises SourceErrors, ConfigError, Refused and Outside; then nothing was written.
    """
    gatherer = Gatherer(beside, client if wanted.go else None)
    terms = Terms(
        site=site,
        ids=loaded.library.known_ids,
        slugs=frozenset(post.slug for post in loaded.posts),
        now=now,
        author=wanted.author,
        old_url=wanted.old_url,
        fetch=gatherer.find if wanted.images else None,
    )
    plan = receive(read, terms, stage.put if wanted.go else None, progress)
    text, elsewhere = redirects.joined(stage.text(PurePosixPath(redirects.FILE)), plan.redirects)
    if wanted.go and plan.coming:
        stage.change(PurePosixPath(redirects.FILE), text.encode())
        stage.commit()
    return Moved(plan, tuple(elsewhere), tuple(gatherer.problems))
