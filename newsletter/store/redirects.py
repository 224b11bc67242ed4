"""`redirects.toml`: where old addresses lead, beside the posts and committed with them.

A line is `"/posts/old/" = "slug"`: a path as a browser asks for it, and the slug of a post, a path of this site that
begins with a slash, or an http(s) address.
Lines are added and never changed or taken away: an address that readers hold is remembered for ever.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import ConfigError, NewsletterError, Outside, Problem
from newsletter.store import toml
from newsletter.store.folder import alone_in, replace

_HEAD = '# Old addresses: "/path/" = "slug of a post", a "/path/" of this site, or an address elsewhere.\n'


class RedirectsFile:
    """`ports.Redirects` on one file; a missing file holds none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> Mapping[str, str]:
        """Old path -> slug or address. Raises ConfigError (P307) with every fault, Outside when it cannot be read."""
        return self._parse(self._read())

    def add(self, found: Mapping[str, str]) -> None:
        """Add what is not there. Raises ConfigError for a file with faults, Outside when the disk refuses."""
        with self._told("written"), alone_in(self._path.parent):
            text = self._read()
            there = self._parse(text)
            new = [
                f"{toml.written(path)} = {toml.written(to)}\n"
                for path, to in sorted(found.items())
                if path not in there
            ]
            if new:
                start = f"{text.rstrip()}\n" if text.strip() else _HEAD
                replace(self._path, f"{start}{''.join(new)}")

    def _read(self) -> str:
        with self._told("read"):
            try:
                return self._path.read_text("utf-8")
            except FileNotFoundError:
                return ""
            except UnicodeDecodeError as error:
                raise ConfigError(self._fault("This is not UTF-8")) from error

    def _parse(self, text: str) -> Mapping[str, str]:
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            said, line, _ = toml.place(error, text)
            raise ConfigError(self._fault(f"This is not TOML: {said}", line)) from error
        wrong = [path for path, target in document.items() if not _is_redirect(path, target)]
        if wrong:
            raise ConfigError([self._fault(_NOT_ONE, _line(text, path)) for path in wrong])
        return {str(path): str(target) for path, target in document.items()}

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except NewsletterError:
            raise
        except OSError as error:
            message = f"The redirects cannot be {what}: {error.strerror or error}"
            fixes = ("check the folder's permissions and the space on the disk",)
            raise Outside(Problem("P307", message, file=self._path.name, fixes=fixes)) from error

    def _fault(self, message: str, line: int = 0) -> Problem:
        return Problem("P307", message, self._path.name, line, fixes=('write each line as "/old/path/" = "slug"',))


_NOT_ONE = "A redirect is not a path and a slug"


def _is_redirect(path: str, target: object) -> bool:
    plain = path.startswith("/") and path.isprintable() and not set(path) & set("?#\\")
    return plain and isinstance(target, str) and bool(target) and target.isprintable() and not set(target) & set(' "<>')


def _line(text: str, path: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), 1) if path in line), 0)
