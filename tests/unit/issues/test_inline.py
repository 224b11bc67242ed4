from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from lxml.cssselect import CSSSelector

from newsletter import copies
from newsletter.errors import ConfigError
from newsletter.issues import digest, letter
from newsletter.issues import inline as cage
from newsletter.issues.inline import inline
from newsletter.issues.page import parse
from newsletter.issues.sheet import Rule, asked_for, refusals, rules
from newsletter.model import WEEKLY, Brief, LetterKind, Look, Sentinel, Variant
from newsletter.templates import environment
from tests.builders import a_site
from tests.unit.issues.crowd import crowded
from tests.unit.issues.scene import a_view, templates

BODY = '<div class="a b" id="i"><p>x</p></div>'


def a_page(body: str = BODY, head: str = "") -> str:
    return f'<!DOCTYPE html>\n<html lang="en"><head><title>t</title>{head}</head><body>{body}</body></html>'


def codes(html: str, sheet: str = "") -> list[str]:
    with pytest.raises(ConfigError) as refused:
        inline(html, sheet)
    return sorted({problem.code for problem in refused.value.problems})


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        ("@import url(http://127.0.0.1:1/i.css);", "I202"),
        ("@media (max-width:600px){.a{color:#111}}", "I201"),
        ("@font-face{font-family:x}", "I201"),
        (".a{color:#111", "I201"),
        (".a{background:url(http://x.example/a.png)}", "I202"),
        (".a{background:URL( 'file:///etc/passwd' )}", "I202"),
        (".a:hover{color:#111}", "I203"),
        ("p:not(.a){color:#111}", "I203"),
        (":is(.a,.b){color:#111}", "I203"),
        ("p:nth-child(2){color:#111}", "I203"),
        ("a[href^='https:']{color:#111}", "I203"),
        ("*{color:#111}", "I203"),
        (".a,{color:#111}", "I203"),
        (".a{color:var(--ink)}", "I204"),
        (".a{--ink:#111}", "I204"),
        (".a{color:rgb(1 2 3 / 50%)}", "I205"),
        (".a{color:hsl(120deg 75% 25%)}", "I205"),
        (".a{color:oklch(40% 0.2 30)}", "I205"),
        (".a{color:#111 ! important}", "I206"),
        (".a{color}", "I207"),
    ],
)
def test_what_the_inliner_would_lose_or_fetch_is_refused_by_name(sheet: str, code: str) -> None:
    assert code in codes(a_page(), sheet)


def test_a_refusal_names_the_line() -> None:
    found = refusals(
        "/* two\nlines */\n.a { color: #111; }\n.b {\n  padding: 0;\n  color: var(--x);\n}\n.c:hover { top: 0 }"
    )
    assert [(problem.code, problem.line) for problem in found] == [("I204", 6), ("I203", 8)]


def test_a_plain_sheet_is_taken() -> None:
    sheet = 'td, .a p { color: rgb(1, 2, 3); font-family: Georgia, "Times New Roman", serif; } a[role="x"] { top: 0 }'
    assert refusals(sheet) == []
    assert rules(sheet)[1] == Rule(".a p", rules(sheet)[0].declarations, 1)


@pytest.mark.parametrize(
    ("selector", "specificity"),
    [("p", (0, 0, 1)), (".a p", (0, 1, 1)), ("#i.a", (1, 1, 0)), ('td > a[role="x"]', (0, 1, 2)), ("h1.a", (0, 1, 1))],
)
def test_the_specificity_is_that_of_the_standard(selector: str, specificity: tuple[int, int, int]) -> None:
    assert Rule(selector, (), 1).specificity == specificity


@pytest.mark.parametrize(
    ("html", "code"),
    [
        (a_page(head="<style>.a{color:#111}</style>"), "I208"),
        (a_page(head='<style data-premailer="ignore">@import "x";</style>'), "I209"),
        (a_page(head='<link rel="stylesheet" href="http://127.0.0.1:1/x.css">'), "I209"),
        (a_page(head='<base href="https://x.example/">'), "I209"),
        (a_page("<script>1</script>"), "I209"),
        (a_page("<form></form>"), "I209"),
        (a_page().replace("DOCTYPE", "doctype"), "I210"),
        ("<p>no page at all</p>", "I210"),
        ("", "I210"),
    ],
)
def test_a_page_that_loads_or_loses_something_is_refused(html: str, code: str) -> None:
    assert code in codes(html)


def test_all_faults_are_told_at_once() -> None:
    assert codes(a_page(head="<style></style>"), ".a:hover{color:var(--x)}") == ["I203", "I204", "I208"]


def test_styles_go_onto_the_elements_and_classes_stay() -> None:
    html = inline(a_page(), ".a { color: #111; } p { margin: 0 }")
    assert '<div class="a b" id="i" style="color:#111"><p style="margin:0">' in html


def test_a_style_block_in_a_comment_for_outlook_is_left_alone() -> None:
    comment = "<!--[if mso]><style>*{font-family:Arial!important}</style><![endif]-->"
    assert comment in inline(a_page(head=comment), "p{margin:0}")


def test_properties_that_only_outlook_knows_are_kept_in_silence(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        html = inline(a_page(), ".a { mso-line-height-rule: exactly; mso-hide: all }")
    assert "mso-line-height-rule:exactly; mso-hide:all" in html
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name == "CSSUTILS"]


def test_a_width_of_a_picture_is_not_overwritten() -> None:
    assert 'width="536"' in inline(a_page('<img width="536" alt="">'), "img { width: 100% }")


def test_sentinels_and_ampersands_in_links_survive() -> None:
    body = f'<a href="{Sentinel.UNSUBSCRIBE}">u</a> <a href="https://x.example/?a=1&amp;b=2">{Sentinel.ADDRESS}</a>'
    assert body in inline(a_page(body), "")


# --- honesty: when the inliner lies, it is found out


def lying(monkeypatch: pytest.MonkeyPatch, pattern: str, replacement: str) -> None:
    honest = cage.transform
    monkeypatch.setattr(cage, "transform", lambda html, sheet: re.sub(pattern, replacement, honest(html, sheet)))


def test_a_lost_declaration_is_counted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    lying(monkeypatch, r"margin:0; ", "")
    with pytest.raises(ConfigError) as refused:
        inline(a_page("<p>1</p><p>2</p>"), "p { margin: 0; color: #111 }")
    assert refused.value.problems[0].message == "The inliner lost 2 declarations: margin (2)"


def test_a_changed_value_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    lying(monkeypatch, "color:#111", "color:#222")
    assert codes(a_page(), ".a { color: #111 }") == ["I211"]


def test_a_lost_doctype_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lying(monkeypatch, "<!DOCTYPE html>\n", "")
    assert codes(a_page()) == ["I210"]


def test_a_damaged_sentinel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lying(monkeypatch, "__READER_ADDRESS__", "__READER%20ADDRESS__")
    assert codes(a_page(Sentinel.ADDRESS.value)) == ["I212"]


def test_a_changed_kept_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lying(monkeypatch, " !important", "")
    page = a_page(head='<style data-premailer="ignore">.a{color:#111 !important}</style>')
    assert codes(page) == ["I211"]


def test_a_shorthand_that_premailer_puts_before_its_longhand_is_found() -> None:
    """It keeps the first place of a property that a later rule sets again; so `padding` loses to what it resets."""
    sheet = "p { padding: 1px } .x { padding-left: 2px } #y { padding: 3px }"
    assert codes(a_page('<p class="x" id="y">z</p>'), sheet) == ["I211"]


@pytest.mark.parametrize(
    "declaration",
    [
        "color:#FFFDFA",
        "margin:0.5em",
        "font-family:Georgia,'Times New Roman',serif",
        "color:#aabbcc",
        "padding:0 4.0px",
    ],
)
def test_another_way_to_write_the_same_value_is_no_loss(declaration: str) -> None:
    assert inline(a_page(), f".a {{ {declaration} }}")


def test_every_declaration_of_the_built_in_sheet_is_missed_by_its_name_when_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = crowded(3, full=True)
    html, sheet = digest.unjoined(made.view, templates())
    names = {name for rule in rules(sheet) for name, _ in rule.declarations}
    assert len(names) > 30
    head, begin, body = cage.transform(html, sheet).partition("<body")
    for name in sorted(name for name in names if f"{name}:" in body):
        said = head + begin + re.sub(rf"(?<=[\"'; ]){re.escape(name)}:[^;]*?(?=[;\"'])", "", body, count=1)
        monkeypatch.setattr(cage, "transform", lambda _html, _sheet, said=said: said)
        with pytest.raises(ConfigError) as refused:
            inline(html, sheet)
        assert [p.code for p in refused.value.problems] == ["I211"]
        assert f"{name} (1)" in refused.value.problems[0].message


def test_a_rule_that_nothing_in_an_issue_asks_for_is_no_loss() -> None:
    assert inline(a_page("<p>x</p>"), ".gone { color: #111 } p { margin: 0 }").count("style=") == 1


def test_every_rule_of_the_built_in_sheet_is_for_something() -> None:
    logo = Look(logo=Variant("masthead.png", 400, 80, b""))
    brief = Brief(note="To the readers.", signed="desk")
    views = [
        crowded(60).view,
        crowded(3, full=True).view,
        a_view(site=a_site(look=logo), brief=brief),
    ]
    shown = letter.view(a_site(), LetterKind.CONFIRM, WEEKLY, letter.NOBODY)
    mail = templates().get_template(letter.PAGE).render(letter=shown, digest=shown)
    pages = [parse(mail), *(parse(digest.unjoined(view, templates())[0]) for view in views)]
    sheet = digest.unjoined(views[1], templates())[1]
    idle = {rule.selector for rule in rules(sheet) if not any(p.xpath(CSSSelector(rule.selector).path) for p in pages)}
    assert idle == set()


@pytest.mark.parametrize(
    ("page", "sheet", "code"),
    [
        (a_page('<img src="http://127.0.0.1:1/a.png"><p style="background:url(http://127.0.0.1:1/b)">x</p>'), "", ""),
        (a_page(), "@import url(http://127.0.0.1:1/i.css);", "I202"),
        (a_page(), '@import "file:///etc/passwd";', "I202"),
        (a_page(head='<link rel="stylesheet" href="file:///etc/passwd">'), "", "I209"),
        (a_page(head="<style>@import url(file:///etc/passwd);</style>"), "", "I208"),
        (a_page(head='<base href="http://127.0.0.1:1/">'), "", "I209"),
    ],
)
def test_no_socket_is_opened_and_no_file_whatever_stands_in_it(
    monkeypatch: pytest.MonkeyPatch, page: str, sheet: str, code: str
) -> None:
    asked: list[object] = []
    for name in ("builtins.open", "codecs.open", "os.open", "socket.socket", "socket.create_connection"):
        monkeypatch.setattr(name, lambda *args, **kwargs: asked.append(args))
    if code:
        assert code in codes(page, sheet)
    else:
        inline(page, sheet)
    monkeypatch.undo()
    assert asked == []


def test_rules_for_what_is_not_there_are_left_out_before_the_inliner_reads_them() -> None:
    sheet = (
        "/* .a */ p { margin: 0 }\n.a .b { top: 0 }\n.gone, .a { left: 0 }\n.gone p { right: 0 }\n.a.gone { bottom: 0 }"
    )
    kept = [rule.selector for rule in rules(asked_for(sheet, BODY))]
    assert kept == ["p", ".a .b", ".gone", ".a"]


def test_a_fault_in_a_sheet_of_the_sites_own_is_told_with_its_line(tmp_path: Path) -> None:
    sheet = copies.copy("email/style.css", tmp_path)
    lines = sheet.read_text().splitlines()
    place = next(n for n, line in enumerate(lines, 1) if line.startswith(".byline"))
    lines[place - 1] = ".byline:hover { top: 0 }"
    sheet.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as refused:
        digest.render(a_view(), environment(tmp_path))
    assert [(p.code, p.file, p.line) for p in refused.value.problems] == [("I203", "templates/email/style.css", place)]
