"""The parts of a Digest that not every reader gets: how they stand in a body, and how a body is cut for one reader.

A part stands between two lines of their own, `<!--segment KEY-->` and `<!--end segment-->`, in HTML and text alike;
both go when the body is cut. Its key says who gets it:

    recap:1, erratum:2   readers whose variant names it
    story:3              readers whose variant does not: it names the stories that are left out
    2 of 1-3 5           readers who get two or more of these stories; one that stands there twice counts twice

A part within another is for who gets both. No author can write such a line: HTML is escaped or cleaned of comments, and
a mark that stands anywhere else in a body is refused. What a body says about the stories in it is a Tally until then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import count, groupby

from newsletter.model import SegmentKind, Tally

END = "<!--end segment-->"
STORY = f"{SegmentKind.STORY.value}:"
"""How the key of a story begins; its place follows."""

Piece = tuple[tuple[str, ...], str]
"""Keys of the parts that it stands in, outermost first, and whole lines; no key for what everybody gets."""

_KEY = r"[a-z]+(?::[0-9]+)?|[0-9]+ of [0-9]+[-0-9 ]*"
_LINE = re.compile(rf"^[ \t]*<!--(?:segment ({_KEY})|end segment)-->[ \t]*\n", re.MULTILINE)
_REMNANT = re.compile(r"<!--\s*(?:segment|end segment)\b")
_TALLY = re.compile("|".join(f"{tally}([0-9]+)" if tally is Tally.NUMBER else tally for tally in Tally))


# --- marks -----------------------------------------------------------------------------------------


def begin(key: str) -> str:
    """The line that opens the part of this key."""
    return f"<!--segment {key}-->"


def at_least(wanted: int, numbers: Sequence[int]) -> str:
    """The key of what goes with so many of the stories of these numbers: `1 of 4-6 9`."""
    runs = []
    for _, found in groupby(enumerate(numbers), key=lambda placed: placed[1] - placed[0]):
        run = [number for _, number in found]
        runs.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
    return f"{wanted} of {' '.join(runs)}"


def is_mark(line: str) -> bool:
    """Whether a line without its end opens or closes a part."""
    return _LINE.fullmatch(f"{line}\n") is not None


def split(body: str) -> list[Piece]:
    """A body from top to bottom, without the marks.

    Raises ValueError, in words, for a mark that is damaged, stands within a line, or opens or closes nothing.
    """
    pieces: list[Piece] = []
    within: tuple[str, ...] = ()
    at = 0
    for mark in _LINE.finditer(body):
        pieces.append((within, body[at : mark.start()]))
        if not mark[1] and not within:
            raise ValueError(f"{mark[0].strip()} ends no part")
        within, at = (*within, mark[1]) if mark[1] else within[:-1], mark.end()
    if within:
        raise ValueError(f"{begin(within[-1])} has no end")
    pieces.append(((), body[at:]))
    for _, text in pieces:
        if remnant := _REMNANT.search(text):
            line = text[remnant.start() :].partition("\n")[0]
            raise ValueError(f"{line[:60]!r} is not a mark on a line of its own")
    return [piece for piece in pieces if piece[1]]


def keys(body: str) -> frozenset[str]:
    """The keys of all parts in a body that a variant may name. Raises ValueError like `split`."""
    return frozenset(key for within, _ in split(body) for key in within if " " not in key)


# --- variants --------------------------------------------------------------------------------------


def goes_to(variant: Collection[str], key: str) -> bool:
    """Whether readers with this variant get the part of this key."""
    wanted, _, stories = key.partition(" of ")
    if not stories:
        return (key in variant) != key.startswith(STORY)
    return sum(key not in variant for key in _keys(stories)) >= int(wanted)


@lru_cache(maxsize=1024)
def _keys(stories: str) -> tuple[str, ...]:
    runs = (run.partition("-") for run in stories.split())
    return tuple(f"{STORY}{number}" for first, _, last in runs for number in range(int(first), int(last or first) + 1))


def cut(body: str, variant: Collection[str], tallies: Mapping[Tally, str]) -> str:
    """The body as a reader gets it who has this variant. Raises ValueError like `split`."""
    fill, is_shown = filling(tallies), showing(variant)
    return "".join(fill(text) for within, text in split(body) if is_shown(within))


def showing(variant: Collection[str]) -> Callable[[tuple[str, ...]], bool]:
    """Whether readers with this variant get what stands in the parts of these keys, each of which is asked once."""
    goes = cache(partial(goes_to, frozenset(variant)))
    return lambda within: all(map(goes, within))


def filling(tallies: Mapping[Tally, str]) -> Callable[[str], str]:
    """What puts the tallies into the pieces of one body, called from top to bottom."""
    lines = count(1)

    def put(found: re.Match[str]) -> str:
        return str(next(lines)) if found[1] else tallies[Tally(found[0])]

    return lambda text: _TALLY.sub(put, text)


def has_tally(text: str) -> bool:
    return _TALLY.search(text) is not None
