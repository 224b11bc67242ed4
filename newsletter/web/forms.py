"""What a form sends: small, in time, text only."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_BODY = 16 << 10
"""Bytes that a POST may carry; the forms need about a hundred."""

LONGEST_TOKEN = 512
"""Characters of a token in a path."""

_BODY_SECONDS = 10


async def fields(request: Request) -> dict[str, str]:
    """The text fields of a POST, urlencoded or multipart; none for another method. Raises HTTPException: 400, 408."""
    if request.method != "POST":
        return {}
    try:
        async with asyncio.timeout(_BODY_SECONDS), request.form(max_files=0, max_fields=20) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except TimeoutError:
        raise HTTPException(408) from None
