"""Lists of readers on a real disk and in a real database: whole, cut off, hostile, and back again."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError, Outside, UsageError
from newsletter.model import Evidence, LetterKind, SubscriberStatus
from newsletter.readers.exporting import table
from newsletter.readers.importing.deciding import Fate
from newsletter.readers.importing.disk import ListFile, RejectedFile
from newsletter.store.database import Database, open_database
from newsletter.store.importing import SqlImports
from newsletter.store.letters import SqlLetters
from newsletter.store.roster import SqlRoster
from newsletter.usecases import import_readers as usecase
from newsletter.usecases.import_readers import Imported, Place, Wanted, import_readers
from tests.contract.desk import hashed
from tests.unit.readers.importing import exports

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
SOON = NOW + timedelta(days=1)
ALL_EDITIONS = frozenset({"weekly", "monthly", "each-post"})
GO, PROVEN = Wanted(go=True), Wanted(go=True, consent="the form of 2021")


@dataclass
class Desk:
    """A site's readers, and a folder for lists."""

    folder: Path
    database: Database

    def __post_init__(self) -> None:
        self.imports = SqlImports(self.database, hashed)
        self.roster = SqlRoster(self.database, hashed)

    def write(self, content: str | bytes, name: str = "list.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def take(self, content: str | bytes | Path, wanted: Wanted = GO, name: str = "list.csv") -> Imported:
        path = content if isinstance(content, Path) else self.write(content, name)
        with closing(RejectedFile(path)) as rejected:
            return import_readers(ListFile(path), wanted, self.imports, rejected, Place(ALL_EDITIONS, UTC, NOW))

    def statuses(self) -> dict[str, str]:
        return {reader.address: reader.status.value for reader in self.roster.all()}

    def rejected(self, name: str = "list") -> list[dict[str, str]]:
        with (self.folder / f"{name}.rejected.csv").open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))

    def exported(self) -> str:
        return "".join(table(self.imports.readers(None)))


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "empty.sqlite3"
    open_database(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def desks(tmp_path: Path, empty_file: Path) -> Iterator[Any]:
    opened: list[Database] = []

    def desk() -> Desk:
        folder = tmp_path / f"desk{len(opened)}"
        folder.mkdir()
        shutil.copy(empty_file, folder / "newsletter.sqlite3")
        opened.append(open_database(f"sqlite:///{folder / 'newsletter.sqlite3'}"))
        return Desk(folder, opened[-1])

    yield desk
    for database in opened:
        database.close()


@pytest.fixture
def desk(desks: Any) -> Desk:
    made: Desk = desks()
    return made


@pytest.mark.parametrize(
    ("export", "name", "expected"),
    [
        (exports.MAILCHIMP_SUBSCRIBED, "subscribed.csv", {"ada": "active"}),
        (exports.MAILCHIMP_UNSUBSCRIBED, "unsubscribed.csv", {"ada": "left"}),
        (exports.MAILCHIMP_CLEANED, "cleaned.csv", {"ada": "blocked"}),
        (exports.SUBSTACK, "email_list.csv", {"ada": "active", "bob": "active", "cleo": "left"}),
        (exports.GHOST, "members.csv", {"ada": "active", "cleo": "left"}),
        (
            exports.BUTTONDOWN,
            "subscribers.csv",
            {"ada": "active", "bob": "unconfirmed", "cleo": "left", "dora": "active", "ed": "blocked"},
        ),
        (exports.LISTMONK, "subscribers.csv", {"ada": "active", "cleo": "left", "ed": "blocked"}),
    ],
)
def test_the_readers_of_five_programs_move_in_as_they_stood_there(
    desk: Desk, export: str, name: str, expected: dict[str, str]
) -> None:
    desk.take(export, PROVEN, name)
    assert desk.statuses() == {f"{who}@readers.example": status for who, status in expected.items()}


def test_a_dry_run_says_what_a_real_one_does_and_does_nothing(desk: Desk) -> None:
    dry = desk.take(exports.BUTTONDOWN, Wanted())
    assert desk.statuses() == {}
    assert SqlLetters(desk.database).due(SOON, 9) == []
    real = desk.take(exports.BUTTONDOWN)
    assert real.fates == dry.fates
    assert [letter.kind for letter in SqlLetters(desk.database).due(SOON, 9)] == [LetterKind.CONFIRM] * 3


def test_a_second_time_changes_nothing(desk: Desk) -> None:
    desk.take(exports.BUTTONDOWN)
    before = desk.exported()
    again = desk.take(exports.BUTTONDOWN)
    assert again.added == 0
    assert desk.exported() == before
    assert len(SqlLetters(desk.database).due(SOON, 9)) == 3


def test_nobody_who_said_no_here_is_revived_and_all_are_told_with_a_reason(desk: Desk) -> None:
    cli = Evidence("cli")
    for name in ("ada", "bob", "cleo", "dora"):
        reader = desk.roster.add(f"{name}@readers.example", edition="weekly", evidence=cli, now=NOW)
        assert reader
        if name == "bob":
            desk.roster.leave(reader.id, evidence=cli, now=NOW)
        elif name == "cleo":
            desk.roster.block(reader.id, reason="complained", evidence=cli, now=NOW)
        elif name == "dora":
            desk.roster.forget(reader.id, now=NOW)
    before = desk.statuses()
    people = ["ada", "bob", "cleo", "dora", "ADA", "new", "new", "=cmd|x", "no"]
    done = desk.take("email\n" + "".join(f"{name}@readers.example\n" for name in people) + "nobody\n", PROVEN)
    assert desk.statuses() == before | {"new@readers.example": "active", "no@readers.example": "active"}
    assert done.fates[Fate.HERE] == 1
    assert [(row["row"], row["reason"].split(":")[0].split(";")[0]) for row in desk.rejected()] == [
        ("3", "left before"),
        ("4", "blocked"),
        ("5", "asked to be forgotten"),
        ("6", "is in this file before"),
        ("8", "is in this file before"),
        ("9", "'=cmd|x@readers.example' is refused"),
        ("11", "'nobody' is not an email address"),
    ]
    assert desk.rejected()[5]["email"] == "'=cmd|x@readers.example"  # no formula in a spreadsheet


def test_a_no_in_any_row_wins_over_a_yes_in_another(desk: Desk) -> None:
    rows = "".join(f"r{n}@readers.example,active\n" for n in range(5000))
    desk.take(f"email,status\nada@readers.example,active\n{rows}Ada@Readers.example,unsubscribed\n", PROVEN)
    assert desk.statuses()["ada@readers.example"] == "left"


def test_two_ways_to_write_one_address_are_one_reader(desk: Desk) -> None:
    desk.take("email\nada@münchen.example\nada@xn--mnchen-3ya.example\nada@MÜNCHEN.example\n", PROVEN)
    assert list(desk.statuses()) == ["ada@xn--mnchen-3ya.example"]


def test_no_file_of_rejected_rows_is_left_where_there_are_none(desk: Desk) -> None:
    desk.take("email\nnobody\n", Wanted())
    assert desk.rejected()[0]["row"] == "2"
    desk.take("email\nada@readers.example\n", Wanted())
    assert not (desk.folder / "list.rejected.csv").exists()


people = st.lists(
    st.tuples(
        st.sampled_from(list(SubscriberStatus)),
        st.sampled_from(sorted(ALL_EDITIONS)),
        st.lists(st.sampled_from(["cars", "trains", "ships"]), unique=True).map(sorted),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people)
def test_what_is_exported_can_be_imported_into_an_empty_site(desks: Any, chosen: list[Any]) -> None:
    first, second = desks(), desks()
    rows = "".join(
        f"r{n}@readers.example,{status.value},{edition},{' '.join(without)},{'text' if plain else 'html'},"
        f"2024-03-0{n + 1}T10:00:00Z,{'2025-01-01T00:00:00Z' if status is SubscriberStatus.LEFT else ''}\n"
        for n, (status, edition, without, plain) in enumerate(chosen)
    )
    first.take(f"address,status,edition,topics left out,format,joined,left\n{rows}", PROVEN)
    second.take(first.exported(), PROVEN, "readers.csv")
    assert second.exported() == first.exported()
    assert [reader.status for reader in second.roster.all()] == [status for status, *_ in chosen]


# -- cut off


def test_what_was_cut_off_goes_on_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecase, "STEP", 10)
    rows = [f"r{n}@readers.example" if n % 7 else "nobody" for n in range(100)]
    path = desk.write("email\n" + "\n".join(rows) + "\nr1@readers.example\n")
    steps = 0

    def pulled_out(_what: str, done: int, of: int) -> None:
        nonlocal steps
        steps += of > 0
        if done == 50:
            raise KeyboardInterrupt

    place = Place(ALL_EDITIONS, UTC, NOW)
    with closing(RejectedFile(path)) as rejected, pytest.raises(KeyboardInterrupt):
        import_readers(ListFile(path), GO, desk.imports, rejected, place, pulled_out)
    assert len(desk.statuses()) == 42
    with (desk.folder / "list.rejected.csv").open("a") as stream:
        stream.write("written after the last commit")
    tried = desk.take(path, Wanted())
    assert (tried.begun_at, tried.fates[Fate.NEW]) == (50, 85)  # a try says what will have become of all
    done = desk.take(path)
    assert done.begun_at == 50
    assert (done.fates[Fate.NEW], done.fates[Fate.WRONG], done.fates[Fate.TWICE]) == (85, 15, 1)
    assert [int(row["row"]) for row in desk.rejected()] == [*range(2, 102, 7), 102]
    assert len(SqlLetters(desk.database).due(SOON, 200)) == 85
    assert desk.take(path).begun_at == 0  # it was over


def test_a_try_of_something_else_meanwhile_leaves_no_half_row(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecase, "STEP", 2)

    def pulled_out(_what: str, done: int, _of: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    path = desk.write("email,status\n" + "nobody,active\nada@readers.example,VIP\n" * 3)
    with closing(RejectedFile(path)) as rejected, pytest.raises(KeyboardInterrupt):
        import_readers(ListFile(path), GO, desk.imports, rejected, Place(ALL_EDITIONS, UTC, NOW), pulled_out)
    desk.take(path, Wanted(columns={"status": ""}))
    assert desk.take(path).begun_at == 4
    assert [row["row"] for row in desk.rejected()] == ["6", "7"]


def test_another_file_of_that_name_begins_at_its_beginning(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecase, "STEP", 1)

    def pulled_out(_what: str, done: int, _of: int) -> None:
        raise KeyboardInterrupt

    path = desk.write("email\nada@readers.example\nbob@readers.example\n")
    with closing(RejectedFile(path)) as rejected, pytest.raises(KeyboardInterrupt):
        import_readers(ListFile(path), GO, desk.imports, rejected, Place(ALL_EDITIONS, UTC, NOW), pulled_out)
    assert desk.take("email\ncleo@readers.example\nbob@readers.example\n").begun_at == 0
    assert len(desk.statuses()) == 3


# -- hostile


def test_ten_gigabytes_of_zeros_are_refused_before_they_are_read(desk: Desk) -> None:
    path = desk.folder / "zeros.csv"
    with path.open("wb") as stream:
        os.truncate(stream.fileno(), 10_000_000_000)
    with pytest.raises(NewsletterError, match="R121"):
        desk.take(path)
    with path.open("wb") as stream:
        os.truncate(stream.fileno(), 900_000_000)  # within the limit: the first block says what it is
    with pytest.raises(NewsletterError, match="R120"):
        desk.take(path)


def test_a_million_columns_are_refused(desk: Desk) -> None:
    with pytest.raises(NewsletterError, match="R122"):
        desk.take("email" + "," * 1_000_000 + "\nada@readers.example\n")
    assert desk.statuses() == {}


def test_more_rows_than_are_read_at_once_are_refused_before_one_is_added(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.readers.importing.survey.ROWS", 5000)
    with pytest.raises(NewsletterError, match="R126"):
        desk.take("email\n" + "".join(f"r{n}@readers.example\n" for n in range(5001)))
    assert desk.statuses() == {}


def test_what_is_no_file_is_refused(desk: Desk) -> None:
    os.mkfifo(desk.folder / "pipe.csv")
    for name in ("pipe.csv", "nothing.csv", "."):
        with pytest.raises(UsageError, match="R128"):
            desk.take(desk.folder / name)


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_done(desk: Desk) -> None:
    path = desk.write("email\nada@readers.example\nnobody\n")
    (desk.folder / "list.rejected.csv").mkdir()  # root may write everywhere; over a folder nobody can
    with pytest.raises(Outside, match="R129"):
        desk.take(path)
    assert desk.statuses() == {}


CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from newsletter.readers.importing.disk import ListFile, RejectedFile
from newsletter.store.database import open_database
from newsletter.store.importing import SqlImports
from newsletter.usecases.import_readers import Place, Wanted, import_readers
from tests.contract.desk import hashed

path, database, how = Path(sys.argv[1]), open_database(f"sqlite:///{sys.argv[2]}"), sys.argv[3]
held = []
class Listing(ListFile):
    def open(self):
        if how == "held":
            held.append(self._path.read_bytes())
        return super().open()
place = Place(frozenset({"weekly"}), UTC, datetime(2026, 11, 27, tzinfo=UTC))
def peak():  # of this program; ru_maxrss counts the one that it was forked from as well
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
before = peak()
import_readers(Listing(path), Wanted(go=True), SqlImports(database, hashed), RejectedFile(path), place)
print(peak() - before)
"""


def grown(desk: Desk, path: Path, empty_file: Path, how: str) -> int:
    """By how many bytes the memory of a process grew at most that imported the file."""
    database = shutil.copy(empty_file, desk.folder / f"{how}.sqlite3")
    command = [sys.executable, "-c", CHILD, str(path), str(database), how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_memory_does_not_grow_with_the_file(desk: Desk, empty_file: Path) -> None:
    size, rows = 30_000_000, 15_000
    note = "n" * (size // rows)
    path = desk.write("email,note\n" + "".join(f"r{n}@readers.example,{note}\n" for n in range(rows)))
    assert grown(desk, path, empty_file, "read on") < size
    assert grown(desk, path, empty_file, "held") > size  # so that it would be seen
