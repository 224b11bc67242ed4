"""posts | whose approval is of another text | what changed, and what that does to the next issue | a Notice of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter import words
from newsletter.content.library import Loaded
from newsletter.issues import site_notice
from newsletter.model import Notice, NoticeKind, Post, Site, Slot
from newsletter.ports import Notices, Reviews, Versions
from newsletter.usecases.review import lines_changed

if TYPE_CHECKING:
    from newsletter.usecases.choose import Press


@dataclass(frozen=True, slots=True)
class Lost:
    """A post whose text is not any more the one that was approved, and the hashes of those that were, oldest first."""

    post: Post
    signed: tuple[str, ...]


def lost(loaded: Loaded, site: Site, reviews: Reviews, notices: Notices) -> list[Lost]:
    """Posts that were edited after their last approval, if nobody was told; once, however often they are saved.

    Raises ConfigError for a faulty `reviews.toml`.
    """
    if not site.review:
        return []
    signed: dict[str, list[str]] = {}
    for approval in reviews.all():
        signed.setdefault(approval.post_id, []).append(approval.content_hash)
    found = [Lost(post, tuple(signed[post.id])) for post in loaded.posts if post.id in signed]
    return [
        one
        for one in found
        if one.post.content_hash not in one.signed
        and not (one.post.draft or one.post.withdrawal)
        and not any(one.signed[-1] in told.key for told in notices.about(NoticeKind.EDITED, f"post {one.post.slug}"))
    ]


def told(one: Lost, press: Press, slot: Slot, versions: Versions, text: str) -> Notice:
    """What editors hear of it; `text` is its source now."""
    known = [version for version in versions.of(one.post.id) if version.content_hash in one.signed]
    lines = lines_changed(known[-1].text, text) if known else ()
    return site_notice.edited(one.post, one.signed[-1], lines, _effect(one.post, press), press.now, press.site, slot)


def _effect(post: Post, press: Press) -> str:
    """What an edit does to the issue that comes next, in a sentence or two."""
    from newsletter.usecases.choose import choose  # these load the mail room, and most looks find nothing
    from newsletter.usecases.prepare import next_number

    number = press.ledger.carried(press.edition).get(post.id)
    if number is not None:
        return _carried(press, number)
    selection = choose(press)
    if not any(choice.post.id == post.id for choice in selection.waiting):
        return "It is in no issue to come, and changes none."
    coming = next_number(press.ledger.issues(press.edition))
    left = len(selection.stories)
    if left < max(1, selection.at_least):
        return f"It is out of issue {coming} until it is approved again; without it there is no issue."
    stay = f"{words.stories(left)} {'is' if left == 1 else 'are'} left in it"
    return f"It is out of issue {coming} until it is approved again; {stay}."


def _carried(press: Press, number: int) -> str:
    issue = press.ledger.issue(press.edition, number)
    if issue and issue.started_at is None:
        return f"Issue {number} is frozen with the text that was approved: it goes out as it was."
    return f"Issue {number} carried it with the text that was approved; the next issue is as it was."
