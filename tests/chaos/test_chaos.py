"""The installed command under kill -9, bad weather, locks, leavers and clocks that are set wrong.

`make chaos` runs it with many seeds, and with disks that fill up. A failing test names its seed.
"""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path

import pytest

from newsletter import config
from newsletter.app import App
from newsletter.model import EACH_POST, MONTHLY, WEEKLY, DeliveryState, IssueState, SlotOutcome, issue_name
from tests.acceptance.forked import Forked
from tests.acceptance.harness import COMMAND, CONFIGURATION, FRIDAY, Result, SiteFolder, until
from tests.chaos.storm import CONNECTIONS, FEW, NOW, SEEDS, Storm, ledger, storm
from tests.chaos.weeks import BEGIN, POSTS, live

ADD = ("reader", "add", "--consent", "a test")
IN_FULL = "CHAOS_SEEDS" in os.environ
LONG = pytest.mark.skipif(not IN_FULL, reason="takes a minute: make chaos")
KILLS = 4 if IN_FULL else 2


# --- kill -9 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_moment_in_bad_weather(tmp_path: Path, seed: int) -> None:
    tls = "starttls" if seed % 2 else "none"
    with storm(tmp_path, seed=seed, readers=120, bad=0.02, delay=0.3, tls=tls) as one:
        for n in range(KILLS):
            with ExitStack() as stack:
                running = []
                for words in one.chance.choice((["work"], ["work", "work"], ["work", "deliver"])):
                    every = ("--every", "1") if words == "work" else ()
                    running.append(stack.enter_context(one.site.started(words, *every, now=later(seconds=n - 1))))
                wait_for_a_moment(one, running[0])
                one.kill(one.chance.choice(running))
            one.leave(one.chance.randrange(one.readers), FRIDAY)
            one.resume()
        one.calm()
        one.check()


def wait_for_a_moment(one: Storm, process: Forked) -> None:
    """Some time, or some commands that the mail server got; not after the process ended."""
    enough = len(one.server.commands) + (one.chance.randint(1, 120) if one.chance.random() < 0.6 else 10_000)
    ends = time.monotonic() + one.chance.uniform(0.5, 6)
    until(
        lambda: len(one.server.commands) >= enough or time.monotonic() > ends or process.poll() is not None, seconds=10
    )


@LONG
@pytest.mark.parametrize("seed", FEW)
def test_with_resend_chosen_nobody_is_lost_and_a_repeat_is_the_same_message(tmp_path: Path, seed: int) -> None:
    with storm(tmp_path, seed=seed, readers=60, more='after_crash = "resend"\n') as one:
        one.site.ok("prepare", now=FRIDAY)
        for _ in range(2):
            with one.site.started("deliver", now=FRIDAY) as process:
                seen = len(one.server.messages)
                until(lambda: len(one.server.messages) > seen + 5 or process.poll() is not None)  # noqa: B023
                one.kill(process)
        one.calm()
        one.check()
        assert {each.state for each in one.deliveries()} == {DeliveryState.ACCEPTED}
        assert len(one.server.messages) - one.readers <= one.kills * CONNECTIONS


# --- people ----------------------------------------------------------------------------------------


def test_whoever_leaves_during_a_send_gets_nothing_by_whichever_way_he_left(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=150, delay=0.3) as one:
        one.site.ok("publish", now=FRIDAY)
        one.site.ok("prepare", now=FRIDAY)
        links = unsubscribe_links(one.site)
        with serving(one.site) as url, one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            for number in (149, 147, 120):
                request = urllib.request.Request(f"{url}{links[number]}", b"List-Unsubscribe=One-Click")
                with urllib.request.urlopen(request, timeout=10) as answer:
                    assert answer.status == 200
                one.left[one.address(number)] = time.monotonic()
            one.leave(148, FRIDAY)
            assert len(one.server.messages) < 110, "the send was over before anybody had left"
            assert process.wait(60) == 0
        one.check()
        gone = {each.address for each in one.deliveries() if each.state is DeliveryState.DROPPED}
        assert gone == {one.address(number) for number in (120, 147, 148, 149)}


def test_a_cancel_stops_the_send_for_good(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=200, delay=0.3) as one:
        one.site.ok("prepare", now=FRIDAY)
        with one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            one.cancel(FRIDAY)
            assert process.wait(60) == 0
        one.site.ok("deliver", now=FRIDAY)
        one.check()
        assert [issue.state for issue in one.issues()] == [IssueState.CANCELLED]
        assert {each.state for each in one.deliveries()} == {DeliveryState.ACCEPTED, DeliveryState.DROPPED}


@pytest.mark.parametrize(
    ("words", "status"),
    [(("work",), 0), (("issue", "send", "next", "--confirm", "1:80", "--delay", "0", "--wait"), 130)],
    ids=["work", "issue send"],
)
def test_a_sender_that_is_asked_to_stop_ends_what_is_in_flight_and_leaves_no_doubt(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    with storm(tmp_path, seed=1, readers=80, delay=0.2) as one:
        with one.site.started(*words, now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            process.terminate()
            assert process.wait(30) == status
        states = {each.state for each in one.deliveries()}
        assert states == {DeliveryState.ACCEPTED, DeliveryState.WAITING}
        one.site.ok("deliver", now=FRIDAY)
        one.check()
        assert len(one.server.messages) == 80


def unsubscribe_links(site: SiteFolder) -> list[str]:
    """The path of each reader's link, in the order of their numbers."""
    with closing(App(config.load(site.root))) as app:
        base = app.config.site.web_url
        return [app.unsubscribe_url(reader.id, 1).removeprefix(base) for reader in app.roster.all()]


@contextmanager
def serving(site: SiteFolder) -> Iterator[str]:
    with site.started("serve", "--port", "0"):
        [log] = site.root.glob("serve-*.log")
        until(lambda: "/\n" in log.read_text(encoding="utf-8"), what="serve listens")
        yield log.read_text(encoding="utf-8").split()[1].rstrip("/")


# --- the database ----------------------------------------------------------------------------------


def test_while_another_process_writes_nothing_is_sent_and_everything_can_be_read(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=80, delay=0.1) as one:
        one.site.ok("prepare", now=FRIDAY)
        with one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            with writing(one.site):
                sent = len(one.server.messages)
                one.site.ok("status", now=FRIDAY)
                assert len(one.server.messages) - sent <= CONNECTIONS
            assert process.wait(60) == 0
        one.check()
        assert len(one.server.messages) == 80


def test_four_processes_on_one_database_get_on(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=100, delay=0.2) as one:
        one.site.ok("prepare", now=FRIDAY)
        with one.site.started("deliver", now=FRIDAY) as process, ThreadPoolExecutor(3) as people:
            until(lambda: len(one.server.messages) >= 5)

            def all_the_time(*words: str) -> list[Result]:
                done: list[Result] = []
                while process.poll() is None:
                    done.append(one.site.run(*words, *([f"x{len(done)}@readers.example"] * ("add" in words))))
                return done

            calls = [people.submit(all_the_time, *w) for w in (("status",), ADD, ("issue", "show", "1"))]
            assert process.wait(90) == 0
        results = [result for call in calls for result in call.result()]
        assert results
        assert {result.status for result in results} == {0}, [result.err for result in results if result.status]
        one.check()
        assert len(one.server.messages) == 100


@contextmanager
def writing(site: SiteFolder) -> Iterator[None]:
    """Another process is in the middle of a write."""
    with closing(sqlite3.connect(site.root / "var/newsletter.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@LONG
def test_a_database_that_is_locked_for_20_s_holds_up_a_send_and_nothing_else(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=60, delay=0.1) as one:
        one.site.ok("prepare", now=FRIDAY)
        with one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            with writing(one.site):
                sent = len(one.server.messages)
                time.sleep(20)
                assert len(one.server.messages) - sent <= CONNECTIONS
            assert process.wait(60) == 0
        one.check()
        assert {each.state for each in one.deliveries()} == {DeliveryState.ACCEPTED}


@LONG
def test_a_database_that_is_locked_for_long_ends_in_words_and_leaves_no_doubt_unshown(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=60, delay=0.1) as one:
        one.site.ok("prepare", now=FRIDAY)
        with one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            with writing(one.site):
                assert process.wait(300) == 4
        one.doubts = CONNECTIONS
        one.calm()
        one.check()
        doubtful = [each for each in one.deliveries() if each.state is DeliveryState.UNCERTAIN]
        assert 1 <= len(doubtful) <= CONNECTIONS


@LONG
@pytest.mark.parametrize("kilobytes", [64, 256, 1024])
def test_a_disk_that_takes_no_more_ends_in_words_and_leaves_no_doubt_unshown(tmp_path: Path, kilobytes: int) -> None:
    with storm(tmp_path, seed=1, readers=150, delay=0.02) as one:
        one.site.ok("publish", now=FRIDAY)
        one.site.ok("prepare", now=FRIDAY)
        limited = subprocess.run(
            ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash", COMMAND, "deliver", "--now", FRIDAY],
            cwd=one.site.root,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in limited.stderr
        assert limited.returncode in (0, 4), limited.stderr
        one.doubts = CONNECTIONS
        one.calm()
        one.check()
        doubtful = [each for each in one.deliveries() if each.state is DeliveryState.UNCERTAIN]
        assert len(doubtful) <= CONNECTIONS


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Only root can make one."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(file: Path, *, leave: int = 0) -> None:
    """All of the disk that is free, but for so many octets."""
    disk = os.statvfs(file.parent)
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        for _ in range((disk.f_bavail * disk.f_frsize - leave) // 4096 + 1):
            ballast.write(bytes(4096))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_nearly_full_stops_a_send_and_one_that_fills_up_meanwhile_leaves_no_doubt(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 48) as disk, storm(disk, seed=1, readers=60, delay=0.2) as one:
        one.site.ok("publish", now=FRIDAY)
        one.site.ok("prepare", now=FRIDAY)
        fill(disk / "others", leave=30_000_000)
        stopped = one.site.run("deliver", now=FRIDAY)
        assert (stopped.status, one.server.messages) == (4, [])
        assert "C509" in stopped.err
        (disk / "others").unlink()
        with one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            fill(disk / "others")
            time.sleep(3)  # some of the tries that a commit gets
            mailed, recorded = len(one.server.messages), [each.state for each in one.deliveries()]
            assert mailed - recorded.count(DeliveryState.ACCEPTED) <= CONNECTIONS
            assert mailed < 60, "it went on sending"
            (disk / "others").unlink()
            assert process.wait(60) == 0
        one.check()
        assert {each.state for each in one.deliveries()} == {DeliveryState.ACCEPTED}


# --- the clock -------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_and_forward_makes_no_second_issue_and_no_second_mail(tmp_path: Path) -> None:
    with storm(tmp_path, seed=1, readers=80, delay=0.2) as one:
        one.site.ok("prepare", now=FRIDAY)
        with one.site.started("deliver", now=FRIDAY) as process:
            until(lambda: len(one.server.messages) >= 10)
            process.terminate()
            process.wait(30)
        one.site.run("deliver", now=later(days=-365))
        for verb in ("prepare", "deliver"):
            one.site.ok(verb, now=later(hours=1))
        one.check()
        assert len(one.server.messages) == 80
        assert len(one.issues()) == 1


def later(**times: int) -> str:
    return (NOW + timedelta(**times)).isoformat()


# --- weeks in a moment -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", FEW)
def test_four_processes_through_many_weeks_make_each_issue_once_and_carry_each_post_once(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    site = SiteFolder(tmp_path / "site").configure(
        CONFIGURATION.replace("[cadence]", '[cadence]\nlate_limit = "60d"'),
        more='\n[editions]\nmonthly = "first monday 08:00"\neach_post = true\n',
    )
    for day in range(POSTS):
        date = (BEGIN + timedelta(days=day)).date().isoformat()
        site.post(f"story-{day:02}-end", date)
    site.readers(3)
    for edition in (MONTHLY, EACH_POST):
        site.ok(
            "reader", "add", f"{edition}@b.example", "--edition", edition, "--consent", "a test", now=BEGIN.isoformat()
        )
    site.ok("prepare", now=BEGIN.isoformat())
    site.ok("publish", now=(BEGIN + timedelta(days=POSTS)).isoformat())
    began, kills = time.time(), 40 if IN_FULL else 8
    days = POSTS / (60 if IN_FULL else 16)
    processes = [_living(site, seed * 100 + n, began, days) for n in range(4)]
    try:
        for n in range(kills):
            time.sleep(chance.uniform(0.4, 1.6))
            one = chance.randrange(4)
            processes[one].kill()
            processes[one].wait(10)
            processes[one] = _living(site, seed * 1000 + n, began, days)
    finally:
        for process in processes:
            process.kill()
            process.wait(10)
    end = (BEGIN + timedelta(days=max(POSTS, days * (time.time() - began)) + 14)).isoformat()
    for words in (("prepare",), ("deliver",)):
        site.ok(*words, now=end)
    _whole(site)
    logs = "".join(path.read_text("utf-8") for path in site.root.glob("living-*.log"))
    assert "Traceback" not in logs, logs


def _living(site: SiteFolder, seed: int, began: float, days: float) -> Forked:
    log = site.root / f"living-{seed}.log"
    return Forked(live, site.root, seed, began, days, cwd=site.root, environment=dict(os.environ), out=log, err=log)


def _whole(site: SiteFolder) -> None:
    """No slot twice and none left out, no post in two issues, no change that the state machine does not know."""
    with ledger(site) as asked:
        issues, records, turns = asked.issues(WEEKLY), asked.slots(WEEKLY), asked.turns()
        every = asked.issues()
        counts = {issue.name: asked.counts(issue.edition, issue.number) for issue in every}
        months, singly = asked.slots(MONTHLY), asked.slots(EACH_POST)
    print(
        [(r.key, r.outcome.value, r.issue_number) for r in records], Counter((t.act.value, t.hand.who) for t in turns)
    )
    mondays = sorted(date.fromisoformat(f"{record.key}-1") for record in records)
    gaps = {after - before for before, after in itertools.pairwise(mondays)}
    assert gaps == {timedelta(weeks=1)}, mondays  # a key occurs once: it is the table's
    carried = Counter(story.slug for issue in issues for story in issue.stories)
    assert {slug for slug, n in carried.items() if n != 1} == set()
    assert set(carried) == {f"story-{day:02}-end" for day in range(POSTS)}
    assert all(sum(counts[issue.name].values()) == issue.audience for issue in every)
    once = Counter((issue.edition, story.slug) for issue in every for story in issue.stories)
    assert {one for one, n in once.items() if n != 1} == set()
    assert [record.key for record in months][:2] == ["2026-M12", "2027-M01"]
    assert len(singly) == POSTS, singly
    made = [record for record in singly if record.outcome is not SlotOutcome.SKIPPED]  # others were found too late
    assert len(made) == sum(issue.edition == EACH_POST for issue in every) > 0
    last: dict[str, IssueState] = {}
    for turn in turns:
        name = issue_name(turn.edition, turn.number)
        assert turn.before is last.get(name), turn
        starts, ends = turn.act.turns
        assert turn.before is None or turn.before in starts, turn
        assert turn.after in ends, turn
        last[name] = turn.after
    assert last == {issue.name: issue.state for issue in every}
