"""Footnotes: numbered in the order in which they are first named, gathered at the end.

Promises each note that is named once, however often it is named or written, and none that is not.
"""

from __future__ import annotations

from collections import Counter

from newsletter.content.parts import Part, Parts


def settle(parts: Parts) -> Parts:
    """`parts` with the notes at their end, and each name of one as (number, how often it was named before)."""
    if b"[^" not in parts.raw:
        return parts
    named = _named(parts.all)
    done, notes = _taken_out(parts.all)
    if named:
        done.append(Part("+Notes"))
        for number, (key, times) in enumerate(named.items(), 1):
            done += _note(number, times, notes.get(key, []))
        done.append(Part("-Notes"))
    return parts._replace(all=done)


def _named(parts: list[Part]) -> dict[str, int]:
    """How often each note is named, in the order in which they are; names become numbers in `parts`."""
    numbers: dict[str, int] = {}
    times: Counter[str] = Counter()
    for index, part in enumerate(parts):
        if part.kind == "FootnoteReference":
            key = part.data.casefold()
            parts[index] = part._replace(data=(numbers.setdefault(key, len(numbers) + 1), times[key]))
            times[key] += 1
    return times


def _taken_out(parts: list[Part]) -> tuple[list[Part], dict[str, list[Part]]]:
    """What is no note, and what stands in each; the first one under a name is the one that counts."""
    rest: list[Part] = []
    notes: dict[str, list[Part]] = {}
    places = [rest]
    for part in parts:
        if part.kind == "+FootnoteDefinition":
            places.append([])
            notes.setdefault(part.data.casefold(), places[-1])
        elif part.kind == "-FootnoteDefinition":
            places.pop()
        else:
            places[-1].append(part)
    return rest, notes


def _note(number: int, times: int, parts: list[Part]) -> list[Part]:
    """One note; the ways back stand on the line of its last word."""
    back = [Part("Back", (number, time)) for time in range(times)]
    last = [parts[-1]] if parts and parts[-1].kind == "-Paragraph" else []
    return [Part("+Note", number), *parts[: len(parts) - len(last)], *back, *last, Part("-Note")]
