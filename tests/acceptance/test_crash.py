"""kill -9 in mid-send: nobody is mailed twice unasked, nobody is lost unseen."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.harness import FRIDAY, SiteFolder, until
from tests.acceptance.test_smtp import through
from tests.smtpd import Smtpd

READERS = 120
CONNECTIONS = 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_kill_9_each_reader_is_accepted_once_or_shown_as_uncertain(site: SiteFolder, seed: int) -> None:
    chance = random.Random(seed)
    with Smtpd(delay=0.02) as server:
        through(site, server, more=f"connections = {CONNECTIONS}\n").readers(READERS)
        site.ok("prepare", now=FRIDAY)
        kills = 0
        for _ in range(2):
            before = len(server.messages)
            target = before + chance.randint(5, 30)
            with site.started("deliver", now=FRIDAY) as process:
                until(lambda: len(server.messages) >= target or process.poll() is not None)  # noqa: B023
                process.kill()
                process.wait(10)
                kills += 1
        site.run("deliver", now=FRIDAY)
        copies = Counter(m.recipient for m in server.messages)
        assert max(copies.values()) == 1, "somebody was mailed twice"
        (issue,) = site.issues()
        counts = issue["deliveries"]
        assert sum(counts.values()) == READERS
        assert set(counts) <= {"accepted", "uncertain"}
        assert counts.get("uncertain", 0) <= kills * CONNECTIONS
        assert issue["state"] == ("needs-attention" if counts.get("uncertain") else "sent")
        shown = site.json("issue", "show", "1")["uncertain"]
        assert set(copies) | set(shown) == {f"reader{n:04}@readers.example" for n in range(READERS)}
        ids = {m.message_id for m in server.messages}
        assert len(ids) == len(server.messages)


def test_with_resend_chosen_a_crash_loses_nobody_and_repeats_the_same_message(site: SiteFolder) -> None:
    with Smtpd(delay=0.02) as server:
        through(site, server, more=f'connections = {CONNECTIONS}\nafter_crash = "resend"\n').readers(60)
        site.ok("prepare", now=FRIDAY)
        with site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(server.messages) >= 20)
            process.kill()
            process.wait(10)
        site.ok("deliver", now=FRIDAY)
        assert [i["state"] for i in site.issues()] == ["sent"]
        assert {m.recipient for m in server.messages} == {f"reader{n:04}@readers.example" for n in range(60)}
        assert len(server.messages) - 60 <= CONNECTIONS
        by_reader: dict[str, set[bytes]] = {}
        for message in server.messages:
            by_reader.setdefault(message.recipient, set()).add(message.content)
        assert all(len(versions) == 1 for versions in by_reader.values())


def test_a_polite_stop_finishes_what_is_in_flight_and_leaves_nothing_uncertain(site: SiteFolder) -> None:
    with Smtpd(delay=0.02) as server:
        through(site, server, more=f"connections = {CONNECTIONS}\n").readers(80)
        site.ok("prepare", now=FRIDAY)
        with site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(server.messages) >= 10)
            process.terminate()
            assert process.wait(20) == 130
        stopped_at = len(server.messages)
        assert stopped_at < 80
        (issue,) = site.issues()
        assert issue["deliveries"] == {"accepted": stopped_at, "waiting": 80 - stopped_at}
        site.ok("deliver", now=FRIDAY)
        assert sorted(Counter(m.recipient for m in server.messages).values()) == [1] * 80


def test_a_publish_killed_at_any_moment_leaves_the_old_site_or_the_new_one_and_the_next_completes_it(
    site: SiteFolder, tmp_path: Path
) -> None:
    chance = random.Random(1)
    for n in range(60):
        site.post(f"car-{n}", "2026-11-20", text="A first paragraph. " * 200)
    known = [_published(site, tmp_path / word, word) for word in ("first", "second")]
    began = time.monotonic()
    site.ok("publish", now=FRIDAY)
    took = time.monotonic() - began
    cut = 0
    for turn in range(40):
        if cut == 5:
            break
        _rewrite(site, ("second", "first")[turn % 2])
        before = _record(site)
        with site.started("publish", now=FRIDAY) as process:
            # most are killed once the new site is shown, the others at any time before
            until(lambda: turn % 3 == 0 or _record(site) != before or process.poll() is not None)  # noqa: B023
            time.sleep(chance.uniform(0, took) if turn % 3 == 0 else chance.uniform(0, 0.02))
            cut += process.poll() is None
            process.kill()
            process.wait(10)
        assert _shown(site.tree()) in map(_shown, known)
    assert cut == 5, "a publish was killed before its end"
    _rewrite(site, "first")
    site.ok("publish", now=FRIDAY)
    assert site.tree() == known[0]


def _shown(tree: dict[str, bytes]) -> dict[str, bytes]:
    """What of the published folder a web server would show."""
    return {path: content for path, content in tree.items() if not path.startswith(".")}


def _record(site: SiteFolder) -> bytes:
    """It changes with the site."""
    return (site.root / "feeds" / ".manifest.json").read_bytes()


def _rewrite(site: SiteFolder, word: str) -> None:
    for path in (site.root / "posts").glob("*car-*.md"):
        text = path.read_text("utf-8")
        path.write_text(re.sub("A (first|second) paragraph", f"A {word} paragraph", text), "utf-8")


def _published(site: SiteFolder, elsewhere: Path, word: str) -> dict[str, bytes]:
    """What a first publish makes of the site with this word."""
    clean = SiteFolder(elsewhere).configure()
    for path in (site.root / "posts").glob("*.md"):
        (clean.root / "posts" / path.name).write_bytes(path.read_bytes())
    _rewrite(clean, word)
    clean.ok("publish", now=FRIDAY)
    return clean.tree()
