"""A mail that mail programs would clip says less, until it fits: no story is lost, and what was cut is told.

The steps, each with all before it: whole texts become summaries, from the last story to the lead; summaries after the
lead's are shortened; in an issue of more than thirty stories the list of contents goes, then story after story, from
the last, becomes one of the linked titles at the end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from jinja2 import Environment

from newsletter import words
from newsletter.errors import Problem
from newsletter.issues import budget, digest
from newsletter.issues.view import SUMMARY_WORDS, DigestView, SectionView, StoryView
from newsletter.model import Digest

SHORTER = (45, 30, 20)
"""Words of a summary, step by step."""

TAIL_ABOVE = 30
"""Stories, above which an issue may end in a list of titles."""

_SHOWN = 10  # stories that are never only a title


@dataclass(frozen=True, slots=True)
class Cut:
    """How much of everything a mail says."""

    whole: int  # stories, from the lead on, with their whole text
    words: int = SUMMARY_WORDS  # of a summary after the lead's
    contents: bool = True
    shown: int | None = None  # stories that are more than a title; None for all


@dataclass(frozen=True, slots=True)
class Fitted:
    """The Digest that is sent, the view that it was made from, and what was cut."""

    view: DigestView
    digest: Digest
    problems: tuple[Problem, ...] = ()


def fitted(view: DigestView, templates: Environment) -> Fitted:
    """The Digest of a view, or of the fullest view that is not too heavy (I349 tells). When even the last step is,
    the Digest of that step. Raises ConfigError as `digest.render` does.
    """
    made = digest.render(view, templates)
    octets = budget.size(made)
    if octets <= budget.STOP_ABOVE:
        return Fitted(view, made)
    cut = _first_that_fits(_Scales(view, templates), cuts(view), octets)
    shorter = less(view, cut)
    return Fitted(shorter, digest.render(shorter, templates), (_told(view, cut, octets),))


@dataclass(frozen=True, slots=True)
class _Scales:
    """What a view weighs once something was cut."""

    view: DigestView
    templates: Environment

    def page(self, cut: Cut) -> int:
        """Octets before the styles are on the elements: quickly known, and a measure of what they will be."""
        return len(digest.unjoined(less(self.view, cut), self.templates)[0].encode())

    def mail(self, cut: Cut) -> int:
        return budget.size(digest.inlined(less(self.view, cut), self.templates))


def _first_that_fits(scales: _Scales, steps: list[Cut], octets: int) -> Cut:
    """The first of the steps; the last when none does. `octets` is the weight with nothing cut.

    Pages of one issue grow by much the same share when they are inlined, so the place is guessed from the pages, and
    only a guess and its neighbours are inlined.
    """
    nothing = Cut(len(scales.view.stories))
    share = octets / scales.page(nothing)
    too_heavy, fits = -1, len(steps) - 1
    while fits - too_heavy > 1:
        room = budget.STOP_ABOVE / share
        guess = bisect_left(steps, True, too_heavy + 1, fits, key=lambda cut: scales.page(cut) <= room)
        guess = min(guess, fits - 1)
        weight = scales.mail(steps[guess])
        share = weight / scales.page(steps[guess])
        too_heavy, fits = (too_heavy, guess) if weight <= budget.STOP_ABOVE else (guess, fits)
    return steps[fits]


def cuts(view: DigestView) -> list[Cut]:
    """The steps for this view, each lighter than the one before."""
    return list(_cuts(len(view.stories), full=any(story.body_html for story in view.stories)))


def _cuts(stories: int, *, full: bool) -> Iterator[Cut]:
    if full:
        yield from (Cut(whole) for whole in reversed(range(stories)))
    yield from (Cut(0, words) for words in SHORTER)
    if stories > TAIL_ABOVE:
        yield Cut(0, SHORTER[-1], contents=False)
        yield from (Cut(0, SHORTER[-1], contents=False, shown=n) for n in reversed(range(_SHOWN, stories)))


def less(view: DigestView, cut: Cut) -> DigestView:
    """The view with what the cut leaves."""
    shown = len(view.stories) if cut.shown is None else cut.shown
    left = iter([_less(story, cut, place) for place, story in enumerate(view.stories[:shown])])
    sections = [SectionView(s.heading, tuple(islice(left, len(s.stories)))) for s in view.sections]
    return replace(
        view,
        sections=tuple(section for section in sections if section.stories),
        tail=view.stories[shown:],
        lists_contents=cut.contents,
    )


def _less(story: StoryView, cut: Cut, place: int) -> StoryView:
    if place < cut.whole:
        return story
    summary = story.summary if story.lead else words.first_words(story.summary, cut.words)
    return replace(story, summary=summary, body_html="", body_text="")


def _told(view: DigestView, cut: Cut, octets: int) -> Problem:
    number = len(view.stories)
    parts = []
    if any(story.body_html for story in view.stories):
        parts.append(f"{number - cut.whole} of {words.stories(number)} show their summary instead of all their text")
    if any(one.summary != whole.summary for one, whole in zip(less(view, cut).stories, view.stories, strict=True)):
        parts.append(f"summaries end after {cut.words} words")
    if not cut.contents:
        parts.append("there is no list of contents")
    if cut.shown is not None:
        parts.append(f"the last {number - cut.shown} stories are linked titles")
    return Problem(
        "I349",
        f"The mail would have {octets / 1000:.1f} kB, so it was cut: {'; '.join(parts)}",
        why="Mail programs clip a mail at about 102 kB, and the unsubscribe link is at its end. Every story is in it.",
        fixes=(
            "leave stories for the next issue: newsletter issue plan --leave-out SLUG",
            "at_most = 30 under [issue] in newsletter.toml",
        ),
        level="warn",
    )
