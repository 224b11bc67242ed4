"""The secrets: made once, whole, and for their owner only."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from newsletter.errors import ConfigError, Outside
from newsletter.store.keys import Keys, load_keys

A, B, C, D, E = (letter * 16 for letter in "abcde")

WRITTEN = f'tokens = ["{A}", "{B}"]\nsuppression = "{C}"\nmessage_id = "{D}"\nbounce = "{E}"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "keys.toml"


def write(file: Path, text: str, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    file.chmod(mode)


def test_the_first_start_makes_keys_that_only_their_owner_may_read(file: Path) -> None:
    keys = load_keys(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len({*keys.tokens, keys.suppression, keys.message_id, keys.bounce}) == 4
    assert [each.name for each in file.parent.iterdir()] == ["keys.toml"]


def test_the_keys_of_one_site_stay_and_those_of_two_differ(file: Path, tmp_path: Path) -> None:
    keys = load_keys(file)
    assert load_keys(file) == keys
    assert load_keys(tmp_path / "other.toml") != keys


def test_first_starts_at_once_get_the_same_keys(file: Path) -> None:
    found: list[Keys] = []
    threads = [threading.Thread(target=lambda: found.append(load_keys(file))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_token_keys_rotate_newest_first(file: Path) -> None:
    write(file, WRITTEN)
    assert load_keys(file) == Keys(tokens=(A, B), suppression=C, message_id=D, bounce=E)


def test_secrets_never_show_in_a_representation(file: Path) -> None:
    write(file, WRITTEN)
    assert repr(load_keys(file)) == "Keys()"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_keys_that_others_may_read_or_write_are_refused(file: Path, mode: int) -> None:
    write(file, WRITTEN, mode)
    with pytest.raises(ConfigError) as told:
        load_keys(file)
    [problem] = told.value.problems
    assert (problem.code, problem.fixes) == ("C521", (f"chmod 600 {file}",))


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["tokens is missing", "suppression is missing", "message_id is missing", "bounce is missing"]),
        ("tokens = [", ["this file is not TOML"]),
        (WRITTEN + 'boucne = "x"\n', ["boucne is not a key of this file"]),
        (WRITTEN.replace(f'["{A}", "{B}"]', "[]"), ["tokens must be a list of strings"]),
        (WRITTEN.replace(f'["{A}", "{B}"]', '["short"]'), ["tokens is shorter than 16 characters"]),
        (WRITTEN.replace(f'"{C}"', "3"), ["suppression must be a string"]),
    ],
)
def test_faulty_keys_are_told_together_and_never_replaced(file: Path, text: str, messages: list[str]) -> None:
    write(file, text)
    with pytest.raises(ConfigError) as told:
        load_keys(file)
    assert [each.message for each in told.value.problems] == messages
    assert {each.code for each in told.value.problems} == {"C522"}
    assert file.read_text() == text


def test_a_file_in_the_place_of_the_folder_is_trouble_outside(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(Outside) as told:
        load_keys(tmp_path / "var" / "keys.toml")
    assert told.value.problems[0].code == "C523"
