"""The mail that brings one reader what they were not sent: the blocks of an issue, with a heading for each story.

It has no number and no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from newsletter import segments, variants, words
from newsletter.issues import view as views
from newsletter.issues.missing import Group
from newsletter.issues.view import DigestView, SectionView, StoryView
from newsletter.model import Library, Post, Segment, SegmentKind, Sentinel, Site
from newsletter.tongue import Tongue, tongue_of


def view(site: Site, library: Library, groups: Sequence[Group], day: date) -> DigestView:
    """The mail of these Posts, at least one; `day` is that on which the reader asked for it, where the site is."""
    tongue, posts = tongue_of(site), [post for group in groups for post in group]
    subject = tongue.many(
        "What you missed in %(publication)s: one story",
        "What you missed in %(publication)s: %(num)s stories",
        len(posts),
        publication=site.title,
    )
    titles = " · ".join(" ".join(post.title.split()) for post in posts)
    counted = variants.tally(tongue, len(posts), sum(post.minutes for post in posts))
    return DigestView(
        **views.of_site(site),
        number=0,
        title=subject,
        label=subject,
        subject=words.shorten(subject, views.SUBJECT_MAX),
        preheader=words.shorten(titles, views.PREHEADER_MAX),
        issue_line=f"{tongue.full_date(day)} · {counted}",
        counted=counted,
        note=(tongue.say("You asked for what you were not sent. Here it is, oldest first; it will not come again."),),
        signed="",
        sections=_sections(site, library, groups, _parts(posts, subject)),
        last_issue=None,
        errata=(),
        issue_url="",
        why=_why(site, tongue),
    )


def _why(site: Site, tongue: Tongue) -> str:
    return tongue.say(
        "You get this one email because you asked for it; %(address)s joined %(publication)s on %(day)s.",
        publication=site.title,
        address=Sentinel.ADDRESS.value,
        day=Sentinel.JOINED.value,
    )


def _parts(posts: Sequence[Post], title: str) -> Mapping[str, Segment]:
    """Each a story of its own, as in an issue; nobody gets this mail without one."""
    return {
        post.id: Segment(f"{segments.STORY}{n}", SegmentKind.STORY, post.id, minutes=post.minutes, title=title)
        for n, post in enumerate(posts, 1)
    }


def _sections(
    site: Site, library: Library, groups: Sequence[Group], parts: Mapping[str, Segment]
) -> tuple[SectionView, ...]:
    """One for each story of several parts, and one for all others. None of them leads."""
    tongue = tongue_of(site)
    divided = [(_heading(tongue, len(group)), group) for group in groups if len(group) > 1]
    others = tuple(post for group in groups if len(group) == 1 for post in group)
    if others:
        divided.append((tongue.say("More stories") if divided else "", others))
    beside = {site.address_of(f"posts/{post.slug}/") for _, group in divided for post in group}
    return tuple(
        SectionView(heading, tuple(_story(site, library, post, parts, 3 if heading else 2, beside) for post in group))
        for heading, group in divided
    )


def _heading(tongue: Tongue, number: int) -> str:
    return tongue.many("One story in %(num)s part", "One story in %(num)s parts", number)


def _story(
    site: Site, library: Library, post: Post, parts: Mapping[str, Segment], level: int, beside: set[str]
) -> StoryView:
    """Without links to earlier parts that stand in this mail themselves."""
    made = views.story(site, library, {}, None, {}, parts, post, level)
    return replace(made, earlier=tuple(one for one in made.earlier if one.url not in beside))
