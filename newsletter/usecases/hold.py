"""token | which slot, who | what it sends | held, or let go: what the link of a preview can do.

Looking changes nothing. A slot whose issue is not made yet is held by a plan; an issue that is made, by its own turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from newsletter import words
from newsletter.errors import NewsletterError
from newsletter.issues import cadence as cadences
from newsletter.model import WEEKLY, Cadence, Hand, Issue, IssueState, Site, Slot
from newsletter.ports import Clock, Ledger
from newsletter.readers.tokens import Tokens
