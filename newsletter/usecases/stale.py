"""issue, library | what was edited since the issue froze it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from newsletter.errors import Problem
from newsletter.model import Issue, IssueState, Library, Story

FROZEN = frozenset({IssueState.READY, IssueState.HELD})
"""Its text is what will be mailed, and nobody has it yet."""


def edited(issue: Issue, library: Library) -> tuple[Story, ...]:
    """Stories of an issue whose post has another text by now: the issue keeps the one that was frozen."""
    now = {post.id: post.content_hash for post in (*library.posts, *library.in_review, *library.withdrawn)}
    return tuple(story for story in issue.stories if now.get(story.post_id) != story.content_hash)


def stale(issues: Sequence[Issue], library: Library) -> list[Problem]:
    """I342, a warning for each post that was edited after an issue, not mailed yet, had frozen it."""
    frozen = [issue for issue in issues if issue.state in FROZEN]
    paths = {post.id: str(post.path) for post in (*library.posts, *library.in_review, *library.withdrawn)}
    return [
        Problem(
            "I342",
            f"{story.title} {_became(story, paths)} after issue {issue.name} had frozen it",
            paths.get(story.post_id, "posts/"),
            why=f"The edit changes nothing in issue {issue.name}, which is {issue.state.value}.",
            fixes=(f"newsletter issue unready {issue.name}   thaws it, to take the edit in",),
            level="warn",
        )
        for issue in frozen
        for story in edited(issue, library)
    ]


def _became(story: Story, known: Collection[str]) -> str:
    return "was edited" if story.post_id in known else "was deleted"
