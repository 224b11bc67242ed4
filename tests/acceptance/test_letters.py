"""Letters by the installed command: they reach whoever asked, whatever else goes on; status says if they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.model import EACH_POST, Evidence
from tests.acceptance.harness import FRIDAY, SiteFolder, parsed, part, until
from tests.acceptance.test_smtp import through
from tests.smtpd import Smtpd

SLOT = datetime.fromisoformat(FRIDAY)


@pytest.fixture
def server() -> Iterator[Smtpd]:
    with Smtpd() as running:
        yield running


def ask(site: SiteFolder, address: str, at: datetime = SLOT) -> None:
    """As the page for signing up does."""
    with closing(App(config.load(site.root))) as app:
        app.roster.ask(address, edition=EACH_POST, evidence=Evidence("form", "Each new post", "/subscribe/"), now=at)


def test_deliver_hands_letters_over_before_the_issue_and_status_names_what_failed(
    site: SiteFolder, server: Smtpd
) -> None:
    through(site, server).readers(3)
    site.ok("prepare", now=FRIDAY)
    ask(site, "ada@readers.example")
    ask(site, "nobody@readers.example")
    server.fault("RCPT", "550 5.1.1 nobody here", to="nobody@readers.example", times=9)
    assert site.json("deliver", "--dry-run", now=FRIDAY)["letters"] == 2
    done = site.json("deliver", now=FRIDAY)
    assert done["letters"] == {"accepted": 1, "deferred": 0, "failed": 1, "uncertain": 0}
    assert server.messages[0].recipient == "ada@readers.example"
    assert done["accepted"] == 3

    mail = parsed(server.messages[0].content)
    assert mail["Subject"] == "Please confirm: Auto Trendy"
    assert mail["List-Unsubscribe"] is None
    [link] = re.findall(r"https://weekly\.auto-trendy\.net/c/\S+", part(mail, "plain"))
    assert f'href="{link}"' in part(mail, "html")
    for kind in ("plain", "html"):
        said = " ".join(part(mail, kind).split())
        assert "On 27 November 2026 at 08:00 (Europe/Madrid)" in said
        assert "each new post of Auto Trendy" in said

    told = site.ok("status", now=FRIDAY).out
    assert "1 letter to readers failed or uncertain, confirm (5.1.1 nobody here)" in told
    assert "newsletter reader show nobody@readers.example" in told


def test_work_hands_a_letter_over_at_once_and_not_at_its_next_look(site: SiteFolder, server: Smtpd) -> None:
    through(site, server)
    with site.started("work", "--every", "3600"), closing(App(config.load(site.root))) as app:
        until(lambda: app.ledger.last_beat("work"), what="work to have looked")
        ask(site, "ada@readers.example", datetime.now().astimezone())
        until(lambda: server.messages, what="the letter")
    assert [one.recipient for one in server.messages] == ["ada@readers.example"]
