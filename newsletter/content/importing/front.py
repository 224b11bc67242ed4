"""An arrival as the text of a file of ours.

Promises front matter that reads back as it was meant, with dates on the site's clock and their offset.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from newsletter.content.importing import body
from newsletter.content.importing.arrival import Arrival
from newsletter.content.importing.placing import Place
from newsletter.content.markdown import shortened
from newsletter.content.new import quoted

_CUT = re.compile(
    r"\s*(?:\[\s*(?:…|\.\.\.)\s*\]|…|\.\.\.|→|Continue reading.{0,200}|Read more.{0,20})\s*$", re.IGNORECASE
)
_ADDED = re.compile(r"<p>\s*The post .{1,2000}? (?:first appeared on|appeared first on) .{1,1000}?</p>\s*$", re.DOTALL)


def written(
    arrival: Arrival,
    place: Place,
    *,
    zone: ZoneInfo,
    reviewer: str,
    image: str,
    image_alt: str,
    draft: bool,
    text: str,
) -> str:
    """The whole file; `text` is its body in Markdown. The arrival has a date."""
    assert arrival.published is not None  # noqa: S101  it was placed
    updated = arrival.updated if arrival.updated and arrival.updated > arrival.published else None
    topics = ", ".join(quoted(topic) for topic in _topics(arrival))
    rows = [
        ("title", quoted(place.title)),
        ("author", quoted(place.author)),
        ("reviewer", quoted(reviewer)),
        ("date", _local(arrival.published, zone)),
        ("updated", _local(updated, zone) if updated else ""),
        ("topics", f"[{topics}]" if topics else ""),
        ("summary", quoted(summary(arrival))),
        ("image", quoted(image)),
        ("image_alt", quoted(image_alt) if image else ""),
        ("id", quoted(place.id)),
        ("draft", "true" if draft else ""),
    ]
    front = "\n".join(f"{key}: {value}" for key, value in rows if value)
    return f"---\n{front}\n---\n\n{text}\n"


def summary(arrival: Arrival) -> str:
    """The excerpt that somebody wrote; nothing for one that is only the beginning of the text."""
    if not arrival.excerpt:
        return ""
    said = body.text(_ADDED.sub("", arrival.excerpt))
    beginning = _CUT.sub("", said)
    if not beginning or (beginning != said and _squeezed(body.text(arrival.html)).startswith(_squeezed(beginning))):
        return ""
    if _squeezed(body.text(arrival.html)).startswith(_squeezed(said)):
        return ""
    return shortened(said)


def _topics(arrival: Arrival) -> list[str]:
    found = (" ".join(topic.replace(",", " ").split()) for topic in arrival.topics)
    return [topic for topic in found if topic]


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _local(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    offset = local.utcoffset()
    if offset is None or offset.seconds % 60:  # before zones were whole minutes from Greenwich
        local = moment.astimezone(UTC)
    return local.isoformat(timespec="seconds")
