"""Issues of any size, of stories that are as unlike each other as can be: scripts, emoji, code, hostile words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from newsletter import variants
from newsletter.content import markdown
from newsletter.content.lines import Lines
from newsletter.issues.fit import Fitted, fitted
from newsletter.model import Post, Sentinel, Take
from newsletter.tongue import spoken
from tests.builders import a_library, a_post, a_site
from tests.unit.issues.scene import ALLIANCE, BATTERIES, STORY, a_view, templates

TEXT = """A [link](https://auto.example.org/a), **strong** words, `code {{ x }}` and a note.[^1]

## A heading

#### One that skipped a level

##### Deeper

###### Deepest

- one
- two
  1. in it
- three
  - in that

> A quote.
>
> > And one in it.

```jinja
{% for user in users %}<p>{{ user.name }}</p>{% endfor %}   # and a line that is longer than any telephone is wide
```

| Car | Range in winter | Price | Seats | Doors | Colour | Weight | Origin |
|:----|------:|:-----:|---|---|---|---|---|
| A | 400 km | 20,000 | 5 | 5 | green | 1,900 kg | Wolfsburg-Fallersleben |

![A car before a house](https://auto.example.org/car.jpg)

<figure>
<img src="https://auto.example.org/b.jpg" alt="Two cars" width="1072" height="536"><figcaption>Both</figcaption>
</figure>

<video src="https://auto.example.org/v.mp4"></video>

<table><caption>Sold in a year</caption><tr><th scope="row">Vans</th><td><small>about</small> 90</td></tr></table>

Term
: Its meaning

日本語のテキスト مرحبا بالعالم 🚗 H<sub>2</sub>O

---

[^1]: With a [link](https://auto.example.org/n).
"""
KINDS: tuple[dict[str, Any], ...] = (
    {"title": "Charging at altitude, and what cold does to a battery on the way up"},
    {"title": "全固体電池と、それを待つ人々について", "summary": "これは日本語の要約です。電池の値段、航続距離。" * 12},
    {"title": "بطاريات الحالة الصلبة ومن ينتظرها", "summary": "هذا ملخص عن البطاريات والسيارات، وعن الذين ينتظرون."},
    {"title": "🚗 Emoji 🔋 in a headline ⚡", "summary": "Some 🚙 and 👩‍🔧 in a summary, too."},
    {
        "title": "How to write {{ user.name }} and <p> in a template",
        "summary": "Code such as {% for x in y %}<p>{{ x }}</p>{% endfor %}, @@ and %% and ${x}.",
        "take": Take("<p>Write <code>{{ x }}</code>, not <code>&lt;p&gt;</code>.</p>", "Write {{ x }}, not <p>."),
    },
    {
        "title": '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(1)>',
        "summary": "</td></tr></table><style>*{display:none}</style> <!-- and a comment",
    },
    {"title": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau", "summary": "x" * 2000},
)


@cache
def stories(number: int) -> tuple[Post, ...]:
    """The lead with a picture and a story to go on from, then one of each kind, again and again."""
    first = datetime(2022, 2, 1, tzinfo=UTC)
    topics = ("Batteries", "Industry", "Electric cars")
    more = (
        a_post(
            f"story-{n}", day=first + timedelta(hours=n), topics=(topics[n % 3],), html=whole(), **KINDS[n % len(KINDS)]
        )
        for n in range(1, number)
    )
    return (replace(ALLIANCE, html=whole()), *more)


@cache
def whole() -> str:
    lines = Lines("posts/x.md", tuple(TEXT.splitlines()))
    return markdown.render(lines, 0, slug="x", day=date(2022, 2, 1), site=a_site(), find=lambda name: None)[0].html


@cache
def crowded(number: int, *, full: bool = False) -> Fitted:
    """The mail of an issue of so many stories."""
    posts = stories(number)
    library = a_library(*posts, BATTERIES, chains=dict.fromkeys(STORY.posts, STORY))
    return fitted(a_view(*posts, library=library, site=a_site(full_text=full)), templates())


def received(made: Fitted) -> str:
    """The HTML as a reader with a long address gets it."""
    html = variants.whole(made.digest, spoken(made.view.language)).html
    return (
        html.replace(Sentinel.ADDRESS, "r…@a-rather-long-name-of-a-domain.example.org")
        .replace(Sentinel.JOINED, "30 September 2021")
        .replace(Sentinel.UNSUBSCRIBE, "https://autotrendy.example/u/" + "k" * 80)
        .replace(Sentinel.PREFERENCES, "https://autotrendy.example/p/" + "k" * 80)
    )
