"""Before the first mail of an issue its own pages are asked for on the web; a real host and a real mail server here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.issues.digest import digest_hash
from newsletter.model import Digest, IssueState
from newsletter.outside.client import Client
from newsletter.publish import live as live_files
from newsletter.usecases.answering import Build, not_this_build, silent
from tests.builders import a_site
from tests.served import served
from tests.smtpd import Smtpd
from tests.unit.usecases.world import WEDNESDAY, World, a_world

MINUTE = timedelta(minutes=1)
POSTS = ("diesel-van", "2026-11-23"), ("hybrid-hatch", "2026-11-24")


@pytest.fixture
def server() -> Iterator[Smtpd]:
    with Smtpd() as running:
        yield running


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """What the static host has: nothing, until somebody deploys."""
    (tmp_path / "host").mkdir()
    return tmp_path / "host"


@pytest.fixture
def live(tmp_path: Path, server: Smtpd, host: Path) -> Iterator[World]:
    mail = f'[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\n'
    world = a_world(tmp_path / "site", *POSTS, more=f'\n[publish]\nseen_at = "{served(host)}"\n{mail}')
    world.join("ada@readers.example")
    yield world
    world.app.close()


def deploy(world: World, host: Path) -> None:
    shutil.copytree(world.app.config.output, host, dirs_exist_ok=True)


def publish(world: World, now: datetime = WEDNESDAY) -> None:
    """As `deliver` does when the issue starts."""
    world.app.publish(world.app.library(now), now)


def test_pages_that_are_not_on_the_web_hold_the_issue_and_are_named(live: World, server: Smtpd) -> None:
    live.send(WEDNESDAY)
    assert [problem.code for problem in live.deliver(WEDNESDAY).put_off] == ["I340"]
    assert live.states() == {1: IssueState.READY}
    (held,) = live.deliver(WEDNESDAY + 10 * MINUTE).held
    assert held.state is IssueState.HELD
    assert held.reason.startswith("I340 4 links of the mail would not lead to this build: https://weekly.auto-trendy")
    assert "(It answers 404)" in held.reason
    assert held.reason.endswith("and 1 more")
    assert server.connections == 0


@pytest.mark.parametrize("minutes", [9, 11])
def test_once_they_are_there_it_goes_out_by_itself_or_by_hand_if_it_was_held(
    live: World, server: Smtpd, host: Path, minutes: int
) -> None:
    live.send(WEDNESDAY)
    live.deliver(WEDNESDAY)
    deploy(live, host)  # what that round has built
    later = WEDNESDAY + minutes * MINUTE
    if minutes > 10:
        shutil.rmtree(host / "issues")
        live.deliver(later)
        live.send(later, number=1)
        publish(live, later)
        deploy(live, host)
    assert live.deliver(later).held == ()
    assert live.states() == {1: IssueState.SENT}
    assert [message.recipient for message in server.messages] == ["ada@readers.example"]


def test_a_build_of_yesterday_is_not_this_build(live: World, server: Smtpd, host: Path) -> None:
    live.send(WEDNESDAY)
    publish(live)
    deploy(live, host)
    page = host / "posts/diesel-van/index.html"
    page.write_bytes(page.read_bytes().replace(b"long enough", b"too short"))
    (held,) = live.deliver(WEDNESDAY + 10 * MINUTE).held
    assert "posts/diesel-van/ (it is another text than the one that was built)" in held.reason
    assert "1 link of the mail" in held.reason
    assert server.connections == 0


@pytest.mark.parametrize(("names", "wrong"), [("posts/new/", 0), ("posts/other/", 1)])
def test_a_host_may_lead_on_where_the_page_that_was_built_does(tmp_path: Path, names: str, wrong: int) -> None:
    site, folder = a_site(), tmp_path / "feeds"
    for path, content in (("old", f'<a href="{site.url}/{names}">moved</a>'), ("posts/new", "<p>There.</p>")):
        (folder / path).mkdir(parents=True)
        (folder / path / "index.html").write_text(content, encoding="utf-8")
    host = tmp_path / "host"
    shutil.copytree(folder, host)
    (host / "old/MOVED").write_text(f"{served(host)}/posts/new/", encoding="utf-8")
    digest = Digest("s", "p", f'<a href="{site.url}/old/">a</a>', "t")
    anywhere = Client(ports=range(1, 65536), may_call=lambda _address: True)
    build = Build(site.url, served(host), lambda path: live_files.answer(folder, path))
    assert len(not_this_build(digest, build, anywhere)) == wrong


def test_a_story_that_was_taken_back_after_the_freezing_holds_the_issue(tmp_path: Path) -> None:
    world = a_world(tmp_path / "site", *POSTS)
    world.join("ada@readers.example")
    world.send(WEDNESDAY, delay=MINUTE)
    world.folder.post("diesel-van", "2026-11-23", front="withdrawn: 2026-11-25 the figures were wrong\n")
    (held,) = world.deliver(WEDNESDAY + MINUTE).held
    assert held.reason == "I337 “Diesel van on the road” was withdrawn after issue 1 was frozen"
    assert world.folder.mails() == []
    world.app.close()


def test_links_to_others_are_asked_and_what_they_answer_is_told(tmp_path: Path) -> None:
    (tmp_path / "press.html").write_text("<p>New cars.</p>", encoding="utf-8")
    there, gone = f"{served(tmp_path)}/press.html", f"{served(tmp_path)}/gone.html"
    html = f'<a href="{there}">a</a><a href="{gone}">b</a><a href="https://autotrendy.example/x/">c</a>'
    digest = replace(Digest("s", "p", html, "t"), digest_hash=digest_hash("s", "p", html, "t"))
    anywhere = Client(ports=range(1, 65536), may_call=lambda _address: True)
    assert silent(digest, a_site(), anywhere) == {gone: "It answers 404"}


def test_a_deploy_of_its_own_brings_the_pages_there_before_the_first_mail(
    tmp_path: Path, server: Smtpd, host: Path
) -> None:
    mail = f'[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\n'
    after = f'after = "cp -R feeds/. {host}/"'
    world = a_world(tmp_path / "site", *POSTS, more=f'\n[publish]\nseen_at = "{served(host)}"\n{after}\n{mail}')
    world.join("ada@readers.example")
    world.send(WEDNESDAY)
    world.deliver(WEDNESDAY)
    assert world.states() == {1: IssueState.SENT}
    assert len(server.messages) == 1
    world.app.close()
