"""`[look]`: colours that can be read, a logo that shows, and what pages and mail make of them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from newsletter import config
from newsletter.errors import Problem
from newsletter.issues.page import elements, parse, strings
from newsletter.model import DARK, LIGHT, Look
from newsletter.publish.look import css
from tests.builders import a_site
from tests.unit.issues.scene import a_digest

SITE = '[site]\ntitle = "Auto Trendy"\nurl = "https://autotrendy.example/"\n'


def read(root: Path, text: str) -> tuple[Look, list[Problem]]:
    (root / "newsletter.toml").write_text(SITE + text)
    found, problems = config.read(root)
    return found.site.look, problems


def png(mode: str, width: int, height: int = 40) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


def test_without_a_word_the_look_is_the_built_in_one(tmp_path: Path) -> None:
    assert read(tmp_path, "") == (Look(), [])


def test_a_colour_is_changed_by_itself_and_three_digits_stand_for_six(tmp_path: Path) -> None:
    text = '[look]\ntitles = "sans"\n[look.light]\nlink = "#036"\n[look.dark]\nlink = "#7AC4FF"\n'
    look, problems = read(tmp_path, text)
    assert look == Look(replace(LIGHT, link="#003366"), replace(DARK, link="#7ac4ff"), titles="sans")
    assert problems == []


def test_words_that_cannot_be_made_out_are_refused_with_figure_pair_and_a_shade_that_is_enough(tmp_path: Path) -> None:
    [problem] = read(tmp_path, '[look.light]\nrule = "#ccc"\nsoft = "#999188"\n')[1]
    assert (problem.code, problem.line) == ("C112", 6)
    figures = "2.86 : 1 on paper, 3.06 : 1 on card, 2.60 : 1 on tint"
    assert problem.message == f"soft in [look.light] stands out too little: {figures}; 4.5 : 1 is needed"
    assert problem.fixes == ('soft = "#716961" under [look.light]   is the nearest shade that is enough',)
    assert read(tmp_path, '[look.light]\nsoft = "#716961"\n')[1] == []


def test_a_colour_from_the_environment_is_told_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_LOOK__DARK__INK", "#333")
    [problem] = read(tmp_path, "")[1]
    assert (problem.place, problem.message[:22]) == ("NEWSLETTER_LOOK__DARK__INK", "ink in [look.dark] sta")


def test_both_schemes_are_looked_at(tmp_path: Path) -> None:
    _, problems = read(tmp_path, '[look.dark]\ncard = "#b9b1a5"\n')
    assert [p.message.partition(" on ")[2][:4] for p in problems] == ["card"] * 3


@pytest.mark.parametrize("value", ['"red"', '"#12345"', '"9c3d12"', "7", '"#9c3d12; }"'])
def test_what_is_no_colour_is_refused(tmp_path: Path, value: str) -> None:
    [problem] = read(tmp_path, f"[look.light]\nink = {value}\n")[1]
    assert (problem.code, problem.line) == ("C107", 5)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (png("RGB", 1073), "must not be wider than 1072 pixels, and is 1073"),
        (png("RGBA", 200), "must not be transparent: on a dark screen its letters could vanish"),
        (png("LA", 200), "must not be transparent: on a dark screen its letters could vanish"),
        (png("RGB", 200) + bytes(150_000), "must not be over 150 kB, and is 150"),
        (b"GIF89a", "is not a PNG"),
    ],
)
def test_a_logo_that_would_not_show_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "head.png").write_bytes(content)
    [problem] = read(tmp_path, '[look]\nlogo = "head.png"\n')[1]
    assert (problem.code, problem.line, problem.message) == ("C107", 5, f"look.logo {fault}")


def test_a_logo_stands_in_the_masthead_at_half_its_size_and_says_the_name(tmp_path: Path) -> None:
    (tmp_path / "head.png").write_bytes(png("RGB", 401))
    look, problems = read(tmp_path, '[look]\nlogo = "head.png"\n')
    assert problems == []
    page = parse(a_digest(site=a_site(look=look)).html)
    [image] = elements(page, "//h1/img")
    assert (image.get("src"), image.get("alt"), image.get("width")) == (
        "https://autotrendy.example/masthead.png",
        "Auto Trendy",
        "200",
    )


def test_the_mail_wears_the_look() -> None:
    look = Look(replace(LIGHT, ink="#010203"), replace(DARK, ink="#fdfcfb"), titles="sans", text="sans")
    made = a_digest(site=a_site(look=look)).html
    assert LIGHT.ink not in made
    assert DARK.ink not in made
    assert "Georgia" not in made
    styles = "".join(strings(parse(made), "//h1/@style"))
    assert "color:#010203" in styles


def test_pages_get_what_differs_and_a_built_in_look_changes_no_sheet() -> None:
    assert css(Look()) == ""
    changed = css(Look(light=replace(LIGHT, soft="#010203"), titles="sans"))
    assert "--meta: #010203;" in changed
    assert "--titles: var(--sans);" in changed
    assert changed.index("prefers-color-scheme: dark") > changed.index("--meta: #010203;")
    assert css(Look(text="sans")).count("@media") == 1
