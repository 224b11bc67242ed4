"""The composition root: a Config becomes the use cases, wired. The only module that builds the world.

Edges are built when first asked for, so that a command pays only for what it touches, and closed together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from newsletter.config import Config
from newsletter.errors import Problem, UsageError, nearest
from newsletter.model import WEEKLY, Issue, Library, Person, Slot
from newsletter.ports import Clock, Ledger, Output, Reviews, Roster, Sources, Transport

if TYPE_CHECKING:
    from jinja2 import Environment

    from newsletter.content.library import Loaded
    from newsletter.delivery.progress import Progress
    from newsletter.readers.tokens import Tokens
    from newsletter.store.database import Database
    from newsletter.store.keys import Keys
    from newsletter.store.lock import SenderLock
    from newsletter.usecases.choose import Press
    from newsletter.usecases.deliver import Delivered
    from newsletter.usecases.enroll import Unsubscribe
    from newsletter.usecases.publish import Published

# Imports of rooms stand inside the properties on purpose: `publish` must not load the mail room, nor `status` lxml.


class App:
    """One site's world."""

    def __init__(self, config: Config) -> None:
        self.config = config

    # -- edges

    @cached_property
    def sources(self) -> Sources:
        from newsletter.content.source import Folder

        return Folder(self.config.root)

    @cached_property
    def output(self) -> Output:
        from newsletter.publish.output import Folder

        return Folder(self.config.output)

    @cached_property
    def reviews(self) -> Reviews:
        from newsletter.store.reviews import ReviewsFile

        return ReviewsFile(self.config.root / "reviews.toml")

    @cached_property
    def templates(self) -> Environment:
        from newsletter.templates import environment

        return environment(self.config.root / "templates")

    @cached_property
    def database(self) -> Database:
        from newsletter.store.database import open_database

        return open_database(self.config.database)

    @cached_property
    def ledger(self) -> Ledger:
        from newsletter.store.ledger import SqlLedger

        return SqlLedger(self.database)

    @cached_property
    def roster(self) -> Roster:
        from newsletter.store.roster import SqlRoster

        return SqlRoster(self.database)

    @cached_property
    def keys(self) -> Keys:
        from newsletter.store.keys import load_keys

        return load_keys(self.config.keys_file)

    @cached_property
    def tokens(self) -> Tokens:
        from newsletter.readers.tokens import Tokens

        return Tokens(self.keys.tokens)

    @cached_property
    def lock(self) -> SenderLock:
        from newsletter.store.lock import SenderLock

        return SenderLock(self.config.state / "sender.lock")

    @cached_property
    def transport(self) -> Transport:
        mail = self.config.mail
        if mail.sandbox:
            from newsletter.delivery.outbox import Outbox

            return Outbox(self.config.state / "outbox")
        from newsletter.delivery.smtp import SmtpSettings, SmtpTransport

        return SmtpTransport(
            SmtpSettings(
                host=mail.host,
                port=mail.port,
                tls=mail.tls,
                user=mail.user,
                password=mail.password,
                local_hostname=self.config.site.sender.address.rpartition("@")[2],
                ca_file=mail.ca_file,
            )
        )

    def close(self) -> None:
        """Let go of what was opened."""
        if "lock" in self.__dict__:
            self.lock.release()
        if "database" in self.__dict__:
            self.database.close()

    # -- the verbs

    def person(self, key: str) -> Person:
        """The person of a key. Raises UsageError (C210) with the nearest one."""
        people = self.config.site.people
        if key not in people:
            guess = nearest(key, people)
            known = ", ".join(sorted(people)) or "nobody yet"
            raise UsageError(
                Problem(
                    "C210",
                    f"There is no person {key} under [people]",
                    file="newsletter.toml",
                    why=f"Known: {known}.",
                    fixes=(f"Did you mean {guess}?",) if guess else (f"Add [people.{key}] with a name.",),
                )
            )
        return people[key]

    def loaded(self, now: datetime) -> Loaded:
        """All posts, with every problem."""
        from newsletter.usecases.check import check

        return check(sources=self.sources, reviews=self.reviews, site=self.config.site, now=now)

    def library(self, now: datetime) -> Library:
        """The public posts. Raises SourceErrors."""
        from newsletter.usecases.check import library_of

        return library_of(self.loaded(now))

    def issues(self) -> Sequence[Issue]:
        """The issues so far; a site that never mailed has no state and gets none for asking."""
        return self.ledger.issues(WEEKLY) if self._has_state else ()

    @property
    def _has_state(self) -> bool:
        return (self.config.state / "newsletter.sqlite3").exists()

    def next_slot(self, now: datetime) -> Slot:
        """The next slot that no issue has taken."""
        from newsletter.usecases.choose import free_slot

        return free_slot(self.config.cadence, self.ledger.slots(WEEKLY) if self._has_state else (), now)

    def write_post(self, path: PurePosixPath, text: str) -> None:
        """Make a new file in `posts/`. Raises Refused when it is there already."""
        self.sources.write_new(path, text)

    def publish(self, library: Library, now: datetime, *, dry_run: bool = False) -> Published:
        """Build the output folder. Raises SourceErrors, Outside."""
        from newsletter.usecases.publish import publish

        return publish(
            library=library,
            issues=self.issues(),
            output=self.output,
            site=self.config.site,
            templates=self.templates,
            next_slot=self.next_slot(now),
            now=now,
            dry_run=dry_run,
        )

    def press(self, library: Library, now: datetime) -> Press:
        """What making an issue needs."""
        from newsletter.usecases.choose import Press

        return Press(
            library=library,
            ledger=self.ledger,
            cadence=self.config.cadence,
            site=self.config.site,
            templates=self.templates,
            sandbox=self.config.mail.sandbox,
            now=now,
        )

    def recover(self, now: datetime) -> int:
        """After taking the sender lock: settle what a crash left. How many deliveries became uncertain."""
        return self.ledger.recover(now=now, resend=self.config.mail.after_crash == "resend")

    def deliver(
        self, *, clock: Clock, stop: threading.Event, progress: Callable[[Progress], None] | None = None
    ) -> Delivered:
        """One round of handing out; the caller holds the lock. Raises SourceErrors, Outside."""
        from newsletter.delivery.engine import drain
        from newsletter.usecases.deliver import Composer, deliver

        composer = Composer(
            ledger=self.ledger,
            site=self.config.site,
            unsubscribe_url=self.unsubscribe_url,
            message_id_key=self.keys.message_id,
        )
        return deliver(
            ledger=self.ledger,
            publish=lambda: self.publish(self.library(clock()), clock()),
            drain=lambda: drain(
                self.ledger,
                self.transport,
                composer.compose,
                clock=clock,
                connections=self.config.mail.connections,
                stop=stop,
                progress=progress,
                after_crash=self.config.mail.after_crash,
            ),
            clock=clock,
            late_limit=self.config.cadence.late_limit,
        )

    def unsubscribe_url(self, subscriber_id: int, version: int) -> str:
        return f"{self.config.site.web_url}/u/{self.tokens.unsubscribe(subscriber_id, version)}"

    def unsubscribe(self, clock: Clock) -> Unsubscribe:
        """What the link in a mail can do."""
        from newsletter.usecases.enroll import Unsubscribe

        return Unsubscribe(self.roster, self.tokens, clock)
