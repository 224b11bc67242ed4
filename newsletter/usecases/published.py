"""What a publish did, for those who ask without publishing."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.errors import Problem
from newsletter.model import Changes


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did."""

    changes: Changes
    posts: int
    issues: int
    feeds: int
    files: int
    remarks: tuple[Problem, ...] = ()  # what failed without holding the publish up
