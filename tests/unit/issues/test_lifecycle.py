from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Problem, UsageError
from newsletter.issues.lifecycle import (
    check_count,
    may,
    may_send,
    needs_confirmation,
    parse_confirm,
    parse_delay,
)
from newsletter.model import DeliveryState, Issue, IssueAct, IssueState
from tests.builders import a_post, an_issue

AT = datetime(2022, 2, 11, 7, 8, 30, tzinfo=UTC)


def issue(state: IssueState, **changes: object) -> Issue:
    return an_issue(47, a_post(), state=state, **changes)


def code(problem: Problem | None) -> str:
    return problem.code if problem else ""


@pytest.mark.parametrize("state", [IssueState.READY, IssueState.HELD])
def test_an_issue_that_waits_for_a_hand_may_be_sent(state: IssueState) -> None:
    assert may_send(issue(state), {}, AT) is None


def test_a_second_send_is_refused_with_the_numbers_of_the_first() -> None:
    on_its_way = issue(IssueState.SENDING, started_at=AT, sent_by="news-desk", audience=1284)
    problem = may_send(on_its_way, {DeliveryState.ACCEPTED: 612}, AT)
    assert problem is not None
    assert problem.code == "S301"
    assert problem.message == (
        "Issue 47 is already on its way (started Fri 11 Feb 2022, 08:08:30 Madrid by news-desk: 612 accepted of 1,284)"
    )


@pytest.mark.parametrize("state", [IssueState.SENT, IssueState.NEEDS_ATTENTION, IssueState.PAUSED])
def test_what_was_started_is_not_sent_again(state: IssueState) -> None:
    assert code(may_send(issue(state, started_at=AT), {}, AT)) == "S301"


def test_a_send_in_its_undo_delay_is_refused_too() -> None:
    problem = may_send(issue(IssueState.READY, send_at=AT, sent_by="news-desk"), {}, AT)
    assert problem is not None
    assert (problem.code, problem.fixes) == ("S301", ("newsletter issue cancel 47",))
    assert "starts Fri 11 Feb 2022, 08:08:30" in problem.message


def test_a_held_issue_can_be_sent_by_hand_whatever_was_intended_before() -> None:
    assert may_send(issue(IssueState.HELD, send_at=AT), {}, AT) is None


@pytest.mark.parametrize("state", [IssueState.DRAFT, IssueState.CANCELLED, IssueState.WEB_ONLY, IssueState.SKIPPED])
def test_an_issue_that_is_not_ready_says_what_it_is(state: IssueState) -> None:
    problem = may_send(issue(state, reason="a holiday"), {}, AT)
    assert problem is not None
    assert problem.code == "S302"
    assert state.value in problem.message
    assert "a holiday" in problem.why


def test_an_issue_without_a_story_is_refused() -> None:
    assert code(may_send(an_issue(47, state=IssueState.READY), {}, AT)) == "S303"


def test_a_count_that_differs_by_one_sends_nothing() -> None:
    problem = check_count("47", 1290, 1284)
    assert problem is not None
    assert problem.message == "You confirmed 1,290 readers; issue 47 would go to 1,284. Nothing was sent."
    assert code(check_count("47", 1283, 1284)) == "S304"
    assert check_count("47", 1284, 1284) is None


def test_without_a_terminal_the_refusal_holds_the_words_to_type() -> None:
    assert needs_confirmation("47", 1284).message.endswith("--confirm 47:1284")


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_a_confirmation_reads_as_it_is_written(number: int, count: int) -> None:
    assert parse_confirm(f"{number}:{count}") == (f"{number}", count)


@pytest.mark.parametrize("text", ["47", "47:", ":1284", "47:1,284", "47:-1", "yes", "", "47:1284:1", "٤٧:١", "4_7:1"])
def test_a_confirmation_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_confirm(text)
    assert refused.value.problems[0].code == "S306"


@given(st.integers(0, 600))
def test_a_delay_up_to_ten_minutes_is_taken(seconds: int) -> None:
    assert parse_delay(str(seconds)) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["601", "-1", "1.5", "", "two", "1e2", "²", "9" * 5000])
def test_any_other_delay_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_delay(text)
    assert refused.value.problems[0].code == "S312"


def test_what_was_sent_is_for_good_and_a_draft_is_not_sent() -> None:
    allowed = [act for act in IssueAct if may(issue(IssueState.SENT), act) is None]
    assert allowed == []
    assert may(issue(IssueState.READY), IssueAct.START) is None
    assert code(may(issue(IssueState.DRAFT), IssueAct.START)) == "S314"


@pytest.mark.parametrize("act", IssueAct)
@pytest.mark.parametrize("state", IssueState)
def test_each_act_in_each_state_is_allowed_or_refused_in_words(act: IssueAct, state: IssueState) -> None:
    problem = may(issue(state, reason="a doubt"), act)
    assert (problem is None) == (state in act.turns[0])
    if problem:
        assert f"Issue 47 is {state.value}" in problem.message
        assert problem.fixes[0].endswith(" 47")


def test_no_path_leads_from_a_state_in_which_mail_went_out_back_to_ready() -> None:
    reachable, frontier = set[IssueState](), {IssueState.SENDING}
    while frontier:
        reachable |= frontier
        after = [act.turns[1] for act in IssueAct if act.turns[0] & frontier]
        frontier = {to for states in after for to in states} - reachable
    assert reachable.isdisjoint({IssueState.READY, IssueState.HELD, IssueState.DRAFT})
