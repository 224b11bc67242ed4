"""A mail that is too heavy says less and loses no story."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.issues import budget, digest
from newsletter.issues.facts import Facts
from newsletter.issues.fit import Cut, cuts, fitted, less
from newsletter.issues.page import parse, strings
from newsletter.issues.preflight import preflight
from newsletter.model import Post, Sentinel
from newsletter.tongue import spoken
from newsletter.variants import whole
from tests.builders import a_post, a_site
from tests.unit.issues.crowd import crowded
from tests.unit.issues.scene import a_view, templates

WORDS = " ".join(f"word{n}" for n in range(60))


def many(number: int, words: str = WORDS) -> list[Post]:
    return [a_post(f"p{n}", summary=words, html=f"<p>{words * 20}</p>") for n in range(number)]


def test_a_mail_that_fits_is_what_it_was() -> None:
    view = a_view(*many(12))
    made = fitted(view, templates())
    assert (made.view, made.digest, made.problems) == (view, digest.render(view, templates()), ())


@pytest.mark.parametrize("number", [60, 200])
def test_a_mail_of_many_stories_fits_holds_them_all_and_tells_what_was_cut(number: int) -> None:
    made = fitted(a_view(*many(number)), templates())
    links = strings(parse(made.digest.html), "//a/@href")
    for n in range(number):
        assert f"https://autotrendy.example/posts/p{n}/" in links
        assert f"\nhttps://autotrendy.example/posts/p{n}/" in made.digest.text.replace("  https", "https")
    assert budget.check(made.digest) is None or budget.size(made.digest) <= budget.STOP_ABOVE
    [told] = made.problems
    assert (told.code, told.level) == ("I349", "warn")
    assert f"the last {len(made.view.tail)} stories are linked titles" in told.message
    assert "In this issue" not in made.digest.html + made.digest.text


def test_no_more_is_cut_than_must_be() -> None:
    view = a_view(*many(60))
    made = fitted(view, templates())
    shown = len(view.stories) - len(made.view.tail)
    one_more = less(view, Cut(0, 20, contents=False, shown=shown + 1))
    assert budget.size(digest.render(one_more, templates())) > budget.STOP_ABOVE


def test_whole_texts_become_summaries_from_the_end() -> None:
    view = a_view(*many(20, "some words of a text " * 30), site=a_site(full_text=True))
    made = fitted(view, templates())
    whole = [bool(story.body_html) for story in made.view.stories]
    assert whole == sorted(whole, reverse=True)
    assert 0 < whole.count(True) < 20
    assert f"{20 - whole.count(True)} of 20 stories show their summary" in made.problems[0].message
    assert budget.size(made.digest) <= budget.STOP_ABOVE


def test_what_does_not_fit_at_all_is_left_to_the_check_that_stops_it() -> None:
    heavy = replace(many(1)[0], summary="x", title="y" * 120_000)
    made = fitted(a_view(heavy), templates())
    problem = budget.check(made.digest)
    assert problem
    assert (problem.code, problem.level) == ("I301", "stop")


def test_each_step_says_less_than_the_one_before() -> None:
    view = a_view(*many(34), site=a_site(full_text=True))
    steps = cuts(view)
    sizes = [budget.size(digest.inlined(less(view, steps[n]), templates())) for n in range(0, len(steps), 9)]
    assert sizes == sorted(sizes, reverse=True)


def test_the_size_is_that_for_the_reader_with_the_longest_address() -> None:
    made = whole(digest.render(a_view(), templates()), spoken("en"))
    longest = made.html.replace(Sentinel.ADDRESS, f"x…@{'d' * 251}.de").replace(Sentinel.JOINED, "30 September 2026")
    assert len(longest.encode()) <= budget.size(made) <= len(made.html.encode()) + 900


def test_a_summary_in_a_script_without_blanks_is_shortened_too() -> None:
    view = less(a_view(*many(2, "日本語" * 400)), Cut(0, 20))
    assert len(view.stories[1].summary) == 201


@pytest.mark.parametrize(("number", "full"), [(15, False), (60, False), (3, True), (60, True)])
def test_code_full_of_braces_and_hostile_words_hold_no_issue(number: int, full: bool) -> None:
    made = crowded(number, full=full)
    assert "{{ " in made.digest.html
    assert "{% for" in made.digest.text
    found = preflight(made.digest, made.view, Facts(sandbox=True))
    assert [problem.message for problem in found if problem.level == "stop" or problem.code == "I304"] == []


def test_only_what_was_cut_is_told() -> None:
    brief = [a_post(f"p{n}", summary="A few words.", title="A title " + "x" * 180) for n in range(45)]
    made = fitted(a_view(*brief), templates())
    assert "there is no list of contents" in made.problems[0].message
    assert "summaries" not in made.problems[0].message
