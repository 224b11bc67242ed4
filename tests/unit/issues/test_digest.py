"""The rendered mail, by what a reader or a mail client meets in it."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from typing import NoReturn

import pytest
from jinja2 import DictLoader, Environment, FileSystemLoader, meta
from jinja2.loaders import ChoiceLoader
from lxml import etree

from newsletter.issues import digest, letter
from newsletter.issues.page import elements, parse, strings, text_of
from newsletter.model import Sentinel, Take
from newsletter.templates import default_folder
from newsletter.tongue import spoken
from newsletter.variants import seen_by
from tests.builders import a_site
from tests.unit.issues.scene import ALLIANCE, BATTERIES, CHARGING, FOLLOW, REVIEW, a_digest, a_view, templates

EMAIL = default_folder() / "email"
FIVE = (ALLIANCE, FOLLOW, REVIEW, CHARGING, BATTERIES)


def page() -> etree._Element:
    return parse(a_digest(*FIVE).html)


def test_two_renders_of_one_view_are_byte_equal() -> None:
    assert a_digest() == a_digest()


def test_the_hash_changes_with_every_part() -> None:
    parts = ("subject", "preheader", "html", "text")
    hashes = {digest.digest_hash(*(part + "!" if part == changed else part for part in parts)) for changed in parts}
    assert len(hashes | {digest.digest_hash(*parts), digest.digest_hash("subjectp", "reheader", "html", "text")}) == 6
    assert a_digest().digest_hash.startswith("sha256:")


def test_no_file_or_socket_is_opened_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    view, environment = a_view(), templates()
    digest.render(view, environment)  # the templates are read and compiled

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise AssertionError(f"opened {args}")

    monkeypatch.setattr(environment, "auto_reload", False)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("codecs.open", refuse)
    assert digest.render(view, environment).digest_hash


def test_an_earlier_post_is_told_alike_in_both_parts_with_its_date_in_brackets() -> None:
    made = a_digest()
    told = f"Last week: {BATTERIES.title} (1 Feb 2022)"
    assert told in text_of(elements(parse(made.html), "//body")[0]).replace("\N{NO-BREAK SPACE}", " ")
    assert told in " ".join(made.text.split())


def test_titles_and_summaries_have_the_direction_of_their_own_script() -> None:
    page = parse(a_digest().html)
    assert len(elements(page, "//h2[@dir='auto']")) == len(elements(page, "//p[@dir='auto']")) == 2


def test_the_blocks_come_in_their_order() -> None:
    text = text_of(elements(parse(a_digest(*FIVE).html), "//body")[0])
    order = [
        "View in browser",
        "Issue 2 · ",
        "In this issue",
        "By News desk",
        "Auto Trendy's take",
        "Read “The Renault",
        "Earlier in this story",
        "Last week:",
        "Read more: How to follow Auto Trendy",
        "From last week:",
        "You get Auto Trendy every Friday",
        "Unsubscribe",
        "Just reply",
        "28013 Madrid",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_the_first_link_is_to_the_page_of_the_issue() -> None:
    assert next(page().iter("a")).get("href") == "https://autotrendy.example/issues/2/"


def test_every_heading_has_its_place_in_one_tree() -> None:
    headings = [(h.tag, text_of(h)) for h in elements(page(), "//h1|//h2|//h3")]
    assert headings[:4] == [
        ("h1", "Auto Trendy"),
        ("h2", "In this issue"),
        ("h2", ALLIANCE.title),
        ("h3", "Auto Trendy's take"),
    ]
    assert [tag for tag, _ in headings].count("h1") == 1


def test_the_wrapper_repeats_language_and_direction_for_clients_that_drop_the_page() -> None:
    wrapper = elements(page(), "//body/div[@role='article']")[0]
    assert (wrapper.get("lang"), wrapper.get("dir")) == ("en", "ltr")
    assert wrapper.get("aria-label") == "Auto Trendy issue 2, 11 February 2022"
    assert page().get("lang") == "en"


def test_every_table_is_marked_as_layout() -> None:
    tags = re.findall(r"<table\b[^>]*>", a_digest(*FIVE).html)
    assert len(tags) > 4
    assert all('role="presentation"' in tag for tag in tags)


def test_outlook_gets_its_ghost_table_and_its_picture_in_pixels() -> None:
    html = a_digest().html
    assert '<!--[if mso]><table role="presentation" width="600"' in html
    image = next(page().iter("img"))
    assert (image.get("width"), image.get("alt")) == ("536", ALLIANCE.image_alt)
    assert "width:100%" in image.get("style", "")


def test_only_the_lead_has_a_picture() -> None:
    second = replace(FOLLOW, image="https://autotrendy.example/b.jpg", image_alt="b")
    assert a_digest(ALLIANCE, second).html.count("<img") == 1


def test_the_take_of_the_lead_is_shown_in_full_and_of_the_others_its_first_sentence() -> None:
    other = replace(REVIEW, take=Take("<p>First. Second.</p>", "First. Second."))
    html = a_digest(ALLIANCE, other).html
    assert "New players can learn it." in html
    assert "First." in html
    assert "Second." not in html


def test_a_back_link_belongs_to_its_own_story() -> None:
    rows = elements(page(), "//li[contains(., 'Last week')]/ancestor::td[1]")
    assert len(rows) == 1
    assert text_of(rows[0]).startswith(ALLIANCE.title)


def test_what_is_not_there_leaves_no_empty_box() -> None:
    html = a_digest(replace(FOLLOW, image=None, take=None), previous=None, carried={}).html
    for absent in ("Earlier in this story", "From last week", "In this issue", "take", "<img", "<ul", "<ol"):
        assert absent not in re.sub(r"<style.*?</style>|class=\"[^\"]*\"", "", html, flags=re.DOTALL)


def test_words_of_an_author_are_never_markup() -> None:
    hostile = replace(FOLLOW, title='<script>alert(1)</script> & "co"', summary="<b>bold</b>", image_alt='"><x>')
    html = a_digest(*(replace(hostile, id=f"tag:{n}") for n in range(3))).html
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;b&gt;bold" in html


def test_dark_and_narrow_rules_are_kept_byte_for_byte() -> None:
    html = a_digest().html
    for name in ("media.css", "dark.css"):
        assert templates().get_template(f"email/{name}").render(digest=a_view()).strip() in html
    assert "data-premailer" not in html


def test_no_rule_of_the_plain_sheet_stays_in_the_head() -> None:
    assert len(elements(page(), "//head/style")) == 2


def test_nothing_is_smaller_than_fourteen_pixels_but_what_is_hidden() -> None:
    small = [
        element.get("class", "")
        for element in elements(page(), "//*[@style]")
        for size in re.findall(r"font-size:(\d+)px", element.get("style", ""))
        if int(size) < 14
    ]
    assert set(small) == {"preheader", "rule"}


def test_no_colour_is_hard_black_or_white() -> None:
    assert not re.search(r"#000|#fff(?![0-9a-f])|#ffffff", a_digest(*FIVE).html, re.IGNORECASE)


def test_each_link_is_absolute_and_each_sentinel_is_whole() -> None:
    made = a_digest(*FIVE)
    hrefs = strings(parse(made.html), "//a/@href")
    assert all(href.startswith("https://") for href in hrefs)
    assert hrefs.count(Sentinel.UNSUBSCRIBE) == 1
    for sentinel in Sentinel:
        assert sentinel in made.html
        assert sentinel in made.text


def test_a_site_can_override_one_block_by_itself() -> None:
    own = {"email/blocks/byline.html": "<p>{{ story.author }}!</p>"}
    environment: Environment = templates().overlay(
        loader=ChoiceLoader([DictLoader(own), FileSystemLoader(default_folder())])
    )
    made = digest.render(a_view(), environment)
    assert made.html.count("News desk!</p>") == 2
    assert "Reviewed by" not in made.html
    assert "From last week" in made.html


def test_a_language_from_the_right_is_said_on_page_and_wrapper() -> None:
    html = a_digest(site=a_site(language="he")).html
    assert html.count('lang="he" dir="rtl"') == 2


def test_in_a_language_from_the_right_the_sides_of_the_mail_are_exchanged() -> None:
    left, right = (a_digest(ALLIANCE, CHARGING, FOLLOW, site=a_site(language=each)).html for each in ("en", "ar"))
    for here, there in (
        ("border-left:4px", "border-right:4px"),  # the bar of the take
        ("padding:0 0 0 26px", "padding:0 26px 0 0"),  # of the list of contents
        ('align="right"', 'align="left"'),  # of the way to the browser
        ("margin:0 18px 8px 0", "margin:0 0 8px 18px"),
        ("letter-spacing:1px", "letter-spacing:0"),  # it would part letters that join
    ):
        assert (here in left, there in left) == (True, False), here
        assert (here in right, there in right) == (False, True), there


def test_a_title_of_another_script_is_isolated_where_it_stands_among_other_words() -> None:
    made = a_digest(ALLIANCE, CHARGING, FOLLOW, site=a_site(language="ar"))
    assert f"<bdi>{FOLLOW.title}</bdi>" in made.html
    assert f"\u2068{BATTERIES.title}\u2069 (1 فبراير 2022)" in " ".join(made.text.split())
    assert "bdi" not in a_digest().html


def test_the_mail_tells_dates_weekdays_and_counts_in_its_language() -> None:
    french = a_digest(ALLIANCE, FOLLOW, site=a_site(language="fr"))
    french = seen_by(french, (), spoken("fr"))
    assert "Numéro\xa02 · vendredi 11 février 2022 · 2\xa0articles · 8\xa0min" in french.html
    assert "chaque vendredi, car l’adresse" in french.html
    assert "Par News desk · Relu par Review desk · 8\xa0févr.\xa02022 · 7\xa0min\xa0de\xa0lecture" in french.html
    assert "La semaine dernière : All-solid-state batteries" in " ".join(french.text.split())


def test_every_file_of_the_mail_has_its_place_in_it() -> None:
    found: set[str] = set()
    asked = {"email/digest.html", "email/digest.txt", "email/style.css", letter.PAGE, letter.TEXT}
    while asked - found:
        name = min(asked - found)
        source = (default_folder() / name).read_text()
        asked |= {name for name in meta.find_referenced_templates(templates().parse(source)) if name}
        found.add(name)
    assert found == {f"email/{path.relative_to(default_folder() / 'email')}" for path in EMAIL.rglob("*.*")}
