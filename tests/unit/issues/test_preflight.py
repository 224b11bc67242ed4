from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from newsletter.errors import Problem
from newsletter.issues import budget, leftovers, segments
from newsletter.issues.extremes import EMPTIEST, LONGEST, read_by
from newsletter.issues.facts import Facts, Trial, Weight
from newsletter.issues.links import is_public_host
from newsletter.issues.preflight import preflight
from newsletter.model import MONTHLY, Brief, Digest, Sentinel, Tally
from newsletter.tongue import spoken
from newsletter.variants import seen_by
from tests.builders import a_site
from tests.unit.issues.scene import ALLIANCE, FOLLOW, a_digest, a_view

PUBLIC = a_site(url="https://news.autotrendy.org")
STORIES = (replace(ALLIANCE, image="https://news.autotrendy.org/gate.jpg"), FOLLOW)
GOOD = a_digest(*STORIES, site=PUBLIC)
VIEW = a_view(*STORIES, site=PUBLIC)


def look(digest: Digest, *, sandbox: bool = False) -> list[Problem]:
    return preflight(digest, VIEW, Facts(sandbox=sandbox))


def found(digest: Digest, *, sandbox: bool = False) -> set[tuple[str, str]]:
    return {(problem.code, problem.level) for problem in look(digest, sandbox=sandbox)}


def html(old: str, new: str, count: int = -1) -> Digest:
    assert old in GOOD.html
    return replace(GOOD, html=GOOD.html.replace(old, new, count))


def text(old: str, new: str) -> Digest:
    assert old in GOOD.text
    return replace(GOOD, text=GOOD.text.replace(old, new))


def test_a_good_mail_has_no_problem() -> None:
    assert look(GOOD) == []


FAULTS: dict[str, tuple[Callable[[], Digest], str, str]] = {
    "braces": (lambda: html("one bill", "{{ bill }}"), "I304", "stop"),
    "a tag": (lambda: text("one bill", "{% bill %}"), "I304", "stop"),
    "at signs": (lambda: replace(GOOD, subject="The @@NAME@@ of the issue"), "I304", "stop"),
    "TK": (lambda: html("one bill", "TK"), "I304", "stop"),
    "lorem": (lambda: text("one bill", "Lorem ipsum"), "I304", "stop"),
    "None": (lambda: html("By News desk", "By None"), "I304", "stop"),
    "None alone": (lambda: html(f">{FOLLOW.summary}<", ">None<"), "I304", "stop"),
    "no unsubscribe in HTML": (lambda: html(Sentinel.UNSUBSCRIBE, "https://news.autotrendy.org/"), "I305", "stop"),
    "an empty unsubscribe": (lambda: html(">Unsubscribe<", "><"), "I305", "stop"),
    "no preferences in HTML": (lambda: html(Sentinel.PREFERENCES, "https://news.autotrendy.org/"), "I338", "stop"),
    "preferences without words": (lambda: html(">Change how often, or pause<", "><"), "I338", "stop"),
    "no preferences in text": (lambda: text(Sentinel.PREFERENCES, ""), "I338", "stop"),
    "no unsubscribe in text": (lambda: text(Sentinel.UNSUBSCRIBE, ""), "I305", "stop"),
    "no address in HTML": (lambda: html("1 Calle Mayor", ""), "I306", "stop"),
    "no address in text": (lambda: text("1 Calle Mayor", ""), "I306", "stop"),
    "no why in HTML": (lambda: html(Sentinel.JOINED, ""), "I307", "stop"),
    "no why in text": (lambda: text("You get", ""), "I307", "stop"),
    "a relative link": (lambda: html("https://news.autotrendy.org/posts/follow/", "/posts/follow/"), "I308", "stop"),
    "an anchor": (lambda: html("https://news.autotrendy.org/posts/follow/", "#follow"), "I308", "stop"),
    "an empty link": (lambda: html("https://news.autotrendy.org/posts/follow/", ""), "I308", "stop"),
    "http": (lambda: html("https://news.autotrendy.org/posts/follow/", "http://a.org/"), "I308", "stop"),
    "script": (lambda: html("https://news.autotrendy.org/posts/follow/", "javascript:alert(1)"), "I308", "stop"),
    "a file": (lambda: html("https://news.autotrendy.org/gate.jpg", "file:///gate.jpg"), "I308", "stop"),
    "data": (lambda: html("https://news.autotrendy.org/gate.jpg", "data:image/gif;base64,AA"), "I308", "stop"),
    "broken": (lambda: html("https://news.autotrendy.org/posts/follow/", "https://[x/"), "I308", "stop"),
    "localhost": (lambda: html("https://news.autotrendy.org/gate.jpg", "https://localhost/g.jpg"), "I309", "stop"),
    "loopback": (lambda: html("https://news.autotrendy.org/gate.jpg", "https://127.0.0.1:8000/"), "I309", "stop"),
    "reserved": (lambda: html("https://news.autotrendy.org/gate.jpg", "https://example.com/"), "I309", "stop"),
    "no text": (lambda: replace(GOOD, text=" \n"), "I311", "stop"),
    "a story lost in text": (lambda: text("How to follow Auto Trendy", ""), "I311", "stop"),
    "doctype": (lambda: html("<!DOCTYPE html>\n", ""), "I312", "stop"),
    "lang": (lambda: html('<html lang="en"', "<html"), "I312", "stop"),
    "dir of the wrapper": (lambda: html(' dir="ltr" style', " style"), "I312", "stop"),
    "title": (lambda: html(Tally.TITLE, "", 1), "I312", "stop"),
    "role": (lambda: html('role="presentation"', "", 1), "I312", "stop"),
    "h1": (lambda: html("<h1", "<h2"), "I313", "warn"),
    "alt": (lambda: html(f'alt="{ALLIANCE.image_alt}"', ""), "I314", "stop"),
    "no subject": (lambda: replace(GOOD, subject=" "), "I315", "stop"),
    "two lines": (lambda: replace(GOOD, subject="A subject\r\nBcc: all@example.org"), "I315", "stop"),
    "short": (lambda: replace(GOOD, subject="Cars"), "I316", "warn"),
    "long": (lambda: replace(GOOD, subject="c" * 79), "I316", "warn"),
    "shouting": (lambda: replace(GOOD, subject="THE NEW CARS ARE HERE"), "I316", "warn"),
    "false answer": (lambda: replace(GOOD, subject="Re: your new car"), "I316", "warn"),
    "short preheader": (lambda: replace(GOOD, preheader="Cars."), "I317", "warn"),
    "the same twice": (lambda: replace(GOOD, preheader=GOOD.subject), "I317", "warn"),
    "here": (lambda: html(">View in browser<", ">Here<"), "I318", "warn"),
    "one text, two pages": (lambda: html(">View in browser<", ">Unsubscribe<"), "I319", "warn"),
    "a file name as alt": (lambda: html(f'alt="{ALLIANCE.image_alt}"', 'alt="IMG_2031.jpg"'), "I324", "warn"),
    "a shortener": (lambda: html("https://news.autotrendy.org/posts/follow/", "https://bit.ly/3xY"), "I322", "warn"),
    "attached": (lambda: html("one bill", "the attached bill"), "I328", "warn"),
    "a mark in an address": (
        lambda: html("https://news.autotrendy.org/gate.jpg", "https://a.org/@@IMG@@"),
        "I304",
        "stop",
    ),
    "a mark in a comment": (lambda: html("</body>", "<!-- {{ end }} --></body>"), "I304", "stop"),
    "hard black": (lambda: html("color:#2b2521", "color:#000"), "I320", "warn"),
    "heavy": (lambda: html("one bill", "bill " * 14_000, 1), "I302", "warn"),
    "too heavy": (lambda: html("one bill", "bill " * 18_000, 1), "I301", "stop"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_in_the_final_bytes_is_found(fault: str) -> None:
    make, code, level = FAULTS[fault]
    problems = look(make())
    assert (code, level) in {(problem.code, problem.level) for problem in problems}
    assert all(problem.message and problem.why and problem.fixes for problem in problems)


@pytest.mark.parametrize("fault", ["http", "localhost", "loopback", "reserved"])
def test_what_speaks_of_the_outside_world_only_warns_in_the_sandbox(fault: str) -> None:
    make, code, _ = FAULTS[fault]
    assert found(make(), sandbox=True) == {(code, "warn")}


@pytest.mark.parametrize("fault", ["script", "a relative link", "data", "no unsubscribe in HTML", "TK"])
def test_a_fault_of_the_mail_itself_stops_in_the_sandbox_too(fault: str) -> None:
    make, code, _ = FAULTS[fault]
    assert (code, "stop") in found(make(), sandbox=True)


def test_all_problems_come_together_stops_first() -> None:
    worst = replace(GOOD, subject="Re: x", text="")
    levels = [problem.level for problem in look(worst)]
    assert levels == sorted(levels, key=("stop", "warn").index)
    assert {"I305", "I306", "I307", "I311", "I316"} <= {problem.code for problem in look(worst)}


def test_an_empty_page_is_a_list_of_problems_and_not_a_traceback() -> None:
    assert {"I305", "I312", "I313"} <= {problem.code for problem in look(replace(GOOD, html=""))}


def test_none_as_an_english_word_is_no_placeholder() -> None:
    stories = (replace(STORIES[0], title="Second to None, and None of them knew", summary="None of it is new."),)
    view = a_view(*stories, site=PUBLIC)
    codes = {problem.code for problem in preflight(a_digest(*stories, site=PUBLIC), view, Facts())}
    assert "I304" not in codes


@pytest.mark.parametrize(
    ("url", "sandbox", "level"),
    [
        ("http://news.autotrendy.org", False, "stop"),
        ("https://autotrendy.example", False, "stop"),
        ("http://127.0.0.1:8000", True, "warn"),
    ],
)
def test_a_wrong_base_url_is_told_once_and_not_for_each_link(url: str, sandbox: bool, level: str) -> None:
    site = a_site(url=url)
    stories = (FOLLOW,)
    problems = preflight(a_digest(*stories, site=site), a_view(*stories, site=site), Facts(sandbox=sandbox))
    assert [(p.code, p.level) for p in problems if p.code in {"I308", "I309", "I310"}] == [("I310", level)]


@pytest.mark.parametrize("host", ["news.autotrendy.org", "xn--bcher-kva.de", "a.b.c.museum", "Localhost.org"])
def test_a_name_in_the_public_dns_can_be_reached(host: str) -> None:
    assert is_public_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "example.com",
        "www.example.org",
        "x.test",
        "nas",
        "10.0.0.1",
        "::1",
        "",
    ],
)
def test_a_name_of_this_machine_or_of_the_manuals_cannot(host: str) -> None:
    assert not is_public_host(host)


def told(**facts: Any) -> set[tuple[str, str]]:
    return {(problem.code, problem.level) for problem in preflight(GOOD, VIEW, Facts(**facts))}


def test_a_page_that_the_site_does_not_have_is_found() -> None:
    lost = "https://news.autotrendy.org/posts/follow/"
    assert told(absent=frozenset({lost})) == {("I321", "stop")}
    assert told(absent=frozenset({"https://news.autotrendy.org/elsewhere/"})) == set()


@pytest.mark.parametrize(("octets", "width", "found"), [(150_000, 1200, False), (150_001, 1072, True), (9, 1201, True)])
def test_a_picture_is_weighed(octets: int, width: int, found: bool) -> None:
    weights = {"https://news.autotrendy.org/gate.jpg": Weight(octets, width)}
    assert told(weights=weights) == ({("I323", "warn")} if found else set())


def test_an_address_that_does_not_answer_is_a_warning_with_what_it_said() -> None:
    digest = html("https://news.autotrendy.org/posts/follow/", "https://maker.org/press")
    (problem,) = preflight(digest, VIEW, Facts(silent={"https://maker.org/press": "It answers 404"}))
    assert (problem.code, problem.level, "It answers 404" in problem.message) == ("I330", "warn", True)


@pytest.mark.parametrize(
    ("trial", "sandbox", "expected"),
    [
        (Trial.ACCEPTED, False, set()),
        (Trial.NOT_ASKED, False, set()),
        (Trial.OTHER, False, {("S307", "stop")}),
        (Trial.OTHER, True, {("S307", "warn")}),
        (Trial.NEVER, False, {("S329", "stop")}),
        (Trial.NEVER, True, {("S329", "warn")}),
        (Trial.NOBODY, False, {("S307", "warn")}),
    ],
)
def test_a_mail_is_tried_on_the_house_before_readers_get_it(
    trial: Trial, sandbox: bool, expected: set[tuple[str, str]]
) -> None:
    assert told(trial=trial, sandbox=sandbox) == expected


def test_what_tries_a_mail_names_its_issue_of_its_edition() -> None:
    found = preflight(GOOD, VIEW, Facts(trial=Trial.NEVER, edition=MONTHLY))
    (fixes,) = (problem.fixes for problem in found if problem.code == "S329")
    assert f"newsletter issue test monthly/{VIEW.number} --to ADDRESS" in fixes


@pytest.mark.parametrize(
    ("words", "found"), [("© 2021", True), ("(c) 2019–2021", True), ("© 2022", False), ("© 2019-2022", False)]
)
def test_a_year_that_has_passed_is_found_in_the_footer_alone(words: str, found: bool) -> None:
    digest = html("1 Calle Mayor", f"{words} 1 Calle Mayor")
    day = Facts(day=date(2022, 2, 11))
    assert ("I329" in {problem.code for problem in preflight(digest, VIEW, day)}) is found
    above = html("one bill", f"one bill {words}")
    assert "I329" not in {problem.code for problem in preflight(above, VIEW, day)}


def test_marks_that_an_author_wrote_about_are_not_leftovers() -> None:
    summary = "How {{ braces }} and @@marks@@ got into an engine, and what TK stands for."
    stories = (replace(STORIES[0], title="What {% raw %} means to a mechanic", summary=summary), FOLLOW)
    view = a_view(*stories, site=PUBLIC)
    codes = {problem.code for problem in preflight(a_digest(*stories, site=PUBLIC), view, Facts())}
    assert "I304" not in codes


def test_code_that_an_author_shows_in_a_whole_text_is_no_leftover() -> None:
    site = a_site(url=PUBLIC.url, full_text=True)
    html = (
        "<p>Write <code>{{ digest.title }}</code>, and <a href='https://a.org/{{page}}'>None</a> will know.</p>"
        "<pre><code>{% for story in stories %}\n  @@NAME@@ lorem ipsum TK\n{% endfor %}\n\n  {{ end }}</code></pre>"
        "<ul><li>First {{ one }} which is long enough to be wrapped onto a second line of the text part</li></ul>"
        "<blockquote><p>She said {{ two }} and would not say another word of it, whoever asked.</p></blockquote>"
        "<table><tr><th>Mark</th><td>{{ three }}</td></tr></table>"
    )
    stories = (replace(STORIES[0], html=html), FOLLOW)
    view, digest = a_view(*stories, site=site), a_digest(*stories, site=site)
    assert "{{ digest.title }}" in digest.html
    assert "{{ two }}" in digest.text
    assert [p.message for p in preflight(digest, view, Facts()) if p.code == "I304"] == []
    left = replace(digest, html=digest.html.replace("Unsubscribe", "{{ leave }}"))
    assert "I304" in {p.code for p in preflight(left, view, Facts())}


@pytest.mark.parametrize("left", ["TK", "Lorem ipsum", "{{ name }}"])
def test_what_an_editor_left_in_the_note_or_the_subject_is_found(left: str) -> None:
    for brief in (Brief(note=f"Dear readers, {left}"), Brief(subject=f"The week in cars {left}")):
        view = a_view(*STORIES, site=PUBLIC, brief=brief)
        digest = a_digest(*STORIES, site=PUBLIC, brief=brief)
        assert "I304" in {problem.code for problem in preflight(digest, view, Facts())}


@pytest.mark.parametrize(("length", "found"), [(80, False), (81, True)])
def test_a_long_note_is_asked_about(length: int, found: bool) -> None:
    brief = Brief(note="word " * length)
    view = a_view(*STORIES, site=PUBLIC, brief=brief)
    problems = preflight(a_digest(*STORIES, site=PUBLIC, brief=brief), view, Facts())
    assert ("I334" in {problem.code for problem in problems}) is found


def test_the_weight_is_counted_in_octets_of_utf_8() -> None:
    assert budget.size(Digest("s", "p", "é", "t")) == 2
    assert budget.check(Digest("s", "p", "x" * 80_000, "t")) is None
    for octets, code in ((80_001, "I302"), (100_000, "I302"), (100_001, "I301")):
        problem = budget.check(Digest("s", "p", "x" * octets, "t"))
        assert problem is not None
        assert problem.code == code


@pytest.mark.parametrize("own", [LONGEST, EMPTIEST])
def test_nothing_is_left_over_for_the_longest_and_the_emptiest_reader(own: Mapping[Sentinel, str]) -> None:
    for variant in segments.to_look_at(GOOD):
        read = read_by(seen_by(GOOD, variant, spoken("en")), own)
        assert list(leftovers.in_what_is_read(read)) == []


@pytest.mark.parametrize("damaged", ["__READER_NAME__", "https://x.invalid/__UNSUB__/", "<!-- segment recap:1 -->"])
def test_what_should_have_become_a_readers_own_words_and_did_not_is_found(damaged: str) -> None:
    cut = seen_by(GOOD, (), spoken("en"))
    for digest in (
        replace(cut, html=cut.html.replace("one bill", f"one {damaged} bill")),
        replace(cut, text=cut.text.replace("one bill", f"one {damaged} bill")),
    ):
        read = read_by(digest, EMPTIEST)
        assert {problem.code for problem in leftovers.in_what_is_read(read)} == {"I304"}
