"""What one reader gets of a Digest: which variant is theirs, and what a mail says about the stories in it.

A variant is the keys of what departs from the usual, sorted: stories that are left out, parts that are shown beyond
what everybody gets, and `plain` for the text part alone. So for most readers of most issues it is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from newsletter import segments, words
from newsletter.model import Digest, Segment, SegmentKind, Tally
from newsletter.segments import STORY
from newsletter.tongue import Tongue

PLAIN = "plain"
"""In a variant: the text part alone."""

NO_TOPIC, HAD_ALL = "no-topic", "had-all"
"""Why a reader is sent nothing of an issue: no story is of a topic that they want, or all have come to them before."""


def variant_for(
    parts: Sequence[Segment], had: Mapping[str, int], without: Collection[str] = (), *, plain: bool = False
) -> tuple[str, ...]:
    """The variant of a reader who was sent these Posts (post id -> Corrections that the text told of) and does not want
    these topics, in the order in which it is kept.
    """
    left = {place(one): one.key for one in in_place(parts) if not one.concerns(had, without)}
    more = (one for one in parts if one.kind is not SegmentKind.STORY and one.concerns(had, without))
    shown = (one.key for one in more if one.kind is not SegmentKind.RECAP or place(one) not in left)
    return tuple(sorted([*left.values(), *shown, *([PLAIN] if plain else [])]))


def why_nothing(parts: Sequence[Segment], had: Mapping[str, int], without: Collection[str] = ()) -> str:
    """NO_TOPIC or HAD_ALL where no story is left for such a reader; empty where one is, or none was marked."""
    stories = in_place(parts)
    if not stories or any(one.concerns(had, without) for one in stories):
        return ""
    return HAD_ALL if all(one.post_id in had for one in stories) else NO_TOPIC


def is_empty(parts: Sequence[Segment], variant: Collection[str]) -> bool:
    """Whether a reader with this variant gets no story."""
    stories = in_place(parts)
    return bool(stories) and all(one.key in variant for one in stories)


def in_words(variant: Collection[str], titles: Mapping[str, str]) -> str:
    """`without “Two desks”, with recap:1, as text alone`, for editors; `titles` are those of stories, by key."""
    told = (_in_words(key, titles.get(key, "")) for key in variant)
    return ", ".join(told) or "what everybody gets"


def _in_words(key: str, title: str) -> str:
    if key == PLAIN:
        return "as text alone"
    if not key.startswith(STORY):
        return f"with {key}"
    return f"without “{title}”" if title else f"without {key}"


def why(reason: str) -> str:
    """The reason of a reader who is sent nothing, in words that go on after who it is."""
    told = {NO_TOPIC: "wants none of its topics", HAD_ALL: "was sent all of it before"}
    return told.get(reason, reason)


def optional(digest: Digest) -> tuple[str, ...]:
    """The variant with every part that only some readers get, and with no story left out."""
    return tuple(sorted(one.key for one in digest.segments if one.kind is not SegmentKind.STORY))


@dataclass(frozen=True, slots=True)
class Told:
    """The subject, and all that stands in a body, as one variant has it."""

    subject: str
    preheader: str
    tallies: Mapping[Tally, str]


def told(digest: Digest, variant: Collection[str], tongue: Tongue) -> Told:
    """What is true of the stories that a reader with this variant gets.

    An editor's own subject and preheader speak of the whole issue: whoever does not get all of it reads the title of
    the first story that they get, and its summary.
    """
    every = in_place(digest.segments)
    got = [one for one in every if one.key not in variant] or every
    if not got:  # a digest of the days before stories were segments
        return Told(digest.subject, digest.preheader, dict.fromkeys(Tally, ""))
    first, is_whole = got[0], len(got) == len(every)
    preheader = digest.preheader if is_whole else first.preheader
    tallies = {
        Tally.STORIES: tally(tongue, len(got), sum(one.minutes for one in got)),
        Tally.PREHEADER: preheader,
        Tally.TITLE: first.title,
    }
    return Told(digest.subject if is_whole else first.subject, preheader, tallies)


def in_place(parts: Sequence[Segment]) -> list[Segment]:
    """Those that are stories, from first to last."""
    stories = (one for one in parts if one.kind is SegmentKind.STORY)
    return sorted(stories, key=place)


def place(part: Segment) -> int:
    """Of a story, or of that which a recap is about; from 1."""
    return int(part.key.partition(":")[2])


def tally(tongue: Tongue, stories: int, minutes: int) -> str:
    """`5 stories · 38 min`."""
    return f"{words.unbroken(tongue.stories(stories))} · {tongue.minutes(minutes)}"


def in_text(tallies: Mapping[Tally, str]) -> Mapping[Tally, str]:
    """As the text part writes them: with plain spaces."""
    return {name: words.with_spaces(value) for name, value in tallies.items()}


def in_html(tallies: Mapping[Tally, str]) -> Mapping[Tally, str]:
    """As they stand between tags."""
    return {name: escape(value, quote=False) for name, value in tallies.items()}


def seen_by(digest: Digest, variant: Collection[str], tongue: Tongue) -> Digest:
    """The Digest as readers with this variant get it."""
    said = told(digest, variant, tongue)
    return replace(
        digest,
        subject=said.subject,
        preheader=said.preheader,
        html=segments.cut(digest.html, variant, in_html(said.tallies)),
        text=segments.cut(digest.text, variant, in_text(said.tallies)),
        segments=tuple(one for one in digest.segments if segments.goes_to(variant, one.key)),
    )


def whole(digest: Digest, tongue: Tongue) -> Digest:
    """The longest that a reader may get."""
    return seen_by(digest, optional(digest), tongue)
