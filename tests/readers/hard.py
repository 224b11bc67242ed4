"""A site that is hard to read: 120 posts with everything in their words and dates that trips feed readers up."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from tests.acceptance.harness import CONFIGURATION, SiteFolder
from tests.unit.publish.example import PIXEL

NOW = "2027-06-01T12:00:00+02:00"
COUNT = 120
SITE = """
rights = "© 2027 Auto Trendy & <others>"
icon = "icon.png"
logo = "logo.png"
"""
MORE = """
[publish]
hubs = ["http://127.0.0.1:9/?a=1&b=2"]

[people.ben-and-jo]
name = "Zoë Müller & Jo"
"""
TITLES = (
    'Why "V6" & <b>V8</b> aren\'t enough',
    "AT&T, R&amp;D and a Vec<T>",
    "سيارات كهربائية — خطوة أولى",
    "👩‍🔧 A mechanic’s day",
    "What ends with ]]> or with -->",
    "C++, C# & co.: 1 < 2 > 0",
    "100 % electric, 50%25 off & more+more?",
    "Ein Käfer fährt über die Straße",
    "電気自動車の一週間",
    "<Weekly> notes; \\ and $1 \\n",
)
TEXTS = (
    "A claim.[^a] And **strong** words, `<script>alert(1)</script>`, and &nbsp; an entity.\n\n[^a]: Its source.",
    "| car | range |\n|---|--:|\n| a & b | 1 < 2 |\n\n> Quoted: ]]> and &amp;amp; stay as they are.",
    '```html\n<p class="x">&lt;b&gt; ]]></p>\n```\n\n::: take check=2028-12-31\nWe\'d wait & see: 1 < 2.\n:::',
    'A picture of it:\n\n![A car & "its" <driver>](https://pictures.example/a.png?x=1&y=2)\n\nמכונית חשמלית.',
    "- one\n- two\n  1. three 👩‍👩‍👧\n\n[a link](https://else.example/?q=a&b=c#d) and <https://else.example/ü>",
)
TOPICS = ("C++", "R&D", "Кузов")


def write(folder: Path) -> SiteFolder:
    """The site's sources. Its posts are alike every time."""
    site = SiteFolder(folder).configure(CONFIGURATION.replace("[sender]", f"{SITE}\n[sender]"), MORE)
    for name, size in (("icon", (512, 512)), ("logo", (400, 200))):
        Image.new("L", size).save(site.root / f"{name}.png")
    for number in range(COUNT):
        _post(site, number)
    (site.root / "posts" / "car.png").write_bytes(PIXEL)
    return site


def title(number: int) -> str:
    return f"{number}: {TITLES[number % len(TITLES)]}"


def shown(number: int) -> str:
    """The title as a reader is to show it: without tags of HTML, every other mark as it was written."""
    return title(number).replace("<b>", "").replace("</b>", "")


def _post(site: SiteFolder, number: int) -> None:
    """Two a day at the same moment, every third at an hour with a zone of its own, across both clock changes."""
    month, day = divmod(number // 2, 25)
    date = f"2027-{month + 2:02}-{day + 1:02}"
    when = f"{date}T23:30:00+08:00" if number % 3 == 0 else date
    front = {
        "title": title(number),
        "author": "ben-and-jo" if number % 12 == 0 else "news-desk",
        "date": when,
        "topics": [topic for turn, topic in enumerate(TOPICS) if number % 8 == turn or number % 20 == turn],
        "summary": f"What {TITLES[number % 10]} means in a week: more & less <than> you think, number {number}.",
    }
    if number % 10 == 9:
        front["updated"] = f"2027-{month + 2:02}-{day + 3:02}T23:59:59+01:00"
    if number % 7 == 3:
        front |= {"image": "car.png", "image_alt": f"A parked car & its number {number}"}
    if number % 48 in (2, 4):
        front["continues"] = f"post-{number - 2:03}"
    lines = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in front.items())
    text = f"---\n{lines}---\n\n{TEXTS[number % len(TEXTS)]}\n"
    (site.root / "posts" / f"{date}-post-{number:03}.md").write_text(text, encoding="utf-8")
