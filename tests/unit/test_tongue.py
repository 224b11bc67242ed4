from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo

from newsletter import words
from newsletter.tongue import CATALOGUES, is_known, known, spoken

DAY = date(2026, 9, 4)


def test_english_has_the_dates_of_the_house() -> None:
    english = spoken("en")
    assert english.full_date(DAY) == words.full_date(DAY) == "Friday 4 September 2026"
    assert english.long_date(DAY) == "4 September 2026"
    assert english.short_date(DAY) == "4 Sep 2026"
    assert (english.month(9), english.weekday(4), english.number(12345)) == ("September", "Friday", "12,345")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("fr", ("vendredi 4 septembre 2026", "4 septembre 2026", "4 sept. 2026", "Septembre", "vendredi")),
        ("ar", ("الجمعة، 4 سبتمبر 2026", "4 سبتمبر 2026", "4 سبتمبر 2026", "سبتمبر", "الجمعة")),
        ("en-US", ("Friday, September 4, 2026", "September 4, 2026", "Sep 4, 2026", "September", "Friday")),
    ],
)
def test_dates_are_those_of_the_language_with_the_month_in_letters(language: str, told: tuple[str, ...]) -> None:
    one = spoken(language)
    assert (one.full_date(DAY), one.long_date(DAY), one.short_date(DAY), one.month(9), one.weekday(4)) == told


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert spoken("fr").posts(12345) == "12\u202f345 articles"
    assert spoken("ar").posts(12345) == "12,345 مقالًا"


def test_a_tag_is_tried_from_its_longest_form_on() -> None:
    canadian = spoken("fr-CA")
    assert (canadian.language, canadian.locale, canadian.say("Unsubscribe")) == ("fr", "fr_CA", "Se désinscrire")
    assert spoken("ar-LB").long_date(DAY) == "4 أيلول 2026"  # the months of the Levant
    assert spoken("fr-XX").long_date(DAY) == "4 septembre 2026"
    assert spoken("FR").say("Unsubscribe") == "Se désinscrire"


def test_a_language_without_a_catalogue_is_english_throughout() -> None:
    german = spoken("de")
    assert german.say("Unsubscribe") == "Unsubscribe"
    assert german.long_date(DAY) == "4 September 2026"
    assert not is_known("de")
    assert all(is_known(language) for language in ("en", "en-GB", "fr-CA", "ar"))
    assert known() == "ar, en and fr"


def test_arabic_has_its_six_forms() -> None:
    told = [spoken("ar").stories(number) for number in (0, 1, 2, 3, 11, 100)]
    assert told == ["لا مقالات", "مقال واحد", "مقالان", "3 مقالات", "11 مقالًا", "100 مقال"]


def test_french_leaves_a_narrow_no_break_space_before_a_colon() -> None:
    assert spoken("fr").titled("Suite de", "Titre") == "Suite de\u202f: Titre"


def test_a_value_that_runs_the_other_way_is_isolated() -> None:
    assert spoken("ar").say("Follow %(publication)s", publication="Auto Trendy (EU)") == (
        "تابِع \u2068Auto Trendy (EU)\u2069"
    )
    assert spoken("en").say("Follow %(publication)s", publication="أخبار") == "Follow \u2068أخبار\u2069"
    assert spoken("ar").say("Follow %(publication)s", publication="أخبار 24") == "تابِع أخبار 24"
    assert spoken("en").say("Follow %(publication)s", publication="Größe, 日本") == "Follow Größe, 日本"


def test_the_catalogues_are_whole_and_of_one_make_with_the_code() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "tools/catalogues.py", "--check"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("tag", "others"), [("fr", "[\u0600-\u06ff]"), ("ar", "[àâçéèêëîïôùû]")])
def test_no_catalogue_has_words_of_another_language(tag: str, others: str) -> None:
    with (CATALOGUES / tag / "LC_MESSAGES" / "newsletter.mo").open("rb") as file:
        catalogue = read_mo(file)
    assert [message.id for message in catalogue if message.id and re.search(others, str(message.string))] == []


def test_an_english_site_loads_nothing_of_babel() -> None:
    script = (
        "import sys; from datetime import date; from newsletter.tongue import spoken\n"
        "spoken('en').long_date(date(2026, 1, 1)); sys.exit('babel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
