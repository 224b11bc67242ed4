"""Every Atom document is Atom by the grammar of RFC 4287; and the grammar tells what is none."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from tests.readers.conftest import Shelf
from tests.readers.programs import HOW

GRAMMAR = Path(__file__).with_name("atom.rng")
ENTRY = """<entry>
  <id>tag:a.example,2022:one</id><title type="html">One</title><updated>2022-02-01T00:00:00Z</updated>
  <link href="https://a.example/one"/><summary>Short.</summary><content type="html">&lt;p&gt;Long.</content>
  <author><name>Ada</name><uri>https://a.example/</uri><email>ada@a.example</email></author>
  <category term="cars"/><published>2022-02-01T01:00:00.5+01:00</published>
</entry>"""
FEED = f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:x="https://x.example/" xml:lang="en">
  <id>tag:a.example,2022:feed</id><title>A</title><updated>2022-02-01T00:00:00Z</updated>
  <link rel="self" type="application/atom+xml" href="https://a.example/atom.xml"/>
  <author><name>The house</name></author>
  {ENTRY}
</feed>"""


@cache
def grammar() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(GRAMMAR)))


def _is_atom(document: str) -> bool:
    return bool(grammar().validate(etree.fromstring(document)))


def _with(old: str, new: str, document: str = FEED) -> str:
    assert old in document
    return document.replace(old, new, 1)


def test_every_atom_document_is_valid_to_lxml(shelf: Shelf) -> None:
    paths = shelf.paths("atom.xml")
    assert paths
    for path in paths:
        grammar().assertValid(etree.parse(str(shelf.folder / path)))


def test_every_atom_document_is_valid_to_xmllint(shelf: Shelf) -> None:
    xmllint = shutil.which("xmllint")
    assert xmllint, f"there is no xmllint: {HOW}"
    paths = [str(shelf.folder / path) for path in shelf.paths("atom.xml")]
    words = [xmllint, "--noout", "--nonet", "--relaxng", str(GRAMMAR), *paths]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr.count(" validates\n")) == (0, len(paths)), done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<title>A</title>", ""),
        ("<title>A</title>", "<title>A</title><title>B</title>"),
        ("<title>A</title>", '<title type="text/html">A</title>'),
        ("<title>A</title>", "<title><b>A</b></title>"),
        ("<title>A</title>", '<title type="xhtml">A</title>'),
        ("<id>tag:a.example,2022:feed</id>", ""),
        ("<id>tag:a.example,2022:feed</id>", "<id/>"),
        ("<id>tag:a.example,2022:one</id>", "<id>one</id>"),
        ("<id>tag:a.example,2022:one</id>", ""),
        ("<updated>2022-02-01T00:00:00Z</updated>\n  <link rel", "<link rel"),
        ("<updated>2022-02-01T00:00:00Z", "<updated>Tue, 01 Feb 2022 00:00:00 +0000"),
        ("<updated>2022-02-01T00:00:00Z", "<updated>2022-02-01T00:00:00"),
        ("<updated>2022-02-01T00:00:00Z", "<updated>2022-02-30T00:00:00Z"),
        ("2022-02-01T01:00:00.5+01:00", "2022-02-01"),
        (' href="https://a.example/atom.xml"', ""),
        (' href="https://a.example/atom.xml"', ' href="https://a.example/atom.xml" size="3"'),
        ('rel="self"', 'rel=""'),
        ('rel="self"', 'rel="self me"'),
        ('type="application/atom+xml"', 'type="atom"'),
        ("<name>The house</name>", ""),
        ("<name>The house</name>", "<name>The house</name><name>Another</name>"),
        ("<email>ada@a.example</email>", "<email>ada</email>"),
        ('<category term="cars"/>', "<category>cars</category>"),
        ("<summary>Short.</summary>", "<summary>Short.</summary><summary>Shorter.</summary>"),
        ("<summary>Short.</summary>", "<summary><![CDATA[S]]><i>hort</i></summary>"),
        ("<summary>Short.</summary>", "<description>Short.</description>"),
        ('<content type="html">', '<content type="html" src="https://a.example/x">'),
        ('<content type="html">&lt;p&gt;Long.', '<content type="html"><p>Long.</p>'),
        ("<author><name>The house</name></author>", "words"),
        ("</entry>", "</entry><item/>"),
    ],
)
def test_what_rfc_4287_forbids_is_refused(old: str, new: str) -> None:
    assert not _is_atom(_with(old, new))


CONTENT = '<content type="html">&lt;p&gt;Long.</content>'
SUMMARY = "<summary>Short.</summary>"
HOUSE = "<author><name>The house</name></author>"
XHTML = "http://www.w3.org/1999/xhtml"
LINK = '<link href="https://a.example/one"/>'


@pytest.mark.parametrize(
    ("changes", "is_atom"),
    [
        ([], True),
        ([(CONTENT, "")], True),
        ([(CONTENT, ""), (LINK, "")], False),  # 4.1.2: neither content nor an alternate link
        ([(CONTENT, ""), (LINK, LINK.replace("<link", '<link rel="related"'))], False),
        ([(CONTENT, ""), (LINK, LINK.replace("<link", '<link rel="related"') + LINK)], True),
        ([(LINK, "")], True),
        ([(CONTENT, '<content src="https://a.example/a.png" type="image/png"/>')], True),
        ([(CONTENT, '<content src="https://a.example/a.png" type="image/png"/>'), (SUMMARY, "")], False),
        ([(CONTENT, '<content type="image/png">aGVsbG8=</content>')], True),
        ([(CONTENT, '<content type="image/png">no base 64!</content>')], False),
        ([(CONTENT, '<content type="image/svg+xml"><svg xmlns="http://www.w3.org/2000/svg" id="x"/></content>')], True),
        ([(CONTENT, f'<content type="xhtml"><div xmlns="{XHTML}">a<b>b</b></div></content>')], True),
        ([(CONTENT, f'<content type="xhtml"><p xmlns="{XHTML}">a</p></content>')], False),
        ([(HOUSE, "")], True),  # the entry has an author of its own
        ([(HOUSE, ""), ("<author>", "<contributor>"), ("</author>", "</contributor>")], False),
        ([("<published>", "<source><author><name>Jo</name></author></source><published>")], True),
        ([("<published>", "<source><published>2022-02-01T00:00:00Z</published></source><published>")], False),
    ],
)  # fmt: skip
def test_an_entry_needs_what_the_rest_of_it_does_not_say(changes: list[tuple[str, str]], is_atom: bool) -> None:
    document = FEED
    for old, new in changes:
        document = _with(old, new, document)

    assert _is_atom(document) is is_atom


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<title>A</title>", "<title>A</title><x:y/>"),
        ("<title>A</title>", '<title x:z="1">A</title><x:y a="1">words<x:z/><id xmlns="">no URI</id></x:y>'),
        ("<name>The house</name>", "<name>The house</name><x:born>2022</x:born>"),
        ("<summary>Short.</summary>", "<x:y>words</x:y><summary>Short.</summary>"),
        ('<category term="cars"/>', '<category term="cars"><x:y/>words</category>'),
        ('<link href="https://a.example/one"/>', '<link href="https://a.example/one"><x:y/></link>'),
        ("<feed ", '<feed xml:base="https://a.example/" x:y="1" '),
    ],
)
def test_other_vocabularies_may_stand_where_rfc_4287_lets_them(old: str, new: str) -> None:
    assert _is_atom(_with(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [("<title>A</title>", "<title>A<x:y/></title>"), ("<name>The house</name>", "<name>The <x:y/>house</name>")],
)
def test_other_vocabularies_may_not_stand_in_words(old: str, new: str) -> None:
    assert not _is_atom(_with(old, new))


def test_an_entry_alone_is_a_document() -> None:
    alone = ENTRY.replace("<entry>", '<entry xmlns="http://www.w3.org/2005/Atom">')

    assert _is_atom(alone)
    assert not _is_atom(alone.replace("entry>", "rss>").replace("<entry", "<rss"))
