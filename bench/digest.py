"""How long a weekly mail takes: a digest of 60 stories rendered, cut to fit and inlined, beside plain premailer.

Medians of five in one process, after one to warm it, of processor time: nothing here waits. premailer gets the page and
the sheet that ours was made of, and checks nothing. Prints seconds and the ratio.

    python -m bench.digest
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from premailer import transform

from newsletter.issues import digest
from newsletter.issues.fit import fitted
from newsletter.model import Post
from tests.builders import a_library, a_post
from tests.unit.issues.scene import a_view, templates

STORIES = 60
RUNS = 5


def stories() -> list[Post]:
    """As long as stories are: a title of nine words, a summary of 36, a take."""
    title, words = "What a week at the works showed, part", "It takes a while to say what happened there. " * 4
    return [a_post(f"story-{n}", title=f"{title} {n}", summary=words.strip(), words=900) for n in range(STORIES)]


def median(made: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS + 1):
        began = time.process_time()
        made()
        times.append(time.process_time() - began)
    return statistics.median(times[1:])


def main() -> None:
    posts = stories()
    view = a_view(*posts, library=a_library(*posts), previous=None, carried={})
    shown = fitted(view, templates()).view
    page, sheet = digest.unjoined(shown, templates())
    html = page.replace("</head>", f"<style>{sheet}</style></head>", 1)
    rows = (
        ("fitted, inlined, checked", median(lambda: fitted(view, templates()))),
        ("the same, as it fits", median(lambda: digest.render(shown, templates()))),
        ("premailer alone, as it fits", median(lambda: transform(html, strip_important=False))),
    )
    for name, seconds in rows:
        print(f"{name:<38} {seconds:7.3f} s   {seconds / rows[-1][1]:5.1f} ×")


if __name__ == "__main__":
    main()
