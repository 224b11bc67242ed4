"""Posts and Issues as items of a feed: whole articles that stand alone in an aggregator.

The body of a Post is the image, the text, the take as a quotation (readers strip classes, so its label is in
words) and "Earlier in this story" as the last paragraph. A Post has one item, whichever feeds it is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import PurePosixPath

from newsletter import words
from newsletter.model import Issue, Post, Site, Story
from newsletter.publish.around import Around
from newsletter.publish.paths import issue_path, post_path
from newsletter.publish.syndication import Item, Media, clean, minted, plain

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
        day=words.long_date(post.published.astimezone(site.timezone)),
        updated=max(post.updated, post.published).astimezone(UTC),
        topics=tuple(clean(topic) for topic in post.topics),
        summary=plain(post.summary),
        body=body(site, post, around),
        media=media(site, post),
    )


def issue_item(site: Site, issue: Issue, posts: Mapping[str, Post]) -> Item:
    """The Issue as an item: its stories with their summaries and takes, each with a link to its page."""
    published = issued(issue)
    shown = [posts[story.post_id] for story in issue.stories if story.post_id in posts]
    return Item(
        id=issue_id(site, issue),
        url=site.address_of(issue_path(issue.number)),
        title=plain(f"Issue {issue.number}: {issue.subject}"),
        author=clean(site.title),
        reviewer="",
        published=published,
        day=words.long_date(published.astimezone(site.timezone)),
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
    parts = (*_corrections(post), _image(media(site, post)), post.html, *told)
    return clean("\n".join(part for part in parts if part)) or f"<p>{escape(plain(post.title), quote=False)}</p>"


def _corrections(post: Post) -> Iterator[str]:
    """First of all: whoever read the item before finds what is new in it."""
    for one in post.corrections:
        yield f"<p><strong>Corrected {words.long_date(one.day)}:</strong> {escape(one.text, quote=False)}</p>"


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
    check = f"<p>To be looked back at on {words.long_date(post.take.check)}.</p>" if post.take.check else ""
    return f"<blockquote>{said}{check}</blockquote>"


def _judged(site: Site, post: Post, around: Around) -> str:
    """The verdict on an older take; the older item stays as it was, for it did not change."""
    if not post.judgement or not around.judged:
        return ""
    told = ", ".join(_link(site, other) for other in around.judged)
    return f"<p>Verdict on an earlier take: {post.judgement}, {told}.</p>"


def _earlier(site: Site, around: Around) -> str:
    """Up to three, as in the mail."""
    if not around.earlier:
        return ""
    told = (
        f"{_link(site, post)} ({words.long_date(post.published.astimezone(site.timezone))})"
        for post in around.earlier[:3]
    )
    return f"<p>Earlier in this story: {', '.join(told)}.</p>"


def _story(site: Site, story: Story, post: Post | None) -> str:
    """A Story whose Post is no longer public keeps its title, without a link."""
    if post is None:
        return f"<h2>{escape(story.title, quote=False)}</h2>"
    parts = (f"<h2>{_link(site, post)}</h2>", f"<p>{escape(post.summary, quote=False)}</p>", _take(site, post))
    return "\n".join(part for part in parts if part)


def _link(site: Site, post: Post) -> str:
    return f'<a href="{escape(site.address_of(post_path(post.slug)))}">{escape(post.title, quote=False)}</a>'
