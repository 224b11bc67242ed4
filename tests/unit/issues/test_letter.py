"""What a letter says, in both its parts, and in each tongue."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader

from newsletter.errors import ConfigError
from newsletter.issues import letter
from newsletter.issues.letter import NOBODY, Own
from newsletter.issues.letter_words import WORDS
from newsletter.issues.page import elements, parse, text_of
from newsletter.model import EACH_POST, MONTHLY, WEEKLY, LetterKind, Site
from newsletter.templates import default_folder
from tests.builders import a_site, built_in

OWN = Own("https://weekly.auto-trendy.net/c/t0ken", "r…@reader.example", "27 November 2026", "14:05")
KINDS = sorted(WORDS)
LANGUAGES = ["en", "fr", "ar"]


def page_of(site: Site, kind: LetterKind, edition: str = WEEKLY, own: Own = OWN) -> str:
    return letter.filled(letter.html(letter.view(site, kind, edition, NOBODY), built_in(site.language)), own)


def text_of_letter(site: Site, kind: LetterKind, edition: str = WEEKLY) -> str:
    return letter.text(letter.view(site, kind, edition, OWN), built_in(site.language))


def plain(text: str) -> str:
    """Without what only steers the direction, or keeps words on one line."""
    return " ".join(text.translate({0x2068: None, 0x2069: None, 0xA0: " "}).split())


def words(page: str) -> str:
    return plain(text_of(elements(parse(page), "//body")[0]))


def test_there_are_words_for_every_kind_that_is_no_digest() -> None:
    assert set(WORDS) == set(LetterKind) - {LetterKind.CATCH_UP}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_say_the_same_and_no_placeholder_is_left(kind: LetterKind, language: str) -> None:
    site = a_site(language=language)
    shown, page, text = letter.view(site, kind, WEEKLY, OWN), page_of(site, kind), text_of_letter(site, kind)
    for said in (shown.title, *shown.paragraphs, shown.button, shown.after, shown.postal_address):
        assert plain(said) in words(page)
        assert plain(said) in plain(text)
    for placeholder in (getattr(NOBODY, one.name) for one in fields(Own)):
        assert placeholder not in page + text
    links = [a.get("href") for a in parse(page).iter("a")]
    assert links == [*([OWN.url] if shown.button else []), site.address_of("")]
    assert (OWN.url in text) == bool(shown.button)


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_is_said_in_the_tongue_of_the_site(kind: LetterKind, language: str) -> None:
    for edition in (WEEKLY, EACH_POST, MONTHLY):
        told, english = (letter.view(a_site(language=one), kind, edition, OWN) for one in (language, "en"))
        for name in ("subject", "title", "paragraphs", "after"):
            assert getattr(told, name) != getattr(english, name)


def test_a_confirmation_says_who_asked_for_what_and_when_and_that_nothing_comes_without_a_press() -> None:
    site = a_site()
    told = {edition: text_of_letter(site, LetterKind.CONFIRM, edition) for edition in (WEEKLY, EACH_POST, MONTHLY)}
    assert len(set(told.values())) == 3
    said = " ".join(told[MONTHLY].split())
    assert "27 November 2026 at 14:05 (Europe/Madrid)" in said
    assert "Auto Trendy once a month at this address (r…@reader.example)" in said
    assert "Nothing comes unless you press the button." in said
    assert "The link works for 14 days." in said
    hours = letter.view(site, LetterKind.CONFIRM, WEEKLY, OWN, timedelta(hours=36))
    assert "The link works for 36 hours." in hours.after
    assert "The link works for 24 hours." in letter.view(site, LetterKind.DATA, WEEKLY, OWN).after


def test_words_of_a_letter_are_escaped_in_its_page() -> None:
    page = page_of(a_site(), LetterKind.CONFIRM, own=replace(OWN, address='"<b>"@x.example'))
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_a_letter_reads_from_the_right_where_its_site_does() -> None:
    page = page_of(a_site(language="ar"), LetterKind.CONFIRM)
    assert 'dir="rtl"' in page
    assert "27 November 2026" in page  # the words that are put in are the caller's


def test_a_template_that_cannot_be_inlined_is_named() -> None:
    mine = DictLoader({letter.PAGE: "<p>no doctype"})
    templates = built_in().overlay(loader=ChoiceLoader([mine, FileSystemLoader(default_folder())]))
    with pytest.raises(ConfigError) as error:
        letter.html(letter.view(a_site(), LetterKind.LINK, WEEKLY, NOBODY), templates)
    assert {one.file for one in error.value.problems} == {"templates/email/letters/letter.html"}
