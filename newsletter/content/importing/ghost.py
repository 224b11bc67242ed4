"""The JSON export of Ghost.

Promises every post with its tags, authors and lead picture; what only members could read is held.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, BinaryIO

from newsletter.content.importing import moments
from newsletter.content.importing.arrival import Arrival, Byline, Home, Other, Piece
from newsletter.content.lines import FORBIDDEN
from newsletter.errors import Problem, SourceErrors

_HELD = {"draft": "it was a draft", "sent": "it was sent by mail only"}

_ROOT = "__GHOST_URL__"  # stands for the address of the site in every link of an export

Row = Mapping[str, Any]


def read(stream: BinaryIO, file: str, zone: tzinfo) -> Iterator[Piece]:
    """What the file holds. Raises SourceErrors (P304) for other JSON."""
    tables = _tables(_parsed(stream, file), file)
    yield Home(_url(tables), "Ghost export")
    bylines = {r.get("id"): Byline(_text(r, "name"), _text(r, "slug"), _text(r, "email")) for r in tables["users"]}
    tags = {r.get("id"): _text(r, "name") for r in tables["tags"] if not _text(r, "name").startswith("#")}
    authors = _joined(tables["posts_authors"], "author_id", bylines)
    topics = _joined(tables["posts_tags"], "tag_id", tags)
    more = {row.get("post_id"): row for row in tables["posts_meta"]}
    for row in tables["posts"]:
        by = authors.get(row.get("id")) or [b for b in [bylines.get(row.get("author_id"))] if b]
        yield _post(row, by, topics.get(row.get("id"), []), more.get(row.get("id"), {}), zone)


def _parsed(stream: BinaryIO, file: str) -> Any:
    try:
        return json.loads(stream.read().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise SourceErrors(_problem(f"The JSON is broken: {error.msg}", file, error.lineno)) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise SourceErrors(_problem("The JSON is not UTF-8 or nested too deep", file, 0)) from error


def _problem(message: str, file: str, line: int) -> Problem:
    return Problem("P304", message, file, line, fixes=("in Ghost: Settings, Export, and give that file",))


def _tables(whole: Any, file: str) -> dict[str, Sequence[Row]]:
    """The tables of the first database, each a list of rows; missing ones are empty."""
    if isinstance(whole, dict) and isinstance(whole.get("db"), list) and whole["db"]:
        whole = whole["db"][0]
    data = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("posts"), list):
        raise SourceErrors(_problem("The JSON is not an export of Ghost: it has no data.posts", file, 0))
    names = ("posts", "users", "tags", "posts_authors", "posts_tags", "posts_meta", "settings")
    return {key: [row for row in _list(data.get(key)) if isinstance(row, dict)] for key in names}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _url(tables: Mapping[str, Sequence[Row]]) -> str:
    return next((_text(row, "value") for row in tables["settings"] if row.get("key") == "url"), "")


def _joined(rows: Sequence[Row], key: str, values: Mapping[Any, Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for row in sorted(rows, key=lambda r: r["sort_order"] if isinstance(r.get("sort_order"), int) else 0):
        if (value := values.get(row.get(key))) is not None:
            found.setdefault(row.get("post_id"), []).append(value)
    return found


def _post(row: Row, authors: list[Byline], topics: list[str], more: Row, zone: tzinfo) -> Piece:
    kind = _text(row, "type") or ("page" if row.get("page") else "post")
    title = _text(row, "title")
    if kind != "post":
        return Other(kind, title, "a page, not a post" if kind == "page" else f"of the kind {kind[:40]}, not a post")
    draft = _text(row, "status") in _HELD
    dates = ("published_at", "created_at") if draft else ("published_at",)
    slug = _text(row, "slug")
    return Arrival(
        id=f"urn:uuid:{_text(row, 'uuid')}" if row.get("uuid") else _text(row, "id"),
        title="" if title == "(Untitled)" else title,
        html=_text(row, "html"),
        published=next((moment for key in dates if (moment := _moment(row.get(key), zone))), None),
        link=f"/{slug}/" if slug else "",
        slug=slug,
        updated=_moment(row.get("updated_at"), zone),
        author=authors[0] if authors else None,
        topics=tuple(dict.fromkeys(topic for topic in topics if topic)),
        excerpt=_text(row, "custom_excerpt"),
        held=_held(row),
        image=_text(row, "feature_image"),
        image_alt=_text(more, "feature_image_alt") or _text(more, "feature_image_caption"),
    )


def _held(row: Row) -> str:
    status, seen = _text(row, "status"), _text(row, "visibility")
    if not _text(row, "html") and (_text(row, "lexical") or _text(row, "mobiledoc")):
        return "the export has its text in the form of Ghost's editor only, not as HTML: publish it there once more"
    if seen not in {"", "public"}:
        return "it was for members only"
    return _HELD.get(status, "" if status in {"", "published", "scheduled"} else f"its state was {status[:40]}")


def _moment(value: Any, zone: tzinfo) -> datetime | None:
    if isinstance(value, int | float):
        return moments.counted(value)
    return moments.written(str(value), zone) if value else None


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return FORBIDDEN.sub("", value).replace(_ROOT, "").strip() if isinstance(value, str) else ""
