"""What is said of limits: before an issue is sent, while it is, and afterwards."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from newsletter import words
from newsletter.providers import OTHER

if TYPE_CHECKING:
    from newsletter.cli.door import Door
    from newsletter.delivery.progress import Drained
    from newsletter.model import Issue
    from newsletter.usecases.allowance import HeldBack, Spread

_SHOWN = 3  # days that are told one by one


def spread_of(door: Door, readers: int, start: datetime, edition: str) -> Spread:
    """How an issue to so many readers would go out, at the pace of the last one of its edition."""
    from newsletter.usecases.allowance import spread

    app = door.app
    mail = app.config.mail
    sent = [one for one in app.ledger.issues(edition) if _in_a_day(one)]
    pace = app.ledger.pace(edition, sent[-1].number) if sent else None
    return spread(readers, mail.limits, app.throttle, start, canary=mail.canary, pace=pace)


def _in_a_day(issue: Issue) -> bool:
    """Whether it went out so quickly that its pace says how fast mail servers are."""
    return bool(issue.started_at and issue.finished_at and issue.finished_at - issue.started_at < timedelta(days=1))


def spread_lines(told: Spread, today: date) -> list[str]:
    """`Takes    about 12 min, at 1.8 a second`, or `Days     500 today, 750 tomorrow (warm-up)`; who is first."""
    lines = []
    if len(told.days) > 1:
        lines.append(f"Days     {days_words(told, today)}")
    elif told.duration and told.pace:
        lines.append(
            f"Takes    about {words.span(max(told.duration, timedelta(seconds=1)))}, at {told.pace:,.1f} a second"
        )
    if told.canary:
        lines.append(f"First    100 readers; all others {words.span(told.canary)} later")
    return lines


def days_words(told: Spread, today: date) -> str:
    """`500 today, 750 tomorrow, the rest until Mon 30 Nov 2026 (warm-up)`."""
    *first, (last, rest) = told.days
    said = [f"{count:,} {_day(day, today)}" for day, count in first[:_SHOWN]]
    ends = f"the rest until {_day(last, today)}" if len(first) > 1 else f"{rest:,} {_day(last, today)}"
    missing = told.readers - sum(count for _, count in told.days)
    more = f"; {missing:,} later than in ten years" if missing else ""
    return ", ".join([*said, ends]) + more + (" (warm-up)" if told.warms_up else " (mail.per_day)")


def _day(day: date, today: date) -> str:
    near = {0: "today", 1: "tomorrow"}
    return near.get((day - today).days, f"{words.WEEKDAYS[day.weekday()][:3]} {words.short_date(day)}")


def spread_data(told: Spread) -> dict[str, object]:
    return {
        "days": [{"day": day.isoformat(), "readers": count} for day, count in told.days],
        "warm_up": told.warms_up,
        "canary_seconds": told.canary.total_seconds() if told.canary else None,
        "pace": told.pace,
    }


def held_lines(told: HeldBack, zone: tzinfo, now: datetime) -> list[str]:
    """What holds mail back, a line for each: of a site without limits none, as long as nobody asked for less."""
    lines = []
    if told.next_mail and not told.more:
        lines.append(f"the next mail goes {words.when(told.next_mail, zone, now)}")
    if told.cap is not None:
        goes_on = f"; the rest goes on {words.when(told.more, zone, now)}" if told.more else ""
        lines.append(f"{told.taken:,} of the {told.cap:,} messages of today are gone{goes_on}")
    for name, every in told.slowed.items():
        who = "the mail server" if name == OTHER else name
        lines.append(f"{who} asked for less: it gets {rate_words(every)}, and a tenth more for each quiet minute")
    return lines


def rate_words(every: timedelta) -> str:
    """`2.5 a second`, `12 a minute`."""
    a_second = timedelta(seconds=1) / every
    return f"{a_second:,.1f} a second" if a_second >= 1 else f"{a_second * 60:,.0f} a minute"


def held_data(told: HeldBack) -> dict[str, object]:
    return {
        "today": told.taken,
        "cap": told.cap,
        "not_before": told.more or told.next_mail,
        "slowed": {name: round(timedelta(seconds=1) / every, 4) for name, every in told.slowed.items()},
    }


def left_lines(done: Drained, zone: tzinfo, now: datetime) -> list[str]:
    """Why a send ended with readers who wait for leave, and which mail servers took no part."""
    lines = []
    if done.not_before and done.not_before > now:
        kind, _, name = done.waits_for.partition(":")
        why = "The messages of today are gone" if kind == "day" else f"{name} gets no more for now"
        lines.append(f"{why}: newsletter work (or deliver) goes on {words.when(done.not_before, zone, now)}.")
    for one in done.relays:
        if one.fault != done.trouble:  # that one is told of at the end
            lines.append(f"warn  Mail server {one.name} took no part: {one.fault.code} {one.fault.message}")
    return lines
