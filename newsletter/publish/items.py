"""Posts and Issues as items of a feed: whole articles that stand alone in an aggregator.

The body of a Post is the image, the text, the take as a quotation (readers strip classes, so its label is in
words) and "Earlier in this story" as the last paragraph. A Post has one item, whichever feeds it is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import PurePosixPath

from newsletter.model import Issue, Post, Site, Story, Take
from newsletter.publish.around import Around
from newsletter.publish.paths import post_path
from newsletter.publish.syndication import Item, Media, clean, minted, plain
from newsletter.tongue import tongue_of

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
}


def post_item(site: Site, post: Post, around: Around) -> Item:
    """The Post as an item; `around` is its place in the whole Library."""
    return Item(
        id=post.id,
        url=site.address_of(post_path(post.slug)),
        title=plain(post.title) or clean(post.title),
        author=clean(post.author.name),
        reviewer=clean(post.reviewer.name) if post.reviewer else "",
        published=post.published.astimezone(UTC),
        byline=_byline(site, post),
        updated=max(post.updated, post.published).astimezone(UTC),
        topics=tuple(clean(topic) for topic in post.topics),
        summary=plain(post.summary),
        body=body(site, post, around),
        media=media(site, post),
    )


def _byline(site: Site, post: Post) -> str:
    tongue = tongue_of(site)
    reviewer = clean(post.reviewer.name) if post.reviewer else ""
    day = tongue.long_date(post.published.astimezone(site.timezone))
    return tongue.byline(clean(post.author.name), reviewer, day)


def issue_item(site: Site, issue: Issue, posts: Mapping[str, Post]) -> Item:
    """The Issue as an item: its stories with their summaries and takes, each with a link to its page."""
    published, tongue = issued(issue), tongue_of(site)
    name = tongue.say("Issue %(number)s", number=str(issue.number))
    shown = [posts[story.post_id] for story in issue.stories if story.post_id in posts]
    return Item(
        id=issue_id(site, issue),
        url=site.address_of(issue.page),
        title=plain(tongue.titled(name, issue.subject)),
        author=clean(site.title),
        reviewer="",
        published=published,
        byline=tongue.byline(clean(site.title), "", tongue.long_date(published.astimezone(site.timezone))),
        updated=max([published, *(post.updated.astimezone(UTC) for post in shown)]),
        topics=tuple(dict.fromkeys(clean(topic) for post in shown for topic in post.topics)),
        summary=plain(issue.preheader),
        body=clean("\n".join(_story(site, story, posts.get(story.post_id)) for story in issue.stories)),
    )


def issue_id(site: Site, issue: Issue) -> str:
    """The lasting id of an Issue as an item."""
    return minted(site, f"issue-{issue.number}")


def issued(issue: Issue) -> datetime:
    """When an Issue came out: its slot, or the moment a hand sent it before that."""
    known = (issue.slot.due, issue.send_at, issue.started_at)
    return min(moment for moment in known if moment).astimezone(UTC)


def body(site: Site, post: Post, around: Around) -> str:
    """The whole article as HTML for a reader that knows nothing of our pages."""
    told = (_take(site, post), _judged(site, post, around), _earlier(site, around))
    parts = (*_corrections(site, post), _image(media(site, post)), post.html, *told)
    whole = clean("\n".join(part for part in parts if part)) or f"<p>{escape(plain(post.title), quote=False)}</p>"
    return f'<div dir="rtl">{whole}</div>' if site.direction == "rtl" else whole


def _corrections(site: Site, post: Post) -> Iterator[str]:
    """First of all: whoever read the item before finds what is new in it."""
    tongue = tongue_of(site)
    for one in post.corrections:
        label = tongue.say("Corrected %(day)s:", day=tongue.long_date(one.day))
        yield f"<p><strong>{label}</strong> {escape(one.text, quote=False)}</p>"


def media(site: Site, post: Post) -> Media | None:
    """The Post's image: a file of ours as it is published, with its length; one of another host as it is named."""
    if not post.image:
        return None
    folder = site.address_of(post_path(post.slug))
    name = post.image.removeprefix(folder)
    files = {asset.name: asset.content for asset in post.assets}
    for picture in post.pictures:
        if name in {picture.name, *(variant.name for variant in picture.variants)}:
            shown = picture.shown
            return Media(f"{folder}{shown.name}", _type(shown.name), len(shown.content), clean(post.image_alt))
    return Media(clean(post.image), _type(name), len(files.get(name, b"")), clean(post.image_alt))


def _type(name: str) -> str:
    return _TYPES.get(PurePosixPath(name.partition("?")[0]).suffix.lower(), "image/jpeg")


def _image(picture: Media | None) -> str:
    return f'<p><img src="{escape(picture.url)}" alt="{escape(picture.alt)}"></p>' if picture else ""


def _take(site: Site, post: Post) -> str:
    if post.take is None:
        return ""
    label = f"<strong>{escape(site.take_label, quote=False)}.</strong>"
    html = post.take.html.strip()
    opened = html.removeprefix("<p>")
    said = f"<p>{label} {opened}" if opened != html else f"<p>{label}</p>{html}"
    return f"<blockquote>{said}{_check(site, post.take)}</blockquote>"


def _check(site: Site, take: Take) -> str:
    if take.check is None:
        return ""
    tongue = tongue_of(site)
    return f"<p>{tongue.say('To be looked back at on %(day)s.', day=tongue.long_date(take.check))}</p>"


def _judged(site: Site, post: Post, around: Around) -> str:
    """The verdict on an older take; the older item stays as it was, for it did not change."""
    if not post.judgement or not around.judged:
        return ""
    tongue = tongue_of(site)
    told = tongue.listed(tongue.outcome(post.judgement), *(_link(site, other) for other in around.judged))
    return f"<p>{tongue.titled(tongue.say('Verdict on an earlier take'), told)}.</p>"


def _earlier(site: Site, around: Around) -> str:
    """Up to three, as in the mail."""
    if not around.earlier:
        return ""
    tongue = tongue_of(site)
    told = (
        f"{_link(site, post)} ({tongue.long_date(post.published.astimezone(site.timezone))})"
        for post in around.earlier[:3]
    )
    return f"<p>{tongue.titled(tongue.say('Earlier in this story'), tongue.listed(*told))}.</p>"


def _story(site: Site, story: Story, post: Post | None) -> str:
    """A Story whose Post is no longer public keeps its title, without a link."""
    if post is None:
        return f"<h2>{escape(story.title, quote=False)}</h2>"
    parts = (f"<h2>{_link(site, post)}</h2>", f"<p>{escape(post.summary, quote=False)}</p>", _take(site, post))
    return "\n".join(part for part in parts if part)


def _link(site: Site, post: Post) -> str:
    title = tongue_of(site).isolated(post.title)
    return f'<a href="{escape(site.address_of(post_path(post.slug)))}">{escape(title, quote=False)}</a>'
