"""What an export says, whatever program wrote it.

Promises values without markup of the export itself: texts, aware dates, HTML of the body as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Byline:
    """Who wrote it, as far as the export tells; any of the three may be empty."""

    name: str
    key: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One post as the old program had it."""

    id: str
    title: str
    html: str
    published: datetime | None
    link: str = ""  # its address at the old site
    slug: str = ""
    updated: datetime | None = None
    author: Byline | None = None
    topics: tuple[str, ...] = ()
    excerpt: str = ""  # HTML, or plain text with nothing that looks like it
    held: str = ""  # why nobody but its writer could read it; empty when it was public
    image: str = ""  # address of the lead picture
    image_alt: str = ""
    attachment: str = ""  # the number of the Attachment that is the lead picture
    loose: bool = False  # lines of text without tags are paragraphs, as WordPress shows them
    line: int = 0  # where it begins in the file; 0 when unknown


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the old program kept apart from the posts that show it."""

    number: str
    url: str
    words: str  # what it shows


@dataclass(frozen=True, slots=True)
class Other:
    """What stands in the export and is no post."""

    kind: str  # page, attachment, revision …
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where the old site stood, and what wrote the file."""

    url: str
    program: str


Piece = Arrival | Attachment | Other | Home
"""What the readers of this package give, in the order of the file; Home first."""
