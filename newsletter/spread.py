"""Work on both processors: a `map` whose function runs in forked children.

Children inherit what the function closes over, so that only results travel. With one processor, little to do, or
threads about (a fork would copy their locks, held for ever) the work is done here, in turn; the result is the same.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORTH_IT = 200
"""Things to do below which starting a child costs more than it saves."""

_CHUNK = 8  # things at a time: few, since some take a hundred times as long as others
_work: tuple[Callable[[Any], Any], Sequence[Any]] | None = None  # in a child only


def spread(function: Callable[[T], R], things: Sequence[T]) -> Iterator[R]:
    """`function` of each of `things`, in their order; results must pickle. What it raises is raised here."""
    processors = len(os.sched_getaffinity(0))
    alone = processors < 2 or len(things) < WORTH_IT or threading.active_count() > 1
    if alone or not hasattr(os, "fork"):
        return map(function, things)
    return _forked(function, things, processors)


def _forked(function: Callable[[T], R], things: Sequence[T], processors: int) -> Iterator[R]:
    import multiprocessing  # most runs do without
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("fork")
    gc.freeze()  # what is there now will not be touched, so that its memory stays shared
    life = os.pipe()
    given = (function, things, life)
    try:
        with ProcessPoolExecutor(processors, context, initializer=_begin, initargs=given) as pool:
            yield from pool.map(_do, range(len(things)), chunksize=_CHUNK)
    finally:
        gc.unfreeze()
        for end in life:
            os.close(end)


def _begin(function: Callable[[Any], Any], things: Sequence[Any], life: tuple[int, int]) -> None:
    global _work  # noqa: PLW0603 - the one thing that a child knows
    _work = function, things
    os.close(life[1])
    threading.Thread(target=_end_with_parent, args=(life[0],), daemon=True).start()
    gc.set_threshold(100_000, 50, 50)  # parsing makes many objects and hardly a circle: looking for them took an eighth


def _end_with_parent(life: int) -> None:
    """Nothing comes, until the parent that alone could write is gone: without it a child would wait for ever, and hold
    the locks that it inherited.
    """
    os.read(life, 1)
    os._exit(1)


def _do(place: int) -> Any:
    if _work is None:
        raise RuntimeError("a child without work")
    function, things = _work
    return function(things[place])
