"""`docs/deploy`: one server in production, its unit and both proxies, each really in front of `serve --work`."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from newsletter import config
from newsletter.delivery.smtp import SmtpSettings
from newsletter.web.proxies import Asker
from newsletter.web.serve import beside, listen
from tests.acceptance.harness import COMMAND, FRIDAY, SiteFolder, part, until
from tests.proxies import CONFIGURED, DEPLOY, HOST, Proxy, running, sound, text_of
from tests.unit.web.parts import an_app

UNIT = DEPLOY / "newsletter.service"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


# --- the unit ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, encoding="utf-8")
    return parser


def test_the_unit_runs_the_whole_product_as_nobody_in_particular(unit: ConfigParser) -> None:
    service = unit["Service"]
    assert service["ExecStart"].endswith("/newsletter serve --work")
    assert service["User"] == service["Group"] == "newsletter"
    assert service["ReadWritePaths"] == service["WorkingDirectory"]
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == (
        "yes",
        "strict",
        "",
    )
    assert (service["KillSignal"], service["Restart"]) == ("SIGTERM", "on-failure")


def test_the_unit_waits_longer_for_the_messages_in_flight_than_a_mail_server_may_take(unit: ConfigParser) -> None:
    minutes = int(unit["Service"]["TimeoutStopSec"].removesuffix("min"))
    assert minutes * 60 > SmtpSettings("localhost").final_dot_timeout


@pytest.mark.parametrize("name", ["newsletter.service", "newsletter-worker.service"])
def test_systemd_finds_nothing_wrong_with_the_unit_and_little_exposed(name: str, tmp_path: Path) -> None:
    assert shutil.which("systemd-analyze"), "tools/servers brings it"
    here = tmp_path / name
    text = (DEPLOY / name).read_text(encoding="utf-8").replace("/opt/newsletter/bin/newsletter", str(COMMAND))
    here.write_text(text, encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    exposed = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(here)]
    done = subprocess.run(exposed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


# --- the proxies, as they are written ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_each_proxy_leads_to_where_serve_listens_and_leaves_every_token_out_of_its_log(
    name: str, tmp_path: Path
) -> None:
    text = text_of(name)
    web = config.WebSection()
    assert f"{web.host}:{web.port}" in text
    assert text.count("{") == text.count("}")
    kinds = re.search(r"\((?:\?:)?((?:\w+\|)+\w+)\)", text)
    assert kinds
    routes = [route.path for route in an_app(tmp_path).routes if isinstance(route, Route)]
    with_token = {path.split("/")[1] for path in routes if "{token}" in path}
    assert with_token <= set(kinds[1].split("|"))


@pytest.mark.parametrize("name", CONFIGURED)
def test_each_proxy_finds_its_own_configuration_sound(name: str, tmp_path: Path) -> None:
    done = sound(name, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


# --- the proxies, in front --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteFolder:
    """Its first issue is sent, to two readers for each proxy."""
    signing_up = '\n[privacy]\nkeep_network = true\n[signup]\nform_wait = "0s"\n'
    folder = SiteFolder(tmp_path_factory.mktemp("site")).configure(more=signing_up)
    folder.post("hybrid-hatch", "2026-11-24")
    folder.readers(4)
    return folder


@pytest.fixture(scope="module")
def port(site: SiteFolder) -> Iterator[int]:
    with site.started("serve", "--work", "--port", "0", now=FRIDAY):
        logs = until(lambda: [path for path in site.root.glob("serve-*.log") if "http://" in path.read_text()])
        until(lambda: len(site.mails()) == 4, what="issue 1 sent")
        yield int(re.findall(r"http://127\.0\.0\.1:(\d+)", logs[0].read_text())[0])


@pytest.fixture(scope="module", params=list(CONFIGURED))
def proxy(request: pytest.FixtureRequest, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running(request.param, tmp_path_factory.mktemp(request.param), port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        yield client


def link(site: SiteFolder) -> str:
    """The unsubscribe path of a reader who is still one."""
    staying = {str(r["address"]) for r in site.json("reader", "list") if r["status"] == "active"}
    mail = next(mail for mail in site.mails() if mail["To"] in staying)
    found = re.search(rf"https://{HOST}(/u/[\w.~-]+)", part(mail, "html"))
    assert found
    return found[1]


def active(site: SiteFolder) -> int:
    return sum(reader["status"] == "active" for reader in site.json("reader", "list"))


def test_a_page_comes_through_as_it_was_sent(client: httpx.Client, port: int) -> None:
    path = "/posts/hybrid-hatch/"
    through, direct = client.get(path), httpx.get(f"http://127.0.0.1:{port}{path}", headers={"host": HOST})
    assert (through.status_code, through.content) == (200, direct.content)
    for name in ("etag", "cache-control", "content-security-policy", "vary", "x-content-type-options"):
        assert through.headers[name] == direct.headers[name]
    assert through.headers["strict-transport-security"] == "max-age=31536000"
    assert client.get(path, headers={"if-none-match": through.headers["etag"]}).status_code == 304


def test_answers_come_compressed_to_those_who_ask_and_to_nobody_else(client: httpx.Client) -> None:
    asked = client.get("/rss.xml", headers={"accept-encoding": "gzip"})
    plain = client.get("/rss.xml", headers={"accept-encoding": "identity"})
    assert (asked.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert asked.content == plain.content
    assert asked.headers["etag"] != plain.headers["etag"]


def test_a_download_goes_on_where_it_broke_off(client: httpx.Client) -> None:
    whole = client.get("/style.css", headers={"accept-encoding": "identity"})
    rest = client.get("/style.css", headers={"accept-encoding": "identity", "range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])


@pytest.mark.parametrize("how", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
def test_one_click_leaves_in_both_encodings(client: httpx.Client, site: SiteFolder, how: dict[str, object]) -> None:
    before, path = active(site), link(site)
    assert "<form" in client.get(path).text
    answer = client.post(path, **how)  # type: ignore[arg-type]
    assert (answer.status_code, answer.is_redirect, "set-cookie" in answer.headers) == (200, False, False)
    assert answer.headers["cache-control"] == "no-store"
    assert active(site) == before - 1


def test_a_sign_up_comes_through_from_the_network_that_it_came_from(proxy: Proxy, site: SiteFolder) -> None:
    address = f"{proxy.folder.name}@new.readers.example"
    with proxy.client(address="127.1.2.3") as client:
        shown = re.search(r'name="shown" value="([^"]+)"', client.get("/subscribe/").text)
        assert shown
        form = {"email": address, "shown": shown[1]}
        answer = client.post("/subscribe/", data=form, headers={"x-forwarded-for": "198.51.100.1"})
    assert "we sent a link" in answer.text
    consents = site.json("reader", "show", address)["held"]["consents"]
    assert [line["network"] for line in consents] == ["127.1.2.0/24"]


def test_the_log_says_which_kind_of_page_was_asked_for_and_holds_no_token(proxy: Proxy, client: httpx.Client) -> None:
    client.get("/u/a-token-of-nobody?with=words")
    client.get("/posts/hybrid-hatch/")
    until(lambda: "/posts/hybrid-hatch/" in proxy.log)
    assert "/u/..." in proxy.log
    assert "token" not in proxy.log
    assert "with=words" not in proxy.log


def test_another_host_is_not_answered_with_the_site(proxy: Proxy) -> None:
    with proxy.client(host="evil.example") as client:
        answer = client.get("/")
    assert "Auto Trendy" not in answer.text
    assert answer.status_code == 400 or answer.content == b""


def test_a_body_that_no_form_needs_is_refused(client: httpx.Client) -> None:
    for size, refused in ((20_000, {413}), (200_000, {413, 503})):  # Caddy may see the closed door before the answer
        with client.stream("POST", "/u/a-token-of-nobody", data={"do": "x" * size}) as answer:
            assert answer.status_code in refused


def test_who_comes_without_tls_is_led_to_it(proxy: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain}/u/a?b=c", headers={"host": HOST})
    assert answer.status_code in (301, 308)
    assert re.fullmatch(rf"https://{HOST}(:\d+)?/u/a\?b=c", answer.headers["location"])


@pytest.mark.parametrize("name", CONFIGURED)
def test_the_address_that_asked_is_known_behind_each_proxy_whatever_it_claims(name: str, tmp_path: Path) -> None:
    told = Asker(whoever_asks, trusted=config.WebSection().trusted_proxies)
    with (
        listen("127.0.0.1", 0) as listener,
        beside(listener, told, ended=lambda: None),
        running(name, tmp_path, listener.getsockname()[1]) as proxy,
        proxy.client(address="127.0.0.77") as client,
    ):
        for claim in ({}, {"x-forwarded-for": "198.51.100.1, 127.0.0.1"}, {"x-real-ip": "198.51.100.1"}):
            assert client.get("/", headers=claim).text == "127.0.0.77"


async def whoever_asks(scope: Scope, _receive: Receive, send: Send) -> None:
    """An application that answers with the address that asked."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


@pytest.mark.parametrize("name", CONFIGURED)
def test_while_it_is_started_anew_readers_are_asked_to_come_again(name: str, tmp_path: Path) -> None:
    with running(name, tmp_path, 1) as proxy, proxy.client() as client:
        answer = client.post("/u/a-token", data=ONE_CLICK)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "try again" in answer.text
