"""an issue, made already or not | what it says and what the world knows | every problem, and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from newsletter import variants
from newsletter.errors import Problem, stops
from newsletter.issues import digest as digests
from newsletter.issues import measure
from newsletter.issues.measure import Measure
from newsletter.model import Brief, Digest, Issue, IssueState, Library, Post
from newsletter.publish.paths import topic_slug
from newsletter.tongue import tongue_of
from newsletter.usecases.choose import Press, choose, place
from newsletter.usecases.inspect import Specimen, inspected
from newsletter.usecases.prepare import draft_of, next_number, previous_of
from newsletter.usecases.report import issue_named


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks say of one issue."""

    edition: str
    number: int
    state: IssueState
    problems: tuple[Problem, ...]
    digest: Digest | None = None  # None when no story is in
    figures: Measure | None = None
    before: Measure | None = None  # of the issue before it
    last: Issue | None = None  # which that was
    edited: tuple[str, ...] = ()  # titles of stories whose post was edited since the text was frozen


def checked(press: Press, number: int | None) -> Checked:
    """Issue `number`, or the next one as it would go out now. Raises UsageError (I110)."""
    if number is None or number == next_number(press.ledger.issues(press.edition)):
        return _coming(press)
    return frozen(press, issue_named(press.ledger, press.edition, number))


def _coming(press: Press) -> Checked:
    number = next_number(press.ledger.issues(press.edition))
    posts = [choice.post for choice in choose(press).stories]
    if not posts:
        return Checked(press.edition, number, IssueState.DRAFT, ())
    draft = draft_of(press, place(press).slot, posts)
    return _measured(press, Checked(press.edition, number, IssueState.DRAFT, draft.problems, draft.digest), posts)


def frozen(press: Press, issue: Issue) -> Checked:
    """An issue whose text stands: its bytes are looked at again, in the world as it is now."""
    digest, library = press.ledger.digest(press.edition, issue.number), press.library
    posts = [replace(post, title=s.title, slug=s.slug) for s in issue.stories if (post := library.find(s.post_id))]
    gone = tuple(taken_back(issue, library))
    if not posts:
        return Checked(issue.edition, issue.number, issue.state, gone, digest)
    previous = previous_of(press.ledger.issues(press.edition), issue.number)
    view = digests.view(
        press.site,
        press.cadence,
        library,
        posts,
        number=issue.number,
        slot=issue.slot,
        carried=press.ledger.carried(press.edition),
        previous=previous,
        brief=Brief(issue.subject, issue.preheader, issue.note),
        topic_key=topic_slug,
    )
    approved = {post.id for post in posts}  # when it was frozen; an edit since then changes nothing in it
    specimen = Specimen(issue.number, issue.slot, posts, digest, view, previous, approved)
    problems = inspected(specimen, press.site, press.inspection, gone)
    one = Checked(issue.edition, issue.number, issue.state, problems, digest, edited=tuple(_edited(issue, library)))
    return _measured(press, one, posts)


def taken_back(issue: Issue, library: Library) -> Iterator[Problem]:
    """I337 for stories that were taken back since the text was frozen."""
    withdrawn = {post.id for post in library.withdrawn}
    for story in issue.stories:
        if story.post_id in withdrawn:
            yield Problem(
                "I337",
                f"“{story.title}” was withdrawn after issue {issue.name} was frozen",
                why="Readers would be sent what the house has taken back.",
                fixes=(
                    f"newsletter issue unready {issue.name}   thaws it, to freeze it without that story",
                    f'newsletter issue cancel {issue.name} --reason "…"   its other stories go into the next one',
                ),
            )


_LOST = frozenset({"I321"})
_UNTESTED = frozenset({"S307", "S329"})


def at_its_start(press: Press, issue: Issue) -> Sequence[Problem]:
    """What stops a frozen issue whose time has come, though nothing did when it was frozen: a page that is linked and
    is not there any more; and of one that no hand sent, that nobody has tested its text.
    """
    found = _LOST if issue.sent_by else _LOST | _UNTESTED
    return [problem for problem in stops(frozen(press, issue).problems) if problem.code in found]


def _edited(issue: Issue, library: Library) -> Iterator[str]:
    for story in issue.stories:
        post = library.find(story.post_id)
        if post and post.content_hash != story.content_hash:
            yield story.title


def _measured(press: Press, one: Checked, posts: Sequence[Post]) -> Checked:
    assert one.digest is not None  # noqa: S101  there are posts
    tongue = tongue_of(press.site)
    figures = measure.measure(variants.whole(one.digest, tongue), len(posts), sum(post.minutes for post in posts))
    last = previous_of(press.ledger.issues(press.edition), one.number)
    if last is None:
        return replace(one, figures=figures)
    digest = variants.whole(press.ledger.digest(press.edition, last.number), tongue)
    before = measure.measure(digest, len(last.stories))
    return replace(one, figures=figures, before=before, last=last)
