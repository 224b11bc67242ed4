"""The ledger: the only thing that knows what has been done. Its parts are a module each, in the order of a life."""

from __future__ import annotations

from newsletter.store.acts import Acts
from newsletter.store.again import Again
from newsletter.store.audience import Audience
from newsletter.store.database import Database
from newsletter.store.debts import Debts
from newsletter.store.handover import HandOver
from newsletter.store.issues import Issues
from newsletter.store.lifecycle import Lifecycle
from newsletter.store.log import Log
from newsletter.store.recovery import Recovery
from newsletter.store.rolls import Fingerprint
from newsletter.store.rows import Wake
from newsletter.store.slots import Slots
from newsletter.store.variants import Variants


class SqlLedger(Slots, Issues, Lifecycle, Audience, Variants, HandOver, Recovery, Debts, Again, Acts, Log):
    """`ports.Ledger` on an SQL database; `ports` says what each method promises. Thread-safe."""

    def __init__(self, database: Database, fingerprint: Fingerprint | None = None, wake: Wake | None = None) -> None:
        """Without a `fingerprint` nobody can be suppressed: readers without a mailbox stay as they are.

        `wake` is told of the chunks of an issue by the very commit that lets it go.
        """
        super().__init__(database)
        self._fingerprint = fingerprint
        self._wake = wake
