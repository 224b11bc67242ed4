"""The web room against a real folder and a real socket."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from newsletter.errors import Outside
from newsletter.web.folder import LARGE, Folder
from newsletter.web.serve import address_of, beside, listen, run
from tests.builders import a_site
from tests.unit.web.parts import TOKEN, a_client, an_app, port_of, publish, served, start

PAGE = "<!doctype html><title>Batteries</title>" + "<p>All-solid-state batteries, explained once more.</p>" * 40
RSS = '<?xml version="1.0"?><rss version="2.0"><channel>' + "<item/>" * 200 + "</channel></rss>"
SITE: dict[str, str | bytes] = {
    "index.html": PAGE,
    "posts/batteries/index.html": PAGE,
    "posts/batteries/chart.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "rss.xml": RSS,
    "atom.xml": RSS.replace("rss", "feed"),
    "feed.json": '{"version": "https://jsonfeed.org/version/1.1"}' + " " * 400,
    "style.css": "body { margin: 0 }\n" * 50,
    "tiny.txt": "x",
    ".manifest.json": "{}",
    ".publish.lock": "",
    "build.lock": "",
}
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLAIN = {"accept-encoding": "identity", "accept": "*/*"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish(tmp_path / "feeds", SITE)
    return tmp_path / "feeds"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server of its own process, one for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("feeds")
    publish(folder, SITE)
    with served(folder) as number:
        yield number


@pytest.fixture
def client(folder: Path) -> TestClient:
    return a_client(an_app(folder))


# --- what is served ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "file"),
    [("/", "index.html"), ("/posts/batteries/", "posts/batteries/index.html"), ("/rss.xml", "rss.xml")],
)
def test_a_published_file_is_served_as_it_is(client: TestClient, folder: Path, path: str, file: str) -> None:
    answer = client.get(path, headers=PLAIN)
    assert answer.status_code == 200
    assert answer.content == (folder / file).read_bytes()


@pytest.mark.parametrize(
    ("path", "feed_reader", "browser"),
    [
        ("/rss.xml", "application/rss+xml; charset=utf-8", "application/xml; charset=utf-8"),
        ("/atom.xml", "application/atom+xml; charset=utf-8", "application/xml; charset=utf-8"),
        ("/feed.json", "application/feed+json", "application/json"),
    ],
)
def test_feeds_are_labelled_for_who_asks(client: TestClient, path: str, feed_reader: str, browser: str) -> None:
    for_reader, for_browser = client.get(path, headers=PLAIN), client.get(path, headers=BROWSER)
    assert for_reader.headers["content-type"] == feed_reader
    assert for_browser.headers["content-type"] == browser
    assert "Accept" in for_reader.headers["vary"].split(", ")
    assert for_reader.headers["cache-control"] == "public, max-age=900"
    assert for_reader.headers["etag"] != for_browser.headers["etag"]


def test_text_is_compressed_and_each_coding_has_its_own_tag(client: TestClient) -> None:
    packed = client.get("/rss.xml", headers={"accept-encoding": "gzip"})
    plain = client.get("/rss.xml", headers=PLAIN)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content  # the client has unpacked it
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding, Accept"


def test_compressed_bytes_hold_no_time(folder: Path) -> None:
    first = Folder(folder).find(("rss.xml",))
    os.utime(folder / "rss.xml", (1_000_000_000, 1_000_000_000))
    second = Folder(folder).find(("rss.xml",))
    assert first is not None
    assert second is not None
    assert first.gzipped is not None
    assert first.gzipped == second.gzipped
    assert gzip.decompress(first.gzipped) == RSS.encode()


@pytest.mark.parametrize("path", ["/posts/batteries/chart.png", "/tiny.txt"])
def test_what_would_not_shrink_is_not_compressed(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/rss.xml", "/posts/batteries/chart.png", "/nowhere"])
def test_head_has_the_headers_of_get_and_no_body(port: int, path: str) -> None:
    got, head = exchange(port, "GET", path), exchange(port, "HEAD", path)
    assert head[0] == got[0]
    assert without_date(head[1]) == without_date(got[1])
    assert got[2]
    assert head[2] == b""


# --- validators -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"x", {0}', "*"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_feed_that_the_client_holds_is_not_sent_again(client: TestClient, form: str, coding: str) -> None:
    first = client.get("/atom.xml", headers={"accept-encoding": coding})
    again = client.get(
        "/atom.xml", headers={"accept-encoding": coding, "if-none-match": form.format(first.headers["etag"])}
    )
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]


def test_the_tag_of_another_coding_is_another_representation(client: TestClient) -> None:
    packed = client.get("/rss.xml", headers={"accept-encoding": "gzip"}).headers["etag"]
    assert client.get("/rss.xml", headers={**PLAIN, "if-none-match": packed}).status_code == 200


def test_a_date_that_is_not_older_than_the_file_is_enough(client: TestClient, folder: Path) -> None:
    modified = datetime(2026, 5, 3, 12, tzinfo=UTC)
    os.utime(folder / "rss.xml", (modified.timestamp(), modified.timestamp()))
    assert client.get("/rss.xml").headers["last-modified"] == "Sun, 03 May 2026 12:00:00 GMT"
    for date, status in ((modified, 304), (modified.replace(year=2027), 304), (modified.replace(year=2025), 200)):
        answer = client.get("/rss.xml", headers={"if-modified-since": format_datetime(date, usegmt=True)})
        assert answer.status_code == status


def test_a_new_build_is_seen_at_once(client: TestClient, folder: Path) -> None:
    before = client.get("/rss.xml")
    beside = folder / "rss.new"
    beside.write_text(RSS.replace("<item/>", "<ITEM/>"))
    status = (folder / "rss.xml").stat()
    os.utime(beside, ns=(status.st_atime_ns, status.st_mtime_ns))  # same size, same time: only the inode tells
    beside.replace(folder / "rss.xml")
    after = client.get("/rss.xml", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "<ITEM/>" in after.text


def test_a_file_that_was_touched_but_not_changed_keeps_its_tag(client: TestClient, folder: Path) -> None:
    before = client.get("/rss.xml").headers["etag"]
    os.utime(folder / "rss.xml", (1, 1))
    assert client.get("/rss.xml").headers["etag"] == before


def test_a_file_that_is_gone_is_forgotten(client: TestClient, folder: Path) -> None:
    assert client.get("/tiny.txt").status_code == 200
    (folder / "tiny.txt").unlink()
    assert client.get("/tiny.txt").status_code == 404


def test_memory_holds_no_more_than_its_budget(tmp_path: Path) -> None:
    publish(tmp_path, {f"{n}.bin": bytes([n]) * 1000 for n in range(20)})
    folder = Folder(tmp_path, budget=5000)
    for _ in range(2):
        for n in range(20):
            stored = folder.find((f"{n}.bin",))
            assert stored is not None
            assert stored.content == bytes([n]) * 1000
    assert folder.weight <= 5000


def test_a_large_file_is_streamed_in_parts_where_asked(client: TestClient, folder: Path) -> None:
    content = os.urandom(LARGE + 10)
    publish(folder, {"posts/batteries/film.mp4": content})
    path = "/posts/batteries/film.mp4"
    whole = client.get(path)
    assert whole.content == content
    assert client.get(path, headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    part = client.get(path, headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, content[5:10])


# --- addresses --------------------------------------------------------------------------------------


def test_a_folder_is_redirected_to_its_slash_by_a_relative_address(client: TestClient) -> None:
    answer = client.get("/posts/batteries")
    assert (answer.status_code, answer.headers["location"]) == (301, "batteries/")
    assert client.get("/posts/batteries", follow_redirects=True).text == PAGE


def test_a_folder_without_an_index_is_not_listed(client: TestClient) -> None:
    assert client.get("/posts/").status_code == client.get("/posts").status_code == 404


@pytest.mark.parametrize(
    "path", ["/.manifest.json", "/.publish.lock", "/build.lock", "/%2emanifest.json", "/posts/../.manifest.json"]
)
def test_the_publishers_own_files_do_not_exist(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_unknown_address_gets_a_page_with_the_way_home(client: TestClient) -> None:
    answer = client.get("/a/b/nothing")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'href="../../style.css"' in answer.text


def test_the_sites_own_page_for_what_is_missing_is_used(client: TestClient, folder: Path) -> None:
    publish(folder, {"404.html": "<h1>Lost on the road</h1>"})
    answer = client.get("/nothing")
    assert (answer.status_code, answer.text) == (404, "<h1>Lost on the road</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_before_the_first_publish_everything_is_missing(tmp_path: Path) -> None:
    client = a_client(an_app(tmp_path / "feeds"))
    assert client.get("/").status_code == 404
    publish(tmp_path / "feeds", {"index.html": PAGE})
    assert client.get("/").text == PAGE


def test_a_feed_names_hub_and_self_in_its_header(folder: Path) -> None:
    site = a_site(hubs=("https://hub.example/",))
    client = a_client(an_app(folder, site=site))

    link = f'<https://hub.example/>; rel="hub", <{site.url}/rss.xml>; rel="self"'
    assert client.get("/rss.xml").headers["link"] == link
    assert client.head("/rss.xml").headers["link"] == link
    assert "link" not in client.get("/").headers


def test_a_link_out_of_the_folder_is_not_followed(client: TestClient, folder: Path, tmp_path: Path) -> None:
    publish(tmp_path / "outside", {"secret.txt": "secret", "index.html": "secret"})
    (folder / "file.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (folder / "tree").symlink_to(tmp_path / "outside")
    (folder / "inner.txt").symlink_to(folder / "tiny.txt")
    for path in ("/file.txt", "/tree/", "/tree", "/tree/secret.txt", "/inner.txt"):
        assert client.get(path).status_code == 404


def test_a_folder_swapped_for_a_link_after_it_was_read_is_not_followed(
    client: TestClient, folder: Path, tmp_path: Path
) -> None:
    assert client.get("/posts/batteries/").status_code == 200
    (folder / "posts").rename(tmp_path / "posts")
    publish(tmp_path / "outside", {"batteries/index.html": "secret"})
    (folder / "posts").symlink_to(tmp_path / "outside")
    assert client.get("/posts/batteries/").status_code == 404


def test_the_folder_itself_may_be_a_link_that_a_deploy_moves(tmp_path: Path) -> None:
    publish(tmp_path / "one", {"index.html": "one"})
    publish(tmp_path / "two", {"index.html": "two"})
    (tmp_path / "feeds").symlink_to("one")
    client = a_client(an_app(tmp_path / "feeds"))
    assert client.get("/").text == "one"
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(tmp_path / "feeds")
    assert client.get("/").text == "two"


def test_a_pipe_or_a_socket_is_no_file(client: TestClient, folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert client.get("/pipe.txt").status_code == 404


def test_a_disk_that_fails_is_not_taken_for_a_missing_page(
    client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder / "rss.xml"))

    monkeypatch.setattr(os, "lstat", fail)
    answer = client.get("/rss.xml")
    monkeypatch.undo()
    assert answer.status_code == 503
    assert str(folder) not in answer.text


STRANGE = st.sampled_from(["..", ".", "", "posts", "batteries", "\0", "\\", "%2e%2e", "secret.txt", "CON", "~"])
PATHS = st.lists(STRANGE | st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=6)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS)
def test_no_address_leads_out_of_the_folder_or_to_a_failure(folder: Path, pieces: list[str]) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    path = "/" + "/".join(quote(piece, safe="") for piece in pieces)
    answer = a_client(an_app(folder)).get(f"https://autotrendy.example{path}")
    assert answer.status_code in (200, 301, 404)
    assert answer.text != "secret"


# --- all answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
def test_published_files_are_only_read(client: TestClient, method: str) -> None:
    answer = client.request(method, "/rss.xml")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options("/rss.xml").status_code == 204


@pytest.mark.parametrize("path", ["/", "/rss.xml", "/nothing", "/posts/batteries", f"/u/{TOKEN}", "/u/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize("host", ["autotrendy.example", "evil.example"])
def test_every_answer_has_the_security_headers(client: TestClient, method: str, path: str, host: str) -> None:
    headers = client.request(method, path, headers={"host": host}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("no-referrer", "strict-origin-when-cross-origin")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "host", ["autotrendy.example", "autotrendy.example:8000", "localhost:8000", "127.0.0.1", "[::1]:80", "[::2]"]
)
def test_the_configured_and_the_local_hosts_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "autotrendy.example.evil.example", "autotrendy.example@evil", "a b", ""]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/posts/batteries", headers={"host": host})
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("prefix", ["", "/blog"])
def test_a_site_below_a_path_is_found_there_whether_a_proxy_strips_it_or_not(folder: Path, prefix: str) -> None:
    client = a_client(an_app(folder, site=a_site(url="https://autotrendy.example/blog/")))
    assert client.get(f"{prefix}/posts/batteries/").text == PAGE
    assert client.get(f"{prefix}/posts/batteries").headers["location"] == "batteries/"
    page = client.get(f"{prefix}/u/{TOKEN}")
    assert 'href="../style.css"' in page.text
    assert client.get("/blog").headers["location"] == "blog/"
    assert client.get("/blogs/").status_code == 404


# --- the server -------------------------------------------------------------------------------------

CUT_OFF = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nList-Unsub"


def exchange(port: int, method: str, path: str, body: str = "") -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {"content-type": "application/x-www-form-urlencoded"} if body else {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def without_date(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date"}


def test_the_server_answers_and_keeps_quiet_about_it(folder: Path) -> None:
    with served(folder) as port:  # which asserts that nothing was written to standard error
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/rss.xml", timeout=20).read() == RSS.encode()
        assert exchange(port, "POST", f"/u/{TOKEN}", "List-Unsubscribe=One-Click")[2] == b"Unsubscribed\n"
        assert exchange(port, "GET", "/nothing")[0] == 404
        assert "server" not in exchange(port, "GET", "/")[1]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%ff%fe%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"POST /u/a-good-token HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /u/a-good-token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\nConnection: close\r\n\r\na=1",
        b"POST /u/a-good-token HTTP/1.1\r\nHost: localhost\r\n" + CUT_OFF.encode(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused_without_a_trace(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"Traceback" not in answer
    assert exchange(port, "GET", "/")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_well_even_while_a_client_dawdles(folder: Path, number: signal.Signals) -> None:
    process = start(folder)
    try:
        port = port_of(process)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(f"POST /u/{TOKEN} HTTP/1.1\r\nHost: localhost\r\n{CUT_OFF}".encode())
            assert exchange(port, "GET", "/")[0] == 200
            process.send_signal(number)
            output, errors = process.communicate(timeout=20)
            answer = connection.recv(65536)
    finally:
        process.kill()
    assert (process.returncode, output) == (0, "stopped\n")
    assert "Traceback" not in errors
    assert answer.startswith(b"HTTP/1.1 503")


def test_answers_are_sent_without_waiting_for_more() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # what asyncio looks for before it sets TCP_NODELAY


def test_a_port_in_use_is_told_with_its_code_and_exit_status(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(folder, taken.getsockname()[1])
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (4, "C701\n", "")


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 0), ("x" * 80, 0), ("127.0.0.1", 70000)])
def test_a_place_where_nobody_can_listen_is_told(folder: Path, host: str, port: int) -> None:
    with pytest.raises(Outside) as caught:
        run(an_app(folder), host=host, port=port)
    assert caught.value.problems[0].code == "C702"


def test_beside_other_work_pages_are_served_as_long_as_it_lasts(folder: Path) -> None:
    ended: list[str] = []
    with listen("127.0.0.1", 0) as listener:
        address = address_of(listener)
        with beside(listener, an_app(folder), ended=lambda: ended.append("ended")):
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.read() == PAGE.encode()
            assert ended == []
    assert ended == ["ended"]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=10)


def test_pages_that_end_before_the_work_beside_them_say_so_and_tell_why(folder: Path) -> None:
    ended = Event()
    listener = listen("127.0.0.1", 0)
    listener.close()
    with pytest.raises(OSError, match="descriptor"), beside(listener, an_app(folder), ended=ended.set):
        assert ended.wait(20)
