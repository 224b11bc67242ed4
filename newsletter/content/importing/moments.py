"""Dates as exports and feeds write them: always with a zone, given or known."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

_YEARS = range(1000, 9000)


def written(text: str, zone: tzinfo = UTC) -> datetime | None:
    """ISO 8601, RFC 3339, MySQL or RFC 822; a time without a zone is in `zone`. None for anything else, in UTC."""
    text = text.strip()
    moment = _iso(text) or _rfc822(text)
    if moment is None or moment.year not in _YEARS:
        return None
    return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC)


def counted(milliseconds: float) -> datetime | None:
    """Milliseconds since 1970, as old Ghost exports have them."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc822(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
