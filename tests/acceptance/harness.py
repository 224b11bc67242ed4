"""A real site in a folder, and the installed command run on it in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.acceptance.forked import Forked, command

COMMAND = Path(sys.executable).with_name("newsletter")
FRIDAY = "2026-11-27T08:00:05+01:00"
"""Five seconds after a slot of the site below."""

CONFIGURATION = """
review = "off"

[site]
title = "Auto Trendy"
url = "https://weekly.auto-trendy.net"
tagline = "A weekly about cars, written by desks and reviewed before it leaves."
timezone = "Europe/Madrid"
authority = "auto-trendy.net,2022"

[sender]
address = "editor@auto-trendy.net"
postal_address = "Auto Trendy, 1 Calle Mayor, 28013 Madrid, Spain"

[cadence]
first_slot = 2026-11-27

[people.news-desk]
name = "News desk"

[people.review-desk]
name = "Review desk"
role = "editor"
"""


@dataclass
class Result:
    """How one call ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problems(self) -> list[dict[str, Any]]:
        return list(self.json["problems"])


@dataclass
class SiteFolder:
    """A site, and `newsletter` run on it."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, text: str = CONFIGURATION, more: str = "") -> SiteFolder:
        (self.root / "posts").mkdir(parents=True, exist_ok=True)
        (self.root / "newsletter.toml").write_text(text + more, encoding="utf-8")
        return self

    def post(self, slug: str, day: str = "2026-11-24", front: str = "", text: str = "") -> Path:
        path = self.root / "posts" / f"{day}-{slug}.md"
        path.write_text(
            f"---\ntitle: {slug.replace('-', ' ').capitalize()} on the road\nauthor: news-desk\ndate: {day}\n"
            f"summary: What we learned about {slug.replace('-', ' ')} in a week of driving it through the mountains.\n"
            f"{front}---\n\n{text or 'A paragraph about it, long enough to be read.'}\n",
            encoding="utf-8",
        )
        return path

    def readers(self, count: int, now: str = "2026-11-20T12:00:00+01:00") -> SiteFolder:
        """`count` readers, through the house's own roster: a command for each would take minutes."""
        result = self._ended(_add_readers, self.root, count, datetime.fromisoformat(now))
        assert result.status == 0, result.err
        return self

    def run(
        self,
        *words: str,
        now: str | None = None,
        given: str | None = None,
        timeout: float = 60,
        by: Callable[[tuple[str, ...]], None] = command,
    ) -> Result:
        """The command; `by` is what runs it, if that shall be another."""
        result = self._ended(by, self._words(words, now), given=given, timeout=timeout)
        assert "Traceback" not in result.err, result.err
        return result

    def ok(self, *words: str, now: str | None = None) -> Result:
        result = self.run(*words, now=now)
        assert result.status == 0, result.out + result.err
        return result

    def json(self, *words: str, now: str | None = None) -> Any:
        return self.ok(*words, "--json", now=now).json

    @contextmanager
    def started(self, *words: str, now: str | None = None) -> Iterator[Forked]:
        """A command that lasts, ended by SIGTERM and at last by SIGKILL."""
        log = self.root / f"{words[0]}-{time.monotonic_ns()}.log"
        log.touch()
        process = Forked(command, self._words(words, now), cwd=self.root, environment=self.environ(), out=log, err=log)
        try:
            yield process
        finally:
            process.end()
            text = log.read_text(encoding="utf-8")
            assert "Traceback" not in text, text

    def mails(self) -> list[EmailMessage]:
        """What lies in the outbox."""
        new = self.root / "var" / "outbox" / "new"
        paths = sorted(new.glob("*.eml")) if new.is_dir() else []
        return [parsed(path.read_bytes()) for path in paths]

    def tree(self, folder: str = "feeds") -> dict[str, bytes]:
        """Every published file with its bytes."""
        root = self.root / folder
        return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}

    def issues(self) -> list[dict[str, Any]]:
        return list(self.json("issue", "list"))

    def _ended(
        self, function: Callable[..., object], *arguments: object, given: str | None = None, timeout: float = 120
    ) -> Result:
        """What became of `function`, called in a process of its own."""
        with TemporaryDirectory() as beside:
            said, out, err = (Path(beside) / name for name in ("in", "out", "err"))
            said.write_text(given or "", encoding="utf-8")
            process = Forked(
                function, *arguments, cwd=self.root, environment=self.environ(), given=said, out=out, err=err
            )
            try:
                status = process.wait(timeout)
            finally:
                process.end()
            return Result(status, out.read_text("utf-8"), err.read_text("utf-8"))

    def _words(self, words: tuple[str, ...], now: str | None) -> tuple[str, ...]:
        return (*words, *(("--now", now) if now else ()))

    def environ(self) -> dict[str, str]:
        """What the command finds around it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("NEWSLETTER_", "PYTHONDONTWRITE"))}
        return kept | {"HOME": str(self.root)} | self.environment


def _add_readers(root: Path, count: int, now: datetime) -> None:
    from newsletter import config
    from newsletter.app import App
    from newsletter.model import Evidence

    with closing(App(config.load(root))) as app:
        for n in range(count):
            evidence = Evidence("cli", "test")
            app.roster.add(f"reader{n:04}@readers.example", edition="weekly", evidence=evidence, now=now)


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(mail: EmailMessage, kind: str) -> str:
    """The `plain` or `html` body."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def until(true: Callable[[], Any], *, seconds: float = 40, what: str = "") -> Any:
    """Poll, bounded; the first true answer."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if answer := true():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what or true}")
