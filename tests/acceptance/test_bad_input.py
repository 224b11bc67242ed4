"""What nobody should write, through the real command: each a clear error with its place or harmless, never a
traceback, never a half-written folder.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree, html

from tests.acceptance.harness import SiteFolder

NOW = "2026-11-25T12:00:00+01:00"
HEAD = "---\ntitle: A\nauthor: news-desk\ndate: 2026-11-24\nsummary: Words about it.\n---\n\n"
FIRST = 8  # the line on which the text begins


@pytest.fixture
def published(site: SiteFolder) -> SiteFolder:
    """A site that readers know, before somebody adds something bad."""
    site.ok("publish", now=NOW)
    return site


def write(site: SiteFolder, content: str | bytes, name: str | bytes = "bad.md") -> Path:
    place = Path(os.fsdecode(os.path.join(os.fsencode(site.root), b"posts", os.fsencode(name))))  # noqa: PTH118
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def headed(key: str, value: str) -> str:
    """A post whose third line is this."""
    return HEAD.replace("title: A\n", f"title: A\n{key}: {value}\n") + "Text."


def bomb() -> str:
    rows = [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)]
    return f"---\na: &a [x, x, x, x, x, x, x, x, x]\n{''.join(rows)}---\nText."


# What a post says -> the code, and the line or 0
REFUSED: dict[str, tuple[str | bytes, str, int]] = {
    "a character that XML forbids": (f"{HEAD}a\x0bb\0c\ufffe", "P115", FIRST),
    "one written as an escape": (headed("image_alt", '"a\\x01b"'), "P115", 3),
    "a lone surrogate": (HEAD.encode() + b"a \xed\xa0\x80 b", "P115", FIRST),
    "a lone surrogate as an escape": (HEAD.replace("title: A", 'title: "a\\ud800b"'), "P101", 2),
    "over 2 MB": (HEAD + "word " * 440_000, "P116", 0),
    "100,000 brackets": (HEAD + "[" * 100_000, "P116", FIRST),
    "100,000 brackets on lines": (HEAD + "[[a\n" * 50_000, "P116", FIRST),
    "UTF-16": ((HEAD + "Text.").encode("utf-16"), "P115", 1),
    "nothing": ("", "P101", 1),
    "dots in a slug": (headed("slug", "../../etc/passwd"), "P117", 3),
    "only dots in a slug": (headed("slug", '".."'), "P117", 3),
    "dots in a picture": (f"{HEAD}![A van](../../newsletter.toml)", "P113", FIRST),
    "dots that are encoded": (f"{HEAD}![A van](%2e%2e/van.png)", "P113", FIRST),
    "dots in a reference": (headed("continues", "../../etc/passwd"), "P105", 3),
    "a YAML bomb": (bomb(), "P101", 2),
    "YAML that runs": (headed("slug", "!!python/object/apply:os.system [id]"), "P101", 3),
    "64 kB of front matter": (headed("x", "a" * 70_000), "P116", 1),
    "a day before all days": (HEAD.replace("2026-11-24", "0001-01-01"), "P108", 4),
    "a picture that is a page": (f"{HEAD}![A van](page.png)", "P137", FIRST),
    "a picture that is nothing": (f"{HEAD}![A van](nothing.png)", "P137", FIRST),
    "a picture that is a pipe": (f"{HEAD}![A van](pipe.png)", "P113", FIRST),
    "a picture from elsewhere": (f"{HEAD}![A van](elsewhere.png)", "P113", FIRST),
    "tags that are not closed": (f"{HEAD}<svg onload=alert(1)>", "P119", FIRST),
    "a tag that closes the page": (f"{HEAD}</script></body></html>", "P119", FIRST),
}


def test_bad_posts_are_told_together_with_their_lines_and_readers_keep_the_old_site(published: SiteFolder) -> None:
    before, wanted = published.tree(), set()
    for number, (content, code, line) in enumerate(REFUSED.values()):
        place = write(published, content, f"bad-{number}.md")
        wanted.add((code, f"posts/{place.name}", line))
    write(published, b"<html><script>alert(1)</script>", "page.png")
    write(published, b"", "nothing.png")
    os.mkfifo(published.root / "posts" / "pipe.png")
    (published.root / "posts" / "elsewhere.png").symlink_to("/etc/hostname")

    for command in ("check", "publish"):
        result = published.run(command, "--json", now=NOW)
        told = {(problem["code"], problem["file"], problem["line"]) for problem in result.problems}
        assert result.status == 1
        assert wanted - told == set()
        assert all(len(problem["message"]) < 200 for problem in result.problems)
    assert published.tree() == before


def test_what_is_no_post_is_told_together_as_well(published: SiteFolder, tmp_path: Path) -> None:
    before, posts = published.tree(), published.root / "posts"
    (tmp_path / "secret.md").write_text(f"{HEAD}Secret.", "utf-8")
    links = {"a": str(tmp_path / "secret.md"), "b": "nowhere.md", "c": "c.md", "d": str(tmp_path)}
    for name, target in links.items():
        (posts / f"{name}.md").symlink_to(target)
    os.mkfifo(posts / "e.md")
    write(published, f"{HEAD}Text.", b"caf\xe9.md")
    write(published, f"{HEAD}Text.", b"caf\xe9/f.md")

    for command in ("check", "publish"):
        result = published.run(command, "--json", now=NOW)
        assert result.status == 1
        assert {(problem["code"], problem["file"]) for problem in result.problems} == {
            *(("P129", f"posts/{name}.md") for name in "abcde"),
            ("P138", "posts/caf\\xe9.md"),
            ("P138", "posts/caf\\xe9/f.md"),
        }
    assert published.tree() == before


def _moved(line: str) -> Callable[[SiteFolder], object]:
    return lambda site: (site.root / "redirects.toml").write_text(f'"/old/" = "hybrid-hatch"\n{line}\n', "utf-8")


def _foreign(site: SiteFolder) -> None:
    write(site, f"{HEAD}Text.")
    place = site.root / "feeds" / "posts" / "bad"
    place.mkdir()
    (place / "index.html").write_text("mine", "utf-8")


OUTSIDE: dict[str, tuple[Callable[[SiteFolder], object], str]] = {
    "a redirect to a script": (_moved('"/x/" = "javascript:alert(1)"'), "F411"),
    "a circle of redirects": (_moved('"/posts/a/" = "b"\n"/posts/b/" = "a"'), "F411"),
    "redirects that are a folder": (lambda site: (site.root / "redirects.toml").mkdir(), "P307"),
    "redirects that are no TOML": (_moved("[[["), "P307"),
    "a template that cannot be read": (lambda site: _template(site, b"{% for x in %}"), "C301"),
    "a template that asks for what is not there": (lambda site: _template(site, b"{{ nothing.there }}"), "C301"),
    "a template that is not UTF-8": (lambda site: _template(site, b"caf\xe9"), "C301"),
    "a record that is none": (lambda site: (site.root / "feeds/.manifest.json").write_text("{", "utf-8"), "F423"),
    "a file of somebody else": (_foreign, "F422"),
}


def _template(site: SiteFolder, content: bytes) -> None:
    place = site.root / "templates" / "web" / "post.html"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)


@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_stands_beside_the_posts_is_refused_as_well(published: SiteFolder, kind: str) -> None:
    put, code = OUTSIDE[kind]
    put(published)
    before = published.tree()
    result = published.run("publish", "--json", now=NOW)

    assert result.status in {1, 3, 4}
    assert code in {problem["code"] for problem in result.problems}
    assert all(problem["file"] for problem in result.problems)
    assert published.tree() == before


LINKS = ("javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,alert", "&#106;avascript:alert(1)", "vbscript:x")
SCRIPT = """<script>alert(1)</script> <a href="https://example.org/" onclick="alert(1)">a link</a>

<iframe src="//evil.example"></iframe> <svg onload="alert(1)"><script>alert(1)</script></svg>
<style>* { display: none }</style> <math><mtext></mtext></math> <form action="//evil.example"><input></form>
<base href="//evil.example"><meta http-equiv="refresh" content="0;url=//evil.example"><object data="x"></object>

`{{ 7 * 7 }}` ]]> --> &#1; &#xD800; &lt;script&gt;alert(1)&lt;/script&gt;
"""
FRONT = {
    "title": '"</title><script>alert(1)</script> & ]]>"',
    "summary": '"]]></script><script>alert(1)</script>"',
    "topics": "['<script>alert(1)</script>', 'a/../../b', '../x', '%2e%2e', '.', '\\u202etxt']",
}


def test_script_in_a_post_runs_in_no_page_feed_or_mail(published: SiteFolder) -> None:
    post = HEAD.replace("title: A", f"title: {FRONT['title']}").replace("summary: Words about it.", "")
    post = post.replace("---\n\n", f"summary: {FRONT['summary']}\ntopics: {FRONT['topics']}\n---\n\n")
    write(published, post + SCRIPT)
    published.ok("publish", now=NOW)
    published.ok("prepare", now="2026-11-27T08:00:05+01:00")
    published.readers(1).ok("deliver", now="2026-11-27T08:00:05+01:00")

    pages = [content for path, content in published.tree().items() if path.endswith(".html")]
    feeds = [content for path, content in published.tree().items() if path.endswith(("rss.xml", "atom.xml"))]
    mails = [str(part.get_content()) for mail in published.mails() for part in mail.walk() if _is_html(part)]
    for content in [*pages, *(mail.encode() for mail in mails)]:
        assert list(_alive(html.document_fromstring(content))) == []
    for content in feeds:
        for element in etree.fromstring(content).iter(etree.Element):
            if element.text and "<" in element.text and element.tag.rpartition("}")[2] not in {"title", "category"}:
                assert list(_alive(html.fragment_fromstring(element.text, create_parent=True))) == []
    assert not [path for path in published.tree() if ".." in path]


def test_links_that_run_are_refused(published: SiteFolder) -> None:
    write(published, HEAD + " ".join(f"[link {n}]({link})" for n, link in enumerate(LINKS)))
    result = published.run("publish", "--json", now=NOW)

    assert [problem["code"] for problem in result.problems] == ["P120"] * len(LINKS)


def _is_html(part: object) -> bool:
    return getattr(part, "get_content_type", lambda: "")() == "text/html"


def _alive(page: html.HtmlElement) -> Iterator[str]:
    """Whatever could run, load or lead away unseen."""
    for element in page.iter(etree.Element):
        if element.tag in {"iframe", "object", "embed", "base", "svg", "math"}:
            yield element.tag
        if element.tag == "script" and element.get("type") != "application/ld+json":
            yield "script"
        if element.tag == "script":
            json.loads(element.text or "")
        for name, value in element.attrib.items():
            plain = re.sub(r"[\x00-\x20]", "", str(value)).lower()
            if str(name).startswith("on") or plain.startswith(("javascript:", "vbscript:", "data:")):
                yield f"{element.tag} {name}"
            if name in {"href", "src", "action"} and "evil.example" in plain:
                yield f"{element.tag} {name} leads away"


def test_odd_input_is_harmless(published: SiteFolder, tmp_path: Path) -> None:
    before, posts = published.tree(), published.root / "posts"
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.md").write_text(f"{HEAD}Secret.", "utf-8")
    (posts / "linked").symlink_to(tmp_path / "outside")
    write(published, "not a post", "..md")
    names = ("foo.md/post.md", "a" * 250 + ".md", "a\nb.md", "\u202etxt.md", "/".join(["d"] * 200) + "/deep.md")
    for name in names:
        write(published, f"{HEAD}Text.", name)
    write(published, HEAD + ("word " * 100 + "\n\n") * 3_900, "almost-2-mb.md")
    write(published, f"{HEAD}a &#xD800; &#0; &#x110000; &#1; b", "characters.md")
    write(published, (HEAD + "Text.").replace("\n", "\r\n"), "line-ends.md")
    old = ("/../../evil/", "/%2e%2e/x/", "/index.html", "/rss.xml", f"/{'x' * 5_000}/", "/a%00b/", "/.manifest.json")
    lines = "".join(f'"{path}" = "hybrid-hatch"\n' for path in old)
    (published.root / "redirects.toml").write_text(lines, "utf-8")
    outside = {path for path in tmp_path.rglob("*") if not path.is_relative_to(published.root)}

    published.ok("check", now=NOW)
    published.ok("publish", now=NOW)

    posted = {path for path in published.tree() if path.startswith("posts/")}
    assert len(posted) == len([path for path in before if path.startswith("posts/")]) + len(names) + 3
    assert not any(b"Secret" in content for content in published.tree().values())
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(published.root)} == outside
    assert "nothing changed" in published.ok("publish", now=NOW).out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_post_that_may_not_be_read_is_told(published: SiteFolder) -> None:
    before = published.tree()
    write(published, f"{HEAD}Text.").chmod(0)
    result = published.run("publish", "--json", now=NOW)

    assert (result.status, [(p["code"], p["file"]) for p in result.problems]) == (4, [("P130", "posts/bad.md")])
    assert published.tree() == before
