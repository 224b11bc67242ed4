"""A site with readers and an issue that is ready for them: what the benches of sending hand out.

Everything is the product's own, wired by `App` from a configuration file; only the readers are written by one
statement instead of signing up, and the digest is made up: 60 kB, with a reader's own links, address and date.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from newsletter import config
from newsletter.app import App
from newsletter.model import WEEKLY, Digest, Hand, IssueState, Sentinel, Story
from newsletter.usecases.deliver import Delivered
from tests.acceptance.harness import CONFIGURATION
from tests.builders import a_post, a_slot

SIZE = 60_000
"""Octets of a message as it goes over the wire, about."""

_JOIN = """
WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < :readers),
of(id, address) AS (SELECT id, 'reader.' || id || '@' || CASE id % 20
    WHEN 0 THEN 'yahoo.com' WHEN 1 THEN 'aol.com' WHEN 2 THEN 'icloud.com' WHEN 3 THEN 'outlook.com'
    WHEN 4 THEN 'hotmail.com' WHEN 5 THEN 'live.com' WHEN 6 THEN 'msn.com' WHEN 7 THEN 'readers.example'
    WHEN 8 THEN 'mail.example' WHEN 9 THEN 'post.example' WHEN 10 THEN 'inbox.example' WHEN 11 THEN 'web.example'
    ELSE 'gmail.com' END FROM n)
INSERT INTO subscriber (id, address, folded, status, edition, joined_at, owed_from)
SELECT id, address, address, 'active', 'weekly', 1640995200000 + id % 700 * 86400000, 0 FROM of
"""


def a_digest() -> Digest:
    """About SIZE octets, a tenth of it in the text part, as mails of this program have."""
    line = "<p>The hatch goes further on a charge than its maker says, and we measured it twice.</p>\n"
    footer = (
        f'<p>For {Sentinel.ADDRESS}, since {Sentinel.JOINED}. <a href="{Sentinel.UNSUBSCRIBE}">Leave</a>, '
        f'<a href="{Sentinel.PREFERENCES}">choose</a></p>\n'
    )
    html = "<!DOCTYPE html>\n" + line * (SIZE * 9 // 10 // len(line)) + footer
    words = "It goes further on a charge than its maker says.\n" * (SIZE // 10 // 49)
    return Digest(
        "The hatch goes further", "Twice measured.", html, f"{words}\n{Sentinel.UNSUBSCRIBE}\n", "sha256:bench"
    )


def make(folder: Path, readers: int, port: int, *, connections: int, dkim: bool = False) -> None:
    """Write the site: its mail goes to `port`, unencrypted, over so many connections."""
    more = (
        f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nconnections = {connections}\n'
    )
    if dkim:
        _write_key(folder / "dkim.pem")
        more += 'dkim_key_file = "dkim.pem"\n'
    (folder / "posts").mkdir()
    (folder / "newsletter.toml").write_text(CONFIGURATION + more)
    with opened(folder) as app:
        app.ledger.start(WEEKLY, _now())
        with app.database.write() as connection:
            connection.execute(text(_JOIN), {"readers": readers})


def start(app: App) -> None:
    """Open issue 1 and fix its audience: a row for each reader."""
    post, now = a_post(), _now()
    app.ledger.open_issue(
        edition=WEEKLY,
        slot=a_slot(due=now),
        coalesced=[],
        stories=[Story(post.id, post.content_hash, post.slug, post.title)],
        render=lambda _: a_digest(),
        state=IssueState.READY,
        reason="",
        hand=Hand("bench", "cli", now),
        send_at=now,
    )
    if app.ledger.start_send(WEEKLY, 1, now=_now()) is None:
        raise SystemExit("the issue did not start")


def wake(app: App) -> None:
    """As `work` is when an issue comes: the site is published, and the lock held."""
    app.publish(app.library(_now()), _now())
    if not app.lock.acquire():
        raise SystemExit("another process holds the sender lock")
    app.recover(_now())


def hand_out(app: App, expected: int) -> Delivered:
    """One round of handing out, to the end, by a process that is awake."""
    done = app.deliver(clock=_now, stop=threading.Event())
    if done.drained.accepted != expected:
        raise SystemExit(f"{done.drained.accepted} of {expected} were accepted: {done.drained.trouble}")
    return done


@contextmanager
def opened(folder: Path) -> Iterator[App]:
    with closing(App(config.load(folder))) as app:
        yield app


def _now() -> datetime:
    return datetime.now(UTC)


def _write_key(file: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
