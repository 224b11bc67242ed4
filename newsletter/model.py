"""The words of the house, as values.

Every noun that code, documents and screens use is defined here once, immutable, and imports nothing but
the standard library. Rules live in the rooms; this page only says what things are. `docs/glossary.md`
explains each in a sentence, and a test compares the two lists.

Times are aware datetimes in UTC unless a name says *local*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

# --- the publication -------------------------------------------------------------------------------

_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "ug", "ur", "yi"})


def direction_of(language: str) -> str:
    """`rtl` for a language written from right to left, else `ltr`."""
    return "rtl" if language.lower().partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


@dataclass(frozen=True, slots=True)
class Person:
    """A desk or a human who writes, reviews or operates; named by `key` in posts and on the command line."""

    key: str
    name: str
    email: str = ""
    role: str = "writer"  # writer, editor or operator


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail comes from, and the postal address that each mail must carry (16 CFR 316.5)."""

    name: str
    address: str
    reply_to: str
    postal_address: str
    list_id: str  # RFC 2919: `label.domain`, the same for the list's whole life
    bounces: str = ""  # where what cannot be delivered comes back to, if not to `address`

    @property
    def envelope(self) -> str:
        """MAIL FROM (RFC 5321 3.3)."""
        return self.bounces or self.address


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of pages and mail by what they are for, each `#rrggbb`."""

    paper: str  # behind everything
    card: str  # behind text; and the words on a button
    tint: str  # behind what is set apart
    ink: str  # words
    soft: str  # words beside the words: dates, captions
    link: str  # links, bars, buttons
    rule: str  # lines


LIGHT = Palette("#faf5ec", "#fffdf8", "#f6e9da", "#2b2521", "#6a5f54", "#9c3d12", "#e3d9c8")
DARK = Palette("#161412", "#211e1b", "#2a2320", "#e6e0d6", "#b9b1a5", "#f2a07f", "#3a342e")


@dataclass(frozen=True, slots=True)
class Look:
    """How pages and mail look: the site has one."""

    light: Palette = LIGHT
    dark: Palette = DARK
    titles: str = "serif"  # or sans
    text: str = "serif"
    logo: Variant | None = None  # a PNG at the web root, in the masthead of mails, where the name stands else


@dataclass(frozen=True, slots=True)
class Site:
    """What is true of the whole publication."""

    title: str
    url: str  # where `feeds/` is served; no trailing slash
    web_url: str  # where `newsletter serve` answers; no trailing slash
    tagline: str
    language: str
    timezone: ZoneInfo
    authority: str  # the tagging entity of RFC 4151: "autotrendy.example,2022"
    take_label: str
    sender: Sender
    people: Mapping[str, Person] = field(default_factory=dict)
    review: bool = True
    hubs: tuple[str, ...] = ()  # WebSub hubs that are told of changed feeds
    rights: str = ""  # what may be done with the Posts, in one line
    icon: Asset | None = None  # a square PNG, at the web root
    logo: Asset | None = None  # another, twice as wide as high
    full_text: bool = False  # mails carry whole Posts, as far as they fit
    numbered: bool = False  # subjects begin with the number of the Issue
    look: Look = field(default_factory=Look)
    mail_day: int | None = None  # weekday of the weekly Issue, 0 is Monday; None where nobody can sign up by mail

    @property
    def direction(self) -> str:
        """`rtl` for a language written from right to left, else `ltr`."""
        return direction_of(self.language)

    def address_of(self, path: str) -> str:
        """The absolute URL of a path below `feeds/`: `address_of("posts/x/")`."""
        return f"{self.url}/{path.lstrip('/')}"


# --- content ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """One Markdown file as it was read: its path relative to the site, and its bytes decoded."""

    path: PurePosixPath
    text: str
    assets: Mapping[str, bytes] = field(default_factory=dict)  # files beside it that it may name
    stamp: str = ""  # equal stamps of one path mean equal text and assets; empty when nobody can tell


class LinkKind(StrEnum):
    PREVIOUS = "previous"
    CONTINUES = "continues"
    CORRECTS = "corrects"
    SEE_ALSO = "see-also"
    MENTIONS = "mentions"  # a [[slug]] in the text
    VERDICT = "verdict"  # on the Take of an older Post


@dataclass(frozen=True, slots=True)
class Link:
    """A reference found in one Post to another; a BackLink is the same edge seen from its target."""

    kind: LinkKind
    source: str  # post id
    target: str  # post id


BackLink = Link
"""Named for the reader of a signature: a Link held by its target."""


@dataclass(frozen=True, slots=True)
class Take:
    """The house's opinion in a Post, one to three sentences."""

    html: str  # sanitised, without a wrapper
    text: str
    check: date | None = None  # when the house promised to look back at it


class Judgement(StrEnum):
    """What became of a Take, as a later Post says."""

    OPEN = "open"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """When and why a Post was taken back."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What was wrong in a published Post, as its readers are told."""

    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that belongs to a Post and is published beside its page."""

    name: str
    content: bytes = field(repr=False)


SHOWN_WIDTH, SHOWN_BYTES = 1072, 150_000
"""What mail, feeds and previews get of a picture: twice a mail's column in pixels, and light enough for mail."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A picture in one width, encoded anew, with nothing in it but the picture."""

    name: str  # `car-1072-1a2b3c4d.jpg`: the width, and the first digits of the SHA-256 of `content`
    width: int  # pixels
    height: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """An Asset that is a picture, as it is published: its Variants, narrowest first, at least one."""

    name: str  # of the Asset
    variants: tuple[Variant, ...]

    @property
    def shown(self) -> Variant:
        """What feeds, mail and previews get: the widest that is not over SHOWN_WIDTH."""
        return [self.variants[0], *(one for one in self.variants if one.width <= SHOWN_WIDTH)][-1]


@dataclass(frozen=True, slots=True)
class Post:
    """One Markdown file, parsed, its references resolved and its HTML sanitised."""

    id: str  # a tag: URI (RFC 4151) that survives a change of slug, domain or text
    slug: str
    title: str
    author: Person
    reviewer: Person | None
    published: datetime
    updated: datetime
    topics: tuple[str, ...]
    summary: str  # plain text, at most 60 words
    html: str  # the body without the take; every URL absolute
    words: int  # of the body
    take: Take | None
    image: str | None  # absolute URL
    image_alt: str
    links: tuple[Link, ...]
    content_hash: str  # of everything a reader would see; what an Approval is bound to
    draft: bool
    path: PurePosixPath  # where it was read from
    assets: tuple[Asset, ...] = ()
    pictures: tuple[Picture, ...] = ()  # what became of those assets that are pictures
    mark: str = field(default="", compare=False)  # of everything in this Post a hash; empty when nobody took it
    face: str = field(default="", compare=False)  # the same without the text: of what other pages may say of it
    judgement: Judgement | None = None  # of the Take that its VERDICT Link leads to
    withdrawal: Withdrawal | None = None
    repeats_itself: bool = False  # the summary is the beginning of the text
    corrections: tuple[Correction, ...] = ()  # oldest first

    @property
    def minutes(self) -> int:
        """Reading time at 220 words a minute, never less than one."""
        return max(1, round(self.words / 220))


@dataclass(frozen=True, slots=True)
class Chain:
    """The ordered Posts that `previous` and `continues` links join: "This story so far"."""

    posts: tuple[str, ...]  # post ids, oldest first

    def before(self, post_id: str) -> tuple[str, ...]:
        """What comes before a Post of this Chain, newest first: "Earlier in this story"."""
        return self.posts[: self.posts.index(post_id)][::-1]

    def after(self, post_id: str) -> tuple[str, ...]:
        """What comes after a Post of this Chain, oldest first: "Later"."""
        return self.posts[self.posts.index(post_id) + 1 :]


@dataclass(frozen=True, slots=True)
class Library:
    """All public Posts, newest first, with their BackLinks and Chains: the resolved whole."""

    posts: tuple[Post, ...]
    backlinks: Mapping[str, tuple[BackLink, ...]]  # target id -> edges that point at it
    chains: Mapping[str, Chain]  # post id -> the Chain it is part of, if any
    approved: frozenset[str] = frozenset()  # ids of Posts whose present hash is approved
    known_ids: frozenset[str] = frozenset()  # ids of all sources, public or not
    known_slugs: frozenset[str] = frozenset()  # and their slugs
    withdrawn: tuple[Post, ...] = ()  # Posts that were public until they were taken back, newest first
    in_review: tuple[Post, ...] = ()  # no drafts, their time has come, and no version was ever approved: not public

    def find(self, post_id: str) -> Post | None:
        return next((post for post in self.posts if post.id == post_id), None)


@dataclass(frozen=True, slots=True)
class Approval:
    """A reviewer's sign-off on the hash of a Post's content; a line of `reviews.toml`."""

    post_id: str
    content_hash: str
    by: str  # key of a Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A text of a Post that somebody was asked to look at, numbered from 1 for each Post."""

    post_id: str
    number: int
    content_hash: str
    text: str = field(repr=False)  # of the source, as it was written
    seen_at: datetime


class ReviewAct(StrEnum):
    """What happened to a Post on its way to readers."""

    ASKED = "asked"  # for a review
    CHANGES = "changes"  # were asked for
    RETURNED = "returned"  # to draft
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """One line of the history of a Post's review; append-only."""

    post_id: str
    at: datetime
    who: str  # key of a Person
    act: ReviewAct
    version: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A path relative to the output folder, and its bytes. What rendering returns."""

    path: PurePosixPath
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A File before it is made: `key` is a hash of everything that its bytes depend on."""

    path: PurePosixPath
    key: str
    make: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stood at an address on the web."""

    url: str  # where it was found, after redirects
    media_type: str  # `text/html`, without parameters
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a publish did to the output folder, as counts of files."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    same: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


WEEKLY, EACH_POST, MONTHLY = "weekly", "each-post", "monthly"
"""The editions; the first is always there, and an Issue of it needs no more than its number to be named."""

EDITIONS = (WEEKLY, EACH_POST, MONTHLY)


def issue_name(edition: str, number: int | None) -> str:
    """What an Issue is called where one is asked for: `47`, `monthly/3`; None is the one that comes: `monthly/next`."""
    name = "next" if number is None else f"{number}"
    return name if edition == WEEKLY else f"{edition}/{name}"


def issue_page(edition: str, number: int, lead: str) -> str:
    """Where it can be read, below the web root: an Issue of one Post has no page but that of its Post, `lead`."""
    if edition == EACH_POST:
        return f"posts/{lead}/"
    return f"issues/{issue_name(edition, number)}/"


def issue_title(edition: str, number: int) -> str:
    """What it is called where a sentence begins: `Issue 47`, `Monthly issue 3`."""
    return f"Issue {number}" if edition == WEEKLY else f"{edition.capitalize()} issue {number}"


# --- issues ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cadence:
    """The rhythm of an edition in wall-clock time: Fridays 08:00 in a zone."""

    weekday: int  # 0 is Monday
    at: time
    zone: ZoneInfo
    late_limit: timedelta
    first_slot: date | None = None
    moved: Mapping[str, datetime] = field(default_factory=dict)  # key of a Slot -> when it comes instead
    preview: timedelta = timedelta(0)  # before a slot, in wall-clock time: when editors get its mail; 0 for never
    freeze: timedelta = timedelta(0)  # before a slot: when its Issue is frozen
    edition: str = WEEKLY
    nth: int = 0  # 0 for every week; 1 to 4 for that weekday of each month, -1 for the last
    delay: timedelta = timedelta(0)  # between an Issue that has no rhythm and its first mail: to stop it in

    @property
    def singly(self) -> bool:
        """Whether there is no rhythm: each Post is an Issue of its own, when it comes out."""
        return self.edition == EACH_POST


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One occurrence of a Cadence, named by its ISO week or its month: `2026-W48`, `2026-M12`."""

    key: str
    due: datetime
    local: datetime = field(compare=False)  # the same instant on the cadence's wall clock

    @property
    def outside(self) -> bool:
        """Whether it is of no Cadence, but of one Issue that somebody made beside the rhythm."""
        return self.key.startswith("extra:")


@dataclass(frozen=True, slots=True)
class Brief:
    """What an editor decided about one Issue before it is made; for most, nothing."""

    subject: str = ""
    preheader: str = ""
    note: str = ""  # to the readers: plain text, paragraphs apart by an empty line
    signed: str = ""  # whose note it is, by name
    lead: str = ""  # slug of the Post that comes first
    pins: tuple[str, ...] = ()  # slugs of those that come next, in this order
    leave_out: tuple[str, ...] = ()  # slugs of those that wait for a later Issue
    at_least: int = 1  # stories; with fewer there is no Issue
    at_most: int | None = None  # stories; the others wait


USUAL = Brief()
"""What holds where nobody decided anything."""


class SlotOutcome(StrEnum):
    """How a slot ended. Every slot that passed has exactly one."""

    ISSUED = "issued"
    COALESCED = "coalesced"  # missed in a longer downtime; its posts went into a later slot's Issue
    EMPTY = "empty"
    HELD = "held"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class SlotRecord:
    key: str
    due: datetime
    outcome: SlotOutcome
    reason: str
    issue_number: int | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A warning of one Issue that a person let pass. It holds for this very finding: another sentence, another one."""

    number: int  # of the Issue
    code: str
    finding: str  # file and sentence, as it was shown
    digest_hash: str  # of the text in which it was found
    who: str  # key of a Person
    at: datetime
    reason: str


class PlanKind(StrEnum):
    """What may be decided about a Slot before it comes."""

    HOLD = "hold"  # its Issue is made, and waits for a hand
    MOVE = "move"  # it comes at another time
    PAUSE = "pause"  # all Slots: none makes an Issue until this is lifted
    CLOCK = "clock"  # the same, because the machine's clock jumped


ALL_SLOTS = "all"
"""Stands for every Slot in a SlotPlan."""


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What somebody decided about a Slot to come, or, under ALL_SLOTS, about every one."""

    key: str
    kind: PlanKind
    hand: Hand
    reason: str = ""
    moved_to: datetime | None = None


class IssueState(StrEnum):
    DRAFT = "draft"
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs-attention"
    CANCELLED = "cancelled"
    WEB_ONLY = "web-only"
    SKIPPED = "skipped"

    @property
    def public(self) -> bool:
        """Whether the archive shows an Issue in this state."""
        return self in _PUBLIC_STATES


class IssueAct(StrEnum):
    """What is done to an Issue. Nothing else changes its state."""

    MAKE = "make"
    READY = "ready"  # its text is frozen anew, or it is let go after it was held
    UNREADY = "unready"  # its text is thawed
    SEND = "send"  # a hand says when it starts
    START = "start"  # its audience is fixed
    HOLD = "hold"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SKIP = "skip"
    WEB_ONLY = "web-only"
    FINISH = "finish"
    SETTLE = "settle"  # what became of its doubtful Deliveries was decided
    RETRY = "retry"

    @property
    def turns(self) -> tuple[frozenset[IssueState], frozenset[IssueState]]:
        """From which states it leads, and to which. MAKE leads from none: the Issue was not there."""
        return _TURNS[self]


_PUBLIC_STATES = frozenset(
    {
        IssueState.SENDING,
        IssueState.SENT,
        IssueState.PAUSED,
        IssueState.NEEDS_ATTENTION,
        IssueState.WEB_ONLY,
    }
)


def _turns_of() -> dict[IssueAct, tuple[frozenset[IssueState], frozenset[IssueState]]]:
    state, act = IssueState, IssueAct
    frozen = {state.READY, state.HELD}
    going = {state.SENDING, state.PAUSED}
    told: list[tuple[IssueAct, set[IssueState], set[IssueState]]] = [
        (act.MAKE, set(), frozen),
        (act.READY, {state.DRAFT, state.HELD}, frozen),
        (act.UNREADY, frozen, {state.DRAFT}),
        (act.SEND, frozen, {state.READY}),
        (act.START, {state.READY}, {state.SENDING}),
        (act.HOLD, {state.READY}, {state.HELD}),
        (act.PAUSE, {state.SENDING}, {state.PAUSED}),
        (act.RESUME, {state.PAUSED}, {state.SENDING}),
        (act.CANCEL, {state.DRAFT, *frozen, *going}, {state.CANCELLED}),
        (act.SKIP, {state.DRAFT, state.HELD}, {state.SKIPPED}),
        (act.WEB_ONLY, {*frozen, state.CANCELLED}, {state.WEB_ONLY}),
        (act.FINISH, {state.SENDING}, {state.SENT, state.NEEDS_ATTENTION}),
        (act.SETTLE, {*going, state.NEEDS_ATTENTION}, {*going, state.NEEDS_ATTENTION, state.SENT}),
        (act.RETRY, {*going, state.NEEDS_ATTENTION}, going),
    ]
    return {done: (frozenset(before), frozenset(after)) for done, before, after in told}


_TURNS = _turns_of()


@dataclass(frozen=True, slots=True)
class Hand:
    """Who does something, from where, and when."""

    who: str  # key of a Person, "operator" where none is named, "clock"
    channel: str  # cli, clock, web
    at: datetime


def by_clock(now: datetime) -> Hand:
    """Nobody: it was time."""
    return Hand("clock", "clock", now)


@dataclass(frozen=True, slots=True)
class Turn:
    """One change in the life of an Issue, a line of the log; append-only, written with the change or not at all."""

    id: int  # rises
    edition: str
    number: int  # of the Issue
    act: IssueAct
    hand: Hand
    before: IssueState | None  # None when it was made
    after: IssueState
    note: str = ""  # the reason given, or what follows: "starts Fri 27 Nov 2026, 08:00 Madrid"


@dataclass(frozen=True, slots=True)
class Story:
    """A Post's place in an Issue, frozen with the hash of the text that was chosen."""

    post_id: str
    content_hash: str
    slug: str
    title: str
    corrections: int = 0  # how many of its Post's Corrections the text told of


class SegmentKind(StrEnum):
    """For whom a Segment is."""

    STORY = "story"  # readers who were not sent it and do not refuse all its topics: nearly all
    RECAP = "recap"  # readers who were never sent the earlier Post of a story
    ERRATUM = "erratum"  # readers who were sent a Post as it was before a Correction


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a Digest that not every reader gets, marked in HTML and text by its key (`newsletter.segments`)."""

    key: str  # `recap:1`: no blank in it; of a story its place, `story:3`
    kind: SegmentKind
    post_id: str  # that of the story; else the earlier Post, or the one that was corrected
    correction: int = 0  # its number, from 1, in the Post's Corrections
    # Of a story, and what the mail says where it is the first one that a reader gets:
    topics: tuple[str, ...] = ()  # keys
    minutes: int = 0
    subject: str = ""
    preheader: str = ""
    title: str = ""  # of the document

    def concerns(self, had: Mapping[str, int], without: Collection[str] = ()) -> bool:
        """Whether a reader gets it who was sent these Posts (post id -> Corrections that the text told of), and does
        not want these topics. What has no topic is for everybody.
        """
        if self.kind is SegmentKind.STORY:
            return self.post_id not in had and not (self.topics and without and set(self.topics) <= set(without))
        if self.kind is SegmentKind.RECAP:
            return self.post_id not in had
        return had.get(self.post_id, self.correction) < self.correction


class Tally(StrEnum):
    """What stands in a Digest where it speaks of the stories that a reader gets; replaced per variant."""

    STORIES = "__DIGEST_STORIES__"  # 5 stories · 38 min
    PREHEADER = "__DIGEST_PREHEADER__"
    TITLE = "__DIGEST_TITLE__"  # of the document
    NUMBER = "__DIGEST_NUMBER__"  # before a number: that line's place among those that are shown


class Sentinel(StrEnum):
    """What stands in a Digest where a reader's own words and links go; replaced per Message.

    Free of spaces and of characters that HTML, URLs or premailer would escape.
    """

    UNSUBSCRIBE = "https://x.invalid/__UNSUBSCRIBE__/"
    PREFERENCES = "https://x.invalid/__PREFERENCES__/"
    ADDRESS = "__READER_ADDRESS__"  # the reader's own address, masked: r…@example.org
    JOINED = "__READER_JOINED__"  # the local date on which they joined: 3 March 2026


READERS_LINKS = frozenset({Sentinel.UNSUBSCRIBE, Sentinel.PREFERENCES})
"""The Sentinels that are addresses of pages."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The rendered Issue, addressed to nobody yet: `html` and `text` hold Sentinels."""

    subject: str
    preheader: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    digest_hash: str = ""
    note: str = ""  # the editor's, with the signature; the archive shows it too
    segments: tuple[Segment, ...] = field(default=(), hash=False)  # the parts that not every reader gets


@dataclass(frozen=True, slots=True)
class Issue:
    """A numbered selection of Posts, decided once."""

    number: int
    edition: str
    slot: Slot
    state: IssueState
    stories: tuple[Story, ...]
    subject: str
    preheader: str
    reason: str = ""  # why it is held, paused or cancelled
    ready_at: datetime | None = None
    send_at: datetime | None = None  # when the send may start; None waits for a hand
    started_at: datetime | None = None  # when the audience was fixed; the Date of each Message
    finished_at: datetime | None = None
    sent_by: str = ""  # who triggered it; empty for the clock
    audience: int = 0
    note: str = ""  # of the editor to the readers

    @property
    def name(self) -> str:
        """`47`, `monthly/3`: what it is called on the command line and in the log."""
        return issue_name(self.edition, self.number)

    @property
    def page(self) -> str:
        """The path of its page, below the web root."""
        return issue_page(self.edition, self.number, self.stories[0].slug if self.stories else "")

    @property
    def title(self) -> str:
        """`Issue 47`, `Monthly issue 3`: how a sentence about it begins."""
        return issue_title(self.edition, self.number)


# --- readers ---------------------------------------------------------------------------------------


class SubscriberStatus(StrEnum):
    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An address with a status; on screens the word is *reader*."""

    id: int
    address: str
    status: SubscriberStatus
    edition: str
    joined_at: datetime
    left_at: datetime | None = None
    token_version: int = 1  # links in mails of an older one do nothing
    owed_from: datetime | None = None  # since when stories are owed; None as long as nothing was confirmed
    paused_until: datetime | None = None  # when a pause ends by itself; None for one without an end
    without: tuple[str, ...] = ()  # topics (keys) that this reader does not want; a new topic is wanted
    plain: bool = False  # gets the text part alone
    why: str = ""  # they left, if they said so


@dataclass(frozen=True, slots=True)
class Evidence:
    """How somebody said what they want: what is kept of it, to be shown to them or an authority (GDPR Art. 7(1))."""

    way: str  # cli, form, embed, link, one-click, import, clock, server (what a mail server answered)
    text: str = ""  # what the reader was shown, or what proof was given
    page: str = ""  # the path of the page
    network: str = ""  # theirs, shortened, if the site keeps it


class ConsentKind(StrEnum):
    """What a reader, or somebody for them, said."""

    ASKED = "asked"  # for the mail, with nothing confirmed yet
    JOINED = "joined"  # confirmed, or vouched for
    CHOSE = "chose"  # how often, which topics, which format
    PAUSED = "paused"
    RESUMED = "resumed"
    MOVED = "moved"  # to another address
    LEFT = "left"
    RETURNED = "returned"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


@dataclass(frozen=True, slots=True)
class Consent:
    """One line of the append-only record of how and when a Subscriber agreed or left (GDPR Art. 7)."""

    subscriber_id: int
    at: datetime
    kind: ConsentKind
    way: str  # as in Evidence, and so the next three
    text: str = ""
    page: str = ""
    network: str = ""
    text_hash: str = ""  # SHA-256 of `text`, in hex
    address: str = ""  # which it was then


class LetterKind(StrEnum):
    """What a Letter is about."""

    CONFIRM = "confirm"  # whether this address wants the mail
    KNOWN = "known"  # somebody asked for an address that is on the list already
    LINK = "link"  # a fresh link to the reader's preferences
    DATA = "data"  # a link to what is held about the reader, and to be forgotten
    MOVE = "move"  # to a new address: whether it wants the mail instead of the old one
    MOVED = "moved"  # to the old address: that the mail goes elsewhere from now on, and how to take that back
    CATCH_UP = "catch-up"  # the stories that this reader was not sent

    @property
    def readers(self) -> frozenset[SubscriberStatus]:
        """Whom it may still go to, as they are when it leaves."""
        return _MAY_HAVE[self]

    @property
    def good_for(self) -> timedelta | None:
        """How long after it was asked for its link works; None for ever."""
        return _GOOD_FOR.get(self)


def _may_have() -> dict[LetterKind, frozenset[SubscriberStatus]]:
    status, kind = SubscriberStatus, LetterKind
    reads = {status.ACTIVE, status.PAUSED}
    told: dict[LetterKind, set[SubscriberStatus]] = {
        kind.CONFIRM: {status.UNCONFIRMED, status.LEFT},
        kind.KNOWN: reads,
        kind.LINK: {*reads, status.LEFT},
        kind.DATA: {*reads, status.LEFT},
        kind.MOVE: reads,
        kind.MOVED: {*reads, status.LEFT},
        kind.CATCH_UP: reads,
    }
    return {one: frozenset(those) for one, those in told.items()}


_MAY_HAVE = _may_have()
_GOOD_FOR = {
    LetterKind.CONFIRM: timedelta(days=14),
    LetterKind.MOVE: timedelta(days=14),
    LetterKind.MOVED: timedelta(days=7),
    LetterKind.DATA: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one reader that they asked for themselves: owed like a Delivery, one row and one outcome each.

    It goes ahead of every Issue, on a connection of its own.
    """

    id: int
    kind: LetterKind
    subscriber_id: int
    address: str  # where it goes; of MOVE the one that is to be confirmed
    at: datetime  # when it was asked for; the Date of the message
    state: DeliveryState
    reason: str = ""  # why it was dropped
    attempts: int = 0
    first_at: datetime | None = None  # of the first attempt; a retry gives up 48 hours later
    next_at: datetime | None = None
    code: int | None = None
    reply: str = ""
    done_at: datetime | None = None
    digest: Digest | None = field(default=None, repr=False)  # of CATCH_UP, frozen when it was asked for
    posts: tuple[str, ...] = ()  # ids of the Posts in it


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may happen: `burst` times at once, and once more after each `every`."""

    key: str  # what is limited; of an address or a network a keyed hash
    burst: int
    every: timedelta


@dataclass(frozen=True, slots=True)
class Wait:
    """A Limit that said no, and when it will say yes."""

    limit: Limit
    until: datetime


@dataclass(frozen=True, slots=True)
class ImportRun:
    """How far the import of one file came; what was committed of it is never done again."""

    key: str  # SHA-256 over the file and what was said about it
    name: str  # of the file
    rows: int = 0
    fates: Mapping[str, int] = field(default_factory=dict)  # what became of them
    rejected: int = 0  # bytes of the file of those that were not added


# --- delivery --------------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    WAITING = "waiting"  # deferred = waiting with a time
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The debt "Issue N is owed to subscriber S": one row, unique per pair."""

    issue_number: int
    subscriber_id: int
    address: str
    state: DeliveryState
    reason: str = ""  # why it was dropped: left, suppressed, cancelled, expired
    attempts: int = 0
    next_at: datetime | None = None
    code: int | None = None  # the last SMTP reply code
    reply: str = ""
    done_at: datetime | None = None
    variant: tuple[str, ...] = ()  # what departs from the usual (`newsletter.segments`)


@dataclass(frozen=True, slots=True)
class Answer:
    """How many Deliveries of an Issue stand alike: in one state, for one reason, with the same last reply."""

    state: DeliveryState
    reason: str
    code: int | None
    reply: str
    readers: int
    next_at: datetime | None = None  # when the first of them is tried again


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-over of a Message and what came of it; append-only, shown by `explain`."""

    at: datetime
    n: int
    outcome: str
    code: int | None
    reply: str


@dataclass(frozen=True, slots=True)
class Addressee:
    """What a Message needs to know of one reader, as of hand-over."""

    subscriber_id: int
    address: str
    joined_at: datetime
    token_version: int
    attempts: int = 0  # counted hand-overs of this Delivery before the one that now begins
    first_at: datetime | None = None  # when the first of them was made; a retry gives up 48 hours later
    variant: tuple[str, ...] = ()  # what departs from the usual (`newsletter.segments`)


@dataclass(frozen=True, slots=True)
class Message:
    """One Digest for one Subscriber: RFC 5322 bytes, CRLF line ends, and its envelope.

    Its pieces are whole lines, the first of them the head with its blank line. Those that many Messages have are the
    same objects in all of them, so that what must be known of them (that they are sound, how they go over the wire) is
    found out once.
    """

    sender: str  # MAIL FROM
    recipient: str  # RCPT TO: its domain is ASCII, what stands before the @ need not be
    message_id: str  # without angle brackets
    pieces: tuple[bytes, ...] = field(repr=False)

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """Octets of the content."""
        return sum(map(len, self.pieces))

    @property
    def needs_utf8(self) -> bool:
        """Whether only a server that offers SMTPUTF8 can take it (RFC 6531): then its To is UTF-8, and nothing else."""
        return not self.recipient.isascii()


class Outcome(StrEnum):
    """What a transport answered."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # 4xx: try later
    REFUSED = "refused"  # 5xx: never
    UNKNOWN = "unknown"  # no answer after the final dot


@dataclass(frozen=True, slots=True)
class Receipt:
    """The transport's answer for one Message, word for word."""

    outcome: Outcome
    code: int | None = None
    reply: str = ""
    of_content: bool = field(default=False, compare=False)  # answered to what was sent, not to whom

    @property
    def words(self) -> str:
        """`250 2.0.0 queued as 4F2`, in one line."""
        return " ".join(f"{self.code or ''} {self.reply}".split())


@dataclass(frozen=True, slots=True)
class Proof:
    """One test of a Digest, to an address of the house, and what came of it."""

    edition: str
    number: int  # of the Issue, which need not be made yet
    digest_hash: str  # of exactly this text
    sender: str
    recipient: str
    at: datetime
    receipt: Receipt


NO_MAILBOX = "no-mailbox"
"""Why a Delivery failed whose reader is mailed no more."""


NO_UTF8 = "no-smtputf8"
"""Why a Delivery failed to an address that the mail server cannot be told."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one row that was `sending`: decided by `delivery.retry`, written by the ledger."""

    subscriber_id: int
    state: DeliveryState  # waiting (deferred, or a fault of the relay), accepted, failed, uncertain, dropped
    reason: str = ""
    next_at: datetime | None = None  # for waiting: not before
    counted: bool = True  # an attempt at this reader was made; False for a fault of the relay
    receipt: Receipt | None = None

    @property
    def is_dead(self) -> bool:
        """Whether there is no such mailbox: its reader is blocked."""
        return self.state is DeliveryState.FAILED and self.reason == NO_MAILBOX


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to 500 Deliveries of one Issue, the unit of work that a worker takes; `epoch` is its fence."""

    id: int
    issue_number: int
    epoch: int
    edition: str = WEEKLY
    provider: str = "other"  # whose mailboxes its readers have, as `providers` groups them


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that sends beside others, and its last sign of life."""

    name: str
    connections: int
    queues: tuple[str, ...]  # none for one that sends only as long as no other does
    silent: timedelta  # since that sign
    lives: bool  # as far as can be told from it
    chunks: int  # that it holds


@dataclass(frozen=True, slots=True)
class Leave:
    """How many Messages may be handed over now, out of what all who send may together."""

    count: int
    again: datetime  # when more may be asked for
    every: timedelta | None = None  # the pace; None: nothing holds it back, whatever the count


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One person-made or clock-made change of state: who, when, from where, what."""

    at: datetime
    who: str
    channel: str  # cli, clock, web
    action: str
    object: str
    before: str = ""
    after: str = ""
    note: str = ""


# --- notices ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that holds all of a site that cannot be made anew; it was read back and found whole."""

    file: Path
    at: datetime
    size: int  # octets
    counts: Mapping[str, int]  # rows by table, and `files`


class NoticeKind(StrEnum):
    """What a Notice tells of."""

    PREVIEW = "preview"  # the mail that a slot will send
    EDITED = "edited"  # a Post lost its Approval
    STARTED = "started"
    HELD = "held"
    LATE = "late"
    PAUSED = "paused"
    FAILURES = "failures"  # an Issue is through, and not everybody has it
    STOPPED = "stopped"  # an Issue that readers will not get
    EMPTY = "empty"  # a slot that makes no Issue
    CLOCK = "clock"  # of this machine, that cannot be right
    LOCKED = "locked"  # a copied site
    MAIL = "mail"  # cannot be handed over at all
    BACKUP = "backup"  # could not be made
    INTAKE = "intake"  # far more sign-ups than usual: nobody can sign up for now


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that editors and operators are told once, by mail and webhook."""

    key: str  # of the fact; the same fact is told once
    kind: NoticeKind
    at: datetime
    about: str  # `issue 47`, `2026-W48`, `post hybrid-hatch`
    subject: str
    what: str
    why: str
    otherwise: str  # what happens if nobody does anything
    lines: tuple[str, ...] = ()  # what changed, the numbers, the warnings
    fixes: tuple[str, ...] = ()  # commands
    links: tuple[tuple[str, str], ...] = ()  # words, and the address of a page; looking at it changes nothing
    hold: str = ""  # key of the slot that its reader may hold
    number: int = 0  # of the Issue that a preview shows, made or not
    edition: str = WEEKLY
    mark: str = ""  # the hash of the text that a preview shows
    digest: Digest | None = field(default=None, repr=False)  # that text


class NoticeState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NoticeCopy:
    """The debt "this Notice is owed to this person, or to the webhook"."""

    notice: Notice
    to: str  # key of a Person, or WEBHOOK
    state: NoticeState = NoticeState.WAITING
    attempts: int = 0
    next_at: datetime | None = None
    reply: str = ""
    done_at: datetime | None = None


WEBHOOK = "(webhook)"
"""Stands for the webhook among the keys of persons; no such key can be written in `[people]` without quotes."""
