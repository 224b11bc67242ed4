"""Who gets it. Its parts are a module each, in the order of a reader's life; `rolls` is what they share.

Each change is one transaction with its line of consent, the letter it calls for, and the dropping of what waits.
"""

from __future__ import annotations

from newsletter.store.choosing import Choosing
from newsletter.store.enrolment import Enrolment
from newsletter.store.erasure import Erasure
from newsletter.store.leaving import Leaving
from newsletter.store.moving import Moving
from newsletter.store.pausing import Pausing
from newsletter.store.reading import Reading


class SqlRoster(Reading, Enrolment, Choosing, Pausing, Moving, Leaving, Erasure):
    """`ports.Roster` on an SQL database; `ports` says what each method promises. Thread-safe."""
