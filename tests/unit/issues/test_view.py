from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import EACH_POST, MONTHLY, Chain, IssueState, Link, LinkKind, Sentinel, Slot
from tests.builders import a_cadence, a_library, a_post, a_site
from tests.unit.issues.scene import ALLIANCE, BATTERIES, CHARGING, FOLLOW, LIBRARY, REVIEW, a_view, first_issue

MONTH = timedelta(days=30)


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_issue_line_counts_stories_and_minutes_and_names_the_day() -> None:
    assert plain(a_view().issue_line) == "Issue 2 · Friday 11 February 2022 · 2 stories · 8 min"
    assert "1 story" in plain(a_view(FOLLOW).issue_line)


def test_the_byline_names_both_desks_the_day_and_the_time_it_takes() -> None:
    assert plain(a_view().lead.byline) == "By News desk · Reviewed by Review desk · 8 Feb 2022 · 7 min read"


def test_without_review_the_byline_names_the_author_alone() -> None:
    alone = replace(FOLLOW, reviewer=None)
    assert plain(a_view(alone).lead.byline) == "By News desk · 7 Feb 2022 · 1 min read"


def test_a_day_is_that_of_the_publication_and_not_of_utc() -> None:
    late = replace(FOLLOW, published=datetime(2022, 2, 7, 23, 30, tzinfo=UTC))
    assert a_view(late).lead.date == "8 Feb 2022"
    assert a_view(late, site=a_site(timezone=ZoneInfo("America/New_York"))).lead.date == "7 Feb 2022"


# --- back-links


def moved(slot: Slot, by: timedelta) -> Slot:
    return replace(slot, due=slot.due + by, local=slot.local + by)


def test_the_post_of_the_issue_before_is_last_weeks() -> None:
    (earlier,) = a_view().lead.earlier
    assert (earlier.when, earlier.title, plain(earlier.date)) == ("Last week", BATTERIES.title, "1 Feb 2022")
    assert earlier.url == "https://autotrendy.example/posts/all-solid-state-batteries/"


@pytest.mark.parametrize(
    "facts",
    [
        {"number": 3},  # an issue lies between
        {"carried": {}},
        {"previous": None},
        {"previous": first_issue(state=IssueState.CANCELLED)},
        {"slot": moved(first_issue().slot, timedelta(weeks=3))},
        {"slot": moved(first_issue().slot, timedelta(hours=3))},  # brought forward into the same week
    ],
)
def test_what_was_not_in_the_issue_a_week_ago_is_not_called_last_weeks(facts: dict[str, object]) -> None:
    (earlier,) = a_view(**facts).lead.earlier
    assert earlier.when == ""


def test_last_week_is_the_calendar_week_before_whatever_day_and_hour() -> None:
    for length in (timedelta(days=3), timedelta(days=7, hours=1), timedelta(days=9)):
        assert a_view(slot=moved(first_issue().slot, length)).lead.earlier[0].when == "Last week"


MONTHS = a_cadence(edition=MONTHLY, nth=1)
SINGLY = a_cadence(edition=EACH_POST)


@pytest.mark.parametrize(
    ("language", "line", "why"),
    [
        ("en", "March 2022 · 2 stories", "once a month because"),
        ("fr", "Mars 2022 · 2 articles", "une fois par mois, car"),
        ("ar", "مارس 2022", "مرة في الشهر لأن"),
    ],
)
def test_a_monthly_issue_is_called_by_its_month_in_every_tongue(language: str, line: str, why: str) -> None:
    view = a_view(cadence=MONTHS, site=a_site(language=language, numbered=True), slot=moved(first_issue().slot, MONTH))
    assert line in plain(view.issue_line)
    assert why in view.why
    assert "Mars" not in view.label
    assert not view.subject.startswith("#")
    assert view.issue_url.endswith("/issues/monthly/2/")


def test_the_monthly_issue_before_is_that_of_last_month_only_when_it_was() -> None:
    before = replace(first_issue(), edition=MONTHLY)
    near = a_view(cadence=MONTHS, previous=before, slot=moved(before.slot, MONTH))
    far = a_view(cadence=MONTHS, previous=before, slot=moved(before.slot, 2 * MONTH))
    assert near.last_issue
    assert far.last_issue
    assert (near.last_issue.label, near.lead.earlier[0].when) == ("From last month", "Last month")
    assert (far.last_issue.label, far.lead.earlier[0].when) == ("From the issue before", "")
    assert near.last_issue.url.endswith("/issues/monthly/1/")


def test_a_post_that_comes_by_itself_is_no_issue_to_its_reader() -> None:
    view = a_view(
        FOLLOW, cadence=SINGLY, site=a_site(numbered=True), previous=replace(first_issue(), edition=EACH_POST)
    )
    assert view.last_issue is None
    assert view.contents == ()
    assert view.issue_url == view.lead.url
    assert view.why.startswith("You get each post of Auto Trendy because")
    assert "#" not in view.subject + view.title
    assert plain(view.issue_line).startswith("Friday 11 February 2022 · ")


def test_a_long_chain_shows_the_three_nearest_newest_first() -> None:
    days = [a_post(f"part-{n}", day=datetime(2022, 1, n, tzinfo=UTC)) for n in range(1, 7)]
    chain = Chain(tuple(part.id for part in days))
    library = a_library(*days, chains={part.id: chain for part in days})
    view = a_view(days[4], library=library)
    assert [earlier.title for earlier in view.lead.earlier] == ["Part 4", "Part 3", "Part 2"]


def test_a_story_that_went_on_within_a_day_is_told_all_the_same() -> None:
    first, second = a_post("zulu", title="The first"), a_post("alpha", title="The second")
    chain = Chain((first.id, second.id))
    library = a_library(first, second, chains=dict.fromkeys(chain.posts, chain))
    assert [earlier.title for earlier in a_view(second, library=library).lead.earlier] == ["The first"]
    assert a_view(first, library=library).lead.earlier == ()


def test_a_link_forward_sideways_or_into_nothing_is_no_back_link() -> None:
    links = tuple(
        Link(kind, REVIEW.id, target)
        for kind, target in (
            (LinkKind.PREVIOUS, ALLIANCE.id),
            (LinkKind.SEE_ALSO, CHARGING.id),
            (LinkKind.CONTINUES, "tag:gone"),
            (LinkKind.PREVIOUS, REVIEW.id),
        )
    )
    assert a_view(replace(REVIEW, links=links)).lead.earlier == ()


# --- from last week


def test_the_last_issue_is_pointed_to_by_its_lead() -> None:
    last = a_view().last_issue
    assert last is not None
    assert (last.label, last.title) == ("From last week", BATTERIES.title)
    assert last.url == "https://autotrendy.example/issues/1/"


def test_an_issue_longer_ago_is_called_by_its_number() -> None:
    last = a_view(number=5).last_issue
    assert last is not None
    assert last.label == "From issue 1"


@pytest.mark.parametrize("state", [IssueState.READY, IssueState.HELD, IssueState.CANCELLED, IssueState.SKIPPED])
def test_an_issue_without_a_page_is_not_linked(state: IssueState) -> None:
    assert a_view(previous=first_issue(state=state)).last_issue is None


def test_the_first_issue_has_none_before_it() -> None:
    assert a_view(number=1, previous=None).last_issue is None


# --- the inbox line


def test_the_subject_is_the_title_of_the_lead() -> None:
    assert a_view().subject == "The Renault-Nissan-Mitsubishi Alliance, from start to future"


def test_a_short_title_is_led_in_by_the_publication() -> None:
    assert a_view(a_post(title="Diesel")).subject == "Auto Trendy: Diesel"


@given(title=st.text(min_size=1, max_size=300).filter(str.strip), summary=st.text(max_size=300))
def test_the_inbox_line_is_one_line_of_the_right_length(title: str, summary: str) -> None:
    view = a_view(a_post(title=title, summary=summary), a_post("second", title=title[::-1]))
    assert 10 <= len(view.subject) <= 78
    assert 40 <= len(view.preheader) <= 110
    assert view.subject == " ".join(view.subject.split())
    assert view.preheader == " ".join(view.preheader.split())
    assert view.preheader != view.subject


def test_the_preheader_tells_of_the_second_story() -> None:
    assert a_view().preheader == (
        "Ten brands, about 420,000 people and one bill for batteries, to be paid by… Plus: How to follow Auto Trendy"
    )


def test_a_summary_that_is_only_the_title_again_is_not_the_preheader() -> None:
    view = a_view(a_post(title="A title that says it all", summary="A title that says it all"))
    assert view.preheader == "A weekly about cars. Issue 2 of Auto Trendy, Friday 11 February 2022."


# --- the rest


def test_contents_are_shown_from_three_stories_up() -> None:
    assert a_view(ALLIANCE, FOLLOW).contents == ()
    assert len(a_view(ALLIANCE, FOLLOW, REVIEW).contents) == 3


def test_the_why_line_names_the_day_of_the_week_the_reader_and_when_they_joined() -> None:
    why = a_view(cadence=a_cadence(weekday=1)).why
    assert why == f"You get Auto Trendy every Tuesday because {Sentinel.ADDRESS} joined on {Sentinel.JOINED}."


def test_who_reads_the_answers_is_named_when_the_desk_is_known() -> None:
    assert a_view().reply_line == "Just reply: Review desk reads every answer."
    assert a_view(site=a_site(people={})).reply_line == "Just reply: we read every answer."


def test_the_postal_address_names_the_sender_once() -> None:
    sender = a_site().sender
    assert a_view().postal_address == sender.postal_address
    bare = a_site(sender=replace(sender, postal_address="1 Calle Mayor,\n28013 Madrid"))
    assert a_view(site=bare).postal_address == "Auto Trendy, 1 Calle Mayor, 28013 Madrid"
    assert a_view(site=a_site(sender=replace(sender, postal_address=" "))).postal_address == ""


def test_a_story_after_the_lead_has_the_first_sentence_of_its_take() -> None:
    assert a_view(LIBRARY.posts[0]).lead.take_short == "Sharing innovation takes openness."


def test_a_language_written_from_the_right_says_so() -> None:
    assert (a_view().direction, a_view(site=a_site(language="ar-MA")).direction) == ("ltr", "rtl")


def test_the_subject_begins_with_the_number_where_the_site_wants_it() -> None:
    assert a_view(site=a_site(numbered=True)).subject == f"#2 · {ALLIANCE.title}"
    assert a_view().subject == ALLIANCE.title
