"""Sources to Library: the pipeline of this room.

    headed (front matter) → indexed (slugs, ids) → resolved (links, HTML, checks) → Posts → Library

Promises that every source is looked at to its end, that all Problems come back together, and that the
result is a function of the arguments: the order of the sources does not matter, and neither does what a cache
remembers. With a cache, text that was seen before is neither parsed nor rendered, and Posts fetch theirs when asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin

from newsletter.content import backlinks, check, fingerprint, frontmatter, header, lines, markdown, memory
from newsletter.content.backlinks import Card, Index
from newsletter.content.frontmatter import FrontMatter
from newsletter.content.late import at_hand, late_post
from newsletter.content.lines import Lines, Spot
from newsletter.content.markdown import Rendered
from newsletter.content.memory import Drawn, Head, Kept, Memory
from newsletter.content.syntax import Target
from newsletter.errors import Problem, stops
from newsletter.model import Approval, Asset, Library, Link, Post, Site, Source
from newsletter.ports import Cache, Spread


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that the sources gave. With a stop among `problems` nothing may be published."""

    posts: tuple[Post, ...]  # drafts and future ones too, newest first; those whose front matter could be read
    library: Library  # the public ones
    problems: tuple[Problem, ...]  # by file and line


@dataclass(frozen=True, slots=True)
class _Headed:
    """A source whose front matter was read; its lines are read again when there is something to tell of them."""

    source: Source
    digest: str
    head: Head
    drawn: Drawn | None  # what an earlier run made of the same text

    @property
    def lines(self) -> Lines:
        return lines.read(self.source)[0]

    @property
    def front(self) -> FrontMatter:
        return _front(*lines.read(self.source))[0]

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
) -> Loaded:
    """Read all sources as of `now`.

    A post is public when it is no draft, its time has come, and (if the site reviews) some version of it was
    approved; `library.approved` are those whose present content was. A `cache` is for one site and one version of
    the program.
    """
    known = Memory.of(cache)
    headed = _read(sorted(sources, key=lambda source: source.path), site, known, spread)
    once = {approval.post_id for approval in approvals}
    cards = [_card(h, reviewed=not site.review or h.head.header.id in once) for h in headed]
    index = Index(cards, now)
    posts, problems = [], [*_twins(headed)]
    for post, found in _posts(headed, cards, index, site, known, spread):
        posts.append(post)
        problems += found
    by_id = {h.head.header.id: h for h in headed}
    problems += backlinks.circles(posts, lambda post_id: (by_id[post_id].lines, by_id[post_id].front.spot("previous")))
    broken = {str(h.source.path) for h in headed if stops(h.head.problems)}
    readable = sorted(
        (post for post in posts if str(post.path) not in broken), key=lambda p: (p.published, p.id), reverse=True
    )
    library = _library(readable, cards, site, approvals, now)
    known.settle({str(h.source.path) for h in headed})
    return Loaded(tuple(readable), library, tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.code))))


def _card(one: _Headed, *, reviewed: bool) -> Card:
    return Card(one.head.header, str(one.source.path), not one.head.header.draft and reviewed)


def _read(sources: Sequence[Source], site: Site, known: Memory, spread: Spread) -> list[_Headed]:
    """Every source with its front matter: those whose stamp is known are not opened."""
    kept = {source.path: _same(source, known) for source in sources}
    fresh = iter(spread(partial(_head, site=site, known=known), [s for s in sources if not kept[s.path]]))
    headed = []
    for source in sources:
        found = kept[source.path] or next(fresh)
        known.keep(str(source.path), found)
        headed.append(_Headed(source, found.digest, found.head, found.drawn))
    return headed


def _same(source: Source, known: Memory) -> Kept | None:
    kept = known.known.get(str(source.path))
    return kept if kept and source.stamp and kept.stamp == source.stamp else None


def _head(source: Source, *, site: Site, known: Memory) -> Kept:
    """What is known of a source that had to be opened: if only its stamp is new, everything."""
    source = at_hand(source)
    digest = memory.digest(source)
    kept = known.known.get(str(source.path))
    if kept and kept.digest == digest:
        return replace(kept, stamp=source.stamp)
    clean, problems = lines.read(source)
    front, found = _front(clean, problems)
    parsed, wrong = header.read(front, clean, source.path, site)
    return Kept(source.stamp, digest, Head(parsed, front.height, (*problems, *found, *wrong)))


def _front(clean: Lines, problems: Sequence[Problem]) -> tuple[FrontMatter, list[Problem]]:
    """A source over the limit has lost its lines: of it nothing more is told."""
    lost = stops(problems) and clean.lines == ("",)
    return (FrontMatter({}, {}, 0), []) if lost else frontmatter.parse(clean)


def _twins(headed: Iterable[_Headed]) -> list[Problem]:
    """P109 and P110: posts that claim the slug or the id of another."""
    problems = []
    for key, code in (("slug", "P109"), ("id", "P110")):
        claims: dict[str, list[_Headed]] = defaultdict(list)
        for one in headed:
            claims[getattr(one.head.header, key)].append(one)
        for value, (first, *others) in claims.items():
            for other in others:
                message = f"The {key} {value} is taken by {first.source.path}"
                fixes = (f"{key}: another one",)
                problems.append(other.lines.problem(code, message, other.front.spot(key), fixes=fixes))
    return problems


def _posts(
    headed: Sequence[_Headed], cards: Sequence[Card], index: Index, site: Site, known: Memory, spread: Spread
) -> Iterator[tuple[Post, list[Problem]]]:
    """Each Post with all that is wrong with its source, in order; only what is not known yet is rendered."""
    desk = _Desk(index, site)
    pairs = list(zip(headed, cards, strict=True))
    same = [desk.unchanged(*pair) for pair in pairs]
    fresh = iter(spread(desk.draw, [pair for pair, drawn in zip(pairs, same, strict=True) if drawn is None]))
    for (one, card), drawn in zip(pairs, same, strict=True):
        if drawn is None:
            drawn = known.keep_body(next(fresh))  # noqa: PLW2901
            known.keep(str(one.source.path), Kept(one.source.stamp, one.digest, one.head, drawn))
        again = partial(_html, desk, one, card)
        yield _post(one, drawn, site, partial(known.body, drawn, again)), desk.told(one, card, drawn)


def _html(desk: _Desk, one: _Headed, card: Card) -> str:
    return desk.draw((one, card)).rendered.html


@dataclass(frozen=True, slots=True)
class _Desk:
    """What it takes to render one text among the others."""

    index: Index
    site: Site

    def unchanged(self, one: _Headed, card: Card) -> Drawn | None:
        """What an earlier run made of the text, if it would be the same now."""
        drawn = one.drawn
        if drawn is None or drawn.released != card.released:
            return None
        if any(self.target(name) != target for name, target in drawn.asked.items()):
            return None
        return drawn if self.links(one, card, drawn.rendered)[0] == drawn.links else None

    def draw(self, pair: tuple[_Headed, Card]) -> Drawn:
        """Render and check one text."""
        one, card = pair
        source, head = at_hand(one.source), one.head.header
        clean, problems = lines.read(source)
        front, _ = _front(clean, problems)
        asked: dict[str, Target | None] = {}

        def find(name: str) -> Target | None:
            asked[name] = self.target(name)
            return asked[name]

        day, page = _day(head.published, self.site), self.page(head.slug)
        rendered, found = markdown.render(clean, front.height, slug=head.slug, day=day, site=self.site, find=find)
        if front.height:
            subject = check.Subject(head, rendered, clean, front, source.assets, page, card.released)
            found += check.check(subject, self.site)
        links, _ = self.links(one, card, rendered)
        named = {name for name, _ in rendered.files} | {head.image}
        assets = {name: source.assets[name] for name in sorted(named) if name in source.assets}
        body = "\n".join(clean.lines[front.height :])
        drawn = Drawn(
            rendered,
            asked,
            card.released,
            links,
            content_hash=fingerprint.content_hash(head, body, links, assets),
            assets=tuple(assets),
            problems=tuple(found),
            body=memory.hashed(rendered.html),
            mark=memory.hashed(str(source.path), one.digest, asked, links),
        )
        face = _face(_post(replace(one, source=source), drawn, self.site, str))
        return replace(drawn, face=memory.hashed(face, one.digest if assets else ""))

    def links(self, one: _Headed, card: Card, rendered: Rendered) -> tuple[tuple[Link, ...], list[Problem]]:
        return backlinks.resolve(card, (*one.head.header.references, *rendered.mentions), self.index, one)

    def told(self, one: _Headed, card: Card, drawn: Drawn) -> list[Problem]:
        """All that is wrong with one source; a draft may be unfinished below its front matter."""
        _, found = self.links(one, card, drawn.rendered)
        below = (*drawn.problems, *found)
        if one.head.header.draft:
            below = tuple(replace(problem, level="warn") for problem in below)
        return [*one.head.problems, *below]

    def target(self, name: str) -> Target | None:
        found = self.index.find(name)
        if not found:
            return None
        head = found.header
        return Target(head.title, _day(head.published, self.site), self.page(head.slug))

    def page(self, slug: str) -> str:
        return self.site.address_of(f"posts/{slug}/")


def _day(moment: datetime, site: Site) -> date:
    return moment.astimezone(site.timezone).date()


def _post(one: _Headed, drawn: Drawn, site: Site, fetch: Callable[[], str]) -> Post:
    """The Post of one source; when its HTML is in the cache, one that fetches it."""
    head, rendered = one.head.header, drawn.rendered
    page = site.address_of(f"posts/{head.slug}/")
    summary = markdown.shortened(head.summary or rendered.opening)
    values: dict[str, Any] = {
        "id": head.id,
        "slug": head.slug,
        "title": head.title,
        "author": head.author,
        "reviewer": head.reviewer,
        "published": head.published,
        "updated": head.updated,
        "topics": head.topics,
        "summary": summary,
        "words": rendered.words,
        "take": rendered.take,
        "image": urljoin(page, head.image) if head.image else None,
        "image_alt": head.image_alt,
        "links": drawn.links,
        "content_hash": drawn.content_hash,
        "draft": head.draft,
        "path": one.source.path,
        "assets": tuple(Asset(name, one.source.assets[name]) for name in drawn.assets),
        "pictures": (),
        "mark": drawn.mark,
        "face": drawn.face,
        "judgement": head.judgement,
        "withdrawal": head.withdrawal,
        "repeats_itself": rendered.opening.startswith(summary.removesuffix("…")),
    }
    if not drawn.kept:
        return Post(html=rendered.html, **values)
    return late_post(fetch, values)


def _face(post: Post) -> str:
    """A hash of what other pages may say of a Post."""
    own = {"html", "words", "content_hash", "links", "mark", "face"}
    return memory.hashed(*(getattr(post, field.name) for field in fields(post) if field.name not in own))


def _library(
    posts: Sequence[Post], cards: Sequence[Card], site: Site, approvals: Iterable[Approval], now: datetime
) -> Library:
    open_ids = {card.header.id for card in cards if card.public(now)}
    gone_ids = {card.header.id for card in cards if card.appeared(now)} - open_ids
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
        known_ids=frozenset(card.header.id for card in cards),
        known_slugs=frozenset(card.header.slug for card in cards),
        withdrawn=withdrawn,
        in_review=tuple(held_back) if site.review else (),
    )
