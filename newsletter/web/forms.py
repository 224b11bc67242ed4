"""What a form sends: small, in time, text only."""

from __future__ import annotations

import asyncio

from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_BODY = 16 << 10
"""Bytes that a POST may carry; the longest form, with a box for each topic, needs a few thousand."""

LONGEST_TOKEN = 512
"""Characters of a token in a path."""

Fields = ImmutableMultiDict[str, str]
"""What was filled in, by the name of the field; of several with one name `getlist` gives all, `get` the last."""

_BODY_SECONDS = 10
_MOST_FIELDS = 1000


async def fields(request: Request) -> Fields:
    """The text fields of a POST, urlencoded or multipart; none for another method. Raises HTTPException: 400, 408."""
    if request.method != "POST":
        return Fields()
    try:
        async with asyncio.timeout(_BODY_SECONDS), request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
            return Fields([(name, _text(value)) for name, value in form.multi_items() if isinstance(value, str)])
    except TimeoutError:
        raise HTTPException(408) from None
    except UnicodeError:  # a form may name its own charset, and there are some that nothing is written in
        raise HTTPException(400) from None


def _text(value: str) -> str:
    """Without halves of characters (surrogates), which can be neither stored nor shown."""
    return value.encode(errors="replace").decode()


def client_of(request: Request) -> str:
    """The address of the machine that asks; empty where nobody can say."""
    return request.client.host if request.client else ""
