"""posts | whose approval is of another text | what changed, and what that does to the next issue | a Notice of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from newsletter import words
from newsletter.content.library import Loaded
from newsletter.issues import notice as wording
from newsletter.model import WEEKLY, Notice, NoticeKind, Post, Slot
from newsletter.ports import Ledger, Notices, Reviews, Versions
from newsletter.usecases.choose import Press, choose
from newsletter.usecases.prepare import next_number
from newsletter.usecases.review import lines_changed


def lost(
    loaded: Loaded,
    *,
    press: Press,
    slot: Slot,
    reviews: Reviews,
    versions: Versions,
    notices: Notices,
    text_of: Callable[[Post], str],
) -> Iterator[Notice]:
    """A Notice of each post that was edited after it was approved; once for each approval, however often it is saved.

    `text_of` gives the source of a post. Raises ConfigError for a faulty `reviews.toml`.
    """
    if not press.site.review:
        return
    signed: dict[str, list[str]] = {}
    for approval in reviews.all():
        signed.setdefault(approval.post_id, []).append(approval.content_hash)
    for post in loaded.posts:
        hashes = signed.get(post.id, [])
        if not hashes or post.content_hash in hashes or post.draft or post.withdrawal:
            continue
        told = notices.about(NoticeKind.EDITED, f"post {post.slug}")
        if any(hashes[-1] in one.key for one in told):
            continue
        lines = _changed(post, hashes, versions, text_of)
        effect = _effect(post, press)
        yield wording.edited(post, hashes[-1], lines, effect, press.now, press.site, slot)


def _changed(post: Post, hashes: list[str], versions: Versions, text_of: Callable[[Post], str]) -> tuple[str, ...]:
    known = [version for version in versions.of(post.id) if version.content_hash in hashes]
    return lines_changed(known[-1].text, text_of(post)) if known else ()


def _effect(post: Post, press: Press) -> str:
    """What an edit does to the issue that comes next, in a sentence or two."""
    number = press.ledger.carried(WEEKLY).get(post.id)
    if number is not None:
        return _carried(press.ledger, number)
    selection = choose(press)
    if not any(choice.post.id == post.id for choice in selection.waiting):
        return "It is in no issue to come, and changes none."
    coming = next_number(press.ledger.issues(WEEKLY))
    left = len(selection.stories)
    if left < max(1, selection.at_least):
        return f"It is out of issue {coming} until it is approved again; without it there is no issue."
    stay = f"{words.stories(left)} {'is' if left == 1 else 'are'} left in it"
    return f"It is out of issue {coming} until it is approved again; {stay}."


def _carried(ledger: Ledger, number: int) -> str:
    issue = ledger.issue(WEEKLY, number)
    if issue and issue.started_at is None:
        return f"Issue {number} is frozen with the text that was approved: it goes out as it was."
    return f"Issue {number} carried it with the text that was approved; the next issue is as it was."
