"""The composition root: the use cases of one site, wired to its edges. The doors call these and nothing below."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from newsletter import seal
from newsletter.config import Config, switched_off
from newsletter.edges import Edges
from newsletter.errors import NewsletterError, Problem, UsageError, nearest, stops
from newsletter.model import (
    ALL_SLOTS,
    EACH_POST,
    USUAL,
    WEEKLY,
    Addressee,
    Cadence,
    Changes,
    Digest,
    Hand,
    Issue,
    IssueState,
    Letter,
    LetterKind,
    Library,
    Message,
    NoticeKind,
    Person,
    Post,
    Slot,
    SlotPlan,
    Source,
    Subscriber,
    Variant,
    issue_page,
)
from newsletter.ports import (
    Clock,
)
from newsletter.program import default_folder
from newsletter.spread import spread

if TYPE_CHECKING:
    from newsletter.content.library import Last, Loaded
    from newsletter.delivery.ahead import Ahead
    from newsletter.delivery.engine import Patience
    from newsletter.delivery.envelope import Compose
    from newsletter.delivery.progress import Drained, LettersDone, Progress
    from newsletter.delivery.supply import Chunks
    from newsletter.publish.catalogue import Feed
    from newsletter.usecases.answering import Obstacle
    from newsletter.usecases.catch_up import CatchUp
    from newsletter.usecases.choose import Press
    from newsletter.usecases.coming import Coming
    from newsletter.usecases.deliver import Delivered
    from newsletter.usecases.enroll import Unsubscribe
    from newsletter.usecases.hold import Hold
    from newsletter.usecases.import_readers import Imported
    from newsletter.usecases.import_readers import Progress as Counting
    from newsletter.usecases.import_readers import Wanted as Wishes
    from newsletter.usecases.inspect import Inspection, Tried
    from newsletter.usecases.letters import Writer
    from newsletter.usecases.move_in import Moved, Wanted
    from newsletter.usecases.new_address import NewAddress
    from newsletter.usecases.notices import Desk, Handed
    from newsletter.usecases.own_data import OwnData
    from newsletter.usecases.preferences import Preferences
    from newsletter.usecases.prepare import Prepared
    from newsletter.usecases.preview import Preview
    from newsletter.usecases.published import Published
    from newsletter.usecases.rhythms import Rhythms
    from newsletter.usecases.showcase import Showcase
    from newsletter.usecases.signup import Signup
    from newsletter.usecases.tend import Tended
    from newsletter.usecases.texts import Text

# Imports of rooms stand inside the properties on purpose: `publish` must not load the mail room, nor `status` lxml.


class App(Edges):
    """One site's world."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._last: Last | None = None  # what was loaded last, for a process that stays
        self._inputs = ""  # what the library was last read from
        self._seen: tuple[Sequence[Source], str] | None = None  # by `unchanged`, for the reading that follows at once
        self._advice: Sequence[Problem] = ()  # what was said of the posts that were loaded last
        self._coming: Sequence[datetime] = ()  # when posts come out, or are withdrawn
        self._loaded: tuple[datetime, Loaded] | None = None
        self._showcase: tuple[datetime, Showcase] | None = None
        self._shown: dict[str, str] = {}  # what the mail of an edition was made of that editors were shown last

    def stay(self) -> None:
        """Keep what was loaded, for the next time: this process loads again and again."""
        from newsletter.content.library import Last

        self._last = Last()

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

        sources, self._inputs = self._seen or self._look()
        self._seen = None
        loaded = check(
            sources=sources,
            reviews=self.reviews,
            site=self.config.site,
            now=now,
            encode=self.encode_picture,
            cache=self.cache,
            spread=spread,
            output=self.output,
            redirects=self.redirects,
            last=self._last,
        )
        self._coming = [time for post in loaded.posts for time in _times(post)]
        self._loaded = (now, loaded)
        self._advice = loaded.problems
        return loaded

    def as_loaded(self, now: datetime) -> Loaded:
        """What `loaded` said last, if that was for this time; else it is asked."""
        return self._loaded[1] if self._loaded and self._loaded[0] == now else self.loaded(now)

    def _look(self) -> tuple[Sequence[Source], str]:
        """The posts, not opened yet, and one hash of all that a publish is made of; empty when it cannot be told."""
        sources = self.sources.read()
        folders = (self.config.root / "templates", default_folder())
        return sources, seal.inputs(self.config.root, sources, folders, self.cadence, self.paged())

    def encode_picture(self, name: str, content: bytes) -> Sequence[Variant]:
        """The picture as it is published, from the album if it is there. Raises SourceErrors."""
        return self.album.encode(name, content)

    def broken_templates(self) -> Sequence[Problem]:
        """The site's own templates that cannot be read."""
        from newsletter.templates import broken

        folder = self.config.root / "templates"
        return broken(folder, self.templates) if folder.is_dir() else ()

    def unsaid(self, library: Library, now: datetime) -> Sequence[Problem]:
        """Edits of published posts that no `updated` tells of, if the record of the last publish can be read."""
        from newsletter.publish import edits

        try:
            published = self.output.published_texts()
        except NewsletterError:  # whoever publishes is told
            return ()
        return edits.unsaid(library.posts, edits.traces(library.posts), published, self.config.site, now)

    def stale(self, library: Library) -> Sequence[Problem]:
        """Posts that were edited after an issue, not mailed yet, had frozen them."""
        from newsletter.usecases.stale import stale

        return stale(self.issues(None), library)

    def library(self, now: datetime) -> Library:
        """The public posts. Raises SourceErrors."""
        from newsletter.usecases.check import library_of

        return library_of(self.loaded(now))

    def issues(self, edition: str | None = WEEKLY) -> Sequence[Issue]:
        """The issues so far; a site that never mailed has no state and gets none for asking."""
        return self.ledger.issues(edition) if self.has_state else ()

    def paged(self) -> Sequence[Issue]:
        """Those of all editions whose issues have pages: a post that is mailed by itself has its own."""
        return [issue for issue in self.issues(None) if issue.edition != EACH_POST]

    def plans(self, edition: str = WEEKLY) -> Sequence[SlotPlan]:
        """What was decided about slots; a site that never mailed has no state and gets none for asking."""
        return self.ledger.plans(edition) if self.has_state else ()

    @property
    def cadence(self) -> Cadence:
        """The rhythm of the edition that is always there."""
        return self.rhythm(WEEKLY)

    @property
    def rhythms(self) -> Sequence[Cadence]:
        """Those of all editions that are switched on, the one that is always there first."""
        return [self.rhythm(edition) for edition in self.config.editions]

    def rhythm(self, edition: str) -> Cadence:
        """That of an edition, with the slots that somebody moved. Asked anew each time: another process may move one.

        Raises UsageError (I119) for an edition that is not switched on.
        """
        moved = {plan.key: plan.moved_to for plan in self.plans(edition) if plan.moved_to}
        return replace(self.config.cadence_of(edition), moved=moved)

    def rhythm_of(self, slot: str) -> Cadence:
        """That of the edition which a slot is of, by its key. Raises UsageError (I119)."""
        from newsletter.issues.cadence import edition_of

        return self.rhythm(edition_of(slot))

    def next_slot(self, now: datetime, edition: str = WEEKLY) -> Slot:
        """The next slot that no issue has taken."""
        from newsletter.usecases.choose import free_slot

        return free_slot(self.rhythm(edition), self.ledger.slots(edition) if self.has_state else (), now)

    def source_of(self, post: Post) -> Source:
        """The file that a post was read from, with its text. Raises Outside."""
        from newsletter.content.late import at_hand

        return at_hand(next(one for one in self.sources.read() if one.path == post.path))

    def write_post(self, path: PurePosixPath, text: str) -> None:
        """Make a new file in `posts/`. Raises Refused when it is there already."""
        self.sources.write_new(path, text)

    def move_in(self, where: str, wanted: Wanted, now: datetime, *, progress: Callable[[int], None]) -> Moved:
        """Bring in the posts of an export or a feed; see `usecases.move_in`. Raises UsageError for no such file."""
        from newsletter.content.importing import disk, recognise
        from newsletter.outside.client import Client
        from newsletter.usecases.move_in import move_in

        site, client = self.config.site, Client()
        with disk.stream(where, client) as export, disk.Stage(self.config.root) as stage:
            if (left := stage.left) and wanted.go:
                stage.finish()
            moved = move_in(
                recognise.read(export, where, site.timezone),
                stage,
                wanted,
                site=site,
                loaded=self.loaded(now),
                beside=disk.Beside(where).find,
                client=client,
                now=now,
                progress=progress,
                spread=spread,
            )
        return replace(moved, cut_short=left)

    def import_readers(self, path: Path, wanted: Wishes, now: datetime, by: str, *, progress: Counting) -> Imported:
        """Bring in the readers that a file names; see `usecases.import_readers`."""
        from newsletter.readers.importing.disk import ListFile, RejectedFile
        from newsletter.usecases.import_readers import Place, import_readers, logged

        place = Place(frozenset(self.config.editions), self.config.site.timezone, now)
        if wanted.go:
            self.ledger.start(WEEKLY, now)
        with closing(RejectedFile(path)) as rejected:
            imported = import_readers(ListFile(path), wanted, self.imports, rejected, place, progress)
        if wanted.go:
            self.ledger.log(logged(path.name, imported, by, now))
        return imported

    def export_readers(self, status: str | None) -> Iterator[str]:
        """The lines of a CSV file of all readers, or those of a status."""
        from newsletter.readers.exporting import table

        return table(self.imports.readers(status))

    def unchanged(self, now: datetime) -> Published | None:
        """What publishing now would answer, if it certainly would change nothing; None when one has to look."""
        from newsletter.usecases.published import Published

        known = seal.kept(self.cache)
        beside = ("search.sqlite3", "hosting/addresses.json")
        if not known or not all((self.config.state / name).is_file() for name in beside):
            return None
        seen = self._look()
        if not known.holds(seen[1], now) or self.output.stands() != known.outputs:
            self._seen = seen
            return None
        if self.deploy and self.deploy.pending:
            return None
        remarks = self.hubs.announce(now) if self.config.site.hubs else ()
        same = Changes(same=known.files)
        return Published(same, known.posts, known.issues, known.feeds, known.files, tuple(remarks))

    def publish(self, library: Library, now: datetime, *, dry_run: bool = False) -> Published:
        """Build the output folder. Raises SourceErrors, Outside."""
        from newsletter.usecases.publish import publish

        issues = self.paged()
        done = publish(
            library=library,
            issues=issues,
            output=self.output,
            site=self.config.site,
            templates=self.templates,
            next_slot=self.next_slot(now),
            now=now,
            dry_run=dry_run,
            search=self.search,
            hubs=self.hubs if self.config.site.hubs else None,
            redirects=self.redirects,
            hosting=self.hosting,
            hosts=self.config.hosting,
            compress=self.config.compress,
            pictures=self.mailed_pictures,
            deploy=self.deploy,
        )
        searchable = not any(problem.code == "F440" for problem in done.remarks)
        if self._inputs and searchable and not dry_run:
            until = seal.until(now, [*self._coming, self.next_slot(now).due, *(issue.send_at for issue in issues)])
            counts = (done.posts, done.issues, done.feeds, done.files)
            seal.keep(self.cache, seal.Seal(self._inputs, self.output.left, now.isoformat(), until, *counts))
        return done

    def feeds(self, now: datetime) -> tuple[Feed, ...]:
        """Every feed that a publish makes now. Raises SourceErrors."""
        from newsletter.publish.catalogue import feeds
        from newsletter.usecases.publish import starting

        shown = [issue for issue in self.issues() if issue.state.public or starting(issue, now)]
        return feeds(self.config.site, self.library(now), shown)

    def check_feeds(self, now: datetime) -> tuple[int, list[Problem]]:
        """How many feed documents are published, and every rule that they break."""
        from newsletter.publish import feedcheck, live

        documents = live.documents(self.config.output)
        return len(documents), feedcheck.check(documents, self.config.site, now)

    def preview(self, now: datetime, *, strict: bool = True, before: Preview | None = None) -> Preview:
        """The site with drafts and posts to come; nothing is written. Raises NewsletterError: what stops a publish."""
        from newsletter.usecases.preview import preview

        return preview(
            loaded=self.loaded(now),
            issues=self.paged(),
            site=self.config.site,
            templates=self.templates,
            next_slot=self.next_slot(now),
            published=self.output.published_ids(),
            now=now,
            strict=strict,
            known=self.redirects.all(),
            pictures=self.mailed_pictures,
            before=before,
        )

    def judge(self, preview: Preview, paths: Iterable[str]) -> list[Problem]:
        """What would stop a publish in these files of a preview. Raises ConfigError for a faulty template."""
        from newsletter.usecases.preview import judge

        return judge(preview, paths, self.config.site)

    def coming(self, library: Library, now: datetime) -> Coming:
        """The next mail as it would go out now; a site without state gets none for asking. Raises NewsletterError."""
        from newsletter.usecases.coming import Past, coming, past
        from newsletter.usecases.prepare import Shelf

        if self.has_state:
            known = past(self.ledger, WEEKLY, library, now, self.briefs)
        else:
            brief, remarks = self.briefs.of(1)
            known = Past(Shelf(library), now, brief=brief, remarks=tuple(remarks))
        return coming(
            known,
            site=self.config.site,
            cadence=self.cadence,
            templates=self.templates,
            inspection=self.inspection(library, now),
            now=now,
        )

    def inspection(self, library: Library, now: datetime, edition: str = WEEKLY) -> Inspection:
        """Who is asked about the world when an issue is checked; a site without state gets none for asking."""
        from newsletter.usecases.inspect import Inspection, absent
        from newsletter.usecases.prepare import next_number
        from newsletter.usecases.publish import would_write

        def missing(addresses: Collection[str]) -> Collection[str]:
            issues = self.paged()
            own = [issue for issue in issues if issue.edition == edition]
            coming = {next_number(own), max((issue.number for issue in own), default=0) + 1}
            coming.add(max(coming) + 1)  # an issue outside of the rhythm, beside one that was thawed
            pages = {issue.page for issue in issues} | {issue_page(edition, number, "") for number in coming}

            def would() -> Collection[str]:
                return would_write(library, issues, self.config.site, self.templates, now, self.redirects.all())

            return absent(addresses, self.config.site, (*library.posts, *library.withdrawn), pages, would)

        waivers = self.waivers if self.has_state else None
        return Inspection(
            sandbox=self.config.mail.sandbox,
            absent=missing,
            waivers=lambda number: waivers.of(edition, number) if waivers else (),
            tried=self._tried(now),
            advice=self._advice,
        )

    def _tried(self, now: datetime) -> Tried:
        """How a digest was tried on the house; nothing was where there is no state yet."""
        from newsletter.issues.facts import Trial
        from newsletter.usecases.trial import trial

        site, sandbox, known = self.config.site, self.config.mail.sandbox, self.has_state
        staff = bool(self.config.mail.test_recipients) or any(person.email for person in site.people.values())

        def tried(digest_hash: str, *, by_hand: bool) -> Trial:
            if not known:
                return Trial.NOT_ASKED
            return trial(
                self.proofs,
                digest_hash,
                sender=site.sender.address,
                staff=staff,
                sandbox=sandbox,
                by_hand=by_hand,
                now=now,
            )

        return tried

    def press(self, library: Library, now: datetime, edition: str = WEEKLY) -> Press:
        """What making an issue needs; briefs are about the edition that is always there. Raises UsageError (I119)."""
        from newsletter.usecases.choose import Press
        from newsletter.usecases.prepare import next_number

        cadence = self.rhythm(edition)
        brief, remarks = self.briefs.of(next_number(self.issues())) if edition == WEEKLY else (USUAL, ())

        return Press(
            library=library,
            ledger=self.ledger,
            cadence=cadence,
            site=self.config.site,
            templates=self.templates,
            inspection=self.inspection(library, now, edition),
            now=now,
            pictures=self.mailed_pictures,
            brief=brief,
            remarks=tuple(remarks),
        )

    def write(self, text: Text, now: datetime) -> Callable[[Addressee], Message]:
        """What composes the messages of a send of this text that would start now."""
        from newsletter.usecases.rehearse import writer

        return writer(
            text,
            site=self.config.site,
            now=now,
            unsubscribe_url=self.unsubscribe_url,
            preferences_url=self.preferences_url,
            message_id_key=self.keys.message_id,
        )

    def press_of_slot(self, library: Library, now: datetime, edition: str = WEEKLY) -> Press:
        """What making the issue that is due needs, as of its slot also shortly before it; `library` is that of now."""
        from newsletter.usecases.choose import as_of

        then = as_of(self.rhythm(edition), self.ledger, now)
        comes_out = any(now < time <= then for time in self._coming)
        return self.press(self.library(then) if comes_out else library, then, edition)

    def prepare(
        self, cadence: Cadence, library: Library, now: datetime, *, hand: Hand, dry_run: bool = False
    ) -> Sequence[Prepared]:
        """Make what is due of an edition; `library` is that of now. Raises NewsletterError."""
        from newsletter.usecases import each_post
        from newsletter.usecases.prepare import prepare

        if not cadence.singly:
            return [prepare(self.press_of_slot(library, now, cadence.edition), hand=hand, dry_run=dry_run)]
        given = (
            [(one.post_id, one.content_hash, one.at) for one in self.reviews.all()] if self.config.site.review else []
        )
        approved = each_post.approvals(library.posts, given)
        return each_post.prepare(self.press(library, now, cadence.edition), approved, hand=hand, dry_run=dry_run)

    def recover(self, now: datetime) -> int:
        """After taking the sender lock: settle what a crash left. How many deliveries became uncertain.

        Where a server keeps the records others may be sending: what they hold stays theirs.
        """
        if not self.config.server:
            return self.ledger.recover(now=now, resend=self.config.mail.after_crash == "resend")
        self.ledger.fill_begun(now)
        return self.workers.recover_lost(now)

    def tend(self, now: datetime) -> Tended:
        """What time does to readers: pauses end, sign-ups that nobody confirmed are deleted, limits are forgotten."""
        from newsletter.usecases.tend import tend

        self.rates.purge(now)
        within = self.config.confirm_within
        return tend(roster=self.roster, ledger=self.ledger, now=now, confirm_within=within)

    def deliver(
        self,
        *,
        clock: Clock,
        stop: threading.Event,
        progress: Callable[[Progress], None] | None = None,
        stays: bool = False,
    ) -> Delivered:
        """One round of handing out; the caller holds the lock. Raises SourceErrors, Outside.

        With `stays` it lasts as long as a pace wants it to; else it ends where it would have to wait, and says so.
        """
        from newsletter.delivery.engine import SOON
        from newsletter.usecases.deliver import deliver
        from newsletter.usecases.notices import delayed

        def publish() -> None:
            try:
                self.publish(self.library(clock()), clock())
            except NewsletterError as error:
                for notice in delayed(self.ledger, self.config.site, clock(), error.problems[0]):
                    self.desk.tell(notice)
                raise

        hand_out = self._sender(clock, stop, progress, stays=_STAYS if stays else SOON)

        return deliver(
            ledger=self.ledger,
            publish=publish,
            drain=lambda: self._unless_attended(hand_out, clock) if self.config.server else hand_out(None),
            clock=clock,
            late_limit=self.cadence.late_limit,
            why_not=lambda issue: self._why_not(issue, clock()),
            canary=self.config.mail.canary,
        )

    def _sender(
        self,
        clock: Clock,
        stop: threading.Event,
        progress: Callable[[Progress], None] | None,
        *,
        stays: float,
        connections: int | None = None,
        patience: Patience | None = None,
    ) -> Callable[[Chunks | None], Drained]:
        """The engine, with this site's mail servers; `connections` to each instead of what they have."""
        from newsletter.delivery.engine import PATIENCE, drain
        from newsletter.usecases.deliver import Composer

        composer = Composer(
            ledger=self.ledger,
            site=self.config.site,
            unsubscribe_url=self.unsubscribe_url,
            preferences_url=self.preferences_url,
            message_id_key=self.keys.message_id,
        )
        compose = self._enveloped(composer.compose)

        def hand_out(chunks: Chunks | None) -> Drained:
            relays = self.outs.fit(self.relays, clock())
            done = drain(
                self.ledger,
                [replace(one, connections=connections or one.connections) for one in relays],
                compose,
                clock=clock,
                stop=stop,
                throttle=self.throttle,
                limits=self.config.mail.limits,
                breaker=self.breaker,
                progress=progress,
                after_crash=self.config.mail.after_crash,
                patience=patience or PATIENCE,
                stays=stays,
                chunks=chunks,
            )
            self.outs.note(relays, {one.name for one in done.relays if one.out}, clock())
            return done

        return hand_out

    def _unless_attended(self, hand_out: Callable[[Chunks | None], Drained], clock: Clock) -> Drained:
        """Send, chunk by chunk, for as long as no worker does."""
        from newsletter.delivery.offers import Unattended, attended
        from newsletter.delivery.progress import Drained
        from newsletter.delivery.shift import Signs

        if there := attended(self.workers):
            return Drained(workers=there)
        name = self.process
        with Signs(self.workers, name, connections=sum(one.connections for one in self.relays), queues=()):
            chunks = Unattended(self.workers, name)
            done = hand_out(chunks)
            chunks.give_up(clock())
        return done

    @property
    def attended(self) -> int:
        """How many workers send issues."""
        from newsletter.delivery.offers import attended

        return attended(self.workers) if self.config.server else 0

    def serve_queues(
        self,
        queues: Sequence[str],
        *,
        connections: int,
        clock: Clock,
        stop: threading.Event,
        told: Callable[[Drained], None],
    ) -> None:
        """What a worker does until `stop` is set. Raises Outside when the database is away at the start."""
        from newsletter.delivery.cluster import Listener
        from newsletter.delivery.engine import SOON, Patience
        from newsletter.delivery.offers import Offers
        from newsletter.delivery.shift import Signs, serve

        name = self.process
        hand_out = self._sender(clock, stop, None, stays=SOON, connections=connections, patience=Patience(anew=2))
        with Signs(self.workers, name, connections=connections, queues=queues):
            offers = Offers(self.workers, name, stop)
            listener = Listener(
                self.config.server.replace("+psycopg", "", 1),
                queues,
                chunks=3 + connections // 50,
                offer=offers.offer,
                look=lambda: self.keep_house(clock()),
                made=self._make_engine,
            )
            listener.start()
            try:
                serve(offers, lambda: hand_out(offers), clock=clock, stop=stop, told=told)
            finally:
                listener.dismiss()

    def keep_house(self, now: datetime) -> None:
        """Now and then, by one of many: chunks of lost workers are freed, and told of; issues are finished."""
        from newsletter.usecases.deliver import finish

        self.workers.recover_lost(now)
        finish(self.ledger, now)
        self.workers.wake_ready(now)

    def _make_engine(self) -> None:
        from newsletter.delivery import cluster

        with self.database.write() as connection:
            cluster.install(connection)

    def _enveloped(self, compose: Compose) -> Compose:
        """With the envelope sender that `[mail]` asks for."""
        if not self.config.mail.verp:
            return compose
        from newsletter.delivery.envelope import ReturnPath, returning
        from newsletter.delivery.message import ascii_address

        return returning(compose, ReturnPath(ascii_address(self.config.site.sender.envelope), self.keys.bounce))

    def ahead(self, clock: Clock, told: Callable[[LettersDone], None]) -> Ahead:
        """What hands over letters as they come up, beside whatever is sent; the caller holds the lock."""
        from newsletter.delivery.ahead import Ahead, LetterWork

        work = LetterWork(
            letters=self.letters,
            transport=self.transport,
            compose=self._compose_letter,
            clock=clock,
            after_crash=self.config.mail.after_crash,
            may=lambda: not self.instance.doubt(),
        )
        return Ahead(work, told)

    @cached_property
    def catch_up(self) -> CatchUp:
        """What a reader was not sent, and the letter that brings it. For many threads."""
        from newsletter.usecases.catch_up import CatchUp

        return CatchUp(
            roster=self.roster,
            ledger=self.ledger,
            letters=self.letters,
            library=self._reading_room.library,
            site=self.config.site,
            templates=self.templates,
            pictures=self.mailed_pictures,
        )

    @cached_property
    def _reading_room(self) -> ReadingRoom:
        return ReadingRoom(self.config)

    def close(self) -> None:
        if "_reading_room" in self.__dict__:
            self._reading_room.close()
        super().close()

    def _compose_letter(self, letter: Letter, reader: Subscriber) -> Message:
        return self._letter_writer.compose(letter, reader)

    @cached_property
    def _letter_writer(self) -> Writer:
        from newsletter.usecases.letters import Writer

        return Writer(self.config.site, self.templates, self._letter_url, self.unsubscribe_url, self.keys.message_id)

    def _letter_url(self, letter: Letter, reader: Subscriber) -> str:
        """Where the button of a letter leads."""
        match letter.kind:
            case LetterKind.CONFIRM:
                return self.confirm_url(reader.id, reader.token_version, letter.at)
            case LetterKind.DATA:
                return self.data_url(reader.id, reader.token_version, letter.at)
            case LetterKind.MOVE:
                return self.move_url(letter.id, letter.at)
            case LetterKind.MOVED:
                return self.take_back_url(letter.id, letter.at)
            case _:
                return self.preferences_url(reader.id, reader.token_version)

    def _why_not(self, issue: Issue, now: datetime) -> Obstacle | None:
        """What keeps an issue whose page was published from being sent; in the sandbox no link is asked."""
        from newsletter.publish import live
        from newsletter.usecases.answering import Build, Obstacle, not_this_build, obstacle
        from newsletter.usecases.recheck import at_its_start, taken_back

        if issue.edition not in self.config.editions:
            return Obstacle((switched_off(issue.edition),), passes=False)
        library = self.library(now)
        gone = [*taken_back(issue, library), *at_its_start(self.press(library, now, issue.edition), issue)]
        if self.config.mail.sandbox:
            return obstacle(issue, gone, {})
        config = self.config
        build = Build(config.site.url, config.seen_at, lambda path: live.answer(config.output, path))
        wrong = not_this_build(self.ledger.digest(issue.edition, issue.number), build, self._anywhere)
        return obstacle(issue, gone, wrong)

    def silent_links(self, digest: Digest) -> Mapping[str, str]:
        """The addresses of others in a mail that do not answer, each with what it says instead."""
        from newsletter.outside.client import Client
        from newsletter.usecases.answering import silent

        return silent(digest, self.config.site, Client())

    @cached_property
    def desk(self) -> Desk:
        """Who is told of things, and how."""
        from newsletter.store.keys import webhook_key
        from newsletter.usecases.notices import Desk

        return Desk(
            notices=self.notices,
            proofs=self.proofs,
            site=self.config.site,
            transport=self.transport,
            caller=self.caller,
            webhook=self.config.webhook,
            webhook_key=lambda: webhook_key(self.config.keys_file),
            message_id_key=self.keys.message_id,
            hold_url=self.hold_url,
        )

    def tell(self, now: datetime) -> None:
        """Write down what editors and operators are to hear of by now: what became of issues and slots."""
        from newsletter.issues.site_notice import intake_paused, locked
        from newsletter.usecases.notices import happened
        from newsletter.usecases.signup import resting

        if doubt := self.instance.doubt():  # what the original does is its own to tell
            self.desk.tell(locked(doubt, now, self.config.site))
            return
        for notice in happened(self.ledger, self.rhythms, self.config.site, now):
            self.desk.tell(notice)
        if until := resting(self.rates, now):
            self.desk.tell(intake_paused(until, now, self.config.site))

    def tell_of_mail(self, trouble: Problem, now: datetime) -> None:
        """The same of a mail server that takes nothing: the webhook can still be told."""
        from newsletter.issues.site_notice import mail_broken

        self.desk.tell(mail_broken(trouble.message, now, self.config.site))

    def tell_of_posts(self, loaded: Loaded, now: datetime) -> None:
        """The same of approvals that an edit voided, and the mail of next slots, when it is time to show them."""
        from newsletter.usecases import lost, preview_mail

        cadence, *others = self.rhythms
        slot = preview_mail.slot_of(self.issues(), self.next_slot(now), now)
        for one in lost.lost(loaded, self.config.site, self.reviews, self.notices):
            press = self.press(loaded.library, now)
            self.desk.tell(lost.told(one, press, slot, self.versions, self.source_of(one.post).text))
        self._show(cadence, loaded, slot, now)
        for other in others:
            if not other.singly:
                coming = self.next_slot(now, other.edition)
                self._show(other, loaded, preview_mail.slot_of(self.issues(other.edition), coming, now), now)

    def _show(self, cadence: Cadence, loaded: Loaded, slot: Slot, now: datetime) -> None:
        """Tell editors what a slot sends, if it is time and what it is made of has moved since they were told."""
        from newsletter.usecases import preview_mail

        edition, made_of = cadence.edition, f"{slot.key} {self._inputs}" if self._inputs else ""
        if not preview_mail.due(cadence, slot, self.notices, now) or (made_of and made_of == self._shown.get(edition)):
            return
        comes_out = any(now < time <= slot.due for time in self._coming)
        then = self.loaded(slot.due) if comes_out else loaded
        press, broken = self.press(then.library, slot.due, edition), len(stops(then.problems))
        readers = self.roster.counts(edition).get("active", 0)
        if told := preview_mail.preview(press, slot, self.notices, readers=readers, now=now, broken=broken):
            self.desk.tell(told)
        self._shown[edition] = made_of

    def hand_over_notices(self, clock: Clock) -> Handed:
        """Give what people were not told yet to the mail server and the webhook; the caller holds the sender lock."""
        from newsletter.usecases.notices import hand_over

        return hand_over(self.desk, clock, only=NoticeKind.LOCKED if self.instance.doubt() else None)

    def hold(self, clock: Clock) -> Hold:
        """What the link of a notice can do."""
        from newsletter.usecases.hold import Hold

        return Hold(self.ledger, self.notices, self.rhythm_of, self.tokens, clock)

    def signup(self, clock: Clock) -> Signup:
        """What the page that takes readers in can do."""
        from newsletter.usecases.signup import Signup

        config, secret = self.config, self.keys.suppression
        return Signup(self.roster, self.rates, self.tokens, clock, config.intake, secret, config.keep_network)

    def showcase(self, now: datetime) -> Showcase:
        """What there is to sign up for, as of a minute ago at the most."""
        if self._showcase is None or not timedelta(0) <= now - self._showcase[0] < timedelta(minutes=1):
            self._showcase = now, self._show_what_comes(now)
        return self._showcase[1]

    def _show_what_comes(self, now: datetime) -> Showcase:
        from newsletter.usecases.prepare import next_number
        from newsletter.usecases.showcase import Coming, Showcase

        issues = self.issues()
        coming = {one: Coming(slot=self.comes_next(now, one)) for one in self.config.editions}
        slot = coming[WEEKLY].slot
        made = next((one.number for one in issues if slot and one.slot.key == slot.key), next_number(issues))
        coming[WEEKLY] = Coming(made, slot)
        latest = next((issue for issue in reversed(issues) if issue.state.public), None)
        readers = self.roster.counts()["active"] if self.has_state else 0
        return Showcase(self.cadence.weekday, latest, coming, readers)

    def comes_next(self, now: datetime, edition: str) -> Slot | None:
        """The slot of the next issue that readers of an edition get; None where nobody can say."""
        return self._rhythms.next(edition, now)

    def unsubscribe(self, clock: Clock) -> Unsubscribe:
        """What the unsubscribe link in a mail can do."""
        from newsletter.usecases.enroll import Unsubscribe

        return Unsubscribe(self.roster, self.tokens, self._rhythms, clock)

    def preferences(self, clock: Clock) -> Preferences:
        """What the preferences link in a mail can do."""
        from newsletter.usecases.preferences import Preferences

        limits = (self.rates, self.config.intake, self.keys.suppression)
        return Preferences(self.roster, self.tokens, self._rhythms, *limits, clock)

    def own_data(self, clock: Clock) -> OwnData:
        """What the link to what is held about a reader can do."""
        from newsletter.usecases.own_data import OwnData

        return OwnData(self.roster, self.tokens, clock)

    def new_address(self, clock: Clock) -> NewAddress:
        """What the links that confirm a new address, and take one back, can do."""
        from newsletter.usecases.new_address import NewAddress

        return NewAddress(self.roster, self.letters, self.tokens, clock)

    @property
    def _rhythms(self) -> Rhythms:
        """Which editions a reader may have, and when each comes."""
        from newsletter.usecases.rhythms import Rhythms

        def resting(_: str) -> bool:  # what is decided about all slots holds in every edition
            return any(plan.key == ALL_SLOTS for plan in self.plans())

        return Rhythms(
            lambda: {one.edition: one for one in self.rhythms}, resting, self.config.site.timezone, self._gone
        )

    def _gone(self, edition: str) -> Collection[str]:
        """Keys of slots that ended, but for those whose issue waits for its time."""
        waits = {one.slot.key for one in self.issues(edition) if one.state in _WAITS}
        return {record.key for record in self.ledger.slots(edition)} - waits if self.has_state else ()


_STAYS = 900.0
"""Seconds that somebody who waits for a send waits for a pace."""

_WAITS = frozenset({IssueState.DRAFT, IssueState.READY})


class ReadingRoom:
    """The public posts for pages that are asked for at any time, beside rounds that read them for themselves.

    It has edges of its own, and answers one after the other; what it says is no older than a minute.
    """

    def __init__(self, config: Config) -> None:
        self._app = App(config)
        self._app.stay()
        self._turn = threading.Lock()
        self._read: tuple[datetime, Library] | None = None

    def library(self, now: datetime) -> Library:
        """What is sound of the posts. Raises Outside."""
        with self._turn:
            if self._read is None or not timedelta(0) <= now - self._read[0] < timedelta(minutes=1):
                self._read = now, self._app.loaded(now).library
            return self._read[1]

    def close(self) -> None:
        with self._turn:
            self._app.close()


def _times(post: Post) -> Iterator[datetime]:
    """When a post changes without being edited."""
    yield post.published
    if post.withdrawal:
        yield post.withdrawal.at
