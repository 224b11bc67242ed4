"""Parts of a file: byte ranges, so that a broken download goes on where it stopped (RFC 9110, 14).

One range is served; who asks for several, or in words that cannot be read, gets the whole file, for a server may
always ignore `Range` (14.2). `If-Range` is taken strictly: of another version of the file nothing but all is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from newsletter.web.folder import Stored
from newsletter.web.negotiation import date_of

_RANGE = re.compile(r"bytes=[\s,]*(\d{0,18})-(\d{0,18})[\s,]*", re.IGNORECASE | re.ASCII)
_CHUNK = 64 << 10
_KEPT = frozenset({"accept-ranges", "etag", "vary"})  # what a refusal still says of the file


@dataclass(frozen=True, slots=True)
class Part:
    """The octets from `first` up to but without `end`, of `size` in all."""

    first: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.first

    @property
    def content_range(self) -> str:
        return f"bytes {self.first}-{self.end - 1}/{self.size}"


class Unsatisfiable(Exception):
    """No octet of the file lies in the range that was asked for (RFC 9110, 15.5.17)."""


def part_of(asked: str, size: int) -> Part | None:
    """The part that a `Range` header asks for; None for the whole file. Raises Unsatisfiable."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None  # no range at all (14.1.1)
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise Unsatisfiable
    return Part(start, end, size)


def is_current(if_range: str, etag: str, modified: datetime) -> bool:
    """Whether `If-Range` names the version that is here: its strong tag, or its date to the second (13.1.5)."""
    if '"' in if_range:
        return if_range.strip() == etag
    return not if_range or date_of(if_range) == modified.replace(microsecond=0)


def respond(method: str, asked: Headers, stored: Stored, body: bytes | None, headers: Mapping[str, str]) -> Response:
    """The representation whose `headers` hold its entity tag, or the part of it that a GET asks for.

    `body` is what is in memory, or None for a file that is read as it is sent: 200, 206 or 416.
    """
    size = stored.size if body is None else len(body)
    headers = {**headers, "accept-ranges": "bytes"}
    wanted = asked.get("range", "") if method == "GET" else ""
    if wanted and not is_current(asked.get("if-range", ""), headers["etag"], stored.modified):
        wanted = ""
    try:
        part = part_of(wanted, size)
    except Unsatisfiable:
        kept = {name: value for name, value in headers.items() if name in _KEPT}
        return Response(status_code=416, headers={**kept, "content-range": f"bytes */{size}"})
    if part is None:
        return _sent(200, method, stored, body, Part(0, size, size), headers)
    return _sent(206, method, stored, body, part, {**headers, "content-range": part.content_range})


def _sent(
    status: int, method: str, stored: Stored, body: bytes | None, part: Part, headers: Mapping[str, str]
) -> Response:
    told = {**headers, "content-length": str(part.length)}
    if body is not None:
        return Response(body if part.length == part.size else body[part.first : part.end], status, told)
    if method == "HEAD":
        return Response(status_code=status, headers=told)
    return StreamingResponse(_read(stored, part), status, told)


async def _read(stored: Stored, part: Part) -> AsyncIterator[bytes]:
    """The octets of the part. Of a file that was replaced meanwhile none: the client sees a cut, and asks again."""
    handle = await run_in_threadpool(os.open, stored.path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        status = os.fstat(handle)
        at = part.first if (status.st_ino, status.st_size) == (stored.stamp[0], stored.size) else part.end
        while at < part.end:
            chunk = await run_in_threadpool(os.pread, handle, min(_CHUNK, part.end - at), at)
            if not chunk:
                return
            at += len(chunk)
            yield chunk
    finally:
        os.close(handle)
