"""The edges of one site: disk, database, mail server and the web outside, built from its Config.

Each is built when first asked for, so that a command pays only for what it touches, and all are closed together. The
only module that keeps them open; `app` hands them to the use cases.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import FILE_NAME, Config, MailServer
from newsletter.errors import NewsletterError, Refused
from newsletter.ports import (
    Backups,
    Briefs,
    Cache,
    Caller,
    Hosting,
    Hubs,
    Imports,
    Instance,
    Ledger,
    Letters,
    Notices,
    Output,
    Proofs,
    Rates,
    Redirects,
    Reviews,
    Roster,
    Sources,
    Throttle,
    Transport,
    Versions,
    Waivers,
    Workers,
)
from newsletter.program import version
from newsletter.spread import spread

if TYPE_CHECKING:
    from jinja2 import Environment
    from sqlalchemy import Connection

    from newsletter.delivery.breaker import Breaker
    from newsletter.delivery.circuit import Outs, Relay
    from newsletter.delivery.outbox import Outbox
    from newsletter.outside.client import Client as OutsideClient
    from newsletter.publish.album import Album
    from newsletter.publish.deploy import Deploy
    from newsletter.publish.search.index import SearchIndex
    from newsletter.readers.tokens import Tokens
    from newsletter.store.database import Database
    from newsletter.store.keys import Keys
    from newsletter.store.lock import SenderLock
    from newsletter.store.mailed import MailedPictures
    from newsletter.store.serverlock import ServerLock
    from newsletter.store.settings import SettingsFile

# Imports of rooms stand inside the properties on purpose: `publish` must not load the mail room, nor `status` lxml.

INSTANCE = "instance.toml"
"""In the state folder, what a copy of it cannot carry along."""


def restored(file: Path, path: Path, *, dry_run: bool) -> Mapping[str, int]:
    """Make a site of a backup; what it holds. Raises Refused (C533), Outside (C531, C532)."""
    from newsletter.store.backup import restore

    return restore(file, path, dry_run=dry_run)


class Edges:
    """What one site touches."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def sources(self) -> Sources:
        from newsletter.content.source import Folder

        return Folder(self.config.root)

    @cached_property
    def output(self) -> Output:
        from newsletter.publish.output import Folder

        return Folder(self.config.output, self.cache, spread, standby=self.config.state / "cache" / "standby")

    @cached_property
    def cache(self) -> Cache:
        """What an earlier run of this program worked out for this site."""
        from newsletter.store.cache import DiskCache

        return DiskCache(self.config.state / "cache", f"{version()} {self.config.site!r}")

    @cached_property
    def search(self) -> SearchIndex:
        from newsletter.publish.search.index import SearchIndex

        return SearchIndex(self.config.state / "search.sqlite3")

    @cached_property
    def album(self) -> Album:
        from newsletter.publish.album import Album

        return Album(self.config.state / "cache" / "pictures")

    @cached_property
    def mailed_pictures(self) -> MailedPictures:
        from newsletter.store.mailed import MailedPictures

        return MailedPictures(self.config.state / "mailed")

    @cached_property
    def hubs(self) -> Hubs:
        from newsletter.publish.websub import Hubs

        return Hubs(self.config.site, self.config.output, self.config.state, self._anywhere)

    @cached_property
    def _anywhere(self) -> OutsideClient:
        """For what stands in newsletter.toml: like the mail server it may be on this machine and at any port."""
        from newsletter.outside.client import Client

        return Client(ports=range(1, 65536), may_call=lambda _address: True)

    @property
    def caller(self) -> Caller:
        """The web outside, for webhook and heartbeat."""
        return self._anywhere

    @cached_property
    def deploy(self) -> Deploy | None:
        """The command after a publish, if there is one."""
        from newsletter.publish.deploy import Deploy

        config = self.config
        mark = config.state / "deployed"
        return Deploy(config.after, config.root, config.output, mark) if config.after else None

    @cached_property
    def redirects(self) -> Redirects:
        from newsletter.store.redirects import RedirectsFile

        return RedirectsFile(self.config.root / "redirects.toml")

    @cached_property
    def hosting(self) -> Hosting:
        from newsletter.publish.hosting import Hosting

        return Hosting(self.config.state / "hosting")

    @cached_property
    def reviews(self) -> Reviews:
        from newsletter.store.reviews import ReviewsFile

        return ReviewsFile(self.config.root / "reviews.toml")

    @cached_property
    def templates(self) -> Environment:
        from newsletter.templates import environment
        from newsletter.tongue import tongue_of

        return environment(self.config.root / "templates", tongue_of(self.config.site))

    @cached_property
    def database(self) -> Database:
        from newsletter.store.database import open_database
        from newsletter.store.instance import Instance

        known = (self.config.state / INSTANCE).exists() if self.config.server else self.has_state
        database = open_database(self.config.database)
        if not known:
            Instance(self.config.state / INSTANCE, database).doubt()  # gives it its mark
        return database

    def schema(self) -> tuple[str | None, str]:
        """The revision of the database, None before there is one, and that of this program. Raises Outside."""
        from newsletter.store.database import REVISION, as_it_is, schema_of

        if not self.has_state:
            return None, REVISION
        with closing(as_it_is(self.config.database)) as found:
            return schema_of(found), REVISION

    def upgrade(self, now: datetime, *, backed_up: bool) -> Path | None:
        """Bring the database up to date, after a backup: its file. Raises Refused (C524, C527), Outside (C527)."""
        from newsletter.store.database import as_it_is, upgrade
        from newsletter.store.serverlock import alone

        with closing(as_it_is(self.config.database)) as database, alone(self._lock_of(database)):
            saved = None if backed_up else self._saved(now)
            upgrade(database)
        return saved

    def _saved(self, now: datetime) -> Path:
        if not self.config.server:
            return self.backups.make(now, keep=self.config.backup.keep).file
        file = self.config.backup.folder / f"newsletter-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.dump"
        self._dump(file)
        return file

    def _dump(self, file: Path) -> None:
        from newsletter.store.dump import dump

        dump(self.config.server, file)

    def transfer(self, url: str, now: datetime, told: Callable[[str, int], None]) -> tuple[Path, Mapping[str, int]]:
        """All records into the empty database at `url`, which is the site's from now on; a backup, and rows by table.

        Raises ConfigError, Refused (C521, C524), Outside (C522).
        """
        from newsletter.store.database import open_database
        from newsletter.store.instance import Instance
        from newsletter.store.serverlock import alone
        from newsletter.store.transfer import on_server, transfer

        on_server(url)
        with alone(self.lock), closing(open_database(url)) as target:
            saved = self.backups.make(now, keep=self.config.backup.keep)
            counts = transfer(self.database, target, told)
            Instance(self.config.state / INSTANCE, target).claim()
        return saved.file, counts

    def would_transfer(self, url: str) -> Mapping[str, int]:
        """What `transfer` would copy; nothing is changed. Raises as it does."""
        from newsletter.store.transfer import ahead

        return ahead(self.database, url)

    @cached_property
    def instance(self) -> Instance:
        """Which copy of the site this is."""
        from newsletter.store.instance import Instance

        return Instance(self.config.state / INSTANCE, self.database)

    @cached_property
    def ledger(self) -> Ledger:
        from newsletter.store.ledger import SqlLedger

        return SqlLedger(self.database, self._fingerprint, self._wake if self.config.server else None)

    @cached_property
    def workers(self) -> Workers:
        """Many who send at once; only where a server keeps the records."""
        from newsletter.store.workers import SqlWorkers

        return SqlWorkers(self.database, self._wake, resend=self.config.mail.after_crash == "resend")

    @cached_property
    def process(self) -> str:
        """A name for this process among all that share a database."""
        return f"{platform.node()}:{os.getpid()}:{secrets.token_hex(2)}"

    def _wake(self, connection: Connection, chunks: Sequence[int], after: timedelta) -> None:
        from newsletter.delivery import cluster

        cluster.wake(connection, chunks, after)

    @cached_property
    def briefs(self) -> Briefs:
        from newsletter.store.briefs import BriefFile

        return BriefFile(self.config.root / "next-issue.toml", self.config.site.people, self.config.brief)

    @cached_property
    def waivers(self) -> Waivers:
        from newsletter.store.waivers import SqlWaivers

        return SqlWaivers(self.database)

    @cached_property
    def versions(self) -> Versions:
        from newsletter.store.versions import SqlVersions

        return SqlVersions(self.database)

    @cached_property
    def notices(self) -> Notices:
        from newsletter.store.notices import SqlNotices

        return SqlNotices(self.database)

    @cached_property
    def proofs(self) -> Proofs:
        from newsletter.store.proofs import SqlProofs

        return SqlProofs(self.database)

    @cached_property
    def roster(self) -> Roster:
        from newsletter.store.roster import SqlRoster

        return SqlRoster(self.database, self._fingerprint)

    @cached_property
    def imports(self) -> Imports:
        from newsletter.store.importing import SqlImports

        return SqlImports(self.database, self._fingerprint)

    def _fingerprint(self, address: str) -> str:
        from newsletter.readers.suppression import fingerprint

        return fingerprint(self.keys.suppression, address)

    @cached_property
    def letters(self) -> Letters:
        from newsletter.store.letters import SqlLetters

        return SqlLetters(self.database)

    @cached_property
    def rates(self) -> Rates:
        from newsletter.readers.limits import decide
        from newsletter.store.rates import SqlRates

        return SqlRates(self.database, decide)

    @cached_property
    def keys(self) -> Keys:
        from newsletter.store.keys import load_keys

        return load_keys(self.config.keys_file)

    @cached_property
    def tokens(self) -> Tokens:
        from newsletter.readers.tokens import Tokens

        return Tokens(self.keys.tokens)

    def unsubscribe_url(self, subscriber_id: int, version: int) -> str:
        """Leads to the page on which a reader may leave; a mail client may leave for them (RFC 8058)."""
        from newsletter.readers.tokens import UNSUBSCRIBE

        return self._page("u", self.tokens.make(UNSUBSCRIBE, (subscriber_id, version)))

    def preferences_url(self, subscriber_id: int, version: int) -> str:
        """Leads to the page on which a reader chooses what they get."""
        from newsletter.readers.tokens import PREFERENCES

        return self._page("p", self.tokens.make(PREFERENCES, (subscriber_id, version)))

    def confirm_url(self, subscriber_id: int, version: int, at: datetime) -> str:
        """Leads to the page on which somebody confirms that they signed up, until 14 days after `at`."""
        from newsletter.readers.tokens import CONFIRM

        return self._page("c", self.tokens.make(CONFIRM, (subscriber_id, version), at))

    def data_url(self, subscriber_id: int, version: int, at: datetime) -> str:
        """Leads to what is held about a reader, and to being forgotten, until 24 hours after `at`."""
        from newsletter.readers.tokens import DATA

        return self._page("d", self.tokens.make(DATA, (subscriber_id, version), at))

    def move_url(self, letter_id: int, at: datetime) -> str:
        """Leads to the page on which a new address is confirmed, until 14 days after `at`."""
        from newsletter.readers.tokens import MOVE

        return self._page("m", self.tokens.make(MOVE, (letter_id,), at))

    def take_back_url(self, letter_id: int, at: datetime) -> str:
        """Leads to the page on which the old address takes a move back, until 7 days after `at`."""
        from newsletter.readers.tokens import TAKE_BACK

        return self._page("b", self.tokens.make(TAKE_BACK, (letter_id,), at))

    def hold_url(self, slot: str, who: str) -> str:
        """Leads to the page on which a Person, by their key, may hold what a slot sends."""
        from newsletter.readers.tokens import HOLD

        return self._page("hold", self.tokens.make(HOLD, (slot, who)))

    def _page(self, route: str, token: str) -> str:
        return f"{self.config.site.web_url}/{route}/{token}"

    @cached_property
    def lock(self) -> SenderLock | ServerLock:
        return self._lock_of(self.database) if self.config.server else self._lock_of(None)

    def _lock_of(self, database: Database | None) -> SenderLock | ServerLock:
        from newsletter.store.lock import SenderLock

        if database is not None and self.config.server:
            from newsletter.store.serverlock import ServerLock

            return ServerLock(database)
        return SenderLock(self.config.state / "sender.lock")

    @cached_property
    def outbox(self) -> Outbox:
        """The mails that the sandbox caught."""
        from newsletter.delivery.outbox import Outbox

        return Outbox(self.config.state / "outbox")

    @cached_property
    def transport(self) -> Transport:
        """How a single mail leaves: a letter, a notice, a test."""
        from newsletter.delivery.relays import InTurn

        ways = [one.transport for one in self.relays]
        return ways[0] if len(ways) == 1 else InTurn(ways)

    @cached_property
    def relays(self) -> Sequence[Relay]:
        """The mail servers over which issues go."""
        from newsletter.delivery.circuit import Relay

        servers = self.config.mail.servers
        if self.config.mail.sandbox:
            return [Relay(servers[0].name, self.outbox, servers[0].connections)]
        return [Relay(one.name, self._over(one), one.connections) for one in servers]

    def _over(self, server: MailServer) -> Transport:
        """The way over one mail server, with what leaves signed if it is signed here."""
        from newsletter.delivery.smtp import SmtpSettings, SmtpTransport

        sends = SmtpTransport(
            SmtpSettings(
                host=server.host,
                port=server.port,
                tls=server.tls,
                user=server.user,
                password=server.password,
                local_hostname=self.config.site.sender.address.rpartition("@")[2],
                ca_file=server.ca_file,
                max_per_connection=server.max_per_connection,
            )
        )
        return self._signed(sends)

    @cached_property
    def _signed(self) -> Callable[[Transport], Transport]:
        """What signs all that leaves over a mail server, if it is signed here: over all of them the same processes."""
        mail = self.config.mail
        if mail.dkim_key_file is None:
            return lambda transport: transport
        from newsletter.delivery import dkim
        from newsletter.delivery.message import ascii_address
        from newsletter.delivery.signers import Signers

        domain = ascii_address(self.config.site.sender.address).rpartition("@")[2]
        signer = dkim.signer(mail.dkim_key_file, domain=domain, selector=mail.dkim_selector)
        signers = Signers(signer)
        return lambda transport: dkim.Signing(transport, signer, signers.open)

    @cached_property
    def outs(self) -> Outs:
        """Which of them refuse us; it remembers from one round to the next."""
        from newsletter.delivery.circuit import Outs

        return Outs()

    @cached_property
    def throttle(self) -> Throttle:
        """How fast mail goes, over all who send together."""
        from newsletter.store.throttle import SqlThrottle

        return SqlThrottle(self.database)

    @cached_property
    def breaker(self) -> Breaker:
        """What stops an issue by itself; it remembers from one round to the next."""
        from newsletter.delivery.breaker import Breaker

        return Breaker()

    @cached_property
    def backups(self) -> Backups:
        from newsletter.store import backup
        from newsletter.store.dump import can_dump

        config = self.config
        records = None if config.server else config.sqlite_file
        dump = self._dump if config.server and can_dump() else None
        places = backup.Places(config.root, records, config.state, config.keys_file, dump)
        return backup.Backups(config.backup.folder, places)

    def own(self) -> None:
        """Only the site itself may send. Raises Refused (S309) in a copy or an older state of it."""
        from newsletter.usecases.claim import locked

        if doubt := self.instance.doubt():
            raise Refused(locked(doubt))

    def remember(self) -> None:
        """Write down beside the database how far it came, unless it may be a copy."""
        if not self.instance.doubt():
            self.instance.remember()

    def close(self) -> None:
        """Let go of what was opened."""
        if "database" in self.__dict__:
            with suppress(NewsletterError):
                self.remember()
        if "lock" in self.__dict__:
            self.lock.release()
        if "database" in self.__dict__:
            self.database.close()
        if "cache" in self.__dict__:
            self.cache.close()

    @property
    def has_state(self) -> bool:
        """Whether a ledger was ever opened here."""
        return bool(self.config.server) or self.config.sqlite_file.exists()

    @cached_property
    def settings(self) -> SettingsFile:
        from newsletter.store.settings import SettingsFile

        return SettingsFile(self.config.root / FILE_NAME)
