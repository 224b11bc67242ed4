"""The edges, as the verbs see them: each a small Protocol with a contract suite in `tests/contract/`.

Implementations live in the rooms (`store`, `delivery`, `content.source`, `publish.output`); only
`newsletter.app` knows which one is used. All methods are synchronous and thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Protocol, TypeVar

from newsletter.errors import Problem
from newsletter.model import (
    Addressee,
    Answer,
    Approval,
    Attempt,
    Backup,
    Brief,
    Changes,
    Chunk,
    Consent,
    Delivery,
    DeliveryState,
    Digest,
    Evidence,
    Fetched,
    File,
    Hand,
    ImportRun,
    Issue,
    IssueState,
    Leave,
    Letter,
    LetterKind,
    Library,
    Limit,
    LogEntry,
    Message,
    Notice,
    NoticeCopy,
    NoticeKind,
    PlanKind,
    Proof,
    Receipt,
    Recipe,
    ReviewStep,
    Segment,
    Settlement,
    Site,
    Slot,
    SlotOutcome,
    SlotPlan,
    SlotRecord,
    Source,
    Story,
    Subscriber,
    Turn,
    Variant,
    Version,
    Wait,
    Waiver,
    Worker,
)

T = TypeVar("T")
R = TypeVar("R")

Clock = Callable[[], datetime]
"""Answers the present as an aware UTC datetime; built at a door, once."""

Encode = Callable[[str, bytes], Sequence[Variant]]
"""The Variants of a picture, from its name and bytes: `publish.pictures.encode`, or what remembers its answers."""


class Spread(Protocol):
    """A `map`, in order, that may work on several processors; results travel between processes."""

    def __call__(self, function: Callable[[T], R], things: Sequence[T], /) -> Iterable[R]: ...


class Cache(Protocol):
    """What an earlier run worked out: texts by kind and key. A result never needs it; it may be empty any time."""

    def all(self, kind: str) -> Mapping[str, str]: ...
    def get(self, kind: str, key: str) -> str | None: ...
    def put(self, kind: str, values: Iterable[tuple[str, str]]) -> None: ...
    def keep_only(self, kind: str, keys: Iterable[str]) -> None:
        """Forget all else of this kind."""

    def close(self) -> None: ...


Judge = Callable[[Sequence[File]], Sequence[Problem]]
"""What is wrong with the files of one folder, before they are published."""


class Sources(Protocol):
    """Where posts come from."""

    def read(self) -> Sequence[Source]:
        """All sources, in path order."""

    def write_new(self, path: PurePosixPath, text: str) -> None:
        """Add a source that does not exist yet; `path` is relative to the site. Raises Refused when it does."""

    def change(self, path: PurePosixPath, old: str, new: str) -> None:
        """Replace the text of a source, whole or not at all. Raises Refused when it is not `old` any more."""


class Search(Protocol):
    """The index of what is public."""

    def update(self, site: Site, library: Library) -> None:
        """Make it hold these Posts and no other; only what changed is written. Raises Outside (F440)."""


class Redirects(Protocol):
    """`redirects.toml`: old addresses, remembered for ever."""

    def all(self) -> Mapping[str, str]:
        """Old path -> slug or address. Raises ConfigError (P307), Outside."""

    def add(self, found: Mapping[str, str]) -> None:
        """Add those whose path is not there yet."""


class Hosting(Protocol):
    """What hosts are told, beside the published folder."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Make it hold these files by name. Raises Outside (F424)."""


class Deploy(Protocol):
    """The way from the published folder to where readers fetch it."""

    def run(self) -> None:
        """Bring it there, unless it is there as it stands. Raises Outside (F460)."""


class Hubs(Protocol):
    """The WebSub hubs of the site."""

    def announce(self, now: datetime) -> Sequence[Problem]:
        """Tell them which published feeds have changed since they were told. Trouble is a warning, never raised."""

    def waiting(self) -> bool:
        """Whether one is still to be told of something, as far as the last look knows."""


class Output(Protocol):
    """The published folder."""

    def published_ids(self) -> Mapping[str, str]:
        """Post id -> slug, as the last publish recorded them; empty before the first."""

    def published_feeds(self) -> Collection[str]:
        """The folders below the web root in which the last publish left feeds."""

    def published_texts(self) -> Mapping[str, str]:
        """Post id -> what the last publish was told to remember of its text."""

    def write(
        self,
        files: Iterable[File | Recipe],
        published: Mapping[str, str],
        judge: Judge | None = None,
        texts: Mapping[str, str] = ...,
    ) -> Changes:
        """Make the folder hold exactly these files, each written beside and moved into place.

        A Recipe whose key is that of the last write is not made again while its file stands as that left it. What
        `judge` says of the files that are made keeps all from being moved: raises SourceErrors.

        Files that an earlier write made and that are not among these are removed last; files that it did not make
        are never touched. A file whose bytes are the same is left alone. Raises Outside when the disk refuses.
        """

    def compare(self, files: Iterable[File | Recipe], judge: Judge | None = None) -> Changes:
        """What `write` would do with these files, without doing it."""

    def stands(self) -> str:
        """What changes when any published file does; empty when one is gone."""

    @property
    def left(self) -> str:
        """What `stands` said when the last `write` ended."""


class MailedPictures(Protocol):
    """The pictures that mails name: published where a mail says, whatever became of their posts since."""

    def keep(self, post_id: str, files: Iterable[File]) -> None:
        """Keep pictures of a post, by their paths below the web root. Raises Outside."""

    def recipes(self, *, without: Collection[str]) -> Sequence[Recipe]:
        """All that were kept, but those of these posts. Raises Outside."""


class Reviews(Protocol):
    """`reviews.toml`: approvals that travel with the posts."""

    def all(self) -> Sequence[Approval]: ...
    def add(self, approval: Approval) -> None:
        """Append one approval; the file is written beside and replaced."""


class Versions(Protocol):
    """The texts of Posts that somebody was asked to look at, and what was said of them."""

    def keep(self, post_id: str, content_hash: str, text: str, now: datetime) -> Version:
        """The Version with this hash; the next one, if it is new."""

    def of(self, post_id: str) -> Sequence[Version]:
        """All of a Post, oldest first."""

    def note(self, step: ReviewStep) -> None:
        """Add one line. Its Version was kept before."""

    def steps(self, post_id: str) -> Sequence[ReviewStep]:
        """All of a Post, oldest first."""


class Waivers(Protocol):
    """The warnings that people let pass."""

    def add(self, edition: str, waiver: Waiver) -> None:
        """Let a finding pass; who did so first, with the reason, stays."""

    def of(self, edition: str, number: int) -> Sequence[Waiver]:
        """All of an Issue, oldest first."""


class Proofs(Protocol):
    """The tests of Digests that went to addresses of the house; nothing here knows a reader."""

    def keep(self, made: Proof) -> None:
        """Add one, whatever was answered."""

    def of(self, digest_hash: str) -> Sequence[Proof]:
        """Those of exactly this text, oldest first."""

    def accepted_from(self, sender: str) -> Proof | None:
        """The newest, of whatever text, that was accepted from this From address."""


class Briefs(Protocol):
    """`next-issue.toml`: what an editor has decided about the next Issue."""

    def of(self, number: int) -> tuple[Brief, Sequence[Problem]]:
        """What is decided about an Issue, and what an editor should know of it. Raises ConfigError, Outside."""

    def change(self, number: int, given: Mapping[str, Any], *, dry_run: bool = False) -> Brief:
        """Decide these things about an Issue; an empty value takes a decision back. All that is decided then.

        Raises ConfigError, Outside.
        """


class Ledger(Protocol):
    """The durable record of slots, issues, deliveries and attempts; the only thing that knows what has been done."""

    # -- slots and issues
    def started(self, edition: str) -> datetime | None:
        """When this edition was started; None before it was. Looking does not start it."""

    def start(self, edition: str, now: datetime) -> None:
        """Start this edition, unless it was before: slots and posts count from now, if no first slot is configured."""

    def slots(self, edition: str) -> Sequence[SlotRecord]:
        """Every slot with an outcome, oldest first."""

    def record_slot(self, edition: str, slot: Slot, outcome: SlotOutcome, reason: str) -> bool:
        """Record the end of a slot that makes no Issue. False when the slot already had an outcome."""

    def free_slot(self, edition: str, key: str) -> bool:
        """Forget that a slot was skipped; False when it was not, or its issue was."""

    def plans(self, edition: str) -> Sequence[SlotPlan]:
        """What was decided about slots, by key."""

    def plan(self, edition: str, plan: SlotPlan) -> None:
        """Decide about a slot; a plan of the same key and kind is replaced."""

    def unplan(self, edition: str, key: str, kind: PlanKind) -> bool:
        """Take a decision back; False when there was none."""

    def posts_from(self, edition: str) -> datetime | None:
        """Posts published before this count as carried; None when nobody said so."""

    def start_from(self, edition: str, at: datetime) -> None:
        """Say so; the edition was started before."""

    def carried(self, edition: str) -> Mapping[str, int]:
        """Post id -> number of the Issue that carries it."""

    def went_out(self, edition: str) -> Mapping[str, datetime | None]:
        """Post id -> when the Issue that carries it went out; None as long as it has not."""

    def told(self, edition: str) -> Mapping[str, int]:
        """Post id -> how many of its Corrections an Issue has told, or is to tell.

        One that was cancelled in time, or appears on the web only, gives them back.
        """

    def open_issue(
        self,
        *,
        edition: str,
        slot: Slot,
        coalesced: Sequence[Slot],
        stories: Sequence[Story],
        render: Callable[[int], Digest],
        state: IssueState,
        reason: str,
        hand: Hand,
        send_at: datetime | None,
        outside: bool = False,
    ) -> Issue | None:
        """In one transaction: take the slot, give the next number, attach the stories, freeze the Digest.

        A DRAFT is taken up again, under its number, unless the issue is `outside` of the rhythm. `render` gets the
        number. None when another process took the slot or one of the stories first: then nothing was written.
        """

    def issues(self, edition: str | None = None) -> Sequence[Issue]:
        """Those of an edition, oldest first; or those of all, one edition after another."""

    def issue(self, edition: str, number: int) -> Issue | None: ...
    def digest(self, edition: str, number: int) -> Digest: ...

    # -- the life of an issue: each of these is one IssueAct, written down as a Turn with the change or not at all
    def schedule_send(self, edition: str, number: int, *, at: datetime, hand: Hand, note: str = "") -> bool:
        """A READY or HELD issue becomes READY to start at `at`; False when a hand intended it, it started or ended."""

    def cancel(self, edition: str, number: int, *, reason: str, hand: Hand, free_slot: bool = False) -> int:
        """Stop an issue: what waits is dropped. Returns how many readers already have it (accepted or uncertain).

        With no hand-over yet its posts return to the pool, and with `free_slot` its slot may be taken anew; afterwards
        they count as carried.
        """

    def hold(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        """READY -> HELD, its slot's outcome with it. False when it is no longer READY."""

    def pause(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        """SENDING -> PAUSED; False in any other state."""

    def resume(self, edition: str, number: int, *, hand: Hand) -> bool:
        """PAUSED -> SENDING; False in any other state."""

    def let_go(self, edition: str, number: int, *, send_at: datetime | None, hand: Hand, note: str = "") -> bool:
        """HELD -> READY as it was frozen, to start at `send_at` (None waits for a hand). False when it is not HELD."""

    def unready(self, edition: str, number: int, *, reason: str, hand: Hand, free_slot: bool) -> bool:
        """READY or HELD -> DRAFT: its text is gone and its posts are in the pool; the next issue made takes its number.

        With `free_slot` its slot is as if it had never been taken; else it is held. False once it was started.
        """

    def skip(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        """DRAFT or HELD -> SKIPPED: its posts return to the pool, its slot is skipped. False in any other state."""

    def web_only(self, edition: str, number: int, *, reason: str, hand: Hand) -> bool:
        """READY, HELD or CANCELLED -> WEB_ONLY: published, and mailed to nobody who has it not.

        False in any other state, and when another issue carries one of its posts.
        """

    def settle(self, edition: str, number: int, readers: Collection[int] | None, *, again: bool, hand: Hand) -> int:
        """Decide about doubtful deliveries (uncertain, or failed in a way that may pass), of these readers or all.

        They wait once more with `again`, else stay for good as they are. How many there were. An issue that was
        NEEDS_ATTENTION is SENDING then, or SENT when no doubt is left.
        """

    def retry(self, edition: str, number: int, *, hand: Hand) -> int:
        """Let what failed in a way that may pass, and is not settled, wait once more. How many deliveries it is."""

    def turns(self, *, after: int = 0) -> Sequence[Turn]:
        """Every Turn of every issue with a higher id than `after`, oldest first."""

    # -- the audience and the send
    def start_send(self, edition: str, number: int, *, now: datetime, canary: timedelta | None = None) -> Issue | None:
        """READY -> SENDING: fix the audience as of now, in commits under 0.5 s each; resumable after a crash.

        The last commit verifies the count and sets `started_at`. None when the issue was not READY with `send_at` past.
        With `canary` the first hundred readers are due at once, all others so much later; it is left out where the
        audience has fewer than 500.
        """

    def readers(
        self, edition: str, number: int, segments: Sequence[Segment]
    ) -> Iterator[Sequence[tuple[Addressee, str]]]:
        """Whom an issue with these segments would go to now, some hundred at a time, with their variants; and why one
        of them would get nothing (`variants.NO_TOPIC`, `variants.HAD_ALL`), else empty.
        """

    def variant(self, edition: str, number: int, segments: Sequence[Segment], subscriber_id: int) -> tuple[str, ...]:
        """In which one reader would get an issue with these segments now."""

    def had(self, subscriber_id: int, posts: Collection[str]) -> Mapping[str, int]:
        """Which of these posts a reader was sent, or is about to be, in whatever mail: id -> how many of its
        Corrections the text told of.
        """

    def variants(self, edition: str, number: int) -> Mapping[tuple[str, ...], int]:
        """How many readers of the audience get which variant, most first; who gets nothing is not counted."""

    def recover(self, *, now: datetime, resend: bool) -> int:
        """After a crash, called by the holder of the sender lock only: claimed rows wait again; rows that were
        `sending` become uncertain (or wait, if `resend`). Finishes audiences that were cut short.
        Returns how many rows were `sending`.
        """

    def fill_begun(self, now: datetime) -> None:
        """Finish audiences that were cut short; harmless beside others who send or do the same."""

    def due_chunks(self, now: datetime) -> Sequence[Chunk]:
        """Take all chunks with a row due now, of issues that are SENDING; each comes with a new epoch.

        Those that open later are left out.
        """

    def claim(self, chunk: Chunk, *, limit: int, now: datetime) -> Sequence[int]:
        """Mark up to `limit` due rows `claimed`; their subscriber ids. Raises Outside C509 on a disk without room."""

    def hand_over(
        self,
        chunk: Chunk,
        *,
        settled: Sequence[Settlement],
        wanted: Sequence[int],
        now: datetime,
    ) -> Mapping[int, Addressee | None]:
        """One commit: record the outcomes in `settled`, mark each of `wanted` `sending`.

        A wanted row is marked only if the issue is still SENDING, the chunk's epoch is still ours and the
        subscriber is still active. None for a row that was dropped; one that stays for later is left out.
        """

    def release(self, chunk: Chunk, subscriber_ids: Sequence[int]) -> None:
        """Give claimed rows back to waiting: no attempt was made."""

    def finish(self, edition: str, number: int, *, now: datetime) -> Issue:
        """SENDING -> SENT or NEEDS_ATTENTION once nothing waits; unchanged otherwise."""

    def counts(self, edition: str, number: int) -> Mapping[DeliveryState, int]: ...
    def deliveries(self, edition: str, number: int, state: DeliveryState | None = None) -> Sequence[Delivery]: ...
    def answers(self, edition: str, number: int) -> Sequence[Answer]:
        """Those who have it not, or not for sure, and why: with the reply of a mail server where one answered."""

    def by_provider(self, edition: str, number: int) -> Mapping[str, Mapping[DeliveryState, int]]:
        """How the deliveries stand by whose mailboxes they are for (`newsletter.providers`)."""

    def doubtful(self, edition: str, number: int) -> Sequence[Delivery]:
        """Those that a person has still to decide about: uncertain, or failed in a way that may pass."""

    def delivery(self, edition: str, number: int, subscriber_id: int) -> Delivery | None: ...
    def attempts(self, edition: str, number: int, subscriber_id: int) -> Sequence[Attempt]: ...
    def trouble(self, edition: str, number: int) -> str:
        """Why nobody is served at present: the last hand-over put its reader back unanswered. Else empty."""

    def pace(self, edition: str, number: int) -> float | None:
        """How many messages of an issue the mail server took in a second; None when that cannot be told."""

    def next_retry(self) -> datetime | None:
        """The earliest time at which a waiting row of a SENDING issue is due and its chunk open."""

    # -- sent again, to a reader who asked
    def resend(self, edition: str, number: int, one: Addressee, *, hand: Hand) -> int:
        """Write down that a reader is about to be sent an issue again; a name for what `resent` tells of it."""

    def resent(self, resend: int, receipt: Receipt) -> None:
        """Write down what was answered."""

    def copies(self, edition: str, number: int, subscriber_id: int | None = None) -> Sequence[Attempt]:
        """What became of the copies of an issue, to all readers or one, oldest first."""

    # -- signs of life and the log
    def beat(self, process: str, now: datetime, every: timedelta = ...) -> None:
        """A sign of life; the next one is due after `every`."""

    def silent_after(self, process: str) -> timedelta:
        """After how long without a sign something is wrong: three times what it promised."""

    def last_beat(self, process: str) -> datetime | None: ...
    def log(self, entry: LogEntry) -> None: ...
    def entries(self, limit: int = 50) -> Sequence[LogEntry]: ...


class Instance(Protocol):
    """Which copy of a site this is."""

    def doubt(self) -> str:
        """Why this may be a copy or an older state, in words; empty for the site itself. Raises Outside."""

    def claim(self) -> None:
        """Be the site from now on. Raises Outside."""

    def remember(self) -> None:
        """Write down how far the records came, for a site that is not in doubt. Raises Outside."""


class Roster(Protocol):
    """Who gets it: subscribers and their consent.

    Each change is one transaction with its line of consent, the letter that it calls for, and the dropping of what
    waits; each is harmless to repeat. Whoever was forgotten is nobody here: no method finds them.
    """

    # -- reading
    def find(self, address: str) -> Subscriber | None: ...
    def get(self, subscriber_id: int) -> Subscriber | None: ...
    def all(self, status: str | None = None, *, search: str = "") -> Iterator[Subscriber]:
        """In the order in which they joined, read some hundred at a time; with `search` in the address."""

    def first(self, count: int, *, status: str, edition: str | None = None) -> Sequence[str]:
        """Addresses of some, in alphabetical order, of one edition or all."""

    def counts(self, edition: str | None = None, *, at: datetime | None = None) -> Mapping[str, int]:
        """Readers by status, of one edition or all: now, or as they are `at` a time when some pauses will be over."""

    def consents(self, subscriber_id: int) -> Sequence[Consent]:
        """All that they said, oldest first."""

    def suppressed(self, address: str) -> str:
        """Why this address must not be mailed (`forgotten`, or the reason of a block); empty when it may be."""

    def held(self, subscriber_id: int) -> Mapping[str, Any]:
        """Everything that is kept about one reader, by kind; empty for nobody."""

    # -- becoming a reader
    def add(
        self, address: str, *, edition: str, evidence: Evidence, now: datetime, forgotten: bool = False
    ) -> Subscriber | None:
        """Somebody vouches for them: active at once. None when the address is known (any status) or suppressed.

        With `forgotten` one who asked to be forgotten may come back; nobody who was blocked does.
        """

    def ask(self, address: str, *, edition: str, evidence: Evidence, now: datetime) -> None:
        """A sign-up; says nothing back, so that nobody learns from it who is a reader.

        New, unconfirmed or left: a letter CONFIRM. Active or paused: a letter KNOWN. Blocked: nothing.
        """

    def confirm(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        """Unconfirmed, or left and asked for since -> active, owed stories from now. False for all others."""

    def deny(self, subscriber_id: int, *, now: datetime) -> bool:
        """ "This wasn't me": an unconfirmed reader is gone, with all records; True then. Of others no letter goes."""

    def expire(self, *, before: datetime) -> int:
        """Readers who asked before this and never confirmed are gone, with all records. How many."""

    def expire_moves(self, *, before: datetime) -> None:
        """What asked before this for another address, and nobody confirmed there, is gone."""

    # -- what they get
    def choose(
        self,
        subscriber_id: int,
        *,
        edition: str,
        without: Collection[str],
        plain: bool,
        evidence: Evidence,
        now: datetime,
    ) -> Subscriber | None:
        """The reader with these choices, from the next issue on. None unless active or paused."""

    def pause(self, subscriber_id: int, *, until: datetime | None, evidence: Evidence, now: datetime) -> bool:
        """Active -> paused, or paused until another time; what waits is dropped. False when nothing changes."""

    def resume(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        """Paused -> active."""

    def wake(self, now: datetime) -> int:
        """End the pauses that are over. How many."""

    # -- another address, and letters that change nothing
    def ask_move(self, subscriber_id: int, address: str, *, now: datetime) -> None:
        """A letter MOVE to the new address; says nothing back.

        Of an active or paused reader there: a letter KNOWN to them. Nothing for a blocked one.
        """

    def move(self, letter_id: int, *, evidence: Evidence, now: datetime) -> Subscriber | None:
        """The new address was confirmed: the reader has it, their older links are dead, a letter MOVED goes to the old.

        None when the letter was used, its reader gets no mail, or the address got another reader or a block meanwhile.
        """

    def take_back(self, letter_id: int, *, evidence: Evidence, now: datetime) -> Subscriber | None:
        """It was not the reader who moved: they have the address of this letter MOVED again, and all links are dead.

        The other address is told nothing. None when the letter was used, the address got another reader or a block
        meanwhile, or another address was moved from within the life of such a letter before: whoever carried a reader
        away must not take them back again.
        """

    def write(
        self,
        subscriber_id: int,
        kind: LetterKind,
        *,
        now: datetime,
        digest: Digest | None = None,
        posts: Sequence[Story] = (),
    ) -> Letter | None:
        """A letter by itself: LINK, DATA, CATCH_UP; the one that waits, if one does. None for who may get none."""

    # -- going
    def leave(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        """Active, paused or unconfirmed -> left. False when already left. What waits is dropped, letters too."""

    def come_back(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        """Left -> as they were before, active or paused. False when they had not left, or had never confirmed."""

    def say_why(self, subscriber_id: int, reason: str) -> None:
        """Why they left."""

    def block(self, subscriber_id: int, *, reason: str, evidence: Evidence, now: datetime) -> bool:
        """Any status -> blocked, the address suppressed; what waits is dropped. False when blocked already."""

    def unblock(self, subscriber_id: int, *, evidence: Evidence, now: datetime) -> bool:
        """Blocked -> as they were before, the suppression lifted."""

    def suppress(self, address: str, *, reason: str, now: datetime) -> bool:
        """Never mail this address of nobody here. False when a reader has it, or it is suppressed for such a reason."""

    def release(self, address: str) -> bool:
        """An address of nobody here may be mailed again. False when it could be, or a reader has it."""

    def forget(self, subscriber_id: int, *, now: datetime) -> bool:
        """Of the reader stays a number without address, with the outcomes of deliveries, and a suppressed hash of
        each address that was theirs.

        Their records and letters are gone and every link of theirs is dead. False for nobody.
        """


class ImportStep(Protocol):
    """Some hundred rows of an import, in one transaction."""

    def look(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """Of addresses without case those that are known: the status of the reader, `forgotten` or `blocked`."""

    def put(self, arrivals: Sequence[tuple[Subscriber, str]], pace: timedelta) -> None:
        """Write down readers that are not known, each with a line of consent of this text.

        Unconfirmed ones get a letter CONFIRM, each this much after the one before, and join when it goes; blocked ones
        are suppressed.
        """

    def record(self, run: ImportRun) -> None:
        """How far it came with this step."""

    def finish(self, key: str) -> None:
        """The run is over."""


class Imports(Protocol):
    """Readers who move in by the thousand."""

    def unfinished(self, key: str) -> ImportRun | None:
        """The run of this file that was cut off."""

    def step(self, now: datetime, *, write: bool) -> AbstractContextManager[ImportStep]:
        """A step, committed at its end; without `write` it only looks. Raises Outside."""

    def readers(self, status: str | None) -> Iterator[tuple[Subscriber, str]]:
        """All, in the order in which they joined, each with the way of their first line of consent."""


class Rejected(Protocol):
    """The file of rows that were not added. All of it raises Outside (R129)."""

    def begin(self, headers: Sequence[str], upto: int) -> None:
        """Anew, or behind `upto` bytes of what an earlier run wrote."""

    def write(self, row: int, reason: str, cells: Sequence[str]) -> None: ...
    def settled(self) -> int:
        """How many bytes it has; they are with the system now."""


class ListFile(Protocol):
    """A file of readers of another program."""

    name: str

    def blocks(self) -> Iterator[bytes]:
        """All of it. Raises UsageError (R128), NewsletterError (R121)."""

    def open(self) -> BinaryIO:
        """From its beginning. Raises the same."""


class Rates(Protocol):
    """How often things happened lately."""

    def take(self, limits: Sequence[Limit], now: datetime) -> Wait | None:
        """Count one more in each of them, in one transaction. Where one says no, nothing is counted in any; then this
        is the one that says so longest.
        """

    def hold(self, key: str, until: datetime) -> None:
        """Remember until when something rests, instead of what was known of it."""

    def held(self, key: str, now: datetime) -> datetime | None:
        """Until when it rests; None when it does not."""

    def purge(self, now: datetime) -> None:
        """Forget what says no to nothing any more."""

    def signups(self, since: datetime) -> int:
        """How many asked for the mail themselves since then, as far as it is still on record."""


class Throttle(Protocol):
    """How fast Messages are handed over, over all who send together; a key is a relay, a provider group or a day."""

    def take(self, key: str, usual: timedelta | None, now: datetime) -> Leave:
        """Lease what may go within the next second, at the pace of `usual` or a slower one that somebody asked for.

        With neither there is nothing to lease.
        """

    def slow(self, key: str, every: timedelta, now: datetime) -> timedelta:
        """Somebody asked for less: go half as fast as at present, or as `every` where no pace is known. The new one."""

    def slowed(self, now: datetime) -> Mapping[str, timedelta]:
        """The paces that were asked for and not taken back yet, by key."""

    def take_of_day(self, key: str, wanted: int, cap: int) -> int:
        """Lease up to `wanted` of the Messages that a day may have. How many they are."""

    def give_back(self, key: str, count: int) -> None:
        """What was leased of a day and not handed over."""

    def taken(self, key: str) -> int:
        """How many a day has had."""


class Workers(Protocol):
    """Many who send from one database at once: who they are, and who holds which chunk."""

    def sign(self, name: str, *, connections: int, queues: Sequence[str]) -> None:
        """A sign of life; the first one makes a worker known."""

    def sign_off(self, name: str) -> None:
        """It is gone; it holds no chunk any more."""

    def workers(self) -> Sequence[Worker]:
        """Those who gave a sign of life lately."""

    def ready(self, now: datetime) -> Sequence[int]:
        """Chunks with a row that is due, of issues that are SENDING, which nobody holds."""

    def wake_ready(self, now: datetime) -> None:
        """Tell workers of these."""

    def take(self, chunk_id: int, name: str, now: datetime) -> Chunk | None:
        """Hold a chunk under a new epoch; None unless it is ready."""

    def end(self, of: Chunk, now: datetime, *, again_after: timedelta) -> None:
        """Hold it no more. What is claimed of it waits again; what is `sending`, since its outcome could not be
        written, is settled as after a crash. If it is ready still, workers are told after a while.
        """

    def recover_lost(self, now: datetime) -> int:
        """Take the chunks from those who gave no sign of life for too long, and settle what they had in flight, as
        `Ledger.recover` does. How many rows were `sending`.
        """


class Letters(Protocol):
    """Mail to single readers that they asked for, and what became of it. Who writes one is `Roster`."""

    def due(self, now: datetime, limit: int) -> Sequence[Letter]:
        """Those to hand over now, oldest first. So cheap that it may be asked every second."""

    def begin(self, letter: Letter, now: datetime) -> tuple[Letter, Subscriber] | None:
        """Mark it `sending` before it leaves, with its reader as of now.

        None when it may not go: another process was first, or it was dropped just now, because its reader is no longer
        one for it, its link works no more, or the address has changed hands.
        """

    def settle(self, letter: Letter, settlement: Settlement, now: datetime) -> None:
        """Write down what became of one that `begin` gave; a letter that went another way meanwhile stays so."""

    def recover(self, *, now: datetime, resend: bool) -> int:
        """After a crash, called by the holder of the sender lock only: what was `sending` becomes uncertain (or waits,
        if `resend`). How many there were.
        """

    def get(self, letter_id: int) -> Letter | None: ...
    def of(self, subscriber_id: int) -> Sequence[Letter]:
        """All of a reader, oldest first."""

    def stuck(self, now: datetime, *, since: timedelta, waiting: timedelta) -> Sequence[Letter]:
        """Those that failed or became uncertain no longer ago than `since`, and those that wait longer than `waiting`,
        oldest first.
        """


class Notices(Protocol):
    """What editors and operators are told, and to whom it is still owed."""

    def tell(self, told: Notice, to: Sequence[str]) -> bool:
        """Write it down, owed to each of `to` (keys of persons, WEBHOOK). False when its key was told before."""

    def about(self, kind: NoticeKind, about: str) -> Sequence[Notice]:
        """All of a kind about one thing, oldest first."""

    def due(self, now: datetime) -> Sequence[NoticeCopy]:
        """Copies to hand over now, oldest Notice first; one that a crash left `sending` is among them."""

    def open(self, now: datetime, since: timedelta) -> Sequence[NoticeCopy]:
        """Copies that wait, and those that failed no longer ago than `since`."""

    def last(self, count: int) -> Sequence[tuple[Notice, Sequence[NoticeCopy]]]:
        """The newest Notices with their copies, newest first."""

    def begin(self, copy: NoticeCopy) -> NoticeCopy | None:
        """Mark it `sending`, with one attempt more, before it leaves. None when another process was first."""

    def settle(self, copy: NoticeCopy) -> None:
        """Write down what became of it."""


class Backups(Protocol):
    """The folder of this site's backups."""

    def last(self) -> datetime | None:
        """When the newest was begun; None without any."""

    def make(self, now: datetime, *, keep: int) -> Backup:
        """One more, read back before it counts; then all but the newest `keep` go. Raises Outside (C531, C532)."""


class Session(Protocol):
    """An open way to hand Messages over; may keep one connection for many."""

    def send(self, message: Message) -> Receipt:
        """Hand one Message over. A fault of the relay itself (connect, TLS, greeting, AUTH) raises Outside:
        then the Message was certainly not accepted. After the final dot a lost connection is Outcome.UNKNOWN.
        """


class Transport(Protocol):
    """A way to hand Messages over: SMTP or the outbox."""

    name: str

    def open(self) -> AbstractContextManager[Session]: ...


class Client(Protocol):
    """The web outside, behind a guard: only public addresses, each call ends within 10 seconds and 5 MB."""

    def get(self, url: str) -> Fetched:
        """What stands at `url`, redirects followed. Raises Refused (C801) when the guard says no, and Outside."""

    def post(self, url: str, fields: Mapping[str, str]) -> int:
        """Send a form; the status of the answer. Raises as `get`."""


class Caller(Protocol):
    """The web outside, for addresses that stand in `newsletter.toml`: this machine is not forbidden."""

    def send(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Post octets with these headers; the status of the answer. Raises Outside."""

    def knock(self, url: str) -> int:
        """The status of what stands at `url`. Raises Outside."""


class Stage(Protocol):
    """New files of a site, made aside and brought in together."""

    def put(self, path: PurePosixPath, content: bytes) -> None:
        """A new file of `posts/`."""

    def redirects(self, found: Mapping[str, str]) -> Sequence[str]:
        """Old path -> slug: lines for `redirects.toml`, once all new files are there; the paths that it leads elsewhere
        already. Raises ConfigError when it cannot be read.
        """

    def commit(self) -> None:
        """All of it or nothing. Raises Refused for a file in the way, Outside when the disk refuses."""
