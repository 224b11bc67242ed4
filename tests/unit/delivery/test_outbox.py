"""The outbox as a folder: names, repeats, and what an outage leaves behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from newsletter.delivery.outbox import Outbox, file_name
from newsletter.errors import Outside
from newsletter.model import Message


def a_message(content: bytes = b"one\r\n", message_id: str = "12.abc@autotrendy.example") -> Message:
    return Message("e@autotrendy.example", "r@readers.example", message_id, (content,))


def files(outbox: Path) -> list[str]:
    return sorted(str(file.relative_to(outbox)) for file in outbox.rglob("*") if file.is_file())


def test_a_message_lies_in_new_under_the_name_of_its_message_id(tmp_path: Path) -> None:
    Outbox(tmp_path).send(a_message())
    assert files(tmp_path) == ["new/12.abc.eml"]
    assert (tmp_path / "cur").is_dir()


def test_the_same_message_again_leaves_one_file(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.send(a_message(b"one\r\n"))
    outbox.send(a_message(b"two\r\n"))
    assert files(tmp_path) == ["new/12.abc.eml"]
    assert (tmp_path / "new/12.abc.eml").read_bytes() == b"two\r\n"


@pytest.mark.parametrize(
    ("message_id", "name"),
    [("12.abc@a.example", "12.abc.eml"), ("../../x@a", "__.._x.eml"), ("a b/c@a", "a_b_c.eml"), ("..@a", "_.eml")],
)
def test_a_file_name_stays_in_its_folder(message_id: str, name: str) -> None:
    assert file_name(message_id) == name


def test_a_folder_that_cannot_be_written_is_trouble_outside_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/12.abc.eml").mkdir()
    with pytest.raises(Outside) as outside:
        Outbox(tmp_path).send(a_message())
    problem = outside.value.problems[0]
    assert (problem.code, problem.file) == ("S330", str(tmp_path))
    assert files(tmp_path) == []


def test_only_the_owner_can_read_what_is_mailed(tmp_path: Path) -> None:
    Outbox(tmp_path).send(a_message())
    assert (tmp_path / "new/12.abc.eml").stat().st_mode & 0o077 == 0


def test_the_outbox_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    with Outbox(tmp_path).open() as session:
        session.send(a_message())
