"""What the checks of an Issue must know beyond its bytes: gathered before they run, so that they ask nobody.

A field that says nothing (None, empty) was not asked about; then nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from newsletter.model import WEEKLY


@dataclass(frozen=True, slots=True)
class Weight:
    """How heavy a picture is that a mail shows."""

    octets: int
    width: int  # pixels


class Trial(Enum):
    """How the mail was tried on people of the house before readers get it."""

    NOT_ASKED = "not asked"
    NOBODY = "nobody"  # whom a test could go to is named
    NEVER = "never"  # no mail from this From address was ever accepted
    OTHER = "other"  # one was, with another text, or too long ago
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Facts:
    """The world around one Issue, as it is when its checks run."""

    sandbox: bool = False
    day: date | None = None  # on which readers get it
    absent: frozenset[str] = frozenset()  # own addresses for which the site has no page
    silent: Mapping[str, str] = field(default_factory=dict)  # addresses of others that do not answer -> why
    weights: Mapping[str, Weight] = field(default_factory=dict)  # of pictures, by address
    trial: Trial = Trial.NOT_ASKED
    sender: str = ""  # From
    edition: str = WEEKLY

    @property
    def outside(self) -> str:
        """The level of what speaks of the world outside: in the sandbox nobody is reached."""
        return "warn" if self.sandbox else "stop"
