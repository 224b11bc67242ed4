"""`--help` of every command: one sentence, real examples, on one screen."""

from __future__ import annotations

import click
import pytest

from newsletter.cli.door import Group
from newsletter.cli.program import root, run


def _leaves(group: Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found += _leaves(command, (*path, name)) if isinstance(command, Group) else [(*path, name)]
    return found


assert isinstance(root, Group)
COMMANDS = _leaves(root)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_fits_a_screen_and_shows_the_command_in_use(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--help"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert len(told.out.splitlines()) <= 24
    assert f"  newsletter {' '.join(words)}" in told.out
    assert "--site" in told.out
