"""Sources to Library: the pipeline of this room.

    headed (front matter) → indexed (slugs, ids) → resolved (links, HTML, checks) → Posts → Library

Promises that every source is looked at to its end, that all Problems come back together, and that the
result is a function of the arguments: the order of the sources does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urljoin

from newsletter.content import backlinks, check, fingerprint, frontmatter, header, lines, markdown
from newsletter.content.backlinks import Card, Index
from newsletter.content.frontmatter import FrontMatter
from newsletter.content.header import Header
from newsletter.content.lines import Lines
from newsletter.content.markdown import Rendered
from newsletter.content.syntax import Target
from newsletter.errors import Problem, stops
from newsletter.model import Approval, Asset, Library, Link, Post, Site, Source


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that the sources gave. With a stop among `problems` nothing may be published."""

    posts: tuple[Post, ...]  # drafts and future ones too, newest first; those whose front matter could be read
    library: Library  # the public ones
    problems: tuple[Problem, ...]  # by file and line


@dataclass(frozen=True, slots=True)
class _Headed:
    """A source whose front matter was read."""

    source: Source
    lines: Lines
    front: FrontMatter
    header: Header
    problems: tuple[Problem, ...]


def load(sources: Sequence[Source], site: Site, *, approvals: Sequence[Approval], now: datetime) -> Loaded:
    """Read all sources as of `now`.

    A post is public when it is no draft, its time has come, and (if the site reviews) some version of it was
    approved; `library.approved` are those whose present content was.
    """
    headed = [_head(source, site) for source in sorted(sources, key=lambda source: source.path)]
    once = {approval.post_id for approval in approvals}
    cards = [
        Card(h.header, str(h.source.path), not h.header.draft and (not site.review or h.header.id in once))
        for h in headed
    ]
    index = Index(cards, now)
    posts, problems = [], [*_twins(headed)]
    for one, card in zip(headed, cards, strict=True):
        post, found = _post(one, card, index, site)
        posts.append(post)
        problems += [*one.problems, *found]
    spots = {h.header.id: (h.lines, h.front.spot("previous")) for h in headed}
    problems += backlinks.circles(posts, spots)
    broken = {str(h.source.path) for h in headed if stops(h.problems)}
    readable = sorted(
        (post for post in posts if str(post.path) not in broken), key=lambda p: (p.published, p.id), reverse=True
    )
    library = _library(readable, cards, site, approvals, now)
    return Loaded(tuple(readable), library, tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.code))))


def _head(source: Source, site: Site) -> _Headed:
    clean, problems = lines.read(source)
    if stops(problems) and clean.lines == ("",):
        front = FrontMatter({}, {}, 0)
    else:
        front, found = frontmatter.parse(clean)
        problems += found
    parsed, found = header.read(front, clean, source.path, site)
    return _Headed(source, clean, front, parsed, (*problems, *found))


def _twins(headed: Iterable[_Headed]) -> list[Problem]:
    """P109 and P110: posts that claim the slug or the id of another."""
    problems = []
    for key, code in (("slug", "P109"), ("id", "P110")):
        claims: dict[str, list[_Headed]] = defaultdict(list)
        for one in headed:
            claims[getattr(one.header, key)].append(one)
        for value, (first, *others) in claims.items():
            for other in others:
                message = f"The {key} {value} is taken by {first.source.path}"
                fixes = (f"{key}: another one",)
                problems.append(other.lines.problem(code, message, other.front.spot(key), fixes=fixes))
    return problems


def _post(one: _Headed, card: Card, index: Index, site: Site) -> tuple[Post, list[Problem]]:
    """The Post of one source, and what is wrong below its front matter; a draft may be unfinished."""
    day = _day(one.header.published, site)

    def find(name: str) -> Target | None:
        target = index.find(name)
        if not target:
            return None
        head = target.header
        return Target(head.title, _day(head.published, site), site.address_of(f"posts/{head.slug}/"))

    rendered, problems = markdown.render(
        one.lines, one.front.height, slug=one.header.slug, day=day, site=site, find=find
    )
    links, found = backlinks.resolve(card, (*one.header.references, *rendered.mentions), index, one.lines)
    page = site.address_of(f"posts/{one.header.slug}/")
    subject = check.Subject(one.header, rendered, one.lines, one.front, one.source.assets, page, card.released)
    problems += found
    if one.front.height:
        problems += check.check(subject, site)
    if one.header.draft:
        problems = [replace(problem, level="warn") for problem in problems]
    return _assembled(one, rendered, links, page), problems


def _day(moment: datetime, site: Site) -> date:
    return moment.astimezone(site.timezone).date()


def _assembled(one: _Headed, rendered: Rendered, links: tuple[Link, ...], page: str) -> Post:
    head = one.header
    named = {name for name, _ in rendered.files} | {head.image}
    assets = {name: one.source.assets[name] for name in sorted(named) if name in one.source.assets}
    body = "\n".join(one.lines.lines[one.front.height :])
    return Post(
        id=head.id,
        slug=head.slug,
        title=head.title,
        author=head.author,
        reviewer=head.reviewer,
        published=head.published,
        updated=head.updated,
        topics=head.topics,
        summary=markdown.shortened(head.summary or rendered.opening),
        html=rendered.html,
        text=rendered.text,
        take=rendered.take,
        image=urljoin(page, head.image) if head.image else None,
        image_alt=head.image_alt,
        links=links,
        content_hash=fingerprint.content_hash(head, body, links, assets),
        draft=head.draft,
        path=one.source.path,
        assets=tuple(Asset(name, content) for name, content in assets.items()),
    )


def _library(
    posts: Sequence[Post], cards: Sequence[Card], site: Site, approvals: Iterable[Approval], now: datetime
) -> Library:
    open_ids = {card.header.id for card in cards if card.public(now)}
    public = tuple(post for post in posts if post.id in open_ids)
    held_back = (post for post in posts if post.id not in open_ids and not post.draft and post.published <= now)
    hashes = {(approval.post_id, approval.content_hash) for approval in approvals}
    return Library(
        posts=public,
        backlinks=backlinks.invert(public),
        chains=backlinks.chains(public),
        approved=frozenset(p.id for p in posts if (p.id, p.content_hash) in hashes)
        if site.review
        else frozenset(p.id for p in public),
        known_ids=frozenset(card.header.id for card in cards),
        in_review=tuple(held_back) if site.review else (),
    )
