"""Everything an Issue's mail says, in words and absolute URLs, before any markup.

HTML and text part are written from this one value, so that they cannot say different things. Lines that a template
would have to count, date or join are finished here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypedDict

from newsletter import segments as marks
from newsletter import variants, words
from newsletter.issues import naming, segments
from newsletter.issues.body import mail_html
from newsletter.issues.naming import Named, Since
from newsletter.issues.prose import prose
from newsletter.issues.sections import Section, sections
from newsletter.issues.segments import Erratum, ErratumView, Marked, RecapView
from newsletter.model import (
    USUAL,
    Brief,
    Cadence,
    Issue,
    Library,
    Look,
    Post,
    Segment,
    SegmentKind,
    Sentinel,
    Site,
    Slot,
    issue_page,
)
from newsletter.tongue import Tongue, tongue_of

SUBJECT_MIN, SUBJECT_MAX = 10, 78
PREHEADER_MIN, PREHEADER_MAX = 40, 110
CONTENTS_FROM = 3  # stories, from which a list of contents helps more than it costs
EARLIER_MAX = 3
SUMMARY_WORDS = 60
NOTE_WORDS = 80
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class EarlierView:
    """A back-link: an earlier Post of the same story."""

    title: str
    url: str
    date: str
    when: str  # "Last week", or empty


@dataclass(frozen=True, slots=True)
class StoryView(Marked):
    """One Post as the mail shows it. Its `number` is its place in the issue, whoever gets it."""

    number: int
    title: str
    url: str
    author: str
    reviewer: str  # empty where the site has no review
    date: str
    minutes: int
    byline: str
    summary: str
    image: str | None
    image_alt: str
    take_html: str  # sanitised; empty without a take
    take_text: str
    take_short: str  # its first sentence, for stories after the lead
    earlier: tuple[EarlierView, ...]
    lead: bool = False
    level: int = 2  # of its heading: 3 below that of a section
    body_html: str = ""  # the whole text, mail-safe; empty where the summary stands for it
    body_text: str = ""  # the same on 72 columns
    opening: str = ""  # what stands above the whole text: the summary, unless the text begins with it
    recap: RecapView | None = None  # of its nearest earlier part, for readers who were not sent that


@dataclass(frozen=True, slots=True)
class SectionView:
    """Stories below one heading, or below none."""

    heading: str
    stories: tuple[StoryView, ...]

    @property
    def begin(self) -> str:
        """The mark of the heading: it goes with the last of its stories."""
        return marks.begin(marks.at_least(1, [story.number for story in self.stories]))


@dataclass(frozen=True, slots=True)
class LastIssueView:
    """The one line about the issue before."""

    label: str  # "From last week", or "From issue 46" when that was longer ago
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class LogoView:
    """The picture that stands for the name of the publication."""

    url: str
    width: int  # pixels, as it is shown


@dataclass(frozen=True, slots=True)
class DigestView:
    """One Issue as the mail shows it; `why` and the two links of a reader hold Sentinels."""

    publication: str
    tagline: str
    language: str
    direction: str  # ltr or rtl
    look: Look
    logo: LogoView | None
    number: int
    title: str  # of the document
    label: str  # what a screen reader calls the mail
    subject: str
    preheader: str
    issue_line: str
    counted: str  # its end, which is another for readers who get less
    note: tuple[str, ...]  # paragraphs of the editor's note; none for most issues
    signed: str
    take_label: str
    sections: tuple[SectionView, ...]  # one without a heading for most issues
    last_issue: LastIssueView | None
    errata: tuple[ErratumView, ...]  # each for the readers who were sent the wrong version
    home_url: str
    issue_url: str
    feeds_url: str
    unsubscribe_url: str
    preferences_url: str
    why: str
    reply_line: str
    postal_address: str
    tail: tuple[StoryView, ...] = ()  # of a very long issue: stories of which only the linked titles are shown
    lists_contents: bool = True  # where there are enough stories

    @property
    def stories(self) -> tuple[StoryView, ...]:
        return (*(story for section in self.sections for story in section.stories), *self.tail)

    @property
    def lead(self) -> StoryView:
        return self.stories[0]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The parts that not every reader gets."""
        recaps = [story.recap.segment for story in self.stories if story.recap]
        errata = (erratum.segment for erratum in self.errata)
        return (*(story.segment for story in self.stories), *recaps, *errata)

    @property
    def contents_begin(self) -> str:
        """The mark of the list of contents."""
        return marks.begin(marks.at_least(CONTENTS_FROM, [story.number for story in self.stories]))

    @property
    def tail_begin(self) -> str:
        """The mark of the list of titles at the end."""
        return marks.begin(marks.at_least(1, [story.number for story in self.tail]))

    def rule_begin(self, story: StoryView) -> str:
        """The mark of the line above a story: it parts it from a story of its section, or from the list of contents."""
        section = next(section.stories for section in self.sections if story in section.stories)
        earlier = [one.number for one in section[: section.index(story)]]
        if section[0] is not self.lead or not self.contents:
            return marks.begin(marks.at_least(1, earlier))
        # There is a list of contents where two more stories are shown, and a story above where an earlier one is.
        later = [one.number for one in self.stories if one.number > story.number]
        return marks.begin(marks.at_least(2, [*earlier, *earlier, *later]))

    @property
    def end(self) -> str:
        """The mark that ends any part."""
        return marks.END

    @property
    def contents(self) -> tuple[StoryView, ...]:
        return self.stories if self.lists_contents and len(self.stories) >= CONTENTS_FROM else ()


def view(
    site: Site,
    cadence: Cadence,
    library: Library,
    stories: Sequence[Post],
    *,
    number: int,
    slot: Slot,
    carried: Mapping[str, int],
    previous: Issue | None,
    brief: Brief = USUAL,
    errata: Sequence[Erratum] = (),
    topic_key: Callable[[str], str] = str,
) -> DigestView:
    """The mail of issue `number`; `stories` has at least one Post, the lead first.

    `carried` says which Issue has which Post; `previous` is the latest Issue before this one. It is pointed to only
    when its page is public. `errata` are still to be told; `topic_key` answers how readers' choices name a topic.
    """
    last = previous if previous and previous.state.public and previous.stories and previous.number < number else None
    tongue = tongue_of(site)
    named = naming.named(tongue, cadence, site.title, number, slot.local.date())
    subject = _one_line(brief.subject) or _subject(site, stories[0], named)
    divided = sections(stories, brief.pins)
    stories = [post for section in divided for post in section.stories]
    since = naming.since(tongue, cadence, last, number, slot)
    recaps = segments.recaps(site, library, stories, carried)
    parts = {post.id: _segment(site, n, post, named, topic_key) for n, post in enumerate(stories, 1)}
    show = partial(story, site, library, carried, since, recaps, parts)
    counted = variants.tally(tongue, len(stories), sum(post.minutes for post in stories))
    return DigestView(
        **of_site(site),
        number=number,
        title=parts[stories[0].id].title,
        label=named.label,
        subject=subject,
        preheader=_one_line(brief.preheader) or _preheader(site, stories, subject, named.opening),
        issue_line=" · ".join((*named.line, counted)),
        counted=counted,
        note=paragraphs(brief.note),
        signed=brief.signed,
        sections=tuple(_section(tongue, section, stories[0], show) for section in divided),
        last_issue=_last_issue(site, last, since) if last and not cadence.singly else None,
        errata=tuple(segments.erratum(site, n, one, since.wrong(one.issue.number)) for n, one in enumerate(errata, 1)),
        issue_url=site.address_of(issue_page(cadence.edition, number, stories[0].slug)),
        why=naming.why(tongue, cadence, site.title),
    )


class OfSite(TypedDict):
    """What every mail of a site says alike, in the names of `DigestView`."""

    publication: str
    tagline: str
    language: str
    direction: str
    look: Look
    logo: LogoView | None
    take_label: str
    home_url: str
    feeds_url: str
    unsubscribe_url: str
    preferences_url: str
    reply_line: str
    postal_address: str


def of_site(site: Site) -> OfSite:
    """What is the site's own in a mail, whatever it brings."""
    return OfSite(
        publication=site.title,
        tagline=site.tagline,
        language=site.language,
        direction=site.direction,
        look=site.look,
        logo=logo(site),
        take_label=site.take_label,
        home_url=site.address_of(""),
        feeds_url=site.address_of("feeds/"),
        unsubscribe_url=Sentinel.UNSUBSCRIBE.value,
        preferences_url=Sentinel.PREFERENCES.value,
        reply_line=reply_line(site),
        postal_address=postal_address(site),
    )


def logo(site: Site) -> LogoView | None:
    """The picture in the masthead, at half its size, so that it is sharp on fine screens."""
    logo = site.look.logo
    return LogoView(site.address_of(logo.name), max(1, logo.width // 2)) if logo else None


def paragraphs(text: str) -> tuple[str, ...]:
    """Those of a plain text, each on one line."""
    return tuple(_one_line(part) for part in _EMPTY_LINE.split(text.strip()) if part.strip())


def _segment(site: Site, place: int, post: Post, named: Named, topic_key: Callable[[str], str]) -> Segment:
    """A story, and what the mail says to those for whom it is the first."""
    title, subject = _one_line(post.title), _subject(site, post, named)
    return Segment(
        f"{marks.STORY}{place}",
        SegmentKind.STORY,
        post.id,
        topics=tuple(dict.fromkeys(map(topic_key, post.topics))),
        minutes=post.minutes,
        subject=subject,
        preheader=_preheader(site, [post], subject, named.opening),
        title=tongue_of(site).titled(named.short, title),
    )


def _section(tongue: Tongue, section: Section, lead: Post, show: Callable[[Post, int], StoryView]) -> SectionView:
    is_first = lead in section.stories
    stories = [show(post, 2 if is_first else 3) for post in section.stories]
    if is_first:
        stories[0] = replace(stories[0], lead=True)
    return SectionView("" if is_first else section.topic or tongue.say("More stories"), tuple(stories))


def story(
    site: Site,
    library: Library,
    carried: Mapping[str, int],
    since: Since | None,
    recaps: Mapping[str, RecapView],
    parts: Mapping[str, Segment],
    post: Post,
    level: int,
) -> StoryView:
    tongue = tongue_of(site)
    day = tongue.short_date(_local(site, post.published))
    reviewer = post.reviewer.name if post.reviewer else ""
    facts = words.unbroken(day), tongue.reading(post.minutes)
    earlier = _earlier(library, post)
    title, url = _one_line(post.title), _url(site, post)
    body = mail_html(post.html, level=level, url=url, title=title) if site.full_text else ""
    return StoryView(
        parts[post.id],
        number=variants.place(parts[post.id]),
        title=title,
        url=url,
        author=post.author.name,
        reviewer=reviewer,
        date=day,
        minutes=post.minutes,
        byline=tongue.byline(post.author.name, reviewer, *facts),
        summary=words.first_words(post.summary, SUMMARY_WORDS),
        image=post.image,
        image_alt=post.image_alt,
        take_html=mail_html(post.take.html, level=level + 1, url=url, title=title) if post.take else "",
        take_text=post.take.text if post.take else "",
        take_short=words.first_sentence(post.take.text) if post.take else "",
        earlier=tuple(_earlier_view(site, other, carried, since) for other in earlier),
        level=level,
        body_html=body,
        body_text=prose(body) if body else "",
        opening="" if post.repeats_itself else post.summary,
        recap=recaps.get(post.id),
    )


def _earlier(library: Library, post: Post) -> list[Post]:
    """The Posts that this one goes on from, newest first; of a longer Chain the nearest."""
    chain = library.chains.get(post.id)
    ids = chain.before(post.id)[:EARLIER_MAX] if chain else ()
    return [found for post_id in ids if (found := library.find(post_id))]


def _earlier_view(site: Site, post: Post, carried: Mapping[str, int], since: Since | None) -> EarlierView:
    tongue = tongue_of(site)
    return EarlierView(
        title=_one_line(post.title),
        url=_url(site, post),
        date=words.unbroken(tongue.short_date(_local(site, post.published))),
        when=since.when(carried.get(post.id)) if since else "",
    )


def _last_issue(site: Site, last: Issue, since: Since) -> LastIssueView:
    return LastIssueView(since.last(last.number), _one_line(last.stories[0].title), site.address_of(last.page))


def _subject(site: Site, lead: Post, named: Named) -> str:
    title = f"#{named.number} · {_one_line(lead.title)}" if site.numbered and named.number else _one_line(lead.title)
    if len(title) < SUBJECT_MIN:
        title = tongue_of(site).titled(site.title, title)
    return words.shorten(title, SUBJECT_MAX)


def _preheader(site: Site, stories: Sequence[Post], subject: str, issue_line: str) -> str:
    """The lead's summary and what else there is; made longer where that says too little."""
    second = words.shorten(stories[1].title, PREHEADER_MAX // 2) if len(stories) > 1 else ""
    plus = tongue_of(site).say("Plus: %(title)s", title=second) if second else ""
    summary = _one_line(stories[0].summary)
    room = PREHEADER_MAX - len(plus) - 1
    parts = [words.shorten(summary, room) if summary != subject else "", plus]
    for more in (_one_line(site.tagline), issue_line):
        if len(" ".join(filter(None, parts))) < PREHEADER_MIN:
            parts.append(more)
    return words.shorten(" ".join(filter(None, parts)), PREHEADER_MAX)


def reply_line(site: Site) -> str:
    """Whom an answer reaches."""
    person = next((p for p in site.people.values() if p.email and p.email == site.sender.reply_to), None)
    if person is None:
        return tongue_of(site).say("Just reply: we read every answer.")
    return tongue_of(site).say("Just reply: %(person)s reads every answer.", person=person.name)


def postal_address(site: Site) -> str:
    """Where the sender is, on one line; empty where it is not known."""
    address = _one_line(site.sender.postal_address)
    if not address:
        return ""
    named = address.casefold().startswith((site.title.casefold(), site.sender.name.casefold()))
    return address if named else f"{site.sender.name}, {address}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _local(site: Site, moment: datetime) -> datetime:
    return moment.astimezone(site.timezone)


def _url(site: Site, post: Post) -> str:
    return site.address_of(f"posts/{post.slug}/")


def left_to(view: DigestView, variant: Collection[str], parts: Sequence[Segment]) -> DigestView:
    """What is left of the view for readers with this variant of a Digest that has these parts."""
    gone = {one.post_id for one in parts if one.kind is SegmentKind.STORY and one.key in variant}
    sections = (SectionView(one.heading, _left(one.stories, gone, variant)) for one in view.sections)
    left = replace(
        view,
        sections=tuple(section for section in sections if section.stories),
        tail=_left(view.tail, gone, variant),
        errata=tuple(one for one in view.errata if one.segment.key in variant),
    )
    if not gone or not left.stories:
        return left
    first = left.lead.segment
    return replace(left, subject=first.subject, preheader=first.preheader, title=first.title)


def _left(stories: Sequence[StoryView], gone: Collection[str], variant: Collection[str]) -> tuple[StoryView, ...]:
    return tuple(
        replace(story, recap=None) if story.recap and story.recap.segment.key not in variant else story
        for story in stories
        if story.segment.post_id not in gone
    )
