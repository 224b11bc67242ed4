"""Looking for tags by name. The parser's own search asks each tag a dozen questions, which made up a third of an
import.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from bs4.element import Tag


def every(tree: Tag, names: Container[str]) -> list[Tag]:
    """All tags of these names below `tree`, in the order of the text; the tree may be changed meanwhile."""
    return [tag for tag in tags(tree) if tag.name in names]


def holds(tree: Tag, names: Container[str]) -> bool:
    """Whether there is one of them below `tree`."""
    return any(tag.name in names for tag in tags(tree))


def tags(tree: Tag) -> Iterator[Tag]:
    return (one for one in tree.descendants if isinstance(one, Tag))
