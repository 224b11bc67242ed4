"""A small publication with everything a page can show: a story in three parts, a correction, an image, two issues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from newsletter.model import Asset, Chain, File, Issue, IssueState, Library, Link, LinkKind, Post, Site, Take
from newsletter.publish import archive
from tests.builders import a_library, a_post, a_slot, an_issue, built_in, feed_files

environment = built_in
TEMPLATES = Path(__file__).parents[3] / "templates"
# A picture of one grey pixel, so that pages can show an image that is really there.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)
_BODY = """<p>A battery moves ions through a liquid. Put a solid in its place and much of what limits a car
today changes at once: how far it goes, how fast it fills, and what happens when it is cold. That is the promise,
and it is an old one.</p>
<h2 id="{slug}-what-changes">What changes</h2>
<p>A solid does not leak and hardly burns. It lets the maker use a metal anode, which stores more in the same space.
<a href="https://autotrendy.example/posts/{other}/">Read more in an earlier article</a>, or see
<a href="https://example.org/standard">the standard</a>.<sup><a
href="https://autotrendy.example/posts/{slug}/#{slug}-fn1">1</a></sup></p>
<blockquote><p>An electrolyte that stays where it was put is half of a safe battery.</p></blockquote>
<table><thead><tr><th scope="col">Property</th><th scope="col">Liquid</th><th scope="col">Solid</th></tr></thead>
<tbody><tr><td>Leaks</td><td>Can</td><td>Cannot</td></tr>
<tr><td>In the cold</td><td>Slow</td><td>Depends on the material</td></tr></tbody></table>
<h2 id="{slug}-what-is-hard">What is hard</h2>
<ul><li>Keeping two solids pressed together while both swell.</li>
<li>Making square metres of it without a flaw.</li></ul>
<pre><code>&lt;img src="https://autotrendy.example/shown-as-text.png"&gt; and
a line that is too long for a phone, and that no reader needs</code></pre>
<p>None of this is a reason for despair; it is a reason to read dates in announcements twice.</p>
<section class="footnotes"><ol><li id="{slug}-fn1"><p>It defines the words used here.</p></li></ol></section>"""


def a_long_post(slug: str, day: datetime, title: str, other: str = "reading-the-label", **changes: object) -> Post:
    html = _BODY.format(slug=slug, other=other)
    return a_post(slug, day=day, title=title, html=html, words=700, **changes)


def link(kind: LinkKind, source: str, target: str) -> Link:
    return Link(kind, _id(source), _id(target))


def a_publication() -> tuple[Library, list[Issue]]:
    """Seven posts, newest first, and the two issues that carried them."""
    alliance, batteries, label = "renault-nissan-mitsubishi-alliance", "all-solid-state-batteries", "reading-the-label"
    links = (
        link(LinkKind.CONTINUES, alliance, batteries),
        link(LinkKind.MENTIONS, alliance, label),
        link(LinkKind.PREVIOUS, batteries, label),
        link(LinkKind.SEE_ALSO, batteries, "how-we-review"),
        link(LinkKind.CORRECTS, "a-correction", label),
    )
    opinion = "Sharing inventions and splitting risk takes openness. A newcomer learns that before it builds cars."
    takes = {alliance: Take(f"<p>{opinion}</p>", opinion)}
    titles = {
        alliance: ("The Renault-Nissan-Mitsubishi Alliance, from start to future", 8),
        "a-correction": ("What we got wrong about labels", 5),
        batteries: ("All-solid-state batteries: what a solid changes", 1),
        "how-we-review": ("How an article gets past the review desk", 1),
        "why-takes-are-dated": ("Why our takes carry a date", 1),
        label: ("Reading the label on a battery", 1),
        "how-to-follow": ("How to follow Auto Trendy", 1),
    }
    posts = [
        a_long_post(
            slug,
            datetime(2022, 2, day, 9, 30 - order, tzinfo=UTC),
            title,
            links=tuple(edge for edge in links if edge.source == _id(slug)),
            take=takes.get(slug, Take("<p>We would wait.</p>", "We would wait.")),
            topics=("Batteries", "Makers") if slug == alliance else ("Batteries",),
            summary=f"{title}: what it means for the cars of the next decade, and what to ask before you believe it.",
        )
        for order, (slug, (title, day)) in enumerate(titles.items())
    ]
    chain = Chain((_id(label), _id(batteries), _id(alliance)))
    backlinks = {target: tuple(e for e in links if e.target == target) for target in {e.target for e in links}}
    library = a_library(*posts, backlinks=backlinks, chains=dict.fromkeys(chain.posts, chain))
    by_slug = {post.slug: post for post in posts}
    first = an_issue(
        1,
        by_slug[batteries],
        by_slug["how-we-review"],
        by_slug[label],
        slot=a_slot("2022-W05", datetime(2022, 2, 4, 7, tzinfo=UTC)),
    )
    second = an_issue(2, by_slug[alliance], by_slug["a-correction"], state=IssueState.SENDING)
    return library, [first, second]


def with_picture(library: Library, slug: str, content: bytes = PIXEL) -> Library:
    """The same Library, where one Post has an image of its own."""
    changes = {"image": f"https://autotrendy.example/posts/{slug}/car.png", "image_alt": "A parked car"}
    posts = [
        a_changed(post, assets=(Asset("car.png", content),), **changes) if post.slug == slug else post
        for post in library.posts
    ]
    return a_library(*posts, backlinks=library.backlinks, chains=library.chains)


def a_changed(post: Post, **changes: object) -> Post:
    return replace(post, **changes)  # type: ignore[arg-type]


def everything(site: Site, library: Library, issues: Iterable[Issue]) -> list[File]:
    """What one publish writes."""
    shown = list(issues)
    return [*archive.render(site, library, shown, environment(site.language)), *feed_files(site, library, shown)]


def _id(slug: str) -> str:
    return f"tag:autotrendy.example,2022:{slug}"
