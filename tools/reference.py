"""Writes the reference pages of `docs/` from the code that they describe; a test fails when they are out of date.

python tools/reference.py          write them
python tools/reference.py --check  exit 1 when one differs
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from newsletter.cli.door import Group, common_options
from newsletter.cli.program import BLOCKS, root
from newsletter.config import ENV_PREFIX, reference

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"[PISFRC]\d{3}")
GENERATED = "<!-- Written by tools/reference.py from the code. Edit there. -->"


def pages() -> dict[str, str]:
    """Path -> content of every generated page."""
    return {
        "docs/configuration.md": "\n".join(configuration()) + "\n",
        "docs/commands.md": "\n".join(commands()) + "\n",
        "docs/errors.md": "\n".join(errors()) + "\n",
    }


def configuration() -> Iterator[str]:
    yield from ("# Configuration", "", GENERATED, "")
    yield "A site is a folder with a `newsletter.toml`. Every key can also be given as an environment variable, which"
    yield f"wins: `mail.host` is `{ENV_PREFIX}MAIL__HOST`. An unknown key or variable is refused with the nearest one."
    yield "The password of the mail server is never in this file: it comes from `mail.password_file` or from"
    yield f"`{ENV_PREFIX}MAIL__PASSWORD`."
    yield from ("", "| key | default | what it does |", "|---|---|---|")
    for key, default, description in reference():
        yield f"| `{key}` | {f'`{default}`' if default and default != 'required' else default} | {description} |"


def commands() -> Iterator[str]:
    yield from ("# Commands", "", GENERATED, "")
    yield "stdout carries the answer, stderr everything else. Exit status: 0 done · 1 a problem in what was given ·"
    yield "2 wrong usage · 3 refused by a safeguard · 4 outside trouble, try again · 130 interrupted."
    yield from ("", "On every command:", "", "| option | |", "|---|---|")
    for option in common_options():
        yield f"| {_names(option)} | {option.help} |"
    context = click.Context(root, info_name="newsletter")
    for title, block in BLOCKS.items():
        yield from ("", f"## {title}")
        for name in block:
            yield from _command(root, context, name)


def _command(group: Group | click.Command, context: click.Context, name: str) -> Iterator[str]:
    assert isinstance(group, Group)
    command = group.get_command(context, name)
    assert command is not None
    inner = click.Context(command, parent=context, info_name=name)
    if isinstance(command, Group):
        for child in command.list_commands(inner):
            yield from _command(command, inner, child)
        return
    pieces = " ".join(command.collect_usage_pieces(inner)[1:])
    sentence, *examples = (command.help or "").split("\b")
    yield from ("", f"### `{inner.command_path} {pieces}`".replace(" `", "`", 0), "", " ".join(sentence.split()))
    for example in examples:
        yield from ("", "```", *(line.strip() for line in example.strip().splitlines()), "```")
    common = {option.name for option in common_options()}
    own = [p for p in command.params if isinstance(p, click.Option) and p.name not in common]
    if own:
        yield from ("", "| option | |", "|---|---|")
        for option in own:
            yield f"| {_names(option)} | {option.help or ''} |"


def _names(option: click.Option) -> str:
    metavar = f" {option.metavar}" if option.metavar and not option.is_flag else ""
    return ", ".join(f"`{name}`" for name in option.opts) + f"{metavar}".replace("|", "\\|")


def errors() -> Iterator[str]:
    yield from ("# Error codes", "", GENERATED, "")
    yield "Each message names the place, the reason and a way out. P posts, I issues, S sending, F feeds, R readers,"
    yield "C configuration and the machine. A … stands for what is filled in."
    yield from ("", "| code | message | from |", "|---|---|---|")
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ROOT / "newsletter").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / "newsletter").with_suffix("").parts)
        for code, message in _codes(ast.parse(path.read_text(encoding="utf-8"))):
            if len(message) > len(found.get(code, ("", ""))[0]):
                found[code] = (message, module)
            found.setdefault(code, (message, module))
    for code, (message, module) in sorted(found.items()):
        yield f"| {code} | {message or '(its own words)'} | `{module}` |"


def _codes(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each code of a module, with the words that stand beside it in the call or tuple."""
    named = sorted(
        (node.lineno, target.id, text)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (text := _text(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    )
    for node in ast.walk(tree):
        beside = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        for n, child in enumerate(beside):
            for code in _code(child):
                said = {name: text for line, name, text in named if line <= child.lineno}  # what was said last
                yield code, _words(beside[n + 1 :], said)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            yield from ((code, "") for code in _code(node))


def _code(node: ast.AST) -> list[str]:
    """The codes that an expression may stand for."""
    if isinstance(node, ast.IfExp):
        return [*_code(node.body), *_code(node.orelse)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
        return [node.value]
    return []


def _words(beside: Sequence[ast.expr], named: Mapping[str, str]) -> str:
    for node in beside:
        text = named.get(node.id, "") if isinstance(node, ast.Name) else _text(node)
        if text and " " in text:
            return text.replace("|", "\\|").replace("\n", " ")
    return ""


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return None


def main() -> int:
    stale = [name for name, text in pages().items() if _present(name) != text]
    if "--check" in sys.argv:
        for name in stale:
            print(f"{name} is out of date: python tools/reference.py")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(pages()[name], encoding="utf-8")
    return 0


def _present(name: str) -> str:
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
