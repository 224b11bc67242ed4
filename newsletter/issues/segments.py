"""Which parts of an Issue not every reader gets, and which variants stand for all that there are.

A story is for readers who were not sent it before and want one of its topics; a recap for readers who were never sent
the earlier part of a story; an erratum for readers who were sent a Post as it was before a Correction. Who that is, the
ledger says when the audience is fixed. A Correction is known by its place among those of its Post, so that one whose
words are changed is not told twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter import segments, variants, words
from newsletter.model import Correction, Digest, Issue, Library, Post, Segment, SegmentKind, Site

RECAP_WORDS = 30


@dataclass(frozen=True, slots=True)
class Erratum:
    """A Correction that readers who have the wrong version are still to be told."""

    post: Post
    number: int  # from 1, among the Post's Corrections
    issue: Issue  # that carried the wrong version

    @property
    def correction(self) -> Correction:
        return self.post.corrections[self.number - 1]


def errata(library: Library, issues: Sequence[Issue], told: Mapping[str, int]) -> tuple[Erratum, ...]:
    """Those of approved Posts that an Issue which was sent has carried, oldest first.

    `told` says how many Corrections of a Post an Issue has told already.
    """
    found = (one for post in library.posts if post.corrections for one in _pending(post, library, issues, told))
    return tuple(sorted(found, key=lambda one: (one.correction.day, one.post.id, one.number)))


def _pending(post: Post, library: Library, issues: Sequence[Issue], told: Mapping[str, int]) -> Iterator[Erratum]:
    if post.id not in library.approved:
        return
    for issue in reversed(issues):
        story = next((one for one in issue.stories if one.post_id == post.id), None)
        if story and issue.started_at:
            known = max(story.corrections, told.get(post.id, 0))
            yield from (Erratum(post, number, issue) for number in range(known + 1, len(post.corrections) + 1))
            return


def earlier_part(library: Library, post: Post, beside: Collection[str], carried: Mapping[str, int]) -> Post | None:
    """The nearest earlier Post of the Chain that an Issue has carried; None when a nearer one is in this Issue.

    `beside` has the ids of all Posts of this Issue.
    """
    chain = library.chains.get(post.id)
    for post_id in chain.before(post.id) if chain else ():
        if post_id in beside:
            return None
        if post_id in carried:
            return library.find(post_id)
    return None


@dataclass(frozen=True, slots=True)
class Marked:
    """What stands between two marks of a body."""

    segment: Segment

    @property
    def begin(self) -> str:
        return segments.begin(self.segment.key)

    @property
    def end(self) -> str:
        return segments.END


@dataclass(frozen=True, slots=True)
class RecapView(Marked):
    """The earlier part of a story in two lines."""

    title: str
    url: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ErratumView(Marked):
    """What was wrong in a story of an earlier issue."""

    opening: str  # "Last week we got something wrong in"
    title: str
    url: str
    text: str


def recaps(
    site: Site, library: Library, stories: Sequence[Post], carried: Mapping[str, int]
) -> Mapping[str, RecapView]:
    """Those of the stories that go on from something which was mailed, by the ids of their Posts."""
    beside = {post.id for post in stories}
    found = {post.id: earlier_part(library, post, beside, carried) for post in stories}
    return {post_id: _recap(site, n, part) for n, (post_id, part) in enumerate(found.items(), 1) if part}


def _recap(site: Site, position: int, earlier: Post) -> RecapView:
    segment = Segment(f"{SegmentKind.RECAP.value}:{position}", SegmentKind.RECAP, earlier.id)
    sentence = words.first_words(words.first_sentence(earlier.summary), RECAP_WORDS)
    return RecapView(segment, " ".join(earlier.title.split()), _url(site, earlier), sentence)


def erratum(site: Site, position: int, one: Erratum, opening: str) -> ErratumView:
    """The erratum at this position, from 1; `opening` says which issue was wrong, up to the title."""
    segment = Segment(f"{SegmentKind.ERRATUM.value}:{position}", SegmentKind.ERRATUM, one.post.id, one.number)
    return ErratumView(segment, opening, " ".join(one.post.title.split()), _url(site, one.post), one.correction.text)


def _url(site: Site, post: Post) -> str:
    return site.address_of(f"posts/{post.slug}/")


def to_look_at(digest: Digest) -> list[tuple[str, ...]]:
    """The longest variant, the usual one, and each story alone with its recap: what stands in any reader's mail stands
    in one of these as it stands there.
    """
    every, stories = variants.optional(digest), variants.in_place(digest.segments)
    alone = (_alone(one, stories, every) for one in stories) if len(stories) > 1 else ()
    return list(dict.fromkeys([every, (), *alone]))


def _alone(one: Segment, stories: Sequence[Segment], every: Sequence[str]) -> tuple[str, ...]:
    recap = f"{SegmentKind.RECAP.value}:{one.key.partition(':')[2]}"
    return tuple(sorted([*(other.key for other in stories if other is not one), *({recap} & set(every))]))
