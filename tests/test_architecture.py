"""The walls of the house: who may import whom, where the clock, the disk and the network may be touched.

The table is `docs/architecture.md`'s. Rooms stand side by side and know the words, not each other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "newsletter"
GROUND = {
    "addresses",
    "colours",
    "errors",
    "model",
    "pace",
    "providers",
    "replies",
    "segments",
    "tongue",
    "variants",
    "words",
}
ROOMS = {"content", "publish", "issues", "delivery", "readers", "store", "outside"}
EDGES = {
    "content.source",
    "content.importing.disk",
    "readers.importing.disk",
    "outside.client",
    "publish.album",
    "publish.deploy",
    "publish.exchange",
    "publish.hosting",
    "publish.links",
    "publish.live",
    "publish.output",
    "publish.placing",
    "publish.records",
    "publish.standby",
    "publish.websub",
    "publish.search",
    "delivery.signers",
    "delivery.signing_process",
    "delivery.smtp",
    "delivery.wire",
    "delivery.outbox",
    "delivery.ahead",
    "delivery.committer",
    "delivery.engine",
    "delivery.lane",
    "delivery.cluster",
    "delivery.offers",
    "delivery.shift",
    "store",
}
DOORS = {"app", "edges", "cli", "clock", "web", "config", "copies", "looks", "templates", "starter"}
IMPURE = {
    "time",
    "random",
    "secrets",
    "socket",
    "os",
    "subprocess",
    "smtplib",
    "sqlite3",
    "urllib.request",
    "http.client",
    "tempfile",
    "shutil",
    "ssl",
    "threading",
    "fcntl",
    "signal",
}
PURE_HALF = [
    "newsletter.content.library",
    "newsletter.publish.feeds",
    "newsletter.publish.jsonfeed",
    "newsletter.publish.archive",
    "newsletter.issues.selection",
    "newsletter.issues.digest",
    "newsletter.issues.preflight",
    "newsletter.delivery.message",
    "newsletter.delivery.retry",
    "newsletter.readers.tokens",
]


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package as (name below `newsletter`, path)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner(path: Path) -> set[str]:
    """The modules of this package that a file imports, as names below `newsletter`."""
    known = {name for name, _ in modules()}
    found = (name.removeprefix("newsletter.") for name in imports(path) if name.startswith("newsletter."))
    return {name for name in found if name in known}


def is_edge(name: str) -> bool:
    return any(name == edge or name.startswith(f"{edge}.") for edge in EDGES)


def room(name: str) -> str:
    return name.partition(".")[0]


ALL = list(modules())


@pytest.mark.parametrize(("name", "path"), ALL, ids=[name or "newsletter" for name, _ in ALL])
def test_a_module_imports_only_what_stands_below_it(name: str, path: Path) -> None:
    here = room(name)
    for target in inner(path):
        there = room(target)
        if here in GROUND:
            assert there in GROUND, f"{name} is on the ground floor and imports {target}"
        elif here == "ports":
            assert there in GROUND, f"ports imports {target}"
        elif here in ROOMS:
            assert there in GROUND | {"ports", here}, f"rooms stand side by side: {name} imports {target}"
            if not is_edge(name):
                assert not is_edge(target), f"{name} is pure and imports the edge {target}"
        elif here == "usecases":
            assert there in GROUND | {"ports", "usecases"} | ROOMS, f"{name} imports the door {target}"
            assert not is_edge(target), f"{name} imports the edge {target}"
        elif here in DOORS - {"app", "edges"}:
            assert not is_edge(target), f"only app and edges import edges, {name} imports {target}"


@pytest.mark.parametrize(("name", "path"), [(n, p) for n, p in ALL if room(n) in ROOMS | GROUND | {"ports"}])
def test_a_pure_module_touches_no_clock_chance_disk_or_network(name: str, path: Path) -> None:
    if is_edge(name):
        return
    touched = {target for target in imports(path) if target in IMPURE}
    assert not touched, f"{name} is pure and imports {sorted(touched)}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"utcnow", "today", "urandom"}, f"{name}:{node.lineno} reads the clock or chance"
            now = node.attr == "now" and isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}
            assert not now, f"{name}:{node.lineno} reads the clock"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "input", "print"}, f"{name}:{node.lineno} calls {node.func.id}"


def test_no_module_is_imported_in_a_circle() -> None:
    graph = {name: inner_at_import(path) for name, path in ALL}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"import circle: {' -> '.join((*above, name))}"
        if name in done:
            return
        for target in graph.get(name, ()):
            visit(target, (*above, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def inner_at_import(path: Path) -> set[str]:
    """The package's modules that are loaded when this one is: imports outside of functions and TYPE_CHECKING."""
    known = {name for name, _ in ALL}
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("newsletter"):
            base = node.module.removeprefix("newsletter").lstrip(".")
            names = {f"{base}.{alias.name}".lstrip(".") for alias in node.names}
            found |= {n for n in names if n in known} or {base}
    return found


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("feedgen", "publish.feeds"),
        ("premailer", "issues.inline"),
        ("apscheduler", "clock"),
        ("procrastinate", "delivery.cluster"),
        ("PIL", "publish.pictures"),
        ("pyromark", "content.parts"),
    ],
)
def test_a_library_that_breaks_the_rules_is_caged_in_one_module(library: str, home: str) -> None:
    users = {name for name, path in ALL if any(target.split(".")[0] == library for target in imports(path))}
    assert users == {home}


def test_the_way_of_a_test_mail_cannot_read_a_reader() -> None:
    """A test of an issue goes to the house only: what could name a reader never comes into its two modules."""
    way = (PACKAGE / "usecases/proof.py", {"Proofs", "Transport"}), (PACKAGE / "store/proofs.py", {"proof"})
    for path, allowed in way:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        edges = ("newsletter.ports", "newsletter.store.tables")
        taken = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module in edges]
        assert {alias.name for node in taken for alias in node.names} == allowed
        words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not words & {"Roster", "Ledger", "Subscriber", "subscriber", "delivery", "App"}


@pytest.mark.parametrize("module", PURE_HALF)
def test_the_pure_half_loads_no_database_mail_or_scheduler(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "loaded = {'sqlite3', 'sqlalchemy', 'smtplib', 'apscheduler'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(loaded)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{module} loads {done.stderr}"


def test_importing_the_package_builds_nothing(tmp_path: Path) -> None:
    names = [f"newsletter.{name}".rstrip(".") for name, _ in ALL if "migrations" not in name]
    script = f"import importlib\nfor name in {names!r}: importlib.import_module(name)\n"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []
