"""What exports and feeds say is understood, whatever they are called and however they were made."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.importing.arrival import Attachment, Byline, Home, Other
from newsletter.errors import SourceErrors
from tests.unit.content.importing.exports import (
    OLD,
    a_ghost_post,
    a_wxr_post,
    an_attachment,
    arrivals,
    ghost,
    lead,
    pieces,
    rss,
    wxr,
)

MOMENT = datetime(2019, 5, 3, 8, 30, tzinfo=UTC)

# --- WordPress, Squarespace --------------------------------------------------------------------------


def test_a_wordpress_post_keeps_its_id_dates_author_topics_and_excerpt() -> None:
    topics = (
        '<category domain="category" nicename="r"><![CDATA[Road tests &amp; more]]></category>'
        '<category domain="post_tag" nicename="s">Snow</category>'
        '<category domain="post_format" nicename="x">Aside</category>'
        '<category domain="category" nicename="u">Uncategorized</category>'
    )
    item = a_wxr_post(more=topics, excerpt__encoded="In short.", wp__post_modified_gmt="2020-01-02 03:04:05")
    (post,) = arrivals(wxr(item))
    assert (post.id, post.slug, post.title) == (f"{OLD}/?p=winter-hatch", "winter-hatch", "About winter-hatch")
    assert (post.published, post.updated) == (MOMENT, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert post.author == Byline("Ada Marín", "amarin", "ada@garage.example")
    assert post.topics == ("Road tests & more", "Snow")
    assert (post.excerpt, post.html, post.held) == ("In short.", "<p>Snow.</p>", "")
    assert post.line > 1


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("draft", "it was a draft"),
        ("pending", "it waited for review"),
        ("private", "it was private"),
        ("future", ""),
        ("strange", "its state was strange"),
    ],
)
def test_what_was_not_public_is_held_with_the_reason(status: str, held: str) -> None:
    (post,) = arrivals(wxr(a_wxr_post(wp__status=status)))
    assert post.held == held


def test_a_post_with_a_password_is_held() -> None:
    (post,) = arrivals(wxr(a_wxr_post(wp__post_password="secret")))
    assert post.held == "it had a password"


def test_pages_attachments_revisions_and_the_bin_are_told_apart() -> None:
    kinds = [a_wxr_post(wp__post_type=kind) for kind in ("page", "revision", "nav_menu_item")]
    found = pieces(wxr(*kinds, a_wxr_post(wp__status="trash"), an_attachment("7", f"{OLD}/a.jpg", "A car")))
    assert [p.reason for p in found if isinstance(p, Other)] == [
        "a page, not a post",
        "an earlier version of a post",
        "of the kind nav_menu_item, not a post",
        "it was in the bin",
        "a file, not a post",
    ]
    assert [p for p in found if isinstance(p, Attachment)] == [Attachment("7", f"{OLD}/a.jpg", "A car")]


def test_a_draft_without_a_utc_date_has_its_local_one() -> None:
    (post,) = arrivals(wxr(a_wxr_post(wp__post_date_gmt="0000-00-00 00:00:00", wp__status="draft")))
    assert post.published == datetime(2019, 5, 3, 10, 30, tzinfo=UTC)


def test_squarespace_is_known_by_what_it_says_and_the_old_address_by_the_file() -> None:
    found = pieces(wxr(generator="Site-Server v6 (http://www.squarespace.com)"))
    assert found == [Home(OLD, "Squarespace export")]
    assert pieces(wxr())[0] == Home(OLD, "WordPress export")


def test_notes_that_wordpress_keeps_apart_come_with_the_text() -> None:
    notes = json.dumps([{"id": "a1", "content": "Wet."}])
    meta = f"<wp:postmeta><wp:meta_key>footnotes</wp:meta_key><wp:meta_value>{notes}</wp:meta_value></wp:postmeta>"
    html = '<p>Snow<sup data-fn="a1" class="fn"><a href="#a1" id="a1-link">1</a></sup></p>'
    (post,) = arrivals(wxr(a_wxr_post(html=html, more=meta)))
    assert '<li id="a1">Wet. <a href="#a1-link">' in post.html


def test_the_lead_picture_is_named_by_its_number() -> None:
    (post,) = arrivals(wxr(a_wxr_post(more=lead("7"))))
    assert post.attachment == "7"


# --- Ghost --------------------------------------------------------------------------------------------


def test_a_ghost_post_keeps_its_uuid_dates_author_tags_and_picture() -> None:
    content = ghost(
        a_ghost_post(feature_image="__GHOST_URL__/content/images/a.jpg", custom_excerpt="In short."),
        users=[
            {"id": "1", "name": "Bo", "slug": "bo"},
            {"id": "2", "name": "Ada", "slug": "ada", "email": "a@b.example"},
        ],
        tags=[{"id": "1", "name": "Snow"}, {"id": "2", "name": "#hidden"}, {"id": "3", "name": "Cars"}],
        posts_tags=[
            {"post_id": "id-winter-hatch", "tag_id": "1", "sort_order": 1},
            {"post_id": "id-winter-hatch", "tag_id": "2", "sort_order": 2},
            {"post_id": "id-winter-hatch", "tag_id": "3", "sort_order": 0},
        ],
        posts_authors=[{"post_id": "id-winter-hatch", "author_id": "2", "sort_order": 0}],
        posts_meta=[{"post_id": "id-winter-hatch", "feature_image_alt": "A car"}],
    )
    (post,) = arrivals(content)
    assert post.id == "urn:uuid:7f5a1a44-7d4c-4f4e-9d0e-0d3b9c0f1a11"
    assert (post.published, post.author) == (MOMENT, Byline("Ada", "ada", "a@b.example"))
    assert post.topics == ("Cars", "Snow")
    assert (post.image, post.image_alt, post.excerpt) == ("/content/images/a.jpg", "A car", "In short.")
    assert post.link == "/winter-hatch/"


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"status": "draft"}, "it was a draft"),
        ({"status": "sent"}, "it was sent by mail only"),
        ({"visibility": "members"}, "it was for members only"),
        ({"visibility": "paid"}, "it was for members only"),
        ({"status": "scheduled"}, ""),
    ],
)
def test_what_ghost_did_not_show_to_everybody_is_held(changes: dict[str, str], held: str) -> None:
    (post,) = arrivals(ghost(a_ghost_post(**changes)))
    assert post.held == held


def test_old_ghost_exports_with_milliseconds_and_pages_are_read() -> None:
    old = json.dumps(
        {"meta": {}, "data": {"posts": [a_ghost_post(published_at=1556872200000), a_ghost_post(page=1, type=None)]}}
    )
    found = pieces(old.encode())
    assert [p.published for p in found if not isinstance(p, Home | Other | Attachment)] == [MOMENT]
    assert [p.reason for p in found if isinstance(p, Other)] == ["a page, not a post"]


# --- feeds --------------------------------------------------------------------------------------------


def test_an_rss_item_keeps_its_guid_date_author_and_categories() -> None:
    item = (
        "<item><title>Snow &amp;amp; ice</title><link>https://www.garage.example/2019/05/snow/</link>"
        '<guid isPermaLink="false">tag-1</guid><pubDate>Fri, 03 May 2019 10:30:00 +0200</pubDate>'
        "<dc:creator>Ada Marín</dc:creator><category>Snow</category><category>Snow</category>"
        "<description>Short</description><content:encoded>&lt;p&gt;Long&lt;/p&gt;</content:encoded></item>"
    )
    found = pieces(rss(item))
    assert found[0] == Home(OLD, "RSS feed")
    (post,) = arrivals(rss(item))
    assert (post.id, post.title, post.published) == ("tag-1", "Snow & ice", MOMENT)
    assert (post.author, post.topics) == (Byline("Ada Marín"), ("Snow",))
    assert (post.html, post.excerpt) == ("<p>Long</p>", "Short")


def test_a_permalink_guid_is_the_address_where_there_is_no_link() -> None:
    (post,) = arrivals(rss(f"<item><title>x</title><guid>{OLD}/a/</guid><author>a@b.example (Ada)</author></item>"))
    assert post.link == f"{OLD}/a/"
    assert post.author == Byline("Ada", email="a@b.example")


ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.garage.example/blog/">
<title>Garage</title><link href="https://www.garage.example/"/><author><name>Ada</name></author>
<entry><id>tag:garage.example,2019:1</id><title type="html">Snow &amp;amp; &lt;em&gt;ice&lt;/em&gt;</title>
<link rel="edit" href="x"/><link href="snow.html"/><published>2019-05-03T10:30:00+02:00</published>
<updated>2019-05-04T00:00:00Z</updated><category term="snow" label="Snow"/><summary>Short</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long &amp; <b>bold</b></p></div></content></entry>
<entry><id>urn:2</id><title>Two</title><updated>2019-05-03T08:30:00Z</updated>
<author><name>Bo</name></author><content type="html">&lt;p&gt;x&lt;/p&gt;</content></entry>
<entry><id>urn:3</id><title>Three</title><updated>2019-05-03T08:30:00Z</updated><content>1 &lt; 2</content></entry>
</feed>"""


def test_atom_entries_keep_their_ids_dates_authors_and_all_three_kinds_of_content() -> None:
    assert pieces(ATOM)[0] == Home("https://www.garage.example/", "Atom feed")
    first, second, third = arrivals(ATOM)
    assert (first.id, first.title, first.published) == ("tag:garage.example,2019:1", "Snow & ice", MOMENT)
    assert first.link == "https://www.garage.example/blog/snow.html"
    assert (first.topics, first.author, first.excerpt) == (("Snow",), Byline("Ada"), "Short")
    assert first.html == "<p>Long &amp; <b>bold</b></p>"
    assert (second.html, second.author, second.published) == ("<p>x</p>", Byline("Bo"), MOMENT)
    assert third.html == "1 &lt; 2"


# --- what is none of them ------------------------------------------------------------------------------

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<rss version="2.0"><channel><item><title>&d;</title></item></channel></rss>"""
FOREIGN = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss version="2.0"><channel><item><title>&x;</title></item></channel></rss>"""


def refusal(content: bytes) -> tuple[str, int]:
    with pytest.raises(SourceErrors) as caught:
        pieces(content)
    (problem,) = caught.value.problems
    assert problem.fixes
    return problem.code, problem.line


@pytest.mark.parametrize("bomb", [LAUGHS, FOREIGN, LAUGHS.replace(b"<!ENTITY a", b"<!ENTITY % p 'x'><!ENTITY a")])
def test_declared_entities_are_refused_whatever_they_hold(bomb: bytes) -> None:
    assert refusal(bomb)[0] == "P303"


def test_broken_xml_is_told_with_its_line() -> None:
    assert refusal(rss("\n<item>\n<title>x</item>")) == ("P302", 3)
    assert refusal(rss("\n<item><title>a\x00b</title></item>")) == ("P302", 2)
    assert refusal(rss("\n\n<item><title>a &nbsp; b</title></item>")) == ("P302", 3)
    assert refusal(wxr(a_wxr_post())[:-30])[0] == "P302"
    assert refusal(rss("<a>" * 5_000))[0] == "P302"


def test_broken_json_is_told_with_its_line() -> None:
    assert refusal(b'{\n"data":\n}') == ("P304", 3)
    assert refusal(b'{"data": {"x": []}}')[0] == "P304"
    assert refusal(b"[" * 200_000)[0] == "P304"
    assert refusal(b'{"a": "\xff"}')[0] == "P304"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n",
        b"PK\x03\x04zip",
        b"\x1f\x8bgz",
        b"<!DOCTYPE html><html></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_export_is_told_with_a_way_out(content: bytes) -> None:
    assert refusal(content)[0] == "P301"


def test_a_web_page_names_the_feed_that_it_offers() -> None:
    page = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/feed/"></head></html>'
    with pytest.raises(SourceErrors) as caught:
        pieces(page)
    assert "/feed/" in caught.value.problems[0].fixes[0]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.sampled_from([wxr(a_wxr_post()), ATOM, ghost(a_ghost_post())]).flatmap(
        lambda whole: st.tuples(st.integers(0, len(whole)), st.binary(max_size=4)).map(
            lambda cut: whole[: cut[0]] + cut[1] + whole[cut[0] + 1 :]
        )
    )
)
def test_no_damage_at_all_ends_in_anything_but_a_problem(content: bytes) -> None:
    found: list[str] = []
    try:
        pieces(content)
    except SourceErrors as error:
        found = [problem.code for problem in error.problems]
    assert set(found) <= {"P301", "P302", "P303", "P304"}


def test_a_ghost_post_without_html_says_where_its_text_is() -> None:
    found = arrivals(ghost(a_ghost_post(html=None, mobiledoc='{"sections": []}'), a_ghost_post(html="", lexical="{}")))
    assert all("not as HTML" in arrival.held for arrival in found)
    (empty,) = arrivals(ghost(a_ghost_post(html="")))
    assert empty.held == ""


def test_a_file_that_only_says_that_it_is_utf_8_is_told_how_to_become_so() -> None:
    with pytest.raises(SourceErrors) as caught:
        pieces(wxr(a_wxr_post(html="<p>It’s</p>")).replace("’".encode(), b"\x92"))
    (problem,) = caught.value.problems
    assert (problem.code, "UTF-8" in problem.fixes[1]) == ("P302", True)
