"""Answers that take the same time whatever was found, so that the time tells nothing.

What takes longer than that, on a busy machine, ends at the next beat: what it took beyond the first is hidden as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def in_beats(seconds: float) -> AsyncIterator[None]:
    """What is done within takes so long, or twice, or three times as long; an exception goes out at once."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    yield
    if seconds:
        await asyncio.sleep(seconds - (loop.time() - began) % seconds)
