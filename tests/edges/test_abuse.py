"""What strangers try with the form and the links, each with the measure that stands against it."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import pytest
from httpx2 import ASGITransport, AsyncClient, Response

from newsletter.model import WEEKLY, Evidence, SubscriberStatus
from newsletter.usecases.letters import Writer
from newsletter.usecases.signup import Wish
from tests.builders import built_in
from tests.edges.front import ADA, AT_ONCE, Front

NO_LIMITS = replace(AT_ONCE, site_an_hour=10**6, network_an_hour=10**6, network_at_once=10**6, brake_from=10**6)
SCANNERS = ("Mozilla/5.0 (compatible; MSIE 10.0; BarracudaCentral)", "GoogleImageProxy", "SafeLinks", "curl/8", "")
OPERATOR = Evidence("cli", "on paper")


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path)
    yield made
    made.close()


@pytest.fixture
def unlimited(tmp_path: Path) -> Iterator[Front]:
    """Without any limit but that of an address."""
    made = Front(tmp_path, NO_LIMITS)
    yield made
    made.close()


def network(n: int) -> str:
    return f"10.{n // 256}.{n % 256}.7"


def wish(address: str, client: str) -> Wish:
    """What the page makes of a form."""
    return Wish(address, WEEKLY, client, "form", "Get it every Friday", "/subscribe/")


def mailed(front: Front) -> list[str]:
    """Addresses that got a mail, once for each."""
    front.sent()
    return [letter.address for letter in front.all_letters()]


# --- bombing ----------------------------------------------------------------------------------------


def test_a_thousand_sign_ups_for_one_address_from_a_thousand_networks_give_one_mail(unlimited: Front) -> None:
    for n in range(1000):
        assert unlimited.signup.ask(wish(ADA, network(n))) is None
        if n == 10:
            assert mailed(unlimited) == [ADA]
    assert mailed(unlimited) == [ADA]


def test_an_address_gets_one_mail_a_day_and_three_in_a_month(unlimited: Front) -> None:
    for n in range(60):
        unlimited.now += timedelta(hours=12)
        for address in (ADA, "a.d.a+x@gmail.com", "ada@gmail.com"):
            unlimited.signup.ask(wish(address, network(n)))
        unlimited.sent()
    sent = [letter.at for letter in unlimited.letters.of(unlimited.reader().id)]
    assert len(sent) == 3
    assert sent[1] - sent[0] >= timedelta(hours=24)
    assert len([address for address in mailed(unlimited) if address.endswith("gmail.com")]) == 3


def test_a_thousand_addresses_from_one_network_give_no_more_mails_than_the_limit(front: Front) -> None:
    refused = [front.signup.ask(wish(f"r{n}@readers.example", f"203.0.113.{n % 256}")) for n in range(1000)]
    assert refused.count(None) == len(mailed(front)) == front.intake.network_at_once
    page = front.client("203.0.113.99").post("/subscribe/", data=front.form())
    assert page.status_code == 429
    assert "Too many tries from your network. Please try again after 13:12" in page.text
    assert page.headers["retry-after"] == "720"
    assert f'value="{ADA}"' in page.text


def test_one_network_of_ipv6_is_a_64(front: Front) -> None:
    for n in range(20):
        front.signup.ask(wish(f"r{n}@readers.example", f"2001:db8:1:2::{n:x}"))
    assert len(mailed(front)) == front.intake.network_at_once


def test_the_whole_site_has_a_limit(tmp_path: Path) -> None:
    front = Front(tmp_path, replace(NO_LIMITS, site_an_hour=20))
    refused = [front.signup.ask(wish(f"r{n}@readers.example", network(n))) for n in range(15)]
    assert [wait is None for wait in refused] == [True] * 10 + [False] * 5
    front.close()


def test_who_asks_is_not_what_a_stranger_writes_into_a_header(front: Front) -> None:
    for n in range(8):
        form = front.form(f"r{n}@readers.example")
        front.client().post("/subscribe/", data=form, headers={"x-forwarded-for": network(n)})
    assert len(mailed(front)) == front.intake.network_at_once


def test_nothing_that_the_requester_wrote_is_in_a_mail(front: Front) -> None:
    spam = "Win at http://pills.example"
    more = {"name": spam, "subject": spam, "edition": spam, "way": spam, "back": spam, "keep": spam}
    front.client().post("/subscribe/", data=front.form("Win.at.pills@readers.example", **more))
    [letter] = front.all_letters()
    link = f"https://autotrendy.example{front.link(letter.address)}"
    writer = Writer(front.site, built_in(), lambda *_: link, lambda *_: link, "m" * 20)
    mail = message_from_bytes(writer.compose(letter, front.reader(letter.address)).content, policy=default)
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    assert len(parts) == 2
    for text in (*parts, mail["Subject"], mail["From"]):
        assert "pills" not in text.replace("W…@readers.example", "")
        assert "Win" not in text


# --- looking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_scanners_that_look_at_every_link_change_nothing(front: Front, method: str) -> None:
    client = front.client()
    client.post("/subscribe/", data=front.form())
    before = front.held()
    for path in (front.link(), f"{front.link()}?do=confirm", "/subscribe/?email=eve@readers.example", "/subscribe/"):
        for agent in SCANNERS:
            answer = client.request(method, path, headers={"user-agent": agent, "purpose": "prefetch"})
            assert answer.status_code == {"GET": 200, "HEAD": 200, "OPTIONS": 204}.get(method, 405)
    assert front.held() == before
    assert front.reader().status is SubscriberStatus.UNCONFIRMED


def test_no_page_can_be_framed_kept_or_passed_on(front: Front) -> None:
    client = front.client()
    client.post("/subscribe/", data=front.form())
    for path in ("/subscribe/", "/subscribe/sent/", "/subscribe/embed/", front.link(), "/c/wrong"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script" not in headers["content-security-policy"]
        assert "set-cookie" not in headers


def test_another_host_in_the_request_is_refused_and_never_in_a_link(front: Front) -> None:
    client = front.client()
    assert client.get("/subscribe/", headers={"host": "evil.example"}).status_code == 400
    page = client.get(
        "/subscribe/embed/", headers={"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    )
    assert "evil.example" not in page.text


# --- enumeration ------------------------------------------------------------------------------------


def people(front: Front, kind: str, count: int, mark: str = "") -> list[str]:
    """Addresses of one kind."""
    addresses = [f"{kind}{mark}{n}@readers.example" for n in range(count)]
    for address in addresses if kind != "new" else ():
        reader = front.roster.add(address, edition=WEEKLY, evidence=OPERATOR, now=front.now)
        if kind == "suppressed" and reader:
            front.roster.block(reader.id, reason="complained", evidence=OPERATOR, now=front.now)
    return addresses


def same_page(answer: Response) -> tuple[int, str]:
    """Of an answer what does not say whom it is for, or when."""
    text = re.sub(r"\w…@|\w+@readers\.example|value=\"[\w.-]{40,}\"", "", answer.text)
    return answer.status_code, text


def test_new_known_and_suppressed_addresses_get_the_same_page(front: Front) -> None:
    client = front.client()
    addresses = [people(front, kind, 1)[0] for kind in ("new", "known", "suppressed")]
    pages = [client.post("/subscribe/", data=front.form(address)) for address in addresses]
    assert len({same_page(page) for page in pages}) == 1
    assert len(front.all_letters()) == 2


def seconds(front: Front, addresses: Sequence[str]) -> dict[str, float]:
    """How long the answer to each took, eight at a time."""
    taken, left = {}, list(enumerate(addresses))

    async def ask(client: AsyncClient) -> None:
        while left:
            n, address = left.pop()
            began = time.perf_counter()
            answer = await client.post("/subscribe/", data=front.form(address), headers={"x-forwarded-for": network(n)})
            taken[address] = time.perf_counter() - began
            assert answer.status_code == 200

    async def run() -> None:
        transport = ASGITransport(front.app, client=("127.0.0.1", 1))
        async with AsyncClient(transport=transport, base_url=front.site.web_url) as client:
            await asyncio.gather(*(ask(client) for _ in range(8)))

    asyncio.run(run())
    return taken


def probability(one: Sequence[float], other: Sequence[float]) -> float:
    """That two samples of one distribution differ as much as these (Mann-Whitney, two-sided, by the normal)."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    u = sum(rank for rank, (_, of) in enumerate(ranked, 1) if of == 0) - len(one) * (len(one) + 1) / 2
    mean, spread = len(one) * len(other) / 2, (len(one) * len(other) * (len(one) + len(other) + 1) / 12) ** 0.5
    return 2 * NormalDist().cdf(-abs(u - mean) / spread)


def told_apart(front: Front, mark: str) -> dict[tuple[str, str], float]:
    """Which two kinds of addresses the times tell apart, 500 of each, shuffled."""
    of_kind = {kind: people(front, kind, 500, mark) for kind in ("new", "known", "suppressed")}
    everybody = [address for addresses in of_kind.values() for address in addresses]
    random.Random(mark).shuffle(everybody)
    taken = seconds(front, everybody)
    samples = {kind: [taken[address] for address in addresses] for kind, addresses in of_kind.items()}
    found = {(one, other): probability(samples[one], samples[other]) for one, other in combinations(samples, 2)}
    return {pair: p for pair, p in found.items() if p <= 0.01}


def test_the_time_of_an_answer_does_not_tell_who_is_a_reader(tmp_path: Path) -> None:
    """Chance tells two kinds apart once in thirty runs, and then not the same two again; a leak does it each time."""
    front = Front(tmp_path, replace(NO_LIMITS, answer_after=timedelta(milliseconds=80)))
    found = told_apart(front, "a")
    if found:
        found = {pair: p for pair, p in told_apart(front, "b").items() if pair in found}
    assert found == {}
    front.close()
