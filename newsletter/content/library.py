"""Sources to Library: the pipeline of this room.

    headed (front matter) → indexed (slugs, ids) → resolved (links, HTML, checks) → Posts → Library

Promises that every source is looked at to its end, that all Problems come back together, and that the
result is a function of the arguments: the order of the sources does not matter, and neither does what a cache
remembers. With a cache, text that was seen before is neither parsed nor rendered, and Posts fetch theirs when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urljoin

from newsletter.content import backlinks, check, fingerprint, frontmatter, header, lines, markdown, memory
from newsletter.content.backlinks import Card, Index
from newsletter.content.frontmatter import FrontMatter
from newsletter.content.header import Header
from newsletter.content.late import at_hand, file_of, late_post
from newsletter.content.lines import Lines, Spot
from newsletter.content.memory import Memory, Row
from newsletter.content.syntax import Target
from newsletter.errors import Problem, stops
from newsletter.model import Approval, Asset, Library, Post, Site, Source
from newsletter.ports import Cache, Spread

_WORKED_OUT = {"summary", "image"}  # what a Row says of these is more than the front matter does
_AS_WRITTEN = tuple(f.name for f in fields(Header) if f.name in Row._fields and f.name not in _WORKED_OUT)


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that the sources gave. With a stop among `problems` nothing may be published."""

    posts: tuple[Post, ...]  # drafts and future ones too, newest first; those whose front matter could be read
    library: Library  # the public ones
    problems: tuple[Problem, ...]  # by file and line


class _Head(NamedTuple):
    """What the front matter of one text says; `height` is the number of lines that it takes."""

    digest: str
    header: Header
    height: int
    problems: tuple[Problem, ...]


class _Drawn(NamedTuple):
    """What one text gave."""

    row: Row
    html: str


@dataclass(frozen=True, slots=True)
class _One:
    """One source with its front matter, or with what an earlier run made of the same text."""

    source: Source
    file: str
    found: Row | _Head

    @property
    def lines(self) -> Lines:
        return lines.read(at_hand(self.source))[0]

    @property
    def front(self) -> FrontMatter:
        return _front(*lines.read(at_hand(self.source)))[0]

    def problem(
        self, code: str, message: str, spot: Spot, *, why: str = "", fixes: tuple[str, ...] = (), level: str = "stop"
    ) -> Problem:
        return self.lines.problem(code, message, spot, why=why, fixes=fixes, level=level)


def load(
    sources: Sequence[Source],
    site: Site,
    *,
    approvals: Sequence[Approval],
    now: datetime,
    cache: Cache | None = None,
    spread: Spread = map,
    formerly: Callable[[], Mapping[str, str]] = dict,
    last: Last | None = None,
) -> Loaded:
    """Read all sources as of `now`. `formerly` answers slugs that posts had, each with a slug or id of today.

    A post is public when it is no draft, its time has come, and (if the site reviews) some version of it was
    approved; `library.approved` are those whose present content was. A `cache` is for one site and one version of
    the program. `last` is what a process keeps that loads again and again.
    """
    known = (last and last.memory) or Memory.of(cache)
    if last and last.reading and (reading := _again(last.reading, sources, site, approvals, now, known)):
        last.reading = reading
        return reading.loaded
    ones = _read(sorted(sources, key=lambda source: file_of(source).replace("/", "\0")), site, known, spread)
    once = {approval.post_id for approval in approvals} if site.review else None
    cards = [_card(one, once) for one in ones]
    desk = _Desk(Index(cards, now, formerly), site)
    rows, posts = _posts(ones, cards, desk, known, spread)
    problems = [*_twins(ones, cards), *(problem for row in rows for problem in row.problems)]
    by_id = {card.id: one for one, card in zip(ones, cards, strict=True)}
    problems += backlinks.circles(posts, lambda post_id: (by_id[post_id].lines, by_id[post_id].front.spot("previous")))
    readable = [post for post, row in zip(posts, rows, strict=True) if not row.broken]
    readable.sort(key=lambda post: (post.published, post.id), reverse=True)
    library = _library(readable, cards, site, approvals, now)
    known.settle(rows)
    loaded = Loaded(tuple(readable), library, tuple(sorted(problems, key=_place)))
    if last:
        last.memory = known
        last.reading = _Reading(site, tuple(approvals), now, _until(cards, now), ones, cards, desk, rows, posts, loaded)
    return loaded


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.file, problem.line, problem.column, problem.code


def _card(one: _One, once: Set[str] | None) -> Card:
    """`once` are the ids of the posts of which some version was approved, on a site that reviews."""
    found = one.found if isinstance(one.found, Row) else one.found.header
    return Card(
        found.id,
        found.slug,
        found.stem,
        found.title,
        found.published,
        found.updated,
        found.topics,
        found.draft,
        found.withdrawal,
        one.file,
        not found.draft and (once is None or found.id in once),
        found.facts if isinstance(found, Row) else _facts(found),
    )


def _facts(header: Header) -> str:
    own = (header.id, header.slug, header.stem, header.title, header.published, header.draft, header.withdrawal)
    return memory.hashed(*own)[:16]


def _read(sources: Sequence[Source], site: Site, known: Memory, spread: Spread) -> list[_One]:
    """Every source with its front matter: those whose stamp is known are not opened."""
    files = [file_of(source) for source in sources]
    same = [_same(source, known.rows.get(file)) for source, file in zip(sources, files, strict=True)]
    closed = [source for source, row in zip(sources, same, strict=True) if row is None]
    opened = iter(spread(partial(_look, site=site, known=known), closed))
    return [
        _One(source, file, row or _noted(next(opened), known))
        for source, file, row in zip(sources, files, same, strict=True)
    ]


def _same(source: Source, row: Row | None) -> Row | None:
    return row if row and source.stamp and row.stamp == source.stamp else None


def _noted(found: Row | _Head, known: Memory) -> Row | _Head:
    if isinstance(found, Row):
        known.keep(found)
    return found


def _look(source: Source, *, site: Site, known: Memory) -> Row | _Head:
    """What is known of a source that had to be opened: if only its stamp is new, everything."""
    source = at_hand(source)
    digest = memory.digest(source)
    row = known.rows.get(str(source.path))
    return row._replace(stamp=source.stamp) if row and row.digest == digest else _head(source, digest, site)


def _head(source: Source, digest: str, site: Site) -> _Head:
    clean, problems = lines.read(source)
    front, found = _front(clean, problems)
    parsed, wrong = header.read(front, clean, source.path, site)
    return _Head(digest, parsed, front.height, (*problems, *found, *wrong))


def _front(clean: Lines, problems: Sequence[Problem]) -> tuple[FrontMatter, list[Problem]]:
    """A source over the limit has lost its lines: of it nothing more is told."""
    lost = stops(problems) and clean.lines == ("",)
    return (FrontMatter({}, {}, 0), []) if lost else frontmatter.parse(clean)


def _twins(ones: Sequence[_One], cards: Sequence[Card]) -> list[Problem]:
    """P109 and P110: posts that claim the slug or the id of another."""
    problems = []
    for key, code in (("slug", "P109"), ("id", "P110")):
        first: dict[str, _One] = {}
        for one, card in zip(ones, cards, strict=True):
            value = getattr(card, key)
            if (other := first.setdefault(value, one)) is not one:
                message = f"The {key} {value} is taken by {other.file}"
                problems.append(one.problem(code, message, one.front.spot(key), fixes=(f"{key}: another one",)))
    return problems


def _posts(
    ones: Sequence[_One], cards: Sequence[Card], desk: _Desk, known: Memory, spread: Spread
) -> tuple[list[Row], list[Post]]:
    """Each source as a Row and as a Post, in order; only what is not known yet is rendered."""
    pairs = list(zip(ones, cards, strict=True))
    same = [desk.unchanged(*pair) for pair in pairs]
    fresh = iter(spread(desk.draw, [pair for pair, row in zip(pairs, same, strict=True) if row is None]))
    rows, posts = [], []
    for pair, row in zip(pairs, same, strict=True):
        if row is None:
            row, html = next(fresh)  # noqa: PLW2901
            known.keep(row)
            known.keep_body(row, html)
        else:
            html = ""
        rows.append(row)
        posts.append(_post(desk, pair, row, html, known))
    return rows, posts


def _post(desk: _Desk, pair: tuple[_One, Card], row: Row, html: str, known: Memory) -> Post:
    """The Post of one source; where there is a cache, one that fetches its HTML from it."""
    assets = _assets(pair[0].source, row.assets) if row.assets else ()
    if known.cache is None:
        return replace(late_post(partial(str, html), row, assets))
    return late_post(partial(known.body, row, partial(_html, desk, pair)), row, assets)


def _html(desk: _Desk, pair: tuple[_One, Card]) -> str:
    return desk.draw(pair).html


@dataclass(frozen=True, slots=True)
class _Desk:
    """What it takes to render one text among the others."""

    index: Index
    site: Site

    def unchanged(self, one: _One, card: Card) -> Row | None:
        """What an earlier run made of the text, if it would be the same now."""
        row, sign = one.found, self.index.sign
        if not isinstance(row, Row) or row.auto != self.auto(card, asked=row.auto is not None):
            return None
        return row if row.signs == {name: sign(name) for name in row.signs} else None

    def draw(self, pair: tuple[_One, Card]) -> _Drawn:
        """Render and check one text."""
        one, card = pair
        source = at_hand(one.source)
        head = _head(source, one.found.digest, self.site) if isinstance(one.found, Row) else one.found
        own = head.header
        clean, problems = lines.read(source)
        front, _ = _front(clean, problems)
        asked: dict[str, Target | None] = {}

        def find(name: str) -> Target | None:
            asked[name] = self.target(name)
            return asked[name]

        day, page = _day(own.published, self.site), self.page(own.slug)
        rendered, found = markdown.render(clean, front.height, slug=own.slug, day=day, site=self.site, find=find)
        if front.height:
            subject = check.Subject(own, rendered, clean, front, source.assets, page, card.released)
            found += check.check(subject, self.site)
        references, auto = (*own.references, *rendered.mentions), own.previous_auto is not None
        links, wrong = backlinks.resolve(card, references, self.index, one, auto=auto)
        named = {name for name, _ in rendered.files} | {own.image}
        assets = {name: source.assets[name] for name in sorted(named) if name in source.assets}
        names = {*(reference.name for reference in references), *asked}
        below = (*found, *wrong)
        summary = markdown.shortened(own.summary or rendered.opening)
        row = Row(
            file=one.file,
            stamp=source.stamp,
            digest=head.digest,
            **_as_written(own),
            summary=summary,
            words=rendered.words,
            repeats_itself=rendered.opening.startswith(summary.removesuffix("…")),
            take=rendered.take,
            image=_joined(page, own.image),
            facts=card.facts,
            signs={name: self.index.sign(name) for name in sorted({*names, own.id})},
            auto=self.auto(card, asked=auto),
            links=links,
            content_hash=fingerprint.content_hash(own, "\n".join(clean.lines[front.height :]), links, assets),
            assets=tuple(assets),
            body=memory.hashed(rendered.html),
            mark=memory.hashed(one.file, head.digest, asked, links),
            face="",
            broken=bool(stops(head.problems)),
            lasting=all(self.is_certain(name) for name in names),
            problems=(*head.problems, *(_softened(below) if own.draft else below)),
        )
        return _Drawn(row._replace(face=_face(row)), rendered.html)

    def auto(self, card: Card, *, asked: bool) -> str | None:
        """What `previous: auto` finds, if a post has it."""
        newest = self.index.newest_before(card) if asked else None
        return (newest.id if newest else "") if asked else None

    def is_certain(self, name: str) -> bool:
        """Whether what can be told of a link depends on the post that it leads to, and on no other."""
        target = self.index.find(name)
        return target is not None and target.appeared(self.index.now)

    def target(self, name: str) -> Target | None:
        found = self.index.find(name)
        return Target(found.title, _day(found.published, self.site), self.page(found.slug)) if found else None

    def page(self, slug: str) -> str:
        return self.site.address_of(f"posts/{slug}/")


def _as_written(own: Header) -> dict[str, Any]:
    """What a Row takes from the front matter as it is: the fields that both call by the same name."""
    return {name: getattr(own, name) for name in _AS_WRITTEN}


def _joined(page: str, image: str) -> str | None:
    """The address of a picture; None where there is none, or where it is no address, which `check` tells."""
    try:
        return urljoin(page, image) if image else None
    except ValueError:
        return None


def _softened(problems: Iterable[Problem]) -> Iterator[Problem]:
    """A draft may be unfinished below its front matter."""
    return (replace(problem, level="warn") for problem in problems)


def _day(moment: datetime, site: Site) -> date:
    return moment.astimezone(site.timezone).date()


def _assets(source: Source, names: Sequence[str]) -> tuple[Asset, ...]:
    assets = source.assets
    return tuple(Asset(name, assets[name]) for name in names)


def _face(row: Row) -> str:
    """A hash of what other pages may say of a Post."""
    who = (row.file, row.id, row.slug, row.title, row.author, row.reviewer, row.published, row.updated, row.topics)
    shown = (row.summary, row.take, row.image, row.image_alt, row.draft, row.judgement, row.withdrawal, row.corrections)
    return memory.hashed(*who, *shown, row.digest if row.assets else "")


def _library(
    posts: Sequence[Post], cards: Sequence[Card], site: Site, approvals: Iterable[Approval], now: datetime
) -> Library:
    open_ids = {card.id for card in cards if card.public(now)}
    gone_ids = {card.id for card in cards if card.appeared(now)} - open_ids
    public = tuple(post for post in posts if post.id in open_ids)
    withdrawn = tuple(post for post in posts if post.id in gone_ids)
    shown = open_ids | gone_ids
    held_back = (post for post in posts if post.id not in shown and not post.draft and post.published <= now)
    hashes = {(approval.post_id, approval.content_hash) for approval in approvals}
    return Library(
        posts=public,
        backlinks=backlinks.invert(public),
        chains=backlinks.chains(public, withdrawn),
        approved=frozenset(p.id for p in posts if (p.id, p.content_hash) in hashes)
        if site.review
        else frozenset(p.id for p in public),
        known_ids=frozenset(card.id for card in cards),
        known_slugs=frozenset(card.slug for card in cards),
        withdrawn=withdrawn,
        in_review=tuple(held_back) if site.review else (),
    )


@dataclass(slots=True)
class Last:
    """What a process that loads again and again keeps from one time to the next: for one site, cache and program."""

    memory: Memory | None = None
    reading: _Reading | None = None
    _formerly: Mapping[str, str] = field(default_factory=dict)

    def only_for(self, formerly: Mapping[str, str]) -> None:
        """Forget what was read while other slugs led to posts."""
        if formerly != self._formerly:
            self.reading, self._formerly = None, formerly


class _Reading(NamedTuple):
    """One loading with all that led to it, good until the first post to come appears, or is withdrawn."""

    site: Site
    approvals: tuple[Approval, ...]
    now: datetime
    until: datetime | None
    ones: list[_One]
    cards: list[Card]
    desk: _Desk
    rows: list[Row]
    posts: list[Post]
    loaded: Loaded


_FEW = 20  # texts
_BETWEEN = frozenset({"P109", "P110", "P111"})  # told of one post because of another


def _until(cards: Iterable[Card], now: datetime) -> datetime | None:
    times = (time for card in cards for time in (card.published, card.withdrawal and card.withdrawal.at))
    return min((time for time in times if time and time > now), default=None)


def _again(
    last: _Reading, sources: Sequence[Source], site: Site, approvals: Sequence[Approval], now: datetime, known: Memory
) -> _Reading | None:
    """The same with a few texts changed; None when more than texts did, so that all posts have to be looked at.

    A post whose Card, Links and state are as they were is for all others what it was.
    """
    if (last.site, last.approvals) != (site, tuple(approvals)) or now < last.now or (last.until and now >= last.until):
        return None
    if len(sources) != len(last.ones) or any(problem.code in _BETWEEN for problem in last.loaded.problems):
        return None
    pairs = enumerate(zip(sources, last.rows, strict=True))
    if any(file_of(source) != row.file for source, row in zip(sources, last.rows, strict=True)):
        return None
    places = [n for n, (source, row) in pairs if not _same(source, row)]
    if len(places) > _FEW:
        return None
    ones, rows, posts = [*last.ones], [*last.rows], [*last.posts]
    for n in places:
        ones[n] = one = _One(sources[n], rows[n].file, _look(sources[n], site=site, known=known))
        drawn = _drawn_again(one, last, n, known)
        if drawn is None:
            return None
        rows[n], posts[n] = drawn
        known.rows[one.file] = rows[n]
    known.write()
    loaded = _replaced(last, rows, posts, places)
    return last._replace(ones=ones, rows=rows, posts=posts, loaded=loaded)


def _drawn_again(one: _One, last: _Reading, n: int, known: Memory) -> tuple[Row, Post] | None:
    before, card = last.rows[n], last.cards[n]
    if isinstance(one.found, Row) and one.found.mark == before.mark:
        return one.found, last.posts[n]
    if _card(one, {card.id} if card.released else set()) != card:
        return None
    row, html = last.desk.draw((one, card))
    if (row.links, row.broken) != (before.links, before.broken):
        return None
    known.keep(row)
    known.keep_body(row, html)
    return row, _post(last.desk, (one, card), row, html, known)


def _replaced(last: _Reading, rows: Sequence[Row], posts: Sequence[Post], places: Sequence[int]) -> Loaded:
    """What was loaded, with the posts at some places as they are now."""
    new = {posts[n].id: posts[n] for n in places}
    files = {rows[n].file for n in places}
    whole, library = last.loaded, last.loaded.library

    def those(some: Iterable[Post]) -> tuple[Post, ...]:
        return tuple(new.get(post.id, post) for post in some)

    approved = {(approval.post_id, approval.content_hash) for approval in last.approvals}
    sound = {post.id for post in new.values() if not last.site.review or (post.id, post.content_hash) in approved}
    kept = [problem for problem in whole.problems if problem.file not in files]
    problems = [*kept, *(problem for n in places for problem in rows[n].problems)]
    return Loaded(
        those(whole.posts),
        replace(
            library,
            posts=those(library.posts),
            withdrawn=those(library.withdrawn),
            in_review=those(library.in_review),
            approved=library.approved - new.keys() | (sound & _ids(whole.posts if last.site.review else library.posts)),
        ),
        tuple(sorted(problems, key=_place)),
    )


def _ids(posts: Iterable[Post]) -> set[str]:
    return {post.id for post in posts}
