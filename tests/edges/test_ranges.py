"""Ranges of published files: a download that broke goes on where it stopped, and is never mixed of two versions."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from newsletter.web.folder import LARGE
from newsletter.web.ranges import Part, Unsatisfiable, is_current, part_of
from tests.unit.web.parts import a_client, an_app, publish, served

SOUND = bytes(range(256)) * 40
FILM = bytes(range(251)) * (LARGE // 251 + 100)
PAGE = b"<!doctype html><title>x</title>" + b"<p>All-solid-state batteries.</p>" * 99
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("feeds")
    publish(folder, {"talk.mp3": SOUND, "film.mp4": FILM, "index.html": PAGE, "empty.txt": b""})
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> TestClient:
    return a_client(an_app(folder))


@pytest.mark.parametrize(("path", "whole"), [("/talk.mp3", SOUND), ("/film.mp4", FILM)])
@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-0", 0, 1), ("bytes=100-199", 100, 200), ("bytes=5000-", 5000, None), ("BYTES=-300", -300, None)],
)
def test_a_part_is_sent_where_a_part_is_asked_for(
    client: TestClient, path: str, whole: bytes, asked: str, first: int, end: int | None
) -> None:
    answer = client.get(path, headers={**PLAIN, "range": asked})
    start, stop, _ = slice(first, end).indices(len(whole))
    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["content-type"] == client.head(path).headers["content-type"]


@pytest.mark.parametrize(("path", "whole"), [("/talk.mp3", SOUND), ("/film.mp4", FILM)])
@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=9-3", "bytes=0-1,5-9", "lines=0-3", "bytes=a-b", "x"])
def test_who_asks_in_another_way_gets_the_whole_file(client: TestClient, path: str, whole: bytes, asked: str) -> None:
    answer = client.get(path, headers={**PLAIN, "range": asked})
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/talk.mp3", f"bytes={len(SOUND)}-"), ("/film.mp4", "bytes=9999999999-"), ("/talk.mp3", "bytes=-0")],
)
def test_a_part_beyond_the_end_is_refused_with_the_length(client: TestClient, path: str, asked: str) -> None:
    answer = client.get(path, headers={**PLAIN, "range": asked})
    size = len(SOUND if path == "/talk.mp3" else FILM)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{size}"


def test_an_empty_file_has_no_part(client: TestClient) -> None:
    assert client.get("/empty.txt", headers={"range": "bytes=0-"}).status_code == 416
    assert client.get("/empty.txt").status_code == 200


def test_a_download_goes_on_only_with_the_same_version(client: TestClient, tmp_path: Path) -> None:
    publish(tmp_path, {"talk.mp3": SOUND})
    here = a_client(an_app(tmp_path))
    first = here.get("/talk.mp3", headers={**PLAIN, "range": "bytes=0-99"})
    go_on = {**PLAIN, "range": "bytes=100-"}
    for validator in (first.headers["etag"], first.headers["last-modified"]):
        rest = here.get("/talk.mp3", headers={**go_on, "if-range": validator})
        assert (rest.status_code, first.content + rest.content) == (206, SOUND)
    publish(tmp_path, {"talk.mp3": SOUND[::-1]})
    changed = here.get("/talk.mp3", headers={**go_on, "if-range": first.headers["etag"]})
    assert (changed.status_code, changed.content) == (200, SOUND[::-1])


@pytest.mark.parametrize("validator", ['W/"{tag}"', '"another"', "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"])
def test_a_weak_or_other_validator_gets_the_whole_file(client: TestClient, validator: str) -> None:
    tag = client.head("/talk.mp3", headers=PLAIN).headers["etag"].strip('"')
    headers = {**PLAIN, "range": "bytes=10-19", "if-range": validator.format(tag=tag)}
    assert client.get("/talk.mp3", headers=headers).status_code == 200


def test_what_has_not_changed_is_not_sent_in_parts_either(client: TestClient) -> None:
    tag = client.head("/talk.mp3", headers=PLAIN).headers["etag"]
    answer = client.get("/talk.mp3", headers={**PLAIN, "range": "bytes=10-19", "if-none-match": tag})
    assert answer.status_code == 304


def test_a_compressed_page_is_cut_as_it_is_sent_under_its_own_tag(folder: Path) -> None:
    with served(folder) as port:
        whole = _raw(port, {"accept-encoding": "gzip"})
        part = _raw(port, {"accept-encoding": "gzip", "range": "bytes=20-"})
    assert gzip.decompress(whole[1]) == PAGE
    assert part[0] == 206
    assert part[1] == whole[1][20:]
    assert part[2]["etag"] == whole[2]["etag"]
    assert part[2]["content-encoding"] == "gzip"


def _raw(port: int, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    """One answer as it came over the socket, not unpacked."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("path", ["/talk.mp3", "/film.mp4"])
def test_a_head_is_told_the_length_and_that_parts_can_be_had(client: TestClient, path: str) -> None:
    whole, asked_for_a_part = (
        client.head(path, headers=PLAIN),
        client.head(path, headers={**PLAIN, "range": "bytes=0-1"}),
    )
    assert whole.headers["accept-ranges"] == "bytes"
    assert (whole.status_code, whole.content) == (200, b"")
    assert whole.headers["content-length"] == str(len(SOUND if path == "/talk.mp3" else FILM))
    assert asked_for_a_part.status_code == 200


def texts() -> st.SearchStrategy[str]:
    number = st.integers(0, 40).map(str) | st.just("")
    return st.tuples(number, number).map(lambda pair: f"bytes={pair[0]}-{pair[1]}") | st.text(max_size=30)


@given(asked=texts(), size=st.integers(0, 30))
def test_a_part_lies_in_the_file_whatever_is_asked(asked: str, size: int) -> None:
    try:
        part = part_of(asked, size)
    except Unsatisfiable:
        return
    if part is not None:
        assert 0 <= part.first < part.end <= size == part.size


@given(cut=st.integers(1, 999), size=st.integers(1000, 2000))
def test_what_came_and_what_is_asked_for_next_make_the_whole(cut: int, size: int) -> None:
    assert part_of(f"bytes=0-{cut - 1}", size) == Part(0, cut, size)
    assert part_of(f"bytes={cut}-", size) == Part(cut, size, size)


def test_a_date_counts_to_the_second() -> None:
    modified = datetime(2026, 11, 24, 8, 0, 0, 500, tzinfo=UTC)
    assert is_current("Tue, 24 Nov 2026 08:00:00 GMT", '"x"', modified)
    assert not is_current("Tue, 24 Nov 2026 08:00:01 GMT", '"x"', modified)
