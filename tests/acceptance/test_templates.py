"""A site's own template that cannot be used: told with its line by whatever would use it, and nothing half done."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import FRIDAY, SiteFolder

PAGE = '{% extends "default/web/post.html" %}\n{% block main %}\n'
BROKEN: list[tuple[str, str | bytes, int]] = [
    ("web/post.html", PAGE + "{{ nobody }}{% endblock %}", 3),
    ("web/post.html", PAGE + "{{ post.title.nothing.at_all }}{% endblock %}", 3),
    ("web/post.html", PAGE + "{{ 1 / 0 }}{% endblock %}", 3),
    ("web/post.html", PAGE + '{% include "nowhere.html" %}{% endblock %}', 3),
    ("web/post.html", PAGE + "{% endfor %}", 3),
    ("web/style.css", b"\xff\xfe is no UTF-8", 0),
]


def put(site: SiteFolder, name: str, source: str | bytes) -> None:
    path = site.root / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source if isinstance(source, bytes) else source.encode())


@pytest.mark.parametrize(("name", "source", "line"), BROKEN)
def test_a_broken_page_is_told_with_its_line_and_nothing_is_published(
    site: SiteFolder, name: str, source: str | bytes, line: int
) -> None:
    put(site, name, source)
    result = site.run("publish", now=FRIDAY)
    place = f"templates/{name}:{line}" if line else f"templates/{name}"
    assert (result.status, "C301" in result.err, place in result.err) == (1, True, True), result.err
    assert not [path for path in site.tree() if not path.startswith(".")]


def test_a_fault_that_is_found_in_another_process_has_its_line_too(site: SiteFolder) -> None:
    for n in range(210):  # enough for the work to be spread
        site.post(f"van-{n}")
    put(site, "web/post.html", BROKEN[0][1])
    result = site.run("publish", now=FRIDAY)
    assert "templates/web/post.html:3" in result.err


@pytest.mark.parametrize("source", ["<tr>\n{% if %}", "<tr>\n{{ nobody }}"])
def test_a_broken_mail_is_told_with_its_line_and_no_issue_is_made(site: SiteFolder, source: str) -> None:
    site.readers(1)
    put(site, "email/blocks/masthead.html", source)
    result = site.run("prepare", now=FRIDAY)
    assert (result.status, "C301" in result.err) == (1, True), result.err
    assert "templates/email/blocks/masthead.html:2" in result.err
    assert ("masthead.html:2" in site.run("check", now=FRIDAY).out) == ("{%" in source)  # it reads, and renders nothing
    (site.root / "templates" / "email" / "blocks" / "masthead.html").unlink()
    assert site.ok("prepare", now=FRIDAY).out.startswith("Made issue 1")
