"""Whatever is edited, publishing again ends where a first publish of the same files does, byte for byte.

Real sites of a few posts on a real disk. `EDITS=400` tries that many rows of edits (`make chaos`).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image

from newsletter import config
from newsletter.app import App
from newsletter.errors import SourceErrors
from newsletter.model import Issue, Source, Story
from newsletter.publish import lists
from newsletter.usecases.published import Published
from tests.builders import an_issue

NOW = datetime(2022, 2, 11, 7, tzinfo=UTC)
OLD = 1_600_000_000 * 10**9  # a moment that the system's clock has long left
EDITS = int(os.environ.get("EDITS", "8"))
NAMES = ("p0", "p1", "p2", "p3", "p4", "p5", "new", "newer")
TEXTS = ("Some words.", "Other words, and more of them.", "## A heading\n\nA [link](https://example.org/a) & more.")
TITLES = ("Cars", "Vans & more", "What <b>is</b> it?", "Cars")
TOPICS = ("[Cars]", "[Cars, Vans]", "[cars, Roads]", "[]")
SETTINGS = {"title": "Bench", "zone": "Europe/Madrid", "label": "Our take", "compress": "false"}

_MADE = ("feeds", "var")
_ticks = count(1)


@dataclass
class Text:
    """A post, as its file says it."""

    front: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def render(self) -> str:
        head = "\n".join(f"{key}: {value}" for key, value in self.front.items())
        return f"---\n{head}\n---\n\n" + "\n\n".join(self.words) + "\n"


@dataclass
class Site:
    """A folder with posts, settings and templates; every file as if it had been saved long ago, each at its time."""

    root: Path
    posts: dict[str, Text] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))

    def write(self, path: str, content: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(place, ns=(OLD, OLD + next(_ticks)))

    def save(self, name: str) -> None:
        self.write(f"posts/{name}.md", self.posts[name].render())

    def configure(self) -> None:
        said = self.settings
        self.write(
            "newsletter.toml",
            f'review = "off"\n[site]\ntitle = "{said["title"]}"\nurl = "https://bench.example"\n'
            f'timezone = "{said["zone"]}"\nauthority = "bench.example,2022"\ntake_label = "{said["label"]}"\n'
            f"[publish]\ncompress = {said['compress']}\n"
            '[sender]\naddress = "editor@bench.example"\npostal_address = "Bench, 28013 Madrid, Spain"\n'
            '[people.one]\nname = "One"\n[people.two]\nname = "Two"\n',
        )

    def post(self, name: str, number: int) -> None:
        front = {"title": f"Post {number}", "date": f"2022-01-{number + 1:02}", "topics": "[Cars]", "author": "one"}
        self.posts[name] = Text({"id": f"tag:bench.example,2022:{name}"} | front, ["Some words."])
        self.save(name)

    def publish(self, *, chance: random.Random | None = None) -> Published:
        """As the command does; with `chance`, the posts come in an order of their own."""
        found, problems = config.read(self.root)
        assert not problems
        with closing(App(found)) as app:
            if chance:
                app.__dict__["sources"] = Shuffled(app.sources.read(), chance)
            return app.unchanged(NOW) or app.publish(app.library(NOW), NOW)

    def seen(self) -> dict[str, bytes]:
        feeds = self.root / "feeds"
        return {
            str(p.relative_to(feeds)): p.read_bytes() for p in feeds.rglob("*") if p.is_file() and p.name != ".lock"
        }

    def kept(self) -> tuple[dict[str, bytes], dict[str, Text], dict[str, str]]:
        """All that an edit may change."""
        paths = [p for p in self.root.rglob("*") if p.is_file() and p.relative_to(self.root).parts[0] not in _MADE]
        return {str(p.relative_to(self.root)): p.read_bytes() for p in paths}, deepcopy(self.posts), {**self.settings}

    def restore(self, kept: tuple[dict[str, bytes], dict[str, Text], dict[str, str]]) -> None:
        now = self.kept()[0]
        files, self.posts, self.settings = kept
        for path in now.keys() - files.keys():
            (self.root / path).unlink()
        for path in files:
            if files[path] != now.get(path):
                self.write(path, files[path])

    def stamps(self) -> dict[Path, tuple[int, int]]:
        found = [*(self.root / "feeds").rglob("*"), *(self.root / "var" / "hosting").rglob("*")]
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}

    def copy(self, elsewhere: Path) -> Site:
        """The same files in another place, which has never been published."""
        shutil.copytree(self.root, elsewhere, ignore=shutil.ignore_patterns(*_MADE))
        return Site(elsewhere)


@dataclass(frozen=True)
class Shuffled:
    """Sources in another order."""

    found: Sequence[Source]
    chance: random.Random

    def read(self) -> Sequence[Source]:
        return self.chance.sample(list(self.found), len(self.found))


def a_site(root: Path) -> Site:
    """Six posts, each of which leads to the one before it; one with a picture, one with a take."""
    site = Site(root)
    site.configure()
    for number in range(6):
        site.post(f"p{number}", number)
        if number:
            site.posts[f"p{number}"].front["see_also"] = f"p{number - 1}"
            site.save(f"p{number}")
    site.posts["p2"].words.append("::: take check=2030-12-31\nIt rains.\n:::")
    picture(site, "p3", 0)
    for name in ("p2", "p3"):
        site.save(name)
    return site


# -- edits: each takes a site, the name of a post that may not be there, and a number that chooses


def _front(key: str, *values: str) -> Callable[[Site, str, int], None]:
    def edit(site: Site, name: str, choice: int) -> None:
        if name in site.posts:
            site.posts[name].front[key] = values[choice % len(values)]
            site.save(name)

    return edit


def words(site: Site, name: str, choice: int) -> None:
    if name in site.posts:
        site.posts[name].words[0] = TEXTS[choice % len(TEXTS)]
        site.save(name)


def link(site: Site, name: str, choice: int) -> None:
    if name in site.posts:
        target = [*site.posts][choice % len(site.posts)]
        site.posts[name].words[0] = f"See [[{target}]] and [this](/posts/{target}/)."
        site.save(name)


def refer(site: Site, name: str, choice: int) -> None:
    if name in site.posts:
        kind = ("continues", "corrects", "see_also", "previous")[choice % 4]
        site.posts[name].front[kind] = [*site.posts][choice // 4 % len(site.posts)]
        site.save(name)


def picture(site: Site, name: str, choice: int) -> None:
    """The same name, another picture."""
    stream = BytesIO()
    Image.new("RGB", (40 + choice, 30), "#9c3d12").save(stream, "PNG")
    site.write("posts/car.png", stream.getvalue())
    if name in site.posts and "![A car](car.png)" not in site.posts[name].words:
        site.posts[name].words.append("![A car](car.png)")
        site.save(name)


def verdict(site: Site, name: str, choice: int) -> None:
    if name in site.posts:
        site.posts[name].front |= {"verdict_on": "p2", "verdict": ("right", "wrong", "open")[choice % 3]}
        site.save(name)


def add(site: Site, name: str, choice: int) -> None:
    if name not in site.posts:
        site.post(name, choice % 28)


def remove(site: Site, name: str, choice: int) -> None:
    """The file goes; its address leads to another post."""
    if name in site.posts and len(site.posts) > 1:
        slug = site.posts.pop(name).front.get("slug", name)
        (site.root / "posts" / f"{name}.md").unlink()
        there = site.root / "redirects.toml"
        others = [text.front.get("slug", other) for other, text in site.posts.items()]
        lines = there.read_text("utf-8") if there.exists() else ""
        if f'"/posts/{slug}/"' not in lines:
            site.write("redirects.toml", f'{lines}"/posts/{slug}/" = "{others[choice % len(others)]}"\n')


def template(site: Site, _name: str, choice: int) -> None:
    name = ("post", "list", "home", "base")[choice % 4]
    place = site.root / "templates" / "web" / f"{name}.html"
    if place.exists():
        place.unlink()
    else:
        footer = f"{{% block footer %}}<footer>Ours, {choice}</footer>{{% endblock %}}"
        site.write(f"templates/web/{name}.html", f'{{% extends "default/web/{name}.html" %}}{footer}')


def configure(site: Site, _name: str, choice: int) -> None:
    changes = [{"title": "Another"}, {"zone": "Pacific/Auckland"}, {"label": "Theirs"}, {"compress": "true"}, SETTINGS]
    site.settings |= changes[choice % len(changes)]
    site.configure()


EDITORS: dict[str, Callable[[Site, str, int], None]] = {
    "words": words,
    "title": _front("title", *TITLES),
    "slug": _front("slug", "renamed", "other", "2021", "p9"),
    "date": _front("date", "2022-01-03", "2022-01-03 12:00", "2021-12-31 23:30", "2020-06-01", "2022-02-10"),
    "updated": _front("updated", "2022-02-10", "2022-02-11"),
    "topics": _front("topics", *TOPICS),
    "author": _front("author", "two", "one"),
    "summary": _front("summary", "What it is about.", "Something else."),
    "withdraw": _front("withdrawn", "2022-02-01 It was wrong.", "2023-01-01 It will be wrong."),
    "draft": _front("draft", "true", "false"),
    "link": link,
    "refer": refer,
    "picture": picture,
    "verdict": verdict,
    "add": add,
    "remove": remove,
    "template": template,
    "configure": configure,
}
Edit = tuple[str, str, int]
EDIT = st.tuples(st.sampled_from(sorted(EDITORS)), st.sampled_from(NAMES), st.integers(0, 47))


def _issues() -> tuple[Issue, ...]:
    """An issue that went out with three of the posts."""
    stories = tuple(Story(f"tag:bench.example,2022:p{n}", "sha256:x", f"p{n}", f"Post {n}") for n in (1, 3, 4))
    return (replace(an_issue(1), stories=stories),)


@pytest.fixture(scope="module", autouse=True)
def _circumstances() -> Iterator[None]:
    """Files count as saved long ago, lists as long from five posts on, and one issue was sent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("newsletter.content.source._RESTLESS", -3600.0)
        patch.setattr("newsletter.seal._RESTLESS", -3600.0)
        patch.setattr(lists, "WHOLE", 4)
        patch.setattr(lists, "NEWEST", 2)
        patch.setattr(App, "issues", lambda _app, *_: _issues())
        yield


@settings(deadline=None, max_examples=EDITS, suppress_health_check=[HealthCheck.too_slow])
@given(edits=st.lists(EDIT, min_size=1, max_size=5), chance=st.randoms(use_true_random=False))
def test_publishing_after_any_edits_ends_where_a_first_publish_does(
    tmp_path_factory: pytest.TempPathFactory, edits: list[Edit], chance: random.Random
) -> None:
    site = a_site(tmp_path_factory.mktemp("warm") / "site")
    site.publish()
    for kind, name, choice in edits:
        event(f"{kind}, {_taken(site, kind, name, choice)}")
    before = site.stamps()
    assert not site.publish().changes
    assert site.stamps() == before

    first = site.copy(tmp_path_factory.mktemp("cold") / "site")
    first.publish(chance=chance)
    assert site.seen() == first.seen()


def _taken(site: Site, kind: str, name: str, choice: int) -> str:
    """Publish after an edit. One that is refused changes nothing that readers see, and is taken back."""
    kept, before = site.kept(), site.seen()
    EDITORS[kind](site, name, choice)
    try:
        site.publish()
    except SourceErrors:
        assert site.seen() == before
        site.restore(kept)
        return "refused"
    return "made" if site.seen() != before else "no change"


@pytest.mark.parametrize("kind", sorted(EDITORS))
def test_each_kind_of_edit_can_be_published(tmp_path: Path, kind: str) -> None:
    """Otherwise the test above would prove nothing of it."""
    site = a_site(tmp_path / "site")
    site.publish()
    before = site.seen()
    EDITORS[kind](site, "new" if kind == "add" else "p5", 4 if kind == "date" else 1)
    changes = site.publish().changes

    assert (site.seen() != before) is bool(changes)
    assert changes or kind in {"withdraw", "draft", "author"}
