"""What leaves this repository: a wheel that works in an empty environment, and the demo."""

from __future__ import annotations

import os
import shutil
import signal
import site as python_site
import subprocess
import sys
from pathlib import Path

from tests.acceptance.harness import parsed, part

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "feeds"
"""The whole published folder of the demo; `make golden` writes it, and its diff shows what a change did."""


def built(folder: Path) -> Path:
    """A wheel of this tree."""
    backend = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", backend, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.split()[-1]


def test_the_wheel_alone_makes_publishes_and_mails_a_site(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = ["install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    target = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    # The pinned dependencies are those of this environment; a path file lends them without the editable install.
    (Path(target) / "dependencies.pth").write_text(python_site.getsitepackages()[0] + "\n", encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NEWSLETTER_", "PYTHON"))}
    environment["HOME"] = str(tmp_path)

    def newsletter(*words: str, cwd: Path) -> str:
        command = [str(python.with_name("newsletter")), *words]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    which = [str(python), "-c", "import newsletter; print(newsletter.__file__)"]
    where = subprocess.run(which, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert str(tmp_path / "env") in where.stdout
    newsletter("init", "mysite", cwd=tmp_path)
    site = tmp_path / "mysite"
    newsletter("publish", cwd=site)
    newsletter("reader", "add", "ada@readers.example", "--consent", "a test", cwd=site)
    newsletter("issue", "send", "next", "--confirm", "1:1", "--delay", "0", "--wait", cwd=site)
    assert (site / "feeds" / "rss.xml").is_file()
    assert len(list((site / "var" / "outbox" / "new").glob("*.eml"))) == 1
    environment["NEWSLETTER_SITE__LANGUAGE"] = "fr"
    newsletter("publish", cwd=site)
    assert ">Articles</a>" in (site / "feeds" / "index.html").read_text(encoding="utf-8")


def test_two_wheels_of_one_tree_are_the_same_bytes(tmp_path: Path) -> None:
    assert built(tmp_path / "one").read_bytes() == built(tmp_path / "two").read_bytes()


def published(folder: Path) -> dict[str, bytes]:
    """Every file that readers see, with its bytes."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def demo(root: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
    done = subprocess.run(
        [sys.executable, "tools/demo.py"],
        cwd=root,
        env=environment | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_plays_two_weeks_and_run_again_sends_nothing_twice(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("newsletter", "templates", "posts", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("newsletter.toml", "reviews.toml"):
        shutil.copy(ROOT / name, root / name)
    said = demo(root)
    outbox = root / "build" / "demo" / "var" / "outbox" / "new"
    first = {path.name: path.read_bytes() for path in outbox.glob("*.eml")}
    to_readers = {name: mail for name, mail in first.items() if b"List-Id:" in mail}
    assert len(to_readers) == 6
    assert [name.split(".")[0] for name in first.keys() - to_readers.keys()] == ["notice", "notice"]
    assert "feeds/rss.xml" in said
    assert all(name in said for name in first)
    second_issue = [parsed(mail) for mail in to_readers.values() if b"Alliance" in mail[:900]]
    assert len(second_issue) == 3
    text = part(second_issue[0], "plain")
    assert "Last week" in text
    assert "https://autotrendy.example/posts/all-solid-state-batteries/" in text
    assert published(root / "feeds") == published(GOLDEN), "seen and meant? make golden"
    alliance = next((root / "feeds" / "posts").glob("*alliance*/index.html")).read_text(encoding="utf-8")
    assert ">last week</a>" in alliance
    demo(root)
    assert {path.name: path.read_bytes() for path in outbox.glob("*.eml")} == first


def test_an_interrupt_while_the_program_is_being_read_ends_it_without_a_word(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "class Hit:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Hit())\n"
        "from newsletter.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")
