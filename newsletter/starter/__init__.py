"""What `newsletter init` makes: a commented `newsletter.toml` and sample posts, dated around today.

Everything is built in a folder of its own and moved into place, so a new folder is there whole or not at all.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from newsletter.config import reference
from newsletter.errors import NewsletterError, Problem

_AGES = {"what-this-is.md": 9, "how-a-post-is-made.md": 5, "the-second-part.md": 0}
"""Days before today on which the sample posts are dated; one of today is in the first issue on whatever day."""


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a new site, relative to it."""

    files: tuple[Path, ...]
    posts: int


def make(target: Path, *, title: str | None, bare: bool, now: datetime, dry_run: bool = False) -> Made:
    """Make a site in an empty or new folder. Raises NewsletterError (C601) when it is not empty."""
    refuse_used(target)
    name = title or target.resolve().name.replace("-", " ").replace("_", " ").title()
    content = dict(_files(name, now, bare=bare))
    made = Made(tuple(content), sum(path.suffix == ".md" for path in content))
    if not dry_run:
        _write(target, content)
    return made


def refuse_used(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise NewsletterError(Problem("C601", f"{target} is a file. Nothing was changed."))
    used = len(list(target.iterdir())) if target.is_dir() else 0
    if used:
        raise NewsletterError(
            Problem(
                "C601",
                f"{target}/ is not empty ({used} {'file' if used == 1 else 'files'}). Nothing was changed.",
                fixes=("newsletter init ANOTHER-FOLDER",),
            )
        )


def _files(title: str, now: datetime, *, bare: bool) -> Iterator[tuple[Path, str]]:
    friday = now.date() + timedelta(days=(4 - now.weekday()) % 7 or 7)
    yield Path("newsletter.toml"), configuration(title, first_slot=friday.isoformat(), year=now.year)
    yield Path(".gitignore"), "/var/\n/feeds/\n"
    yield Path("templates/.gitkeep"), ""
    yield Path("feeds/.gitkeep"), ""
    yield Path("posts/.gitkeep"), ""
    if bare:
        return
    for name, age in _AGES.items():
        day = now.date() - timedelta(days=age)
        text = files("newsletter.starter").joinpath("posts", name).read_text(encoding="utf-8")
        yield Path(f"posts/{day.isoformat()}-{name}"), text.replace("{date}", day.isoformat()).replace("{title}", title)


def configuration(title: str, *, first_slot: str, year: int) -> str:
    """A `newsletter.toml` with every setting: those that a new site needs are set, the others shown as comments."""
    known = {
        "review": '"off"',
        "site.title": _quoted(title),
        "site.url": '"https://newsletter.example"',
        "site.tagline": '"One sentence that says what readers get."',
        "site.authority": f'"newsletter.example,{year}"',
        "sender.address": '"editor@newsletter.example"',
        "sender.postal_address": f"{_quoted(title + ', 1 Example Street, 12345 Exampletown')}",
        "cadence.first_slot": first_slot,
        "people.KEY.name": '"The editor"',
    }
    lines = [
        f"# {title}: the settings of this site. A line that begins with # shows a default.",
        "# Each key can also be given as an environment variable: NEWSLETTER_SITE__URL for site.url.",
    ]
    section = ""
    for key, default, description in reference():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            more = "# " if table.endswith("relays.KEY") else ""  # of these a new site has none
            lines += ["", f"{more}[{table.replace('people.KEY', 'people.editor').replace('KEY', 'second')}]"]
        if name == "password":
            continue  # refused in this file
        lines.append(f"# {description}")
        lines.append(f"{name} = {known[key]}" if key in known else f"# {name} = {_shown(default)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shown(default: str) -> str:
    return default if default.isdigit() or default in {"[]", "true", "false"} else _quoted(default)


def _write(target: Path, content: dict[Path, str]) -> None:
    """All of it in a new folder, or file by file into one that is there: whoever made that one may own nothing around
    it, and its owner and mode are meant.
    """
    target = target.resolve()
    there = target.is_dir()
    beside = target if there else target.parent
    beside.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=beside))
    try:
        scratch.chmod(0o755)
        for path, text in content.items():
            place = scratch / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        if there:
            for child in scratch.iterdir():
                child.rename(target / child.name)
        else:
            scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
