"""A backup holds what cannot be made anew, is read back, and becomes a site again that is locked."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sqlite3
import stat
import tarfile
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.errors import Outside, Refused
from newsletter.store.backup import CONTENTS, Backups, Places, restore, verified
from newsletter.store.database import open_database

NIGHT = datetime(2026, 11, 27, 2, tzinfo=UTC)
LOG = "INSERT INTO log (at, who, channel, action, object) VALUES (0, 'ada', 'cli', 'send', 'issue 1')"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    root = tmp_path / "site"
    state = root / "var"
    for file, text in {
        "newsletter.toml": "[site]\n",
        "reviews.toml": "",
        "posts/a/post.md": "# A\n",
        "posts/a/car.jpg": "a picture",
        "templates/web/home.html": "<p>\n",
        "feeds/index.html": "made anew",
        "var/cache/x": "made anew",
        "var/outbox/new/1": "made anew",
        "var/instance.toml": "mark",
        "var/mailed/p/car.jpg": "a mailed picture",
        "var/keys.toml": "tokens = []\n",
    }.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    open_database(f"sqlite:///{state}/newsletter.sqlite3").close()
    return Places(root, state / "newsletter.sqlite3", state, state / "keys.toml")


@pytest.fixture
def backups(tmp_path: Path, places: Places) -> Backups:
    return Backups(tmp_path / "backups", places)


def file_of(places: Places) -> Path:
    return places.state / "newsletter.sqlite3"


def rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM log").fetchone()[0])


def test_what_is_restored_is_what_was_there_without_what_is_made_anew(
    backups: Backups, places: Places, tmp_path: Path
) -> None:
    made = backups.make(NIGHT, keep=3)
    restore(made.file, tmp_path / "again")
    found = {str(p.relative_to(tmp_path / "again")) for p in (tmp_path / "again").rglob("*") if p.is_file()}
    assert found == {
        "newsletter.toml",
        "reviews.toml",
        "posts/a/post.md",
        "posts/a/car.jpg",
        "templates/web/home.html",
        "var/mailed/p/car.jpg",
        "var/keys.toml",
        "var/newsletter.sqlite3",
    }
    assert (tmp_path / "again/posts/a/car.jpg").read_text() == "a picture"
    assert made.counts["files"] == len(found)


def test_nobody_else_may_read_it_nor_the_secrets_that_come_out_of_it(backups: Backups, tmp_path: Path) -> None:
    made = backups.make(NIGHT, keep=3)
    restore(made.file, tmp_path / "again")
    for path in (made.file, tmp_path / "again/var/keys.toml", tmp_path / "again/var/newsletter.sqlite3"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.file.parent.stat().st_mode) == 0o700


def test_the_database_is_whole_though_others_write_meanwhile(backups: Backups, places: Places, tmp_path: Path) -> None:
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(file_of(places), timeout=30)) as connection:
            while not stop.is_set():
                with connection:
                    connection.executemany(LOG, [()] * 10)
                wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(10)
        made = backups.make(NIGHT, keep=3)
    finally:
        stop.set()
        writer.join()
    restore(made.file, tmp_path / "again")
    there = rows(tmp_path / "again/var/newsletter.sqlite3")
    assert 0 < there <= rows(file_of(places))
    assert there % 10 == 0


def test_records_that_a_server_keeps_are_not_in_it(places: Places, tmp_path: Path) -> None:
    made = Backups(tmp_path / "backups", replace(places, database=None)).make(NIGHT, keep=3)
    assert dict(made.counts) == {"files": made.counts["files"]}
    restore(made.file, tmp_path / "again")
    assert not (tmp_path / "again/var/newsletter.sqlite3").exists()
    assert (tmp_path / "again/var/keys.toml").exists()


def test_only_so_many_are_kept_and_nothing_else_is_touched(backups: Backups, tmp_path: Path) -> None:
    mine = tmp_path / "backups" / "newsletter-of-mine.tar.gz"
    for day in range(4):
        backups.make(NIGHT + timedelta(days=day), keep=2)
        mine.touch()
    kept = sorted(file.name for file in mine.parent.iterdir())
    assert kept == [
        "newsletter-20261129T020000Z.tar.gz",
        "newsletter-20261130T020000Z.tar.gz",
        "newsletter-of-mine.tar.gz",
    ]
    assert backups.last() == NIGHT + timedelta(days=3)


def test_a_damaged_database_makes_no_backup_and_older_ones_stay(backups: Backups, places: Places) -> None:
    first = backups.make(NIGHT, keep=1)
    content = bytearray(file_of(places).read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    for companion in file_of(places).parent.glob("newsletter.sqlite3-*"):
        companion.unlink()
    file_of(places).write_bytes(content)
    with pytest.raises(Outside) as told:
        backups.make(NIGHT + timedelta(days=1), keep=1)
    assert told.value.problems[0].code in {"C531", "C532"}
    assert [*first.file.parent.iterdir()] == [first.file]


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_flipped_bit_or_a_missing_end_is_noticed_before_anything_is_restored(
    backups: Backups, tmp_path: Path, where: float
) -> None:
    made = backups.make(NIGHT, keep=1)
    content = bytearray(made.file.read_bytes())
    flipped = bytearray(content)
    flipped[int(len(content) * where)] ^= 4
    for broken in (flipped, content[: int(len(content) * where)]):
        made.file.write_bytes(broken)
        with pytest.raises(Outside, match="C532"):
            restore(made.file, tmp_path / "again")
        assert not (tmp_path / "again").exists()


def test_a_changed_file_in_it_is_noticed_too(backups: Backups, tmp_path: Path) -> None:
    made = backups.make(NIGHT, keep=1)
    plain = gzip.decompress(made.file.read_bytes()).replace(b"a picture", b"b picture")
    made.file.write_bytes(gzip.compress(plain))
    with pytest.raises(Outside, match="C532"):
        verified(made.file)


def test_no_name_in_it_leads_out_of_the_folder(tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as packed:
        files = {"site/newsletter.toml": b"", "site/../../out.txt": b"x"}
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        listed = json.dumps({"files": hashes, "counts": {"subscriber": 0}}).encode()
        for name, content in {**files, CONTENTS: listed}.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            packed.addfile(about, io.BytesIO(content))
    with pytest.raises(Outside, match="C532"):
        restore(evil, tmp_path / "again")
    assert not (tmp_path / "out.txt").exists()
    assert not (tmp_path / "again").exists()


def test_an_empty_folder_is_filled_and_keeps_its_owner_and_mode(backups: Backups, tmp_path: Path) -> None:
    made = backups.make(NIGHT, keep=1)
    (tmp_path / "there").mkdir(mode=0o750)
    before = (tmp_path / "there").stat()
    restore(made.file, tmp_path / "there")
    after = (tmp_path / "there").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    found = {path.name for path in (tmp_path / "there").iterdir()}
    assert found == {"newsletter.toml", "reviews.toml", "posts", "templates", "var"}


def test_a_restore_never_writes_over_anything(backups: Backups, tmp_path: Path) -> None:
    made = backups.make(NIGHT, keep=1)
    there = tmp_path / "again"
    there.mkdir()
    (there / "mine.txt").write_text("mine")
    with pytest.raises(Refused, match="C533"):
        restore(made.file, there)
    assert [file.name for file in there.iterdir()] == ["mine.txt"]
