"""What the front matter of a post means: people, dates, topics, references, identity.

Promises a Header for every source, with stand-ins where something is wrong, so that the rest of the post
is looked at too and everything is told in one run. A Header that came with stops is never published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from newsletter.content import dates, names
from newsletter.content.frontmatter import ALSO_TOPICS, FrontMatter, Word
from newsletter.content.lines import Lines, Spot
from newsletter.errors import Problem, nearest
from newsletter.model import Correction, Judgement, LinkKind, Person, Site, Withdrawal

_SAID = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_KINDS = {
    "continues": LinkKind.CONTINUES,
    "corrects": LinkKind.CORRECTS,
    "previous": LinkKind.PREVIOUS,
    "see_also": LinkKind.SEE_ALSO,
    "verdict_on": LinkKind.VERDICT,
}
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another post as this one names it: by slug, file stem or id."""

    kind: LinkKind
    name: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Header:
    """The front matter, understood. `previous_auto` is the place of `previous: auto`."""

    id: str
    slug: str
    stem: str
    title: str
    author: Person
    reviewer: Person | None
    published: datetime
    updated: datetime
    topics: tuple[str, ...]
    summary: str
    image: str
    image_alt: str
    draft: bool
    references: tuple[Reference, ...]
    previous_auto: Spot | None
    judgement: Judgement | None = None
    withdrawal: Withdrawal | None = None
    corrections: tuple[Correction, ...] = ()


def read(front: FrontMatter, lines: Lines, path: PurePosixPath, site: Site) -> tuple[Header, list[Problem]]:
    """The Header of one post, and P101, P102, P106–P108, P117, P132, P133, P145 where its front matter is wrong."""
    problems: list[Problem] = []
    reader = _Reader(front, lines, site, problems)
    stem = names.stem(path)
    published, updated = reader.dates()
    author, reviewer = reader.people()
    references, auto = reader.references()
    header = Header(
        id=reader.id(names.post_id(stem, published.astimezone(site.timezone).date(), site)),
        slug=reader.slug(stem),
        stem=path.stem,
        title=reader.needed("title") or path.stem,
        author=author,
        reviewer=reviewer,
        published=published,
        updated=updated,
        topics=reader.topics(),
        summary=reader.text("summary"),
        image=reader.text("image"),
        image_alt=reader.text("image_alt"),
        draft=reader.draft(),
        references=references,
        previous_auto=auto,
        judgement=reader.judgement(),
        withdrawal=reader.withdrawal(),
        corrections=reader.corrections(),
    )
    return header, problems


@dataclass(frozen=True, slots=True)
class _Reader:
    front: FrontMatter
    lines: Lines
    site: Site
    problems: list[Problem]

    def stop(self, code: str, message: str, spot: Spot, *fixes: str, why: str = "") -> None:
        self.problems.append(self.lines.problem(code, message, spot, why=why, fixes=fixes))

    def text(self, key: str) -> str:
        word = self.front.word(key)
        return word.text if word else ""

    def needed(self, key: str) -> str:
        text = self.text(key)
        if not text and self.front.spots:  # of front matter that could not be read, that problem says it all
            self.stop("P102", f"The post has no {key}", self.front.spot(key), f"{key}: …")
        return text

    def id(self, derived: str) -> str:
        word = self.front.word("id")
        if not word:
            return derived
        if not names.is_id(word.text):
            why = "Feed readers know a post by its id, which must be a URI."
            self.stop("P117", "The id is not a URI", word.spot, f"id: {derived}", "leave id out", why=why)
        return word.text

    def slug(self, stem: str) -> str:
        word = self.front.word("slug")
        if not word or names.is_slug(word.text):
            return word.text if word else stem
        proper = names.slug_of(word.text)
        self.stop("P117", "The slug must be small letters, digits and single hyphens", word.spot, f"slug: {proper}")
        return proper

    def dates(self) -> tuple[datetime, datetime]:
        published = self.date("date") if self.needed("date") else None
        updated = self.date("updated")
        if published and updated and updated < published:
            why = "A post cannot have changed before it appeared (RFC 4287, 4.2.15)."
            self.stop("P108", "updated is before date", self.front.spot("updated"), "updated: a later day", why=why)
        published = published or _UNDATED
        return published, max(published, updated or published)

    def date(self, key: str) -> datetime | None:
        word = self.front.word(key)
        if not word:
            return None
        moment = dates.read(word.text, self.site.timezone)
        if moment is None:
            fixes = (f"{key}: 2026-11-20", f"{key}: 2026-11-20 08:00", f"{key}: 2026-11-20T08:00:00+01:00")
            self.stop("P108", f"{key} is not a date: {word.text[:40]}", word.spot, *fixes)
        return moment

    def people(self) -> tuple[Person, Person | None]:
        author = self.person("author", asked=self.site.review)
        reviewer = self.person("reviewer", asked=self.site.review)
        if author and author == reviewer and self.site.review:
            why = "A second pair of eyes is the house's promise to its readers."
            spot = self.front.spot("reviewer")
            self.stop("P107", "Author and reviewer are the same", spot, "reviewer: somebody else", why=why)
        return author or _house(self.site), reviewer

    def person(self, key: str, *, asked: bool) -> Person | None:
        text = self.needed(key) if asked else self.text(key)
        if not text:
            return None
        people = self.site.people
        if not people:
            return Person(names.slug_of(text), text)
        found = people.get(text) or next((p for p in people.values() if p.name == text), None)
        if not found:
            meant = nearest(text, [*people, *(p.name for p in people.values())])
            fixes = (f"{key}: {meant or next(iter(people))}", "add the person to [people] in newsletter.toml")
            self.stop("P106", f"Unknown {key}: {text[:80]}", self.front.spot(key), *fixes)
        return found

    def topics(self) -> tuple[str, ...]:
        written = [word.text for key in ("topics", *ALSO_TOPICS) for word in self.listed(key, ",")]
        first: dict[str, str] = {}
        for topic in written:
            first.setdefault(topic.casefold(), topic)
        return tuple(first.values())

    def listed(self, key: str, comma: str) -> tuple[Word, ...]:
        """The values of a list; one text with commas is a list too."""
        words = self.front.values.get(key, ())
        if len(words) != 1:
            return words
        return tuple(Word(part.strip(), words[0].spot) for part in words[0].text.split(comma) if part.strip())

    def draft(self) -> bool:
        word = self.front.word("draft")
        if not word:
            return False
        if word.text.lower() not in _SAID:
            self.stop("P101", "draft is true or false", word.spot, "draft: true")
        return _SAID.get(word.text.lower(), True)

    def judgement(self) -> Judgement | None:
        """What became of an older take: which one and what, or neither."""
        word, on = self.front.word("verdict"), self.front.word("verdict_on")
        if word and word.text.lower() not in set(Judgement):
            self.stop("P132", f"A verdict is right, wrong or open, not {word.text[:40]}", word.spot, "verdict: right")
            return None
        if word and not on:
            self.stop("P132", "It is not said on which post's take the verdict is", word.spot, "verdict_on: its slug")
        if on and not word:
            self.stop("P132", "The verdict is not said", on.spot, *(f"verdict: {one}" for one in Judgement))
        return Judgement(word.text.lower()) if word and on else None

    def withdrawal(self) -> Withdrawal | None:
        """`withdrawn: 2026-11-24 Why`: a day, and a reason that readers are shown."""
        word = self.front.word("withdrawn")
        if not word:
            return None
        day, _, reason = word.text.partition(" ")
        at = dates.read(day, self.site.timezone)
        if not at or not reason.strip():
            fix = "withdrawn: 2026-11-24 The figures were of another model."
            why = "Whoever follows a link to it is told when and why it went."
            self.stop("P133", "A withdrawal is a date and a reason", word.spot, fix, why=why)
            return None
        return Withdrawal(at, reason.strip())

    def corrections(self) -> tuple[Correction, ...]:
        """`corrections:`, a list of `2026-11-24 What was wrong`."""
        found = []
        for word in self.front.values.get("corrections", ()):
            day, _, said = word.text.partition(" ")
            at = dates.read(day, self.site.timezone)
            if at and said.strip():
                found.append(Correction(at.astimezone(self.site.timezone).date(), said.strip()))
            else:
                fix = 'corrections: ["2026-11-24 The range is 512 km, not 612."]'
                why = "Readers are told what was wrong, and since when it is right."
                self.stop("P145", "A correction is a date and what was wrong", word.spot, fix, why=why)
        return tuple(sorted(found, key=lambda one: one.day))

    def references(self) -> tuple[tuple[Reference, ...], Spot | None]:
        auto, found = None, []
        for key, kind in _KINDS.items():
            for word in self.listed(key, ", "):  # an id holds a comma, too, but no space
                if key == "previous" and word.text == "auto":
                    auto = word.spot
                elif word.text != "none":
                    found.append(Reference(kind, word.text, word.spot))
        return tuple(found), auto


def _house(site: Site) -> Person:
    """Who writes when nobody is named: the only voice of the site."""
    people: Mapping[str, Person] = site.people
    return next(iter(people.values()), None) or Person(names.slug_of(site.title), site.title)
