"""A reader's whole way, by keyboard alone and without scripts, on the real mails of a running `serve --work`:
subscribe, confirm, choose, pause, leave, undo. Each state is looked at on a phone and on a wide screen, in the light
and in the dark.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from newsletter import config
from newsletter.app import App
from newsletter.config import WEEKDAYS
from newsletter.readers.tokens import CONFIRM
from tests.acceptance.harness import SiteFolder, part, until
from tests.browser.keyboard import choose, press, tab_to, write
from tests.proxies import free_port

SLOT = datetime.now(UTC) + timedelta(days=4)
READER = "ada@readers.example"
_ASKED = {
    (320, "light"): {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}},
    (1280, "dark"): {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}
"""What axe is asked where: all of it on a phone, and what colours change in the dark."""
_AXE, _AGAIN = Axe(), Axe("0")  # half a megabyte of script goes into each page once
_SERIOUS = {"serious", "critical"}
_PICTURES = os.environ.get("WALK_PICTURES", "")
"""A folder for a picture of each state, for whoever wants to look."""


@dataclass
class Served:
    """A site that is served and worked for, at its own address."""

    folder: SiteFolder
    url: str

    def mail(self, to: str, subject: str) -> EmailMessage:
        """The mail to somebody with these words in its subject, once it is there."""

        def found() -> list[EmailMessage]:
            return [one for one in self.folder.mails() if one["To"] == to and subject in one["Subject"]]

        until(found, what=subject)
        return found()[-1]

    def link(self, mail: EmailMessage, kind: str) -> str:
        """The link to /KIND/… that a mail has, in its text."""
        found = re.search(rf"{re.escape(self.url)}/{kind}/[\w.~-]+", part(mail, "plain"))
        assert found, part(mail, "plain")
        return found[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """No slot is near: the issue goes out by hand."""
    url = f"http://127.0.0.1:{free_port()}"
    yesterday = SLOT - timedelta(days=5)
    folder = SiteFolder(tmp_path_factory.mktemp("site")).configure(
        f'review = "off"\n[site]\ntitle = "Auto Trendy"\nurl = "{url}"\ntagline = "A weekly about cars."\n'
        'authority = "auto-trendy.net,2022"\n[sender]\naddress = "editor@auto-trendy.net"\n'
        'postal_address = "Auto Trendy, 1 Calle Mayor, 28013 Madrid, Spain"\n[people.news-desk]\nname = "News desk"\n'
        f'[editions]\nmonthly = "first {WEEKDAYS[SLOT.weekday()]} 12:00"\n'
        f'[cadence]\nweekday = "{WEEKDAYS[SLOT.weekday()]}"\ntime = "12:00"\nfirst_slot = {SLOT:%Y-%m-%d}\n'
    )
    folder.post("hybrid-hatch", f"{yesterday:%Y-%m-%d}", front="topics: [Cars]\n")
    folder.post("diesel-van", f"{yesterday:%Y-%m-%d}", front="topics: [Vans]\n")
    with folder.started("serve", "--work", "--every", "1", "--port", url.rpartition(":")[2]):
        until((folder.root / "feeds" / "index.html").is_file, what="the first publish")
        until(lambda: "Working" in "".join(log.read_text() for log in folder.root.glob("serve-*.log")))
        yield Served(folder, url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "Chromium is needed: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Looking:
    """Looks at a page that somebody else sees, as it stands there: on two screens, in two lights, with axe."""

    def __init__(self, browser: Browser) -> None:
        self._page = browser.new_context().new_page()

    def at(self, seen: Page, state: str) -> None:
        html = seen.content()

        def as_seen(route: Route) -> None:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

        self._page.route(seen.url, as_seen)
        self._page.goto(seen.url)
        for width, scheme in ((320, "light"), (1280, "light"), (1280, "dark"), (320, "dark")):
            self._page.set_viewport_size({"width": width, "height": 800})
            self._page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            wide = self._page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{state} is {wide} pixels wide on a screen of {width}"
            if _PICTURES:
                self._page.screenshot(path=Path(_PICTURES) / f"{state}-{width}-{scheme}.png", full_page=True)
            if asked := _ASKED.get((width, scheme)):
                found = (_AGAIN if self._page.evaluate("'axe' in window") else _AXE).run(self._page, options=asked)
                serious = [one for one in found.response["violations"] if one["impact"] in _SERIOUS]
                assert serious == [], f"{state} {width} {scheme}: {found.generate_report()}"
        self._page.unroute(seen.url)


@pytest.fixture(scope="module")
def looking(browser: Browser) -> Looking:
    return Looking(browser)


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """Sees a page on a phone, and has scripts off."""
    context = browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False, locale="en-US")
    page = context.new_page()
    yield page
    assert context.cookies() == []
    context.close()


def headed(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def told(page: Page, words: str, *, role: Literal["status", "alert"] = "status") -> None:
    expect(page.get_by_role(role)).to_contain_text(words)


def test_a_reader_subscribes_confirms_chooses_pauses_leaves_and_comes_back(
    served: Served, reader: Page, looking: Looking
) -> None:
    subscribes(served, reader, looking)
    confirms(served, reader, looking)
    chooses(reader, looking)
    pauses(reader, looking)
    leaves(served, reader, looking)
    assert status(served, READER) == "active"


def status(served: Served, address: str) -> str:
    return next((one["status"] for one in served.folder.json("reader", "list") if one["address"] == address), "")


def subscribes(served: Served, reader: Page, looking: Looking) -> None:
    reader.goto(f"{served.url}/posts/")
    press(reader, "Subscribe")
    headed(reader, "Subscribe to Auto Trendy")
    looking.at(reader, "subscribe")
    write(reader, "Your email address", "ada at readers")
    press(reader, "Send me the link")
    told(reader, "is not an email address", role="alert")
    looking.at(reader, "bad-address")
    write(reader, "Your email address", READER)
    choose(reader, f"Every {SLOT:%A}", "Once a month")
    choose(reader, "Once a month", f"Every {SLOT:%A}")
    press(reader, "Send me the link")
    heading = reader.get_by_role("heading", level=1)
    expect(heading).not_to_have_text("Subscribe to Auto Trendy")
    if heading.inner_text() == "One more press":  # it was faster than people write
        looking.at(reader, "one-more-press")
        press(reader, "Send me the link")
    headed(reader, "Check a…@readers.example: we sent a link")
    looking.at(reader, "sent")


def confirms(served: Served, reader: Page, looking: Looking) -> None:
    reader.goto(served.link(served.mail(READER, "Please confirm"), "c"))
    headed(reader, f"Confirm a…@readers.example for Auto Trendy, every {SLOT:%A}")
    looking.at(reader, "confirm")
    press(reader, "Yes, send it to me")
    headed(reader, "You’re in.")
    looking.at(reader, "welcome")


def chooses(reader: Page, looking: Looking) -> None:
    press(reader, "Change how often, or pause")
    headed(reader, "Your emails from Auto Trendy")
    looking.at(reader, "preferences")
    tab_to(reader, "Vans")
    reader.keyboard.press("Space")
    choose(reader, "With pictures", "Plain text")
    press(reader, "Save")
    told(reader, "Saved.")
    looking.at(reader, "saved")


def pauses(reader: Page, looking: Looking) -> None:
    choose(reader, "No pause", "Until a day")
    press(reader, "Save")
    told(reader, "Nothing was saved yet", role="alert")
    looking.at(reader, "errors")
    write(reader, "The day on which the pause ends", f"{SLOT + timedelta(days=60):%m%d%Y}")
    press(reader, "Save")
    told(reader, "Saved.")
    looking.at(reader, "paused")
    press(reader, "Resume now")
    told(reader, "The emails come again.")


def leaves(served: Served, reader: Page, looking: Looking) -> None:
    readers = sum(one["status"] == "active" for one in served.folder.json("reader", "list"))
    served.folder.ok("issue", "send", "next", "--confirm", f"1:{readers}", "--delay", "0")
    reader.goto(served.link(served.mail(READER, "Hybrid hatch"), "u"))
    headed(reader, "Stop emails to a…@readers.example?")
    looking.at(reader, "leave")
    press(reader, "Stop emails")
    told(reader, "Nothing more will come")
    looking.at(reader, "done")
    press(reader, "Undo")
    headed(reader, "Welcome back")
    looking.at(reader, "back")


def test_a_reader_who_lost_the_mail_gets_a_link_moves_sees_what_is_held_and_is_forgotten(
    served: Served, reader: Page, looking: Looking
) -> None:
    served.folder.ok("reader", "add", "grace@readers.example", "--consent", "a test")
    reader.goto(f"{served.url}/p/")
    looking.at(reader, "fresh-link")
    write(reader, "Your email address", "grace@readers.example")
    press(reader, "Send a fresh link")
    looking.at(reader, "fresh-link-sent")
    reader.goto(served.link(served.mail("grace@readers.example", "Auto Trendy"), "p"))
    moves(served, reader, looking)
    press(reader, "Everything we hold about you")
    told(reader, "a link is on its way")
    reader.goto(served.link(served.mail("hopper@readers.example", "holds about you"), "d"))
    looking.at(reader, "data")
    tab_to(reader, "Download everything")
    with reader.expect_download() as download:
        reader.keyboard.press("Enter")
    assert "hopper@readers.example" in download.value.path().read_text(encoding="utf-8")
    press(reader, "Forget me")
    headed(reader, "You are forgotten")
    looking.at(reader, "forgotten")
    assert status(served, "hopper@readers.example") == ""


def moves(served: Served, reader: Page, looking: Looking) -> None:
    write(reader, "Another address", "hopper@readers.example")
    press(reader, "Save")
    told(reader, "Check h…@readers.example")
    reader.goto(served.link(served.mail("hopper@readers.example", "Auto Trendy"), "m"))
    looking.at(reader, "move")
    press(reader, "Yes, send it here")
    told(reader, "the old address was told")
    looking.at(reader, "moved")
    press(reader, "Change how often, or pause")


def test_links_that_are_old_wrong_or_used_say_what_to_do(served: Served, reader: Page, looking: Looking) -> None:
    served.folder.ok("reader", "add", "late@readers.example", now=f"{datetime.now(UTC) - timedelta(days=13):%Y-%m-%d}")
    reader.goto(f"{served.url}/c/{old_token(served, 'late@readers.example')}")
    headed(reader, "This link is too old")
    looking.at(reader, "expired")
    press(reader, "This wasn’t me")
    headed(reader, "Nothing will come")
    looking.at(reader, "deleted")
    for kind in "cp":
        reader.goto(f"{served.url}/{kind}/not-a-token")
        looking.at(reader, f"unknown-{kind}")


def old_token(served: Served, address: str) -> str:
    """Of a confirmation that is too old by a day."""
    with closing(App(config.load(served.folder.root))) as app:
        found = app.roster.find(address)
        assert found
        made = datetime.now(UTC) - app.config.confirm_within - timedelta(days=1)
        return app.tokens.make(CONFIRM, (found.id, found.token_version), made)
