"""Documents cannot lie: reference pages are those of the code, README commands run, words are the model's."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.program import BLOCKS, root
from newsletter.config import reference
from tests.acceptance.harness import COMMAND, SiteFolder, until

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_reference_pages_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_key_and_every_command_is_documented() -> None:
    configuration = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in configuration for key, _, _ in reference())
    commands = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert all(f"`newsletter {name}" in commands for block in BLOCKS.values() for name in block)


def test_every_code_in_the_code_is_in_the_list_of_errors() -> None:
    listed = set(re.findall(r"^\| ([PISFRC]\d{3}) \|", (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.M))
    used: set[str] = set()
    for path in (ROOT / "newsletter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used |= {node.value} if re.fullmatch(r"[PISFRC]\d{3}", node.value) else set()
    assert used <= listed, sorted(used - listed)


def test_every_promise_of_the_feeds_names_tests_that_there_are() -> None:
    page = (ROOT / "docs/feeds.md").read_text(encoding="utf-8")
    rules = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", page, re.M)
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)", tests, re.M))

    assert [int(number) for number, _ in rules] == [*range(1, 47)]
    assert all("`test_" in kept or kept.startswith("none: ") for _, kept in rules)
    assert set(re.findall(r"`(test_\w+)`", page)) - there == set()


def named_tests(text: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", text))


def existing_tests() -> set[str]:
    tests = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in tests for name in re.findall(r"^def (test_\w+)", text, re.M)}


def test_every_mistake_names_tests_that_there_are() -> None:
    page = (ROOT / "docs/mistakes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", page, re.M)
    assert [int(number) for number, _ in rows] == [*range(1, 26)]
    assert all("`test_" in kept for _, kept in rows)
    assert named_tests(page) - existing_tests() == set()


def test_every_promise_of_a_delivery_names_tests_that_there_are() -> None:
    page = (ROOT / "docs/delivery.md").read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"^\| I(\d) \|", page, re.M)] == [*range(1, 9)]
    assert named_tests(page)
    assert named_tests(page) - existing_tests() == set()


def test_every_check_of_an_issue_is_listed_with_tests_that_there_are() -> None:
    page = (ROOT / "docs/checks.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\b([PIS]\d{3})\b", " ".join(re.findall(r"^\| ([^|]*) \|", page, re.M))))
    checks = ("preflight", "leftovers", "links", "images", "inbox", "stories", "budget", "fit")
    code = "".join((ROOT / f"newsletter/issues/{name}.py").read_text(encoding="utf-8") for name in checks)
    assert set(re.findall(r"\"([IS]\d{3})\"", code)) <= listed
    assert named_tests(page) - existing_tests() == set()


def test_every_word_of_the_model_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| (\w+) \|", glossary, re.M)) - {"word"}
    tree = ast.parse((ROOT / "newsletter/model.py").read_text(encoding="utf-8"))
    words = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} | {"BackLink"}
    assert words == rows


def test_both_commands_stand_in_the_first_screen_of_the_readme() -> None:
    first_screen = "\n".join(README.splitlines()[:24])
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert "exec make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_every_file_that_a_document_links_to_is_there() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def start_block() -> list[str]:
    """The commands of the five-minute start."""
    block = README.partition("## Five minutes from nothing")[2].split("```sh")[1].split("```")[0]
    return [line.split("  #")[0].strip() for line in block.strip().splitlines()]


def test_the_readme_gets_a_stranger_from_nothing_to_a_mail(tmp_path: Path) -> None:
    commands = start_block()
    assert commands[0].endswith("pip install .")  # the wheel has a test of its own
    where = tmp_path
    served = False
    for line in commands[1:]:
        for command in line.split(" && "):
            words = shlex.split(command)
            if words[0] == "cd":
                where /= words[1]
                continue
            assert words[0] == "newsletter", command
            site = SiteFolder(where)
            if words[1] == "serve":
                with site.started(*words[1:], "--port", "0"):
                    until(lambda: "http://" in "".join(p.read_text() for p in where.glob("serve-*.log")))  # noqa: B023
                served = True
                continue
            result = site.run(*words[1:])
            assert result.status == 0, f"{command}\n{result.out}{result.err}"
    assert served
    assert len(list((where / "var/outbox/new").glob("*.eml"))) == 1


@pytest.mark.parametrize("name", [name for block in BLOCKS.values() for name in block])
def test_the_one_line_help_of_the_list_and_the_command_do_not_contradict(name: str) -> None:
    import click

    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.help, f"{name} has no help"
    assert COMMAND.exists()
