"""Which file an arrival becomes: its slug, id, date and author, or why it can be none.

Promises that an id that readers' programs know is kept, and that the same export gives the same files again.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from newsletter.content import names
from newsletter.content.importing import addresses
from newsletter.content.importing.arrival import Arrival, Byline
from newsletter.model import Person, Site


@dataclass(frozen=True, slots=True)
class Place:
    """What becomes of one arrival, before its text is looked at."""

    title: str
    slug: str = ""
    path: PurePosixPath | None = None  # of the file; None when there will be none
    id: str = ""
    author: str = ""  # the key of a person, or a name where the site lists nobody
    refusal: str = ""  # why


@dataclass
class Placer:
    """Places arrivals one after another; what one took is taken for the next."""

    site: Site
    ids: AbstractSet[str]  # of the posts that are here
    slugs: AbstractSet[str]
    stand_in: Person | None = None  # the author of posts whose own is not known here
    strangers: dict[str, Byline] = field(default_factory=dict)  # authors that `[people]` lacks, by key
    _taken_ids: set[str] = field(default_factory=set)
    _taken_slugs: set[str] = field(default_factory=set)

    def place(self, arrival: Arrival) -> Place:
        title = " ".join(arrival.title.split())
        if not title or arrival.published is None:
            return Place(title or "(untitled)", refusal="it has no date" if title else "it has no title")
        post_id = self._id(arrival, arrival.published)
        slug = self._slug(arrival, title)
        if refusal := self._here(post_id, slug):
            return Place(title, slug, refusal=refusal)
        author = self._author(arrival.author)
        if author is None:
            return Place(title, slug, refusal="its author is not under [people]")
        self._taken_ids.add(post_id)
        slug = self._free(slug)
        day = arrival.published.astimezone(self.site.timezone).date()
        return Place(title, slug, PurePosixPath(f"posts/{day.isoformat()}-{slug}.md"), post_id, author)

    def _here(self, post_id: str, slug: str) -> str:
        if post_id in self.ids:
            return "it is here already, by its id"
        if slug in self.slugs:
            return f"a post called {slug} is here already"
        return "the file has it twice" if post_id in self._taken_ids else ""

    def _id(self, arrival: Arrival, published: datetime) -> str:
        told = arrival.id.strip()
        if names.is_id(told):
            return told
        day = published.astimezone(self.site.timezone).date()
        return names.post_id(quote(told or arrival.link or arrival.title, safe="")[:500], day, self.site)

    def _slug(self, arrival: Arrival, title: str) -> str:
        slug = names.slug_of(addresses.slug(arrival.slug) or addresses.slug(arrival.link) or title)
        return slug if names.is_slug(slug) else f"{slug}-post"

    def _free(self, slug: str) -> str:
        """Within one file, the second of a name becomes `name-2`."""
        base, n = slug[: names.SLUG_LIMIT - 6].rstrip("-"), 2
        while slug in self._taken_slugs or slug in self.slugs:
            slug, n = f"{base}-{n}", n + 1
        self._taken_slugs.add(slug)
        return slug

    def _author(self, byline: Byline | None) -> str | None:
        """The author as front matter names them; None when there has to be one and it is not known who."""
        people = self.site.people
        if byline is None or not (byline.name or byline.key):
            return self._nobody()
        name = " ".join((byline.name or byline.key).split())
        if not people:
            return name
        if found := _known(byline, name, people.values()):
            return found.key
        self.strangers.setdefault(names.slug_of(name), Byline(name, byline.key, byline.email))
        return self.stand_in.key if self.stand_in else None

    def _nobody(self) -> str | None:
        if self.stand_in:
            return self.stand_in.key
        return None if self.site.review else ""


def _known(byline: Byline, name: str, people: Iterable[Person]) -> Person | None:
    wanted = {name.casefold(), byline.key.casefold(), names.slug_of(name)} - {""}
    for person in people:
        if {person.name.casefold(), person.key.casefold()} & wanted:
            return person
        if byline.email and byline.email.casefold() == person.email.casefold():
            return person
    return None
