"""A year of one site in a minute: readers press what pages offer, issues of three editions go out, things fail.

What each reader must get is worked out here a second time, from what they pressed and by the rules of `docs/`, and
compared with each mail as the mail server got it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from starlette.testclient import TestClient

from newsletter import config
from newsletter.app import App
from newsletter.cli.machine import pages_of
from newsletter.model import EACH_POST, MONTHLY, WEEKLY, DeliveryState, by_clock
from tests.acceptance.forked import Forked
from tests.acceptance.harness import CONFIGURATION, SiteFolder, until
from tests.chaos.account import ZONE, Mail, Piece, Reader, numbers, read
from tests.chaos.alone import alone, hand_out, hand_over, without_pages
from tests.smtpd import DROP, DROP_STORED, Smtpd

FIRST = date(2026, 11, 23)
"""A Monday; the first issue goes out on that week's Friday."""

TOPICS = ("cars", "vans", "law", "trips")
EDITIONS = (WEEKLY, EACH_POST, MONTHLY)
FRIDAY = 4
_SETTINGS = """
[editions]
monthly = "first friday 08:00"
each_post = true

[signup]
address_wait = "1s"
address_a_month = 1000
network_an_hour = 1000
network_at_once = 1000
form_wait = "0s"
answer_after = 0
"""


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass
class Year:
    """The site, its mail server, and the readers; `now` only goes forward."""

    folder: Path
    seed: int
    days: int
    people: int = 12
    busy: float = 0.12
    """How likely it is that a reader does something on a day."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.now = datetime.combine(FIRST, time(9), tzinfo=ZONE).astimezone(UTC)
        self.pieces = list(self._written())
        self.carried: dict[str, dict[int, int]] = {one: {} for one in EDITIONS}  # piece -> number of the issue
        self.went: dict[tuple[str, int], datetime] = {}
        self.readers = [Reader(f"r{n}", f"r{n}@readers.example") for n in range(self.people)]
        self.seen = 0
        self.mails: list[Mail] = []
        self.done: Counter[str] = Counter()

    # -- what is written

    def _written(self) -> Iterator[Piece]:
        day, number = FIRST + timedelta(days=1), 0
        while day < FIRST + timedelta(days=self.days):
            topics = frozenset(self.chance.sample(TOPICS, self.chance.choice([0, 1, 1, 1, 1, 2])))
            before = (
                self.chance.randrange(max(0, number - 8), number) if number and self.chance.random() < 0.5 else None
            )
            yield Piece(number, day, topics, before)
            number += 1
            day += timedelta(days=self.chance.choice([1, 1, 1, 2]))

    def live(self) -> None:
        """From the first day to the last."""
        with Smtpd() as self.server:
            self.site = SiteFolder(self.folder / "site").configure(
                CONFIGURATION,
                more=_SETTINGS + f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\n'
                f'port = {self.server.port}\ntls = "none"\n',
            )
            for one in self.pieces:
                self._write(one)
            with closing(App(config.load(self.site.root))) as self.app:
                self.app.stay()
                self._open()
                for day in range(self.days):
                    self._day(FIRST + timedelta(days=day))
                self._end()

    def _write(self, one: Piece) -> None:
        front = f"topics: [{', '.join(sorted(one.topics))}]\n" if one.topics else ""
        if one.before is not None:
            front += f"continues: piece-{one.before:03}\n"
        path = self.site.root / "posts" / f"{one.day}-piece-{one.number:03}.md"
        path.write_text(
            f"---\ntitle: Piece {one.number:03} as it was\nauthor: news-desk\ndate: {one.day}\n"
            f"summary: Summary {one.number:03} tells what there is to know about it, and a little more than that.\n"
            f"{front}---\n\nText {one.number:03} of it, long enough to be read.\n",
            encoding="utf-8",
        )

    def _open(self) -> None:
        app = self.app
        end = datetime.combine(FIRST + timedelta(days=self.days), time(), tzinfo=ZONE)
        app.own()
        app.publish(app.library(end), end)
        without_pages(app)
        door: Any = SimpleNamespace(app=app, ticking_clock=lambda: self.clock)
        self.client = TestClient(
            pages_of(door, "127.0.0.1"), base_url=app.config.site.web_url, follow_redirects=False, backend="asyncio"
        )

    def clock(self) -> datetime:
        return self.now

    # -- a day

    def _day(self, day: date) -> None:
        if day.weekday() == FRIDAY:
            self._at(day, time(8, 0, 5))
            self._come_out(WEEKLY, day)
            if day.day <= 7:
                self._come_out(MONTHLY, day)
                self._killed()
            self._round()
            self._singly(day, time(8, 11))
        self._at(day, time(12))
        self._people()
        self._round()
        if day.weekday() != FRIDAY:
            self._singly(day, time(12, 11))
        self._press_catch_up()

    def _singly(self, day: date, clock: time) -> None:
        """What the last round found is sent, if nobody stopped it."""
        self._at(day, clock)
        out = [one for one in self.pieces if one.day == day]
        for one in out:
            self._expect(EACH_POST, [one])
        if out:
            self._round()

    def _at(self, day: date, clock: time) -> None:
        self.now = datetime.combine(day, clock, tzinfo=ZONE).astimezone(UTC)
        for one in self.readers:
            if one.status == "paused" and one.until and one.until <= self.now:
                one.status, one.until = "active", None

    def _come_out(self, edition: str, day: date) -> None:
        slot = datetime.combine(day, time(8), tzinfo=ZONE)
        first = FIRST + timedelta(days=4) if edition == WEEKLY else date(2026, 12, 4)
        start = first - timedelta(weeks=1) if edition == WEEKLY else date(2026, 11, 6)
        new = [p for p in self.pieces if start <= p.day and p.out <= slot and p.number not in self.carried[edition]]
        if new:
            self._expect(edition, new)

    def _expect(self, edition: str, pieces: list[Piece]) -> None:
        """An issue starts: write down what each reader must find in it."""
        number = max(self.carried[edition].values(), default=0) + 1
        self.carried[edition].update({one.number: number for one in pieces})
        self.went[edition, number] = self.now
        for reader in self.readers:
            if reader.status != "active" or reader.edition != edition:
                continue
            had = self._had(reader)
            owed = [p.number for p in pieces if p.is_for(reader.without) and p.number not in had]
            if owed:
                reader.expected[edition, number] = tuple(sorted(owed))
                self._spoil(reader, edition, number)

    def _had(self, reader: Reader) -> set[int]:
        """What came, may have come, or is on its way."""
        had = set(reader.stories)
        for (edition, number), stories in reader.expected.items():
            if self._state(reader, edition, number) not in (DeliveryState.FAILED, DeliveryState.DROPPED, None):
                had.update(stories)
        return had

    def _state(self, reader: Reader, edition: str, number: int) -> DeliveryState | None:
        found = self.app.roster.find(reader.address)
        assert found, reader
        told = self.app.ledger.delivery(edition, number, found.id)
        return told.state if told else None

    def _spoil(self, reader: Reader, edition: str, number: int) -> None:
        """Sometimes the mail server fails for one reader."""
        if self.chance.random() > 0.08:
            return
        what = self.chance.choice(["later", "no", "lost", "stored"])
        self.done[f"smtp {what}"] += 1
        match what:
            case "later":
                self.server.fault("RCPT", "451 4.3.0 later", to=reader.address, times=self.chance.choice([1, 2, 5]))
            case "no":
                self.server.fault("RCPT", "550 5.7.1 not wanted", to=reader.address)
            case "lost":
                self.server.fault("DOT", DROP, to=reader.address)
            case _:
                self.server.fault("DOT", DROP_STORED, to=reader.address)
        reader.excuses.add((edition, number))

    def _round(self) -> None:
        """As `work` does it."""
        self._prepare()
        hand_out(self.app, self.now)
        self._read()

    def _prepare(self) -> None:
        self.app.tend(self.now)
        library = self.app.library(self.now)
        for cadence in self.app.rhythms:
            self.app.prepare(cadence, library, self.now, hand=by_clock(self.now))

    def _killed(self) -> None:
        """Another process begins to hand out, and is killed in the middle of it."""
        self._prepare()
        self.app.lock.release()
        log = self.site.root / "killed.log"
        enough = len(self.server.messages) + self.chance.randint(0, 3)
        self.server.delay = 0.4
        process = Forked(alone, self.site.root, self.now, cwd=self.site.root, environment={}, out=log, err=log)
        until(lambda: len(self.server.messages) > enough or process.poll() is not None)
        process.kill()
        process.wait(10)
        self.server.delay = 0
        assert self.app.lock.acquire()
        doubtful = self.app.recover(self.now)
        assert doubtful <= self.app.config.mail.connections, doubtful
        self.done["killed"] += 1
        self.done["doubtful"] += doubtful
        self._read()
        for reader in self.readers:
            keys = (key for key in reader.expected if self._state(reader, *key) is DeliveryState.UNCERTAIN)
            reader.excuses.update(keys)

    # -- what came

    def _read(self) -> None:
        fresh, self.seen = self.server.messages[self.seen :], len(self.server.messages)
        for one in fresh:
            mail = read(one.recipient, one.content)
            self.mails.append(mail)
            reader = next((r for r in self.readers if r.address == mail.to), None)
            if mail.kind in (*EDITIONS, "catch-up"):
                self._judge(mail, reader)

    def _judge(self, mail: Mail, reader: Reader | None) -> None:
        if reader is None:
            raise Broken(f"{mail.to} is no address of a reader: {mail}")
        if reader.status != "active" and not (mail.kind == "catch-up" and reader.status == "paused"):
            raise Broken(f"{reader} is {reader.status} and got {mail}")
        if twice := sorted(set(mail.stories) & set(reader.stories)):
            raise Broken(f"{reader.name} got {twice} twice: {mail} after {reader.got}")
        if mail.kind == "catch-up":
            self._judge_catch_up(mail, reader)
        elif (wanted := reader.expected.get((mail.kind, mail.number))) is None:
            raise Broken(f"{reader} is owed nothing of {mail}")
        elif tuple(sorted(mail.stories)) != wanted:
            raise Broken(f"{reader} is owed {wanted}: {mail}\n{mail.text}")
        reader.got.append(mail)
        reader.link = mail.link("p")
        self._judge_words(mail, reader)

    def _judge_catch_up(self, mail: Mail, reader: Reader) -> None:
        for number in mail.stories:
            if not self.pieces[number].is_for(reader.without):
                raise Broken(f"{reader} does not want {number}: {mail}")
        missing = self.missed
        if not missing <= set(mail.stories):
            raise Broken(f"{reader} missed {sorted(missing)}: {mail}")

    def _judge_words(self, mail: Mail, reader: Reader) -> None:
        """Nothing in it speaks of a story that is not in it, or forgets one that is."""
        subject = str(mail.message["Subject"])
        if mail.kind != "catch-up" and subject != f"Piece {mail.stories[0]:03} as it was":
            raise Broken(f"the subject of {mail} is {subject}")
        count = f"{len(mail.stories)} {'story' if len(mail.stories) == 1 else 'stories'}"
        if count not in mail.text:
            raise Broken(f"{mail} does not say {count}:\n{mail.text}")
        if bool(mail.html) == reader.plain:
            raise Broken(f"{reader} plain={reader.plain}: {mail}")
        if mail.html and (lacking := {*mail.stories} - numbers("Summary", mail.html)):
            raise Broken(f"{mail}: {lacking} are not in the HTML")
        earlier = {n for one in mail.stories for n in range(one) if self._begins(n) == self._begins(one)}
        if strange := numbers("Summary", mail.text + mail.html) - {*mail.stories} - earlier:
            raise Broken(f"{mail} speaks of {strange}:\n{mail.text}")
        if told := numbers("New to this story[?] Piece", mail.text) & {*reader.stories}:
            raise Broken(f"{reader} is told what {told} was, which they know: {mail}\n{mail.text}")

    def _begins(self, number: int) -> int:
        before = self.pieces[number].before
        return number if before is None else self._begins(before)

    # -- people

    def _people(self) -> None:
        for reader in self.readers:
            if reader.status == "nobody":
                if self.chance.random() < max(0.15, self.busy):
                    self._sign_up(reader)
            elif reader.status == "left":
                if self.chance.random() < 0.1:
                    self._sign_up(reader)
            elif self.chance.random() < self.busy:
                self._do(reader)

    def _do(self, reader: Reader) -> None:
        act = self.chance.choices(
            ["choose", "pause", "leave", "move", "less", "undo", "resume"], weights=[6, 2, 1, 1, 1, 1, 1]
        )[0]
        self.done[act] += 1
        getattr(self, f"_{act}")(reader)

    def _post(self, path: str, **data: Any) -> str:
        answer = self.client.post(path, data=data)
        assert answer.status_code == 200, (path, data, answer.status_code, answer.text)
        return answer.text

    def _letter(self, reader_address: str, kind: str) -> Mail:
        """The letter that a press just called for."""
        hand_over(self.app, self.now)
        self._read()
        mail = self.mails[-1]
        if (mail.to, mail.kind) != (reader_address, kind):
            raise Broken(f"{reader_address} asked for {kind} and got {mail}")
        return mail

    def _sign_up(self, reader: Reader) -> None:
        self.done["sign up"] += 1
        edition = self.chance.choice(EDITIONS)
        page = self.client.get("/subscribe/").text
        shown = re.search(r'name="shown" value="([^"]+)"', page)
        assert shown
        self._post("/subscribe/", email=reader.address, edition=edition, shown=shown[1], website="")
        mail = self._letter(reader.address, "confirm")
        if self.chance.random() < 0.15:  # and never comes back to it
            return
        said = self._post(mail.link("c"), do="confirm")
        link = re.search(r'href="[^"]*?(p/[\w.~-]+)"', said)
        assert link, said
        if reader.status == "nobody" or reader.status == "left":
            reader.status, reader.owed_from = "active", self.now
            reader.link, reader.edition = f"/{link[1]}", self._who(reader).edition
            if reader.edition != edition:
                raise Broken(f"{reader} asked for {edition}")

    def _who(self, reader: Reader) -> Any:
        found = self.app.roster.find(reader.address)
        assert found
        return found

    def _choose(self, reader: Reader) -> None:
        edition = self.chance.choice(EDITIONS)
        without = frozenset(self.chance.sample(TOPICS, self.chance.choice([0, 1, 2, 2, 3])))
        plain = self.chance.random() < 0.3
        self._save(reader, often=edition, without=without, plain=plain)
        reader.status, reader.until = "active", None
        reader.edition, reader.without, reader.plain = edition, without, plain

    def _save(self, reader: Reader, *, often: str, without: Iterable[str], plain: bool, **more: str) -> str:
        wanted = [topic for topic in TOPICS if topic not in without]
        return self._post(
            reader.link,
            **{"do": "save", "often": often, "topics": wanted, "shown": list(TOPICS), "pause": "no", "until": ""}
            | {"format": "plain" if plain else "pictures", "address": ""}
            | more,
        )

    def _pause(self, reader: Reader) -> None:
        span, weeks = self.chance.choice([("2w", 2), ("4w", 4)])
        self._save(reader, often=reader.edition, without=reader.without, plain=reader.plain, pause=span)
        until = self.now.astimezone(ZONE).date() + timedelta(weeks=weeks)
        self._stops(reader, "paused")
        reader.until = datetime.combine(until, time(), tzinfo=ZONE)

    def _stops(self, reader: Reader, status: str) -> None:
        """What waits for them goes nowhere."""
        reader.status = status
        reader.excuses.update(key for key in reader.expected if self._state(reader, *key) is DeliveryState.DROPPED)

    def _resume(self, reader: Reader) -> None:
        self._post(reader.link, do="resume")
        reader.status, reader.until = "active", None

    def _leave(self, reader: Reader) -> None:
        way: dict[str, str] = self.chance.choice([{"List-Unsubscribe": "One-Click"}, {"do": "leave"}])
        self._post(self._out(reader), **way)
        self._stops(reader, "left")

    def _out(self, reader: Reader) -> str:
        found = self._who(reader)
        return self.app.unsubscribe_url(found.id, found.token_version).removeprefix(self.app.config.site.web_url)

    def _undo(self, reader: Reader) -> None:
        """Leaves, thinks again within the half hour."""
        if reader.status != "active":
            return
        said = self._post(self._out(reader), do="leave")
        token = re.search(r'name="undo" value="([^"]+)"', said)
        assert token, said
        self._stops(reader, "left")
        self._post(self._out(reader), do="undo", undo=token[1])
        reader.status = "active"
        found = self._who(reader)
        assert found.status.value == "active"
        reader.owed_from = found.owed_from

    def _less(self, reader: Reader) -> None:
        if reader.status != "active":
            return
        if reader.edition != MONTHLY:
            self._post(self._out(reader), do="monthly")
            reader.edition = MONTHLY
            return
        self._post(self._out(reader), do="pause")
        self._stops(reader, "paused")
        until = self.now.astimezone(ZONE).date() + timedelta(weeks=4)
        reader.until = datetime.combine(until, time(), tzinfo=ZONE)

    def _move(self, reader: Reader) -> None:
        reader.moves += 1
        new = f"{reader.name}.{reader.moves}@elsewhere.example"
        self._save(reader, often=reader.edition, without=reader.without, plain=reader.plain, address=new)
        reader.status, reader.until = "active", None
        mail = self._letter(new, "move")
        if self.chance.random() < 0.3:
            return
        said = self._post(mail.link("m"))
        self._letter(reader.address, "moved")
        old = reader.link
        link = re.search(r'href="[^"]*?(p/[\w.~-]+)"', said)
        assert link, said
        reader.address, reader.link = new, f"/{link[1]}"
        assert self.client.get(old).status_code == 404

    def _press_catch_up(self) -> None:
        for reader in self.readers:
            if reader.status in ("active", "paused") and reader.link and self.chance.random() < self.busy / 4:
                self.done["catch up"] += 1
                self._catch_up(reader)

    def _catch_up(self, reader: Reader) -> None:
        had = self._had(reader)
        missing = {
            number
            for number, issue in self.carried[reader.edition].items()
            if reader.owed_from and self.went[reader.edition, issue] >= reader.owed_from
            if number not in had and self.pieces[number].is_for(reader.without)
        }
        if reader.caught_up and self.now - reader.caught_up < timedelta(days=1):
            missing = set()
        before = len(self.mails)
        offered = "catch-up" in self.client.get(reader.link).text
        self._post(reader.link, do="catch-up")
        self.missed = missing
        hand_over(self.app, self.now)
        self._read()
        came = self.mails[before:]
        if missing and not came:
            raise Broken(f"{reader} missed {missing} and got no letter; offered: {offered}")
        if bool(came) != offered:
            raise Broken(f"{reader} got {came}; offered: {offered}")
        if came:
            reader.caught_up = self.now
            self.done["caught up"] += 1

    # -- the end

    def _end(self) -> None:
        for _ in range(3):
            self.now += timedelta(hours=20)
            hand_out(self.app, self.now)
            self._read()
        for reader in self.readers:
            came = {(mail.kind, mail.number) for mail in reader.got}
            lost = [key for key in reader.expected if key not in came and key not in reader.excuses]
            if lost:
                raise Broken(f"{reader} was owed {lost}")
        issues = {(one.edition, one.number) for one in self.app.issues(None)}
        if issues != set(self.went):
            raise Broken(f"issues differ: {issues ^ set(self.went)}")
