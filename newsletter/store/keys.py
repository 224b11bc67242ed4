"""The secrets of one newsletter: made once, at the first start, and read by their owner only.

Losing them breaks every link in mails that are out, so nothing in the file is ever overwritten, and it belongs into
backups.
"""

from __future__ import annotations

import base64
import secrets
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from newsletter.errors import ConfigError, Outside, Problem
from newsletter.store.folder import alone_in, replace

_SHORTEST = 16
"""Characters; below it a secret can be guessed."""


_WEBHOOK = "# Signs what the webhook is sent; whoever receives it needs this to verify it (Standard Webhooks).\n"


@dataclass(frozen=True, slots=True)
class Keys:
    """`tokens` sign links in mails and pages, newest first: the first signs, all are accepted. The others last."""

    tokens: tuple[str, ...] = field(repr=False)
    suppression: str = field(repr=False)  # hashes addresses that must never be mailed
    message_id: str = field(repr=False)
    bounce: str = field(repr=False)  # signs the addresses that bounces come back to
    webhook: str = field(repr=False, default="")  # signs what a webhook is sent; in the file once there is one


def load_keys(path: Path) -> Keys:
    """Read the keys; at the first start make them, for the owner's eyes only (mode 0600).

    Of two first starts at once both get the same keys. Raises ConfigError when the file may be read by others or has
    faults, Outside when the disk refuses.
    """
    try:
        if not path.exists():
            _make(path)
        _refuse_open_file(path)
        text = path.read_text("utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise Outside(Problem("C523", "the keys cannot be read or made", file=str(path), why=why)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(_fault(path, "this file is not UTF-8")) from error
    return _parse(path, text)


def webhook_key(path: Path) -> str:
    """The key that signs calls of the webhook; the first time it is added to the file. Raises as `load_keys`."""
    keys = load_keys(path)
    if keys.webhook:
        return keys.webhook
    with alone_in(path.parent):
        keys = load_keys(path)
        if not keys.webhook:
            secret = base64.b64encode(secrets.token_bytes(32)).decode()
            replace(path, f'{path.read_text("utf-8").rstrip()}\n\n{_WEBHOOK}webhook = "whsec_{secret}"\n', mode=0o600)
    return load_keys(path).webhook


def _make(path: Path) -> None:
    with alone_in(path.parent):
        if not path.exists():
            replace(path, _fresh(), mode=0o600)


def _fresh() -> str:
    return (
        "# The secrets of this newsletter. Keep a backup: without them the links in mails that are out stop working.\n"
        "# Never commit this file, and let nobody else read it (mode 0600).\n\n"
        "# Newest first. To rotate, put a new one in front; the others go on being accepted.\n"
        f'tokens = ["{secrets.token_urlsafe(32)}"]\n\n'
        "# These are for good.\n"
        f'suppression = "{secrets.token_urlsafe(32)}"\n'
        f'message_id = "{secrets.token_urlsafe(32)}"\n'
        f'bounce = "{secrets.token_urlsafe(32)}"\n'
    )


def _refuse_open_file(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        problem = Problem(
            "C521",
            f"the keys may be read by others (mode {mode:04o})",
            file=str(path),
            why="whoever has them can unsubscribe your readers and sign links in your name",
            fixes=(f"chmod 600 {path}",),
        )
        raise ConfigError(problem)


def _parse(path: Path, text: str) -> Keys:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_fault(path, "this file is not TOML", why=str(error))) from error
    problems = [_fault(path, fault) for fault in _faults(document)]
    if problems:
        raise ConfigError(problems)
    return Keys(
        tokens=tuple(document["tokens"]),
        **{name: document[name] for name in ("suppression", "message_id", "bounce", "webhook") if name in document},
    )


def _faults(document: Mapping[str, object]) -> list[str]:
    names = [each.name for each in fields(Keys)]
    return [
        *(f"{name} is not a key of this file" for name in document if name not in names),
        *(f"{name} is missing" for name in names if name not in document and name != "webhook"),
        *(f"{name} {fault}" for name in names if name in document and (fault := _wrong(name, document[name]))),
    ]


def _wrong(name: str, value: object) -> str:
    several = name == "tokens"
    found = value if several else [value]
    if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
        return "must be a list of strings" if several else "must be a string"
    return f"is shorter than {_SHORTEST} characters" if any(len(each) < _SHORTEST for each in found) else ""


def _fault(path: Path, message: str, why: str = "") -> Problem:
    return Problem("C522", message, file=str(path), why=why, fixes=("restore the file from a backup",))
