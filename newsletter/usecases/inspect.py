"""digest, posts | what the world knows of them | every problem: the checks of an issue before anybody gets it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from newsletter import variants
from newsletter.errors import Problem
from newsletter.issues import extremes, leftovers, links, segments, stories, waiving
from newsletter.issues.cadence import edition_of
from newsletter.issues.facts import Facts, Trial, Weight
from newsletter.issues.page import parse
from newsletter.issues.preflight import preflight
from newsletter.issues.view import DigestView, left_to
from newsletter.model import Digest, Issue, Post, Site, Slot, Waiver
from newsletter.publish import checks
from newsletter.publish.checks import Found
from newsletter.publish.paths import FEEDS, HOME, ISSUES, page_file, post_path
from newsletter.tongue import Tongue, tongue_of

Absent = Callable[[Collection[str]], Collection[str]]
"""Of these own addresses, those for which the site has no page and makes none."""


def _none(_: object) -> Sequence[str]:
    return ()


def _no_waiver(_: int) -> Sequence[Waiver]:
    return ()


def not_asked(_: str, *, by_hand: bool) -> Trial:  # noqa: ARG001
    """Nobody looks whether it was tried."""
    return Trial.NOT_ASKED


class Tried(Protocol):
    """How the digest with this hash was tried; what a hand sends is asked for more."""

    def __call__(self, digest_hash: str, /, *, by_hand: bool) -> Trial: ...


@dataclass(frozen=True, slots=True)
class Inspection:
    """Who is asked about the world when an issue is checked."""

    sandbox: bool = False
    absent: Absent = _none
    waivers: Callable[[int], Sequence[Waiver]] = _no_waiver  # of the issue with this number
    tried: Tried = not_asked
    by_hand: bool = False  # whether a person is about to send it
    advice: Sequence[Problem] = ()  # what `check` says of posts
    silent: Mapping[str, str] = field(default_factory=dict)  # addresses of others -> why they do not answer


@dataclass(frozen=True, slots=True)
class Specimen:
    """An issue that is checked, made already or not."""

    number: int
    slot: Slot  # when readers get it
    posts: Sequence[Post]
    digest: Digest
    view: DigestView
    last: Issue | None = None  # the public one before it
    approved: Collection[str] = ()  # ids of posts whose present text was signed off


def inspected(one: Specimen, site: Site, by: Inspection, more: Iterable[Problem] = ()) -> tuple[Problem, ...]:
    """Every Problem of an issue, stops first; `more` are those that were found before."""
    day = one.slot.local.date()
    found = [
        *more,
        *stories.check(one.posts, site, day=day, approved=one.approved, last=one.last),
        *_mail(one, facts(one, site, by), tongue_of(site)),
    ]
    found += _advice(one.posts, by.advice, {problem.code for problem in found})
    told = waiving.applied(dict.fromkeys(found), by.waivers(one.number))
    return tuple(sorted(told, key=lambda problem: problem.level != "stop"))


_EXTREMES = (extremes.LONGEST, extremes.EMPTIEST)


def _mail(one: Specimen, known: Facts, tongue: Tongue) -> Iterator[Problem]:
    """What is said of the longest mail, what else of the usual one and of those with a single story; and of each as
    the readers read it who have the longest words of their own, and the shortest.
    """
    said: set[str] = set()  # codes: the same of two would be told twice, with two weights
    for variant in segments.to_look_at(one.digest):
        seen, view = variants.seen_by(one.digest, variant, tongue), left_to(one.view, variant, one.digest.segments)
        if not view.stories and one.view.stories:
            continue  # its only story was taken back meanwhile, which is told
        found = [_for_some(p, view, one.view) for p in preflight(seen, view, known) if p.code not in said]
        found += (p for own in _EXTREMES for p in leftovers.in_what_is_read(extremes.read_by(seen, own)))
        said |= {problem.code for problem in found}
        yield from found


def _for_some(problem: Problem, view: DigestView, whole: DigestView) -> Problem:
    """A problem that only readers have who get a part of the stories."""
    if len(view.stories) == len(whole.stories):
        return problem
    return replace(problem, message=f"{problem.message}, for who gets only “{view.lead.title}”")


def facts(one: Specimen, site: Site, by: Inspection) -> Facts:
    """What the checks of the mail must know of the world."""
    addresses = {url for _, url in links.in_page(parse(one.digest.html)) if links.is_own(url, site.url)}
    return Facts(
        sandbox=by.sandbox,
        day=one.slot.local.date(),
        absent=frozenset(by.absent(addresses)),
        silent=by.silent,
        weights={url: weight for post in one.posts for url, weight in _weights(post, site)},
        trial=by.tried(one.digest.digest_hash, by_hand=by.by_hand),
        sender=site.sender.address,
        edition=edition_of(one.slot.key),
    )


def _weights(post: Post, site: Site) -> Iterator[tuple[str, Weight]]:
    for picture in post.pictures:
        for one in picture.variants:
            yield site.address_of(f"{post_path(post.slug)}{one.name}"), Weight(len(one.content), one.width)


def _advice(posts: Sequence[Post], advice: Iterable[Problem], said: Collection[str]) -> list[Problem]:
    """What is said of these posts when they are read; `said` are the codes of what was found in the mail.

    A stop keeps a post from being published at all, and is told there.
    """
    files = {str(post.path) for post in posts}
    told = (problem for problem in advice if problem.file in files and problem.level == "warn")
    return [problem for problem in told if _SAME.get(problem.code) not in said]


_SAME: Mapping[str, str] = {"P122": "I324", "P128": "I323"}
"""What is said of a picture in a post, and of the same one in the mail."""


def absent(
    addresses: Collection[str],
    site: Site,
    posts: Iterable[Post],
    pages: Iterable[str],
    would: Callable[[], Collection[str]],
) -> frozenset[str]:
    """Of these own addresses, those that lead to none of these posts and pages, and to no file that a publish makes.

    `would` answers the paths of all files that one would make; it is asked only when need be, for that takes longer.
    """
    known = {str(page_file(path)) for path in (HOME, FEEDS, ISSUES, *(post_path(post.slug) for post in posts))}
    known |= {f"{post_path(post.slug)}{asset.name}" for post in posts for asset in post.assets}
    known |= {str(page_file(path)) for path in pages}
    left = _dead(addresses, known, site)
    return _dead(left, known | set(would()), site) if left else left


def _dead(addresses: Collection[str], known: set[str], site: Site) -> frozenset[str]:
    return frozenset(url for url in addresses if checks.leading_nowhere(Found("", 0, url), known, site))
