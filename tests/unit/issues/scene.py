"""A small publication for the tests of this room: its stories, and the view and Digest made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from newsletter.issues import digest
from newsletter.model import Chain, Digest, Issue, Library, Link, LinkKind, Post, Slot, Take
from tests.builders import a_cadence, a_library, a_post, a_site, a_slot, an_issue, built_in

templates = built_in
FIRST_SLOT = Slot("2022-W05", datetime(2022, 2, 4, 7, tzinfo=UTC), a_slot().local.replace(day=4))


BATTERIES = a_post(title="All-solid-state batteries, and who will wait for them", words=1300)
ALLIANCE = a_post(
    "alliance",
    day=datetime(2022, 2, 8, tzinfo=UTC),
    title="The Renault-Nissan-Mitsubishi Alliance, from start to future",
    summary="Ten brands, about 420,000 people and one bill for batteries, to be paid by 2030.",
    words=1500,
    image="https://autotrendy.example/posts/alliance/gate.jpg",
    image_alt="Three cars of three makes before a factory gate",
    take=Take(
        "<p>Sharing innovation takes <em>openness</em>. Splitting risk does too.</p><p>New players can learn it.</p>",
        "Sharing innovation takes openness. Splitting risk does too.\n\nNew players can learn it.",
    ),
    links=(Link(LinkKind.CONTINUES, "tag:autotrendy.example,2022:alliance", BATTERIES.id),),
)
FOLLOW = a_post("follow", day=datetime(2022, 2, 7, tzinfo=UTC), title="How to follow Auto Trendy", take=None)
REVIEW = a_post("review", day=datetime(2022, 2, 6, tzinfo=UTC), title="Two desks for every story", words=700)
CHARGING = a_post("charging", day=datetime(2022, 2, 5, tzinfo=UTC), title="Charging at altitude", words=1700)
STORY = Chain((BATTERIES.id, ALLIANCE.id))
LIBRARY = a_library(BATTERIES, ALLIANCE, FOLLOW, REVIEW, CHARGING, chains=dict.fromkeys(STORY.posts, STORY))


def first_issue(**changes: Any) -> Issue:
    return an_issue(1, BATTERIES, **({"slot": FIRST_SLOT} | changes))


def a_view(*stories: Post, **changes: Any) -> digest.DigestView:
    """The second issue, a week after the first, unless told otherwise."""
    library: Library = changes.pop("library", LIBRARY)
    site, cadence = changes.pop("site", a_site()), changes.pop("cadence", a_cadence())
    facts: dict[str, Any] = {
        "number": 2,
        "slot": a_slot(),
        "carried": {BATTERIES.id: 1},
        "previous": first_issue(),
    }
    return digest.view(site, cadence, library, stories or (ALLIANCE, FOLLOW), **(facts | changes))


def a_digest(*stories: Post, **changes: Any) -> Digest:
    view = a_view(*stories, **changes)
    return digest.render(view, templates(view.language))
