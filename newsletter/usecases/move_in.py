"""an export | receive | stage | redirects: another program's posts move in, all together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.content.importing.arrival import Piece
from newsletter.content.library import Loaded
from newsletter.model import Person, Site
from newsletter.ports import Client, Spread, Stage
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
    cut_short: bool = False  # an earlier import was, and is completed before one that is no dry run


def move_in(
    pieces: Iterable[Piece],
    stage: Stage,
    wanted: Wanted,
    *,
    site: Site,
    loaded: Loaded,
    beside: Callable[[str], bytes | None],
    client: Client,
    now: datetime,
    progress: Callable[[int], None] = lambda _done: None,
    spread: Spread = map,
) -> Moved:
    """Move in what an export holds; `progress` hears of each post.

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
    plan = receive(pieces, terms, stage.put if wanted.go else None, progress, spread)
    elsewhere = stage.redirects(plan.redirects)
    if wanted.go and plan.coming:
        stage.commit()
    return Moved(plan, tuple(elsewhere))
