"""an export | place | convert | read back: posts of another program become files of ours.

Nothing is written here. What the plan says of a post was found by reading its future file as every post is read: a
post that would stop the site from being published comes as a draft, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import quote

from newsletter.content import library
from newsletter.content.importing import addresses, body, faithful, front, pictures
from newsletter.content.importing.arrival import Arrival, Attachment, Byline, Home, Other, Piece
from newsletter.content.importing.body import Body, Surroundings, TooDeepError
from newsletter.content.importing.placing import Place, Placer
from newsletter.content.sanitise import Address
from newsletter.errors import NewsletterError, Problem, stops
from newsletter.model import Person, Site, Source
from newsletter.ports import Spread
from newsletter.usecases.write import reviewer_for

Fetch = Callable[[str], bytes | None]
"""Address of a picture -> its octets; None where it is no use to ask. Raises NewsletterError when it cannot be had."""

Put = Callable[[PurePosixPath, bytes], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one post of the export."""

    title: str
    path: PurePosixPath | None  # None: it does not come
    reasons: tuple[str, ...] = ()  # why it does not come, or comes as a draft
    draft: bool = False
    told: tuple[str, ...] = ()  # what of its text could not come along
    pictures: int = 0  # that stay where they are
    carried: int = 0  # that come along
    leads_to: frozenset[int] = field(default=frozenset(), repr=False)  # the arrivals that its links lead to


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does, or would do."""

    program: str
    rows: tuple[Row, ...]
    others: Mapping[str, int]  # "a page, not a post" -> how many
    redirects: Mapping[str, str]  # old path -> slug
    strangers: tuple[tuple[str, Byline], ...]  # authors that `[people]` lacks, under the key they would have
    problems: tuple[Problem, ...] = ()  # why pictures stay where they are

    @property
    def coming(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.path)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the import is told besides the export."""

    site: Site
    ids: frozenset[str]  # of the posts that are here
    slugs: frozenset[str]
    now: datetime
    author: Person | None = None  # of posts whose author is nobody of `[people]`
    old_url: str = ""  # where the old site stood; what the export says of it counts less
    fetch: Fetch | None = None  # brings pictures along; None leaves them where they are


def receive(
    pieces: Iterable[Piece],
    terms: Terms,
    put: Put | None = None,
    progress: Callable[[int], None] = lambda _done: None,
    spread: Spread = map,
) -> Plan:
    """Convert what an export holds; `put` gets each new file. Raises SourceErrors.

    A few posts are converted twice, because a link may lead to one that turned out to be a draft.
    """
    whole = list(pieces)  # 50 MB at most; a link may lead to a post that comes later
    survey = _survey(whole, terms)
    arrivals = [*enumerate(piece for piece in whole if isinstance(piece, Arrival))]
    rows: dict[int, Row] = {}
    problems: list[Problem] = []

    def convert(some: Sequence[tuple[int, Arrival]], survey: _Survey) -> None:
        for (n, _), done in zip(some, spread(partial(_converted, terms, survey), some), strict=True):
            if n not in rows:
                progress(n + 1)
            rows[n] = done.row
            problems.extend(done.problems)
            if put and done.source:
                _hand_over(done.source, put)

    convert(arrivals, survey)
    hidden = frozenset(n for n, row in rows.items() if row.draft or not row.path)
    stale = [(n, arrival) for n, arrival in arrivals if rows[n].leads_to & hidden]
    convert(stale, replace(survey, hidden=hidden))
    return Plan(
        survey.home.program,
        tuple(rows[n] for n in sorted(rows)),
        survey.others,
        {path: slug for n, (path, slug) in reversed(survey.old_paths.items()) if rows[n].path},
        tuple(sorted(survey.strangers.items())),
        tuple(dict.fromkeys(problems)),
    )


def _hand_over(source: Source, put: Put) -> None:
    put(source.path, source.text.encode())
    for name, content in source.assets.items():
        put(PurePosixPath("posts") / name, content)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What one reading of the whole export tells: needed before the first post can be converted."""

    home: Home
    places: tuple[Place, ...]  # of each arrival, in order
    at: Mapping[str, int]  # old address -> arrival
    shows: Mapping[str, str]  # picture -> what it shows
    attached: Mapping[str, str]  # number of an attachment -> its address
    others: Mapping[str, int]
    old_paths: dict[int, tuple[str, str]]  # arrival -> its old path and its slug, where it was public
    strangers: Mapping[str, Byline]
    hidden: frozenset[int] = frozenset()  # arrivals that readers will not find


def _survey(pieces: Iterable[Piece], terms: Terms) -> _Survey:
    home, n = Home(terms.old_url, "export"), 0
    placer = Placer(terms.site, terms.ids, terms.slugs, terms.author)
    at: dict[str, int] = {}
    places: list[Place] = []
    shows: dict[str, str] = {}
    attached: dict[str, str] = {}
    others: Counter[str] = Counter()
    old_paths: dict[int, tuple[str, str]] = {}
    for piece in pieces:
        match piece:
            case Home():
                home = Home(terms.old_url or piece.url, piece.program)
            case Attachment():
                attached[piece.number] = piece.url
                shows[addresses.picture_key(piece.url)] = piece.words
            case Other():
                others[piece.reason] += 1
            case Arrival():
                place = placer.place(piece)
                places.append(place)
                old = addresses.old_path(piece.link, home.url)
                if place.path and piece.link:
                    at.setdefault(addresses.key(addresses.joined(home.url, piece.link)), n)
                if place.path and old and not piece.held and old.rstrip("/") != f"/posts/{place.slug}":
                    old_paths[n] = (old, place.slug)
                n += 1
    return _Survey(home, tuple(places), at, shows, attached, others, old_paths, placer.strangers)


@dataclass(frozen=True, slots=True)
class _Converted:
    """One arrival as it will be: no file, if it does not come."""

    row: Row
    source: Source | None = None
    problems: tuple[Problem, ...] = ()


def _converted(terms: Terms, survey: _Survey, numbered: tuple[int, Arrival]) -> _Converted:
    desk = _Desk(terms, survey)
    done = desk.converted(*numbered)
    return replace(done, problems=tuple(desk.problems))


@dataclass
class _Desk:
    """Converts one arrival."""

    terms: Terms
    survey: _Survey
    problems: list[Problem] = field(default_factory=list)
    assets: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # address of a picture -> its name here, "" when it stays
    leads_to: set[int] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)

    def converted(self, n: int, arrival: Arrival) -> _Converted:
        place = self.survey.places[n]
        if place.path is None:
            return _Converted(Row(place.title, None, (place.refusal,)))
        page = Address.of(place.slug, self.terms.site)
        text = self._text(arrival, place, page)
        if text is None:
            told = "its text is nested too deep, or over 1 MB, or could not be kept whole"
            return _Converted(Row(place.title, None, (told,)))
        source, draft, reasons = self._file(arrival, place, text)
        if source is None:
            return _Converted(Row(place.title, None, reasons))
        stay = sum(not name for name in self.names.values())
        lines = tuple(f"{what} ({count}×)" if count > 1 else what for what, count in sorted(self.told.items()))
        leads_to = frozenset(self.leads_to)
        row = Row(place.title, place.path, reasons, draft, lines, stay, len(self.assets), leads_to)
        return _Converted(row, source)

    def _text(self, arrival: Arrival, place: Place, page: Address) -> str | None:
        assert arrival.published is not None  # noqa: S101  it was placed
        day = arrival.published.astimezone(self.terms.site.timezone).date()
        around = Surroundings(
            base=addresses.joined(self.survey.home.url or self.terms.site.url, arrival.link),
            loose=arrival.loose,
            shows=lambda url: self.survey.shows.get(addresses.picture_key(url), ""),
            link=self._link,
            picture=lambda url: self._picture(url, place.slug),
        )
        for notes in (True, False):
            try:
                whole: Body = body.read(arrival.html, around, notes=notes)
            except (TooDeepError, RecursionError):
                return None
            if (text := faithful.written(whole, page, day)) is not None:
                self.told.update(whole.told)
                return text
        return None

    def _link(self, url: str) -> str | None:
        """Where a link leads after the move; None when it would lead to nothing on this very site."""
        here, there = addresses.host(self.terms.site.url), addresses.host(self.survey.home.url)
        host = addresses.host(url)
        if not host or host not in {here, there}:
            return url
        n = self.survey.at.get(addresses.key(url))
        if n is not None and n not in self.survey.hidden:
            self.leads_to.add(n)
            return f"/posts/{self.survey.places[n].slug}/"
        return None if host == here else url

    def _picture(self, url: str, slug: str) -> str:
        if url not in self.names:
            content = self._fetched(url)
            ending = pictures.kind(content) if content else ""
            self.names[url] = pictures.name(url, slug, ending, self.assets) if ending else ""
            if content and ending:
                self.assets[self.names[url]] = content
        return quote(self.names[url]) or url

    def _fetched(self, url: str) -> bytes | None:
        if self.terms.fetch is None:
            return None
        try:
            return self.terms.fetch(url)
        except NewsletterError as error:
            self.problems += error.problems
            return None

    def _file(self, arrival: Arrival, place: Place, text: str) -> tuple[Source | None, bool, tuple[str, ...]]:
        """The file and whether it is a draft, with the reasons; no file when not even a draft can be made."""
        image, image_alt = self._lead(arrival, place)
        held = [arrival.held] if arrival.held else []
        if any(not name and self._is_ours(url) for url, name in self.names.items()):
            held.append("a picture stands at an address that this site takes over (--images brings it along)")

        def made(*, draft: bool) -> tuple[Source, tuple[Problem, ...]]:
            person = self.terms.site.people.get(place.author)
            reviewer = reviewer_for(self.terms.site, person)
            whole = front.written(
                arrival,
                place,
                zone=self.terms.site.timezone,
                reviewer=reviewer.key if reviewer else "",
                image=image,
                image_alt=image_alt,
                draft=draft,
                text=text,
            )
            assert place.path is not None  # noqa: S101  it was placed
            source = Source(place.path, whole, self.assets)
            return source, stops(library.load([source], self.terms.site, approvals=(), now=self.terms.now).problems)

        source, problems = made(draft=bool(held))
        if problems and not held:
            held += dict.fromkeys(_worded(problem) for problem in problems)
            source, problems = made(draft=True)
        if problems:
            return None, False, tuple(dict.fromkeys(_worded(problem) for problem in problems))
        return source, bool(held), tuple(held)

    def _lead(self, arrival: Arrival, place: Place) -> tuple[str, str]:
        """The lead picture and what it shows; without words it is left out, since no reader would miss it."""
        url = arrival.image or self.survey.attached.get(arrival.attachment, "")
        if not url:
            return "", ""
        url = addresses.joined(self.survey.home.url or self.terms.site.url, url)
        if not url.startswith(("https://", "http://")):
            return "", ""
        words = arrival.image_alt or self.survey.shows.get(addresses.picture_key(url), "")
        words = body.text(words)
        if not words:
            self.told[f"the lead picture was left out, since no words say what it shows: {url[:200]}"] += 1
            return "", ""
        found = self._picture(url, place.slug)
        return (self.names[url] or found), words

    def _is_ours(self, url: str) -> bool:
        return addresses.host(url) == addresses.host(self.terms.site.url)


def _worded(problem: Problem) -> str:
    return f"{problem.message} ({problem.code})"
