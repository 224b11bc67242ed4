"""No word that we say to readers stands outside of a catalogue.

A catalogue is made that puts each sentence between ⟦ and ⟧; posts, people and dates are Greek. Every Latin letter
outside of the marks is then a word that no translation would reach. Names of things (RSS, …) are the same anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from httpx2 import Response
from lxml import etree
from starlette.testclient import TestClient

from newsletter import tongue
from newsletter.issues import digest
from newsletter.issues.page import parse, strings
from newsletter.issues.segments import Erratum
from newsletter.model import (
    EACH_POST,
    MONTHLY,
    WEEKLY,
    Correction,
    Evidence,
    Issue,
    IssueState,
    Judgement,
    LetterKind,
    Library,
    LinkKind,
    Person,
    Post,
    Sentinel,
    Site,
    Take,
    Withdrawal,
)
from newsletter.publish import archive
from newsletter.publish.query import Choice
from newsletter.publish.redirects import Redirect
from newsletter.readers.intake import RESTING
from newsletter.readers.tokens import MOVE, TAKE_BACK
from newsletter.templates import environment
from newsletter.tongue import spoken, tongue_of
from newsletter.usecases.showcase import Coming, Showcase
from newsletter.web.app import create_app
from tests.builders import a_cadence, a_library, a_slot, an_issue, feed_files
from tests.builders import a_site as an_english_site
from tests.edges.front import AT_ONCE, Front
from tests.unit.issues import scene
from tests.unit.publish import example
from tests.unit.web.parts import TOKENS, Readers, a_client, index_beside
from tools.catalogues import sentences

LANGUAGE = "el"
NAMES = re.compile(r"\b(?:RSS|Atom|JSON Feed|JSON|OPML)\b")
ADDRESSES = re.compile(r"[\w.+~…-]+@[\w.-]+|https?://[^\s⟦⟧]+|__\w+__")
ATTRIBUTES = ("alt", "aria-label", "label", "placeholder", "title")
LETTER = re.compile(r"[A-Za-z][\w’' -]*")
GREEK = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "αβψδεφγηιξκλμνοπρςτθωχυζσθΑΒΨΔΕΦΓΗΙΞΚΛΜΝΟΠΡΣΤΘΩΧΥΖΣΘ"
)


def greek(text: str) -> str:
    return "".join(part if part.startswith("<") else part.translate(GREEK) for part in re.split(r"(<[^>]*>)", text))


def outside(text: str) -> list[str]:
    """Latin words that stand outside of the marks."""
    text = ADDRESSES.sub(" ", text)
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = inner
    return LETTER.findall(NAMES.sub(" ", text))


SEEN = "//body//text()[not(ancestor::style or ancestor::script)]"
HEAD = "//title/text()|//meta[@name='description' or @property='og:title' or @property='og:description']/@content"


def of_page(content: str) -> list[str]:
    page = parse(content)
    beside = [text for name in ATTRIBUTES for text in strings(page, f"//body//@{name}")]
    return [word for text in ("".join(strings(page, SEEN)), *strings(page, HEAD), *beside) for word in outside(text)]


@pytest.fixture(autouse=True, scope="module")
def _marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    marked = Catalog(locale=LANGUAGE)
    for message in sentences():
        one = message.id if isinstance(message.id, str) else message.id[1]
        if message.id:
            words = f"⟦{one}⟧"
            marked.add(message.id, words if isinstance(message.id, str) else (words,) * marked.num_plurals)
    catalogues = tmp_path_factory.mktemp("locale")
    folder = catalogues / LANGUAGE / "LC_MESSAGES"
    folder.mkdir(parents=True)
    whole = BytesIO()
    write_mo(whole, marked)
    (folder / "newsletter.mo").write_bytes(whole.getvalue())
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(tongue, "CATALOGUES", catalogues)
        spoken.cache_clear()
        yield
    spoken.cache_clear()


DESK, REVIEWER = Person("desk", "Συντάκτης"), Person("reviewer", "Ελεγκτής", "review@autotrendy.example")


def a_site() -> Site:
    english = an_english_site()
    site = replace(
        english,
        language=LANGUAGE,
        title="Αυτοκίνητα",
        tagline="Κάθε εβδομάδα.",
        people={"desk": DESK, "reviewer": REVIEWER},
        sender=replace(english.sender, name="Αυτοκίνητα", postal_address="Αυτοκίνητα, Αθήνα"),
        mail_day=4,
    )
    return replace(site, take_label=tongue_of(site).say("%(publication)s's take", publication=site.title))


def translated(post: Post, **changes: object) -> Post:
    texts = {name: greek(getattr(post, name)) for name in ("title", "summary", "html", "image_alt")}
    take = post.take and Take(greek(post.take.html), greek(post.take.text), date(2028, 12, 31))
    people = {"author": DESK, "reviewer": REVIEWER}
    topics = tuple(map(greek, post.topics))
    return replace(post, **(texts | people | {"take": take, "topics": topics} | changes))  # type: ignore[arg-type]


def templates(site: Site) -> jinja2.Environment:
    return environment(Path("/no/templates/of/its/own"), tongue_of(site))


def a_publication() -> tuple[Library, list[Issue]]:
    """Posts that show every line a page can have."""
    library, issues = example.a_publication()
    said = (Correction(date(2022, 2, 9), "Λάθος."),)
    posts = {post.slug: translated(post) for post in library.posts}
    label = posts["reading-the-label"]
    posts["reading-the-label"] = replace(label, corrections=said, updated=label.published + timedelta(days=3))
    judge, judged = posts["how-to-follow"], posts["why-takes-are-dated"]
    verdict = example.link(LinkKind.VERDICT, judge.slug, judged.slug)
    posts["how-to-follow"] = replace(judge, judgement=Judgement.WRONG, links=(verdict,))
    gone = replace(posts.pop("how-we-review"), withdrawal=Withdrawal(datetime(2022, 2, 9, tzinfo=UTC), "Ήταν λάθος."))
    backlinks = {**library.backlinks, judged.id: (verdict,)}
    whole = a_library(*posts.values(), backlinks=backlinks, chains=library.chains, withdrawn=(gone,))
    last = an_issue(3, judged, state=IssueState.WEB_ONLY, subject="Νέα", preheader="Τι νέα.")
    return whole, [*(_greek(issue) for issue in issues), last]


def _greek(issue: Issue) -> Issue:
    stories = tuple(replace(story, title=greek(story.title)) for story in issue.stories)
    subject = f"Θέμα {issue.number}"
    return replace(issue, stories=stories, subject=subject, preheader="Τι νέα.", note="Ένα σημείωμα.")


def test_no_page_of_the_archive_has_a_word_outside_of_a_catalogue() -> None:
    site, (library, issues) = a_site(), a_publication()
    pages = archive.render(site, library, issues, templates(site))
    moved = archive.moved_pages(site, [Redirect("old/", f"{site.url}/posts/x/")], templates(site))
    found = {str(f.path): of_page(f.content.decode()) for f in pages if f.path.suffix == ".html"}
    found |= {str(recipe.path): of_page(recipe.make().decode()) for recipe in moved}

    every = {"index.html", "takes/index.html", "404.html", "old/index.html", "posts/how-we-review/index.html"}
    assert every <= found.keys()
    assert {path: words for path, words in found.items() if words} == {}


def test_no_long_list_and_no_empty_site_has_a_word_outside_of_a_catalogue() -> None:
    site, (library, _) = a_site(), a_publication()
    start = datetime(2021, 1, 1, tzinfo=UTC)
    many = [
        replace(library.posts[0], id=f"tag:x,2022:{n}", slug=f"p{n}", links=(), published=start + timedelta(days=2 * n))
        for n in range(220)
    ]
    for posts, path in ((many, "years/2021/index.html"), ([], "posts/index.html")):
        made = archive.recipes(site, a_library(*posts), [], templates(site), next_slot=a_slot())
        lists = {str(r.path): r for r in made if r.path.suffix == ".html" and not str(r.path).startswith("posts/p")}
        assert path in lists
        assert {path: words for path, r in lists.items() if (words := of_page(r.make().decode()))} == {}


def test_no_feed_has_a_word_outside_of_a_catalogue() -> None:
    site, (library, issues) = a_site(), a_publication()
    for file in feed_files(site, library, issues):
        if file.path.name == "rss.xml":
            names = ["title", "description", "p", "a"]
            elements = [e for e in etree.fromstring(file.content).iter() if etree.QName(e).localname in names]
            told = [of_html(e.text or "") for e in elements]
        elif file.path.name == "feed.json":
            document = json.loads(file.content)
            told = [document["title"], document.get("description", ""), document["user_comment"]]
            told += [of_html(item["content_html"]) for item in document["items"]]
        elif file.path.name == "feeds.opml":
            told = re.findall(r' (?:text|title|description)="([^"]*)"', file.content.decode())
        else:
            continue  # Atom says what RSS does
        assert [word for text in told for word in outside(text)] == [], file.path


def of_html(text: str) -> str:
    return "".join(strings(parse(f"<body>{text}</body>"), "//body//text()"))


@pytest.mark.parametrize("full_text", [False, True])
def test_no_mail_has_a_word_outside_of_a_catalogue(full_text: bool) -> None:
    site = replace(a_site(), full_text=full_text)
    posts = [translated(post) for post in scene.LIBRARY.posts]
    by_slug = {post.slug: post for post in posts}
    wrong = replace(posts[-1], corrections=(Correction(date(2022, 2, 9), "Λάθος."),))
    library = replace(scene.LIBRARY, posts=tuple(posts))
    lead = by_slug["alliance"]
    first = _greek(an_issue(1, scene.BATTERIES, slot=scene.FIRST_SLOT))
    others = [post for post in posts if post.id not in {lead.id, scene.BATTERIES.id}]
    view = digest.view(
        site,
        a_cadence(),
        library,
        [replace(post, id=f"{post.id}{n or ''}") for n in range(3) for post in (lead, *others)],
        number=2,
        slot=a_slot(),
        carried={scene.BATTERIES.id: 1},
        previous=first,
        errata=[Erratum(wrong, 1, first), Erratum(wrong, 1, replace(first, number=9))],
    )
    view = replace(view, tail=view.stories[:2])
    made = digest.render(view, templates(site))

    shown = (
        "New to this story?",
        "Correction",
        "Also in this issue",
        "Earlier in this story",
        "Last week",
        "In this issue",
    )
    assert [words for words in shown if f"⟦{words}⟧" not in made.html or f"⟦{words}⟧" not in made.text] == []
    assert of_page(made.html) == []
    assert outside(re.sub(r"<!--.*?-->", "", made.text)) == []
    assert [outside(text) for text in (made.subject, made.preheader, view.title, view.label)] == [[]] * 4
    assert all(sentinel in made.html for sentinel in Sentinel)


def test_no_page_behind_a_link_has_a_word_outside_of_a_catalogue(tmp_path: Path) -> None:
    site, (library, _) = a_site(), a_publication()
    people = [f"{name}@example.org" for name in ("ada", "left", "blocked", "paused", "forgotten")]
    readers = Readers(*people, editions=(WEEKLY, EACH_POST, MONTHLY))
    topics = (Choice("x", greek("Batteries"), 30), Choice("y", greek("Vans"), 1))
    folder = tmp_path / "feeds"
    app = create_app(
        folder=folder,
        site=site,
        templates=templates(site),
        unsubscribe=readers.unsubscribe,
        own=replace(readers.own, topics=lambda _since: topics),
        search=index_beside(folder),
    )
    client = a_client(app)
    answers = [*of_leaving(client, readers), *of_choosing(client, readers), *of_their_own(client, readers)]
    answers += [client.get(path) for path in ("/nothing", "/search/")]
    index_beside(folder).update(site, library)
    topic = greek("Batteries")
    asked = (
        "",
        "?q=φτ",
        f"?q={greek('battery')}",
        f"?topic={topic}",
        "?year=2022",
        "?year=1999",
        f"?q=φτ&topic={topic}",
    )
    answers += [client.get(f"/search/{question}") for question in asked]

    assert {answer.status_code for answer in answers} <= {200, 404, 422, 429, 503}
    assert {str(answer.request.url): words for answer in answers if (words := of_page(answer.text))} == {}


def test_no_page_of_signing_up_has_a_word_outside_of_a_catalogue(tmp_path: Path) -> None:
    front = Front(tmp_path, replace(AT_ONCE, network_at_once=2), a_site(), templates=templates(a_site()))
    coming = {WEEKLY: Coming(48, a_slot()), EACH_POST: Coming(), MONTHLY: Coming(0, a_slot())}
    front.showcase = Showcase(4, _greek(an_issue(47, a_publication()[0].posts[0])), coming, readers=1284)
    client, post = front.client(), "/subscribe/"
    answers = [client.get(post), client.get("/subscribe/sent/"), client.get("/c/wrong")]
    answers += [client.post(post, data=front.form(typed)) for typed in ("", "x", "=x@example.org", "ada@gmial.com")]
    answers += [
        client.post(post, data={"email": "ada@example.org"}),
        client.post(post, data=front.form("ada@example.org")),
    ]
    front.sent()
    link = front.link("ada@example.org")
    answers += [client.get(link), client.post(link, data={"do": "confirm"}), client.get(link)]
    client.post(post, data=front.form("bob@example.org", edition=EACH_POST))
    front.sent()
    link = front.link("bob@example.org")
    answers += [client.get(link), client.post(post, data=front.form("eve@example.org"))]
    front.now += timedelta(days=15)
    answers += [client.get(link), client.post(link, data={"do": "again"}), client.post(link, data={"do": "deny"})]
    front.rates.hold(RESTING, front.now + timedelta(hours=1))
    answers += [client.get(post)]

    assert {answer.status_code for answer in answers} == {200, 404, 422, 429, 503}
    assert [words for answer in answers if (words := of_page(answer.text))] == []
    front.close()


def of_leaving(client: TestClient, readers: Readers) -> Iterator[Response]:
    hand, now = Evidence("cli"), readers.now
    readers.roster.leave(2, evidence=hand, now=now)
    readers.roster.block(3, reason="bounced", evidence=hand, now=now)
    yield from (client.get(path) for path in ("/u/none", *(readers.path("u", number) for number in (1, 2, 3))))
    for press in ("monthly", "pause", "feed", "leave"):
        answer = client.post(readers.path("u"), data={"do": press})
        undo = re.findall(r'name="undo" value="([^"]+)"', answer.text)[0]
        yield answer
        yield client.post(readers.path("u"), data={"do": "undo", "undo": undo})
    yield from (client.post(readers.path("u", 4), data={"do": do}) for do in ("leave", "why", "leave", "undo"))
    readers.roster.come_back(4, evidence=hand, now=now)


def of_choosing(client: TestClient, readers: Readers) -> Iterator[Response]:
    yield from (client.get(path) for path in ("/p/", "/p/none", *(readers.path("p", n) for n in (1, 2, 3))))
    form = {"do": "save", "often": "weekly", "shown": ["x", "y"], "topics": ["x"], "pause": "no", "format": "plain"}
    for change in ({}, {"often": "each-post"}, {"often": "monthly"}, {"pause": "4w"}, {"often": "nothing"}):
        yield client.post(readers.path("p", 4), data=form | change)
    wrong = {"often": "x", "topics": [], "pause": "x", "format": "x", "until": "x", "address": "x"}
    yield from (
        client.post(readers.path("p"), data=form | one) for one in (wrong, {"until": "x"}, {"until": "2020-01-01"})
    )
    yield from (client.post(readers.path("p", 4), data=form | {"address": "new@example.org"}) for _ in range(2))
    yield client.post(readers.path("p", 4), data={"do": "resume"})
    yield from (client.post("/p/", data={"address": typed}) for typed in ("x", "ada@example.org", "ada@example.org"))


def of_their_own(client: TestClient, readers: Readers) -> Iterator[Response]:
    [asked] = [letter for letter in readers.written(4) if letter.kind is LetterKind.MOVE]
    move, data = f"/m/{TOKENS.make(MOVE, (asked.id,), asked.at)}", readers.path("d", 5)
    yield from (client.get("/m/none"), client.get(move), client.post(move), client.get(move))
    [told] = [letter for letter in readers.written(4) if letter.kind is LetterKind.MOVED]
    back = f"/b/{TOKENS.make(TAKE_BACK, (told.id,), told.at)}"
    yield from (client.get("/b/none"), client.get(back), client.post(back), client.get(back))
    yield client.post(readers.path("p"), data={"do": "data"})
    yield from (client.get("/d/none"), client.get(data), client.post(data, data={"do": "forget"}))
