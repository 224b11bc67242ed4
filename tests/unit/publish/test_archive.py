"""The pages: what each says, what it never says, and that the same posts give the same bytes."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from newsletter.model import Correction, File, Issue, IssueState, Library, LinkKind, Person, Site, Story, Take
from newsletter.publish import archive
from tests.builders import a_library, a_post, a_site, a_slot, an_issue
from tests.unit.publish.example import (
    PIXEL,
    TEMPLATES,
    a_long_post,
    a_publication,
    environment,
    everything,
    link,
    with_picture,
)

ALLIANCE = "posts/renault-nissan-mitsubishi-alliance/index.html"
BATTERIES = "posts/all-solid-state-batteries/index.html"


def _build(
    library: Library | None = None, issues: list[Issue] | None = None, *, site: Site | None = None, **options: Any
) -> dict[str, str]:
    files = archive.render(site or a_site(), library or a_library(), issues or [], environment(), **options)
    return {str(file.path): file.content.decode() for file in files if file.path.suffix != ".png"}


def _tree(page: str) -> Any:  # lxml's stubs type an XPath as everything it could ever be
    return html.fromstring(page)


def _words(page: str, path: str = "//main") -> str:
    return " ".join(" ".join(part.text_content() for part in _tree(page).xpath(path)).split())


def _json_ld(page: str) -> dict[str, Any]:
    (script,) = _tree(page).xpath("//script")
    article: dict[str, Any] = json.loads(script.text)
    return article


UNLISTED = {"404.html", "search/index.html"}
"""Pages that search engines shall leave alone."""


def test_every_page_has_its_place() -> None:
    library, issues = a_publication()
    files = _build(library, issues)

    assert {path for path in files if not path.startswith(("posts/", "issues/"))} == {
        "index.html",
        "404.html",
        "style.css",
        "robots.txt",
        "feeds/index.html",
        "feeds/feed.css",
        "search/index.html",
        "sitemap.xml",
        "topics/index.html",
        "topics/batteries/index.html",
        "topics/makers/index.html",
        "authors/news-desk/index.html",
    }
    assert {path for path in files if path.startswith("issues/")} == {
        "issues/index.html",
        "issues/1/index.html",
        "issues/2/index.html",
    }
    assert len([path for path in files if path.startswith("posts/")]) == 1 + len(library.posts)


def test_a_post_names_author_reviewer_date_and_time_to_read() -> None:
    files = _build(*a_publication())

    assert "By News desk · Reviewed by Review desk · 8 February 2022 · 3 min read" in _words(files[ALLIANCE])


def test_a_post_without_reviewer_says_nothing_of_review() -> None:
    files = _build(a_library(a_post("x", reviewer=None)), site=a_site(review=False))

    assert "eview" not in _words(files["posts/x/index.html"])
    assert "reviewedBy" not in files["posts/x/index.html"]


def test_a_later_change_is_told_but_not_one_of_the_same_day() -> None:
    post = a_post("x", day=datetime(2022, 2, 8, 9, tzinfo=UTC))
    same_day = _build(a_library(replace(post, updated=post.updated + timedelta(hours=3))))
    later = _build(a_library(replace(post, updated=post.updated + timedelta(days=1))))

    assert "updated" not in _words(same_day["posts/x/index.html"])
    assert "updated 9 February 2022" in _words(later["posts/x/index.html"])


def test_a_date_is_the_one_on_the_sites_own_calendar() -> None:
    post = a_post("x", day=datetime(2022, 2, 7, 23, 30, tzinfo=UTC))  # half past midnight in Madrid

    assert "8 February 2022" in _words(_build(a_library(post))["posts/x/index.html"])


def test_a_story_is_told_from_both_ends() -> None:
    files = _build(*a_publication())

    assert "Continues: All-solid-state batteries: what a solid changes (1 February 2022)" in _words(files[ALLIANCE])
    assert "Later: The Renault-Nissan-Mitsubishi Alliance, from start to future" in _words(files[BATTERIES])
    assert "Previously: Reading the label on a battery" in _words(files[BATTERIES])


def test_this_story_so_far_is_in_order_and_says_where_the_reader_is() -> None:
    story = _words(_build(*a_publication())[BATTERIES], "//section[@aria-labelledby='story']")

    assert story == (
        "This story so far Earlier in this story: Reading the label on a battery (1 February 2022) "
        "You are here All-solid-state batteries: what a solid changes (1 February 2022) "
        "Later: The Renault-Nissan-Mitsubishi Alliance, from start to future (8 February 2022)"
    )


def test_a_post_that_stands_alone_has_no_story() -> None:
    files = _build(a_library(a_post("x")))

    assert "story" not in _words(files["posts/x/index.html"])


def test_the_page_of_an_issue_says_what_was_corrected_since_it_was_mailed() -> None:
    told = Correction(date(2022, 2, 3), "It was known before."), Correction(date(2022, 2, 9), "The range is 512 km.")
    post = a_post("hatch", title="Hatch", corrections=told)
    story = Story(post.id, post.content_hash, post.slug, post.title, corrections=1)
    page = _words(_build(a_library(post), [an_issue(1, stories=(story,))])["issues/1/index.html"])
    assert "Hatch (1 February 2022) was corrected 9 February 2022: The range is 512 km." in page
    assert "known before" not in page


def test_corrections_mentions_and_relatives_are_told() -> None:
    extra = a_post("letters", links=(link(LinkKind.MENTIONS, "letters", "how-to-follow"),))
    library, issues = a_publication()
    backlinks = {**library.backlinks, extra.links[0].target: extra.links}
    files = _build(a_library(*library.posts, extra, backlinks=backlinks, chains=library.chains), issues)

    assert "Corrected by: What we got wrong about labels" in _words(files["posts/reading-the-label/index.html"])
    assert "Corrects: Reading the label" in _words(files["posts/a-correction/index.html"])
    assert "See also: All-solid-state batteries" in _words(files["posts/how-we-review/index.html"])
    assert "Mentioned in: Letters" in _words(files["posts/how-to-follow/index.html"])


def test_a_post_says_which_issue_carried_it() -> None:
    files = _build(*a_publication())

    assert "In issue 2 of Friday 11 February 2022." in _words(files[ALLIANCE])
    assert "In issue" not in _words(files["posts/how-to-follow/index.html"])


def test_older_and_newer_posts_are_one_step_away() -> None:
    page = _tree(_build(*a_publication())[BATTERIES])

    assert page.xpath("//a[@rel='prev']/@href") == ["../../posts/how-we-review/"]
    assert page.xpath("//a[@rel='next']/@href") == ["../../posts/a-correction/"]


def test_the_take_is_an_aside_with_a_heading() -> None:
    page = _tree(_build(*a_publication())[ALLIANCE])
    (take,) = page.xpath("//main//aside")

    assert take.xpath("h2/text()") == ["Auto Trendy's take"]
    assert "Sharing inventions and splitting risk" in take.text_content()


def test_a_summary_cut_from_the_text_is_not_printed_twice() -> None:
    text = "A long first paragraph that goes on and on."
    cut = a_post("x", summary="A long first paragraph…", html=f"<p>{text}</p>", repeats_itself=True)
    own = replace(cut, summary="What it means.", repeats_itself=False)

    assert "standfirst" not in _build(a_library(cut))["posts/x/index.html"]
    assert "What it means." in _words(_build(a_library(own))["posts/x/index.html"])


def test_home_shows_the_newest_large_with_its_take_and_the_rest_as_a_list() -> None:
    page = _tree(_build(*a_publication())["index.html"])
    (lead,) = page.xpath("//article")

    assert lead.xpath(".//h2/a/@href") == ["./posts/renault-nissan-mitsubishi-alliance/"]
    assert "Sharing inventions" in lead.xpath("aside")[0].text_content()
    assert len(page.xpath("//ul/li")) == 6
    assert page.xpath("//a[text()='All posts']") == []


def test_home_links_to_all_posts_when_it_does_not_show_them_all() -> None:
    library = a_library(*(a_post(f"p{n}") for n in range(8)))

    assert _tree(_build(library)["index.html"]).xpath("//a[text()='All posts']/@href") == ["./posts/"]


def test_home_names_the_latest_issue() -> None:
    words = _words(_build(*a_publication())["index.html"])

    assert "Latest issue: 2" in words
    assert "Friday 11 February 2022 · 2 stories" in words


def test_before_the_first_issue_its_day_is_told_where_it_is_known() -> None:
    for files in (_build(next_slot=a_slot()), _build(a_library(a_post()), next_slot=a_slot())):
        assert "first issue comes out Friday 11 February 2022" in _words(files["index.html"])
        assert "The first comes out Friday 11 February 2022" in _words(files["issues/index.html"])
    assert "comes out" not in _words(_build()["index.html"])
    assert "comes out" not in _words(_build(*a_publication(), next_slot=a_slot())["index.html"])


def test_an_issue_shows_its_stories_in_their_order() -> None:
    content = _build(*a_publication())["issues/1/index.html"]
    page = _tree(content)

    assert [heading.text_content() for heading in page.xpath("//article/h2")] == [
        "All-solid-state batteries: what a solid changes",
        "How an article gets past the review desk",
        "Reading the label on a battery",
    ]
    assert "Issue 1 Friday 4 February 2022 · 3 stories · 9 min" in _words(content)
    assert len(page.xpath("//aside")) == 1


def test_the_subject_of_an_issue_is_told_when_it_is_not_just_the_leads_title() -> None:
    post = a_post("x", title="The lead")
    issue = an_issue(1, post, subject="Four things about batteries")
    page = _build(a_library(post), [issue])["issues/1/index.html"]

    assert "Issue 1 Four things about batteries" in _words(page)
    assert _tree(page).xpath("//title/text()") == ["Issue 1: Four things about batteries · Auto Trendy"]
    assert _words(_build(a_library(post), [an_issue(1, post)])["issues/1/index.html"]).count("The lead") == 2


@pytest.mark.parametrize("subject", ["A title that goes on…", "Auto Trendy: A title that goes on and on"])
def test_a_subject_that_was_cut_or_lengthened_is_still_only_the_leads_title(subject: str) -> None:
    post = a_post(title="A title that goes on and on")
    page = _build(a_library(post), [an_issue(1, post, subject=subject)])["issues/1/index.html"]
    assert subject not in _words(page)


def test_an_issue_gives_the_leads_take_whole_and_of_the_others_the_first_sentence() -> None:
    lead, other = (a_post(s, take=Take(f"<p>{s} one. Two.</p>", f"{s} one. Two.")) for s in ("lead", "other"))
    page = _words(_build(a_library(lead, other), [an_issue(1, lead, other)])["issues/1/index.html"])
    assert "lead one. Two." in page
    assert "Auto Trendy's take: other one." in page
    assert "other one. Two." not in page


def test_an_issue_names_its_neighbours_at_both_ends() -> None:
    page = _tree(_build(*a_publication())["issues/1/index.html"])

    assert page.xpath("//a[@rel='next']/@href") == ["../../issues/2/"] * 2
    assert page.xpath("//a[@rel='prev']") == []


def test_a_story_follows_its_post_to_a_new_slug_and_title() -> None:
    post = a_post("old")
    renamed = replace(post, slug="new", title="A better title")
    page = _tree(_build(a_library(renamed), [an_issue(1, post)])["issues/1/index.html"])

    assert page.xpath("//article/h2/a/@href") == ["../../posts/new/"]
    assert page.xpath("//article/h2")[0].text_content() == "A better title"


def test_a_story_whose_post_is_gone_keeps_its_title_without_a_link() -> None:
    post = a_post("gone", title="Recalled")
    page = _tree(_build(a_library(), [an_issue(1, post)])["issues/1/index.html"])

    assert page.xpath("//article/h2")[0].text_content() == "Recalled"
    assert page.xpath("//article//a") == []


@pytest.mark.parametrize("state", list(IssueState))
def test_only_issues_that_readers_may_see_have_a_page(state: IssueState) -> None:
    post = a_post("x")
    files = _build(a_library(post), [an_issue(7, post, state=state)])

    shown = state.public or state is IssueState.READY  # ready to start: the page comes before the mail
    assert ("issues/7/index.html" in files) is shown
    assert ("issue 7" in _words(files["posts/x/index.html"])) is shown
    assert ("Latest issue: 7" in _words(files["index.html"])) is shown


def test_an_issue_that_was_never_mailed_says_so() -> None:
    post = a_post()
    files = _build(a_library(post), [an_issue(1, post, state=IssueState.WEB_ONLY)])

    assert "on the web only" in _words(files["issues/1/index.html"])


def test_lists_have_years_as_headings() -> None:
    posts = [a_post(f"p{year}", day=datetime(year, 5, 1, tzinfo=UTC)) for year in (2020, 2022, 2021)]
    page = _tree(_build(a_library(*posts))["posts/index.html"])

    assert page.xpath("//h2/text()") == ["2022", "2021", "2020"]


def test_the_feeds_page_gives_all_three_addresses() -> None:
    words = _words(_build(site=a_site(url="https://host.example/blog"))["feeds/index.html"])

    for name in ("rss.xml", "atom.xml", "feed.json"):
        assert f"https://host.example/blog/{name}" in words


def test_the_feeds_page_names_every_feed_beside_the_main_one_in_three_formats() -> None:
    page = _tree(_build(*a_publication())["feeds/index.html"])

    assert page.xpath("//table//th/a/text()") == ["Issues", "Batteries", "Makers", "News desk"]
    assert page.xpath("//table//td/a/@href")[3:6] == [
        f"../topics/batteries/{name}" for name in ("rss.xml", "atom.xml", "feed.json")
    ]
    assert page.xpath("//a[@href='../feeds.opml']")


def test_every_page_points_machines_at_the_feeds_and_at_its_own_address() -> None:
    files = _build(*a_publication())

    for path, content in files.items():
        if path.endswith(".html"):
            page = _tree(content)
            feeds = page.xpath("//link[@rel='alternate']/@href")
            assert feeds[:3] == [f"https://autotrendy.example/{name}" for name in ("rss.xml", "atom.xml", "feed.json")]
            address = f"https://autotrendy.example/{path.removesuffix('index.html')}"
            assert page.xpath("//link[@rel='canonical']/@href") == ([] if path in UNLISTED else [address])
            assert page.get("lang") == "en"


def test_a_page_that_is_not_there_asks_not_to_be_indexed_and_works_at_any_depth() -> None:
    page = _tree(_build(site=a_site(url="https://host.example/blog"))["404.html"])

    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert page.xpath("//link[@rel='stylesheet']/@href") == ["/blog/style.css"]


def test_machines_are_told_author_and_reviewer() -> None:
    library, issues = a_publication()
    files = _build(with_picture(library, "how-we-review"), issues)
    article = _json_ld(files["posts/how-we-review/index.html"])
    head = _tree(files["posts/how-we-review/index.html"])

    assert article["@type"] == "Article"
    assert article["author"]["name"] == "News desk"
    assert article["mainEntityOfPage"]["reviewedBy"]["name"] == "Review desk"
    assert article["image"] == "https://autotrendy.example/posts/how-we-review/car.png"
    assert head.xpath("//meta[@property='og:type']/@content") == ["article"]
    assert head.xpath("//meta[@property='og:title']/@content") == ["How an article gets past the review desk"]
    assert head.xpath("//meta[@property='og:image']/@content") == [article["image"]]


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1))
def test_no_words_of_a_post_leave_their_place_in_the_page(words: str) -> None:
    text = f'{words}</script><script src="//evil.example/x.js">'
    post = a_post("x", title=text, summary=text, topics=(text,), author=Person("a", text), take=Take("<p>t</p>", "t"))
    page = _build(a_library(post), [an_issue(1, post)])["posts/x/index.html"]
    scripts = _tree(page.replace("\0", "")).xpath("//script")

    assert [script.get("type") for script in scripts] == ["application/ld+json"]
    assert page.count("</script>") == 1
    start = page.index('ld+json">') + len('ld+json">')
    assert json.loads(page[start : page.index("</script>")])["headline"] == text


def test_addresses_on_the_site_become_relative_but_not_in_shown_code() -> None:
    page = _build(*a_publication())[ALLIANCE]

    assert 'href="../../posts/reading-the-label/"' in page
    assert 'href="https://example.org/standard"' in page
    assert 'src="https://autotrendy.example/shown-as-text.png"' in page


def test_a_picture_is_published_beside_its_page() -> None:
    library, _ = a_publication()
    files = archive.render(a_site(), with_picture(library, "how-we-review"), [], environment())
    content = {str(file.path): file.content for file in files}

    assert content["posts/how-we-review/car.png"] == PIXEL
    page = _tree(content["posts/how-we-review/index.html"].decode())
    assert page.xpath("//figure/img/@src") == ["../../posts/how-we-review/car.png"]
    assert page.xpath("//figure/img/@alt") == ["A parked car"]


def test_pages_have_no_script_and_ask_no_other_host() -> None:
    library, issues = a_publication()
    for path, content in _build(with_picture(library, "how-we-review"), issues).items():
        if path.endswith(".html"):
            page = _tree(content)
            assert page.xpath("//script[not(@type='application/ld+json')] | //iframe | //style") == []
            assert page.xpath("//form[not(@role='search' and @method='get')]") == []
            loaded = page.xpath("//img/@src | //link[@rel='stylesheet']/@href")
            assert not [address for address in loaded if "//" in address]
    assert "url(" not in _build()["style.css"]


@pytest.mark.parametrize(
    ("web_url", "action"),
    [("https://autotrendy.example", "../../search/"), ("https://mail.example/x", "https://mail.example/x/search/")],
)
def test_every_page_but_the_search_page_has_a_form_that_leads_there(web_url: str, action: str) -> None:
    files = _build(*a_publication(), site=a_site(web_url=web_url))

    (form,) = _tree(files[ALLIANCE]).xpath("//form[@role='search']")
    assert form.get("action") == action
    assert form.xpath("input/@name") == ["q"]
    assert form.xpath("label/@for") == form.xpath("input/@id")
    for path, content in files.items():
        if path.endswith(".html"):
            assert len(_tree(content).xpath("//form")) == (0 if path == "search/index.html" else 1), path


def test_where_nothing_answers_searches_the_page_leads_to_the_lists_and_is_not_indexed() -> None:
    library, issues = a_publication()
    page = _tree(_build(library, issues)["search/index.html"])

    assert page.xpath("//main//a/@href") == ["../posts/", "../topics/"]
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_pages_and_style_stay_small() -> None:
    files = archive.render(a_site(), *a_publication(), environment())

    assert max(len(file.content) for file in files if file.path.suffix == ".html") < 30_000
    assert max(len(file.content) for file in files if file.path.suffix == ".css") < 15_000


def test_the_postal_address_is_on_every_page() -> None:
    for path, content in _build(*a_publication()).items():
        if path.endswith(".html"):
            assert "28013 Madrid" in _words(content, "//footer")


def test_robots_may_read_everything_but_the_links_of_one_reader() -> None:
    robots = _build(site=a_site(url="https://host.example/blog"))["robots.txt"]

    assert robots.startswith("User-agent: *\nDisallow: /blog/b/\n")
    assert "Disallow: /blog/u/\n" in robots
    assert robots.endswith("Sitemap: https://host.example/blog/sitemap.xml\n")


def test_a_site_can_replace_one_block(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/list.html").write_text(
        '{% extends "default/web/list.html" %}{% block footer %}<footer>Ours</footer>{% endblock %}'
    )
    default = jinja2.FileSystemLoader(TEMPLATES)
    loaders = [jinja2.FileSystemLoader(tmp_path), default, jinja2.PrefixLoader({"default": default})]
    own = environment().overlay(loader=jinja2.ChoiceLoader(loaders))
    files = {str(file.path): file.content.decode() for file in archive.render(a_site(), a_library(), [], own)}

    assert _words(files["posts/index.html"], "//footer") == "Ours"
    assert "All posts" in _words(files["posts/index.html"])
    assert "28013 Madrid" in _words(files["index.html"], "//footer")


def test_every_template_that_the_code_names_exists() -> None:
    for name in archive.TEMPLATES:
        environment().get_template(name)


def _everything(library: Library, issues: list[Issue]) -> list[File]:
    return everything(a_site(), library, issues)


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_shuffled_posts_and_issues_give_equal_bytes(chance: random.Random) -> None:
    library, issues = a_publication()
    posts, mixed = list(library.posts), list(issues)
    chance.shuffle(posts)
    chance.shuffle(mixed)

    assert _everything(replace(library, posts=tuple(posts)), mixed) == _everything(library, issues)


def test_a_long_post_is_told_whole() -> None:
    post = a_long_post("x", datetime(2022, 2, 1, tzinfo=UTC), "Long")

    assert "None of this is a reason for despair" in _words(_build(a_library(post))["posts/x/index.html"])


@pytest.mark.parametrize("topic", [".", "..", "...", "%", "%2e%2e", "../x", "/", "a/../../b", "<b>", " "])
def test_no_topic_leads_out_of_the_folder_of_topics(topic: str) -> None:
    posts = (a_post("x", topics=(topic,)), a_post("y", topics=("Cars",)))
    paths = [str(file.path) for file in archive.render(a_site(), a_library(*posts), [], environment())]

    assert len(set(paths)) == len(paths)
    assert len([path for path in paths if path.startswith("topics/") and path.count("/") == 2]) == 2


def test_pages_have_the_form_of_signing_up_where_one_can() -> None:
    away = _build(*a_publication(), site=a_site(mail_day=4, web_url="https://pages.example"))
    for path in ("index.html", "posts/reading-the-label/index.html", "issues/1/index.html", "issues/index.html"):
        form = _tree(away[path]).xpath("//form[@class='join']")
        assert [one.get("action") for one in form] == ["https://pages.example/subscribe/"], path
        assert form[0].xpath("string(.//button)") == "Get it every Friday"
    here = _build(*a_publication(), site=a_site(mail_day=4))
    assert _tree(here["issues/1/index.html"]).xpath("//form[@class='join']/@action") == ["../../subscribe/"]
    for path, content in _build(*a_publication()).items():
        assert not path.endswith(".html") or "subscribe/" not in content
