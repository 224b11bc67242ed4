"""The checks that concern one post, beyond its front matter and its links to other posts.

Promises to look at the page as its readers will meet it, and to say of every finding where it stands,
why it matters and what to do. Stops are what would embarrass the house; the rest is advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from newsletter.content import outline
from newsletter.content.frontmatter import FrontMatter
from newsletter.content.header import Header
from newsletter.content.lines import Lines, Spot
from newsletter.content.markdown import SUMMARY_WORDS, Rendered
from newsletter.content.outline import Anchor, Outline
from newsletter.errors import Problem
from newsletter.model import Site

_MOST = 100  # findings of one kind in one post; beyond, the list helps nobody

_EMPTY_WORDS = frozenset({"here", "click here", "read more", "more", "link", "this", "this link", "this article"})
_LEFTOVER = re.compile(
    r"\bTK\b|\bTODO\b|\bFIXME\b|\bXXX\b|\blorem ipsum\b|\{\{[^{}\n]{0,80}\}\}|\{%[^%\n]{0,80}%\}"
    r"|^Text…$|^One to three sentences of house opinion\.$",
    re.IGNORECASE | re.MULTILINE,
)
_LEFTOVER_HINTS = ("tk", "todo", "fixme", "xxx", "lorem", "{{", "{%", "text…", "one to three sentences")
_MARKUP_HINTS = (":::", "[")
_MARKUP = re.compile(r"^:{3,}.*$|\[![A-Za-z]{1,30}\]|\[\^[^\[\]\s]{1,100}\]|\[\[[^\[\]\n]{0,300}\]\]", re.MULTILINE)
_FILE_ALT = re.compile(r"(?:\S+\.(?:jpe?g|png|gif|webp|avif|svg)|(?:img|dsc|image|screenshot)[-_ ]?\d*)", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]{0,3}(?: (?=[^a-z])|$)")
_NOWHERE = re.compile(r"localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1\]|[^.]+|.*\.(?:local|internal|invalid)")


@dataclass(frozen=True, slots=True)
class Subject:
    """One post to be checked. `released`: it goes out once its date has come."""

    header: Header
    rendered: Rendered
    lines: Lines
    front: FrontMatter
    assets: Mapping[str, bytes]
    page: str  # its absolute URL
    released: bool

    def spot(self, needle: str) -> Spot:
        """Where `needle` first stands in the body."""
        return self.lines.find(needle, self.front.height)

    @property
    def unfinished(self) -> str:
        """The level of what is normal in a text that is being written."""
        return "stop" if self.released else "warn"


def check(subject: Subject, site: Site) -> list[Problem]:
    """All findings in one post: P112, P113, P118, P120–P125, P127, P136 and P126 for markup left over."""
    take = subject.rendered.take
    seen = outline.joined([outline.read(html) for html in (subject.rendered.html, take.html if take else "")])
    kinds = (
        _words(subject, seen),
        _pictures(subject, seen),
        _image(subject),
        _links(subject, seen, site),
        _shape(subject, seen),
    )
    return [problem for kind in kinds for problem in islice(kind, _MOST)]


def _words(subject: Subject, seen: Outline) -> Iterator[Problem]:
    if not seen.text and not "".join(subject.lines.lines[subject.front.height :]).strip():
        message = "The post has no text"
        yield subject.lines.problem("P118", message, Spot(subject.front.height), level=subject.unfinished)
    everything = "\n".join((subject.header.title, subject.header.summary, seen.prose))
    for left in _found(_LEFTOVER, _LEFTOVER_HINTS, everything):
        yield subject.lines.problem(
            "P118",
            f"A placeholder was left: {left[:60]}",
            subject.lines.find(left),
            fixes=("write what belongs there", "put it between `backticks` if it is meant"),
            level=subject.unfinished,
        )
    for left in _found(_MARKUP, _MARKUP_HINTS, seen.prose):
        message = f"Markup that readers will see as it is: {left[:60]}"
        yield subject.lines.problem("P126", message, subject.spot(left), level="warn")


def _found(wanted: re.Pattern[str], hints: tuple[str, ...], text: str) -> list[str]:
    """Each different match once; `hints` are small, one of them is in every match, and most texts have none."""
    small = text.lower()
    if not any(hint in small for hint in hints):
        return []
    return list(dict.fromkeys(match.group() for match in wanted.finditer(text)))


def _pictures(subject: Subject, seen: Outline) -> Iterator[Problem]:
    written = {f"{subject.page}{name}": as_written for name, as_written in subject.rendered.files}
    for picture in seen.pictures:
        name = written.get(picture.src, picture.src)
        spot = subject.spot(name)
        if not picture.src:
            message = "A picture has no address that readers could load"
            yield subject.lines.problem("P120", message, subject.spot("<img"))
        elif not picture.alt:
            yield _without_alt(subject, name, spot)
        elif _FILE_ALT.fullmatch(picture.alt.strip()):
            yield _file_alt(subject, picture.alt, spot)
    for name, as_written in subject.rendered.files:
        yield from _file(subject, name, subject.spot(as_written))


def _image(subject: Subject) -> Iterator[Problem]:
    image, alt, spot = subject.header.image, subject.header.image_alt, subject.front.spot("image")
    if not image:
        return
    if not alt:
        yield _without_alt(subject, image, subject.front.spots.get("image_alt", spot))
    elif _FILE_ALT.fullmatch(alt):
        yield _file_alt(subject, alt, subject.front.spot("image_alt"))
    if "://" not in image:
        yield from _file(subject, image, spot)
    elif not image.startswith(("https://", "http://")) or not _is_address(image):
        yield subject.lines.problem("P120", "The image is not a file beside the post and not a web address", spot)


def _is_address(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _without_alt(subject: Subject, name: str, spot: Spot) -> Problem:
    why = "Those who cannot see it, and mail programs that do not load it, would get nothing."
    fixes = ("image_alt: what it shows", "in the text: ![what it shows](file)")
    return subject.lines.problem("P112", f"No words say what the picture {name[:80]} shows", spot, why=why, fixes=fixes)


def _file_alt(subject: Subject, alt: str, spot: Spot) -> Problem:
    message = f"The words for a picture are a file name: {alt[:60]}"
    return subject.lines.problem("P122", message, spot, fixes=("say what it shows",), level="warn")


def _file(subject: Subject, name: str, spot: Spot) -> Iterator[Problem]:
    if name.lower().endswith((".svg", ".svgz")):
        why = "It can carry scripts, and mail programs do not show it."
        message = f"The picture {name[:80]} is an SVG drawing"
        yield subject.lines.problem("P136", message, spot, why=why, fixes=("export it as PNG",))
    elif name.lower().endswith((".heic", ".heif", ".tif", ".tiff", ".bmp", ".jxl")):
        message = f"The picture {name[:80]} is in a format that browsers and mail programs do not show"
        yield subject.lines.problem("P137", message, spot, fixes=("export it as JPEG or PNG",))
    elif name not in subject.assets:
        why = "Only pictures (JPEG, PNG, GIF, WebP, AVIF) beside the post are published with it."
        folder = PurePosixPath(subject.lines.file).parent
        fixes = (f"put {name[:80]} into {folder}/", "link to another post with [[its-slug]]")
        yield subject.lines.problem("P113", f"There is no file {name[:80]} beside the post", spot, why=why, fixes=fixes)


def _links(subject: Subject, seen: Outline, site: Site) -> Iterator[Problem]:
    targets: dict[str, str] = {}
    for link in seen.links:
        words = link.text.casefold().strip(" .…»›→")
        spot = subject.spot(f"[{link.text}]")
        if link.text and _leads_nowhere(link, site):
            fixes = ("give it a public https address",)
            message = f"The link “{link.text[:60]}” leads nowhere for readers"
            yield subject.lines.problem("P120", message, spot, fixes=fixes)
        elif words in _EMPTY_WORDS:
            why = "Read alone, as screen readers list them, links must say where they lead."
            yield subject.lines.problem("P121", f"The link text is only “{link.text}”", spot, why=why, level="warn")
        elif targets.setdefault(words, link.href) != link.href:
            message = f"Two links say “{link.text[:60]}” and lead to different pages"
            yield subject.lines.problem("P127", message, spot, level="warn")


def _leads_nowhere(link: Anchor, site: Site) -> bool:
    if not link.href:
        return True
    if link.href.startswith((site.url, "mailto:")):
        return False
    try:
        host = urlsplit(link.href).hostname or ""
    except ValueError:
        return True
    return not host or bool(_NOWHERE.fullmatch(host))


def _shape(subject: Subject, seen: Outline) -> Iterator[Problem]:
    words = len(subject.header.summary.split())
    if words > SUMMARY_WORDS:
        message = f"The summary has {words} words; the digest shows {SUMMARY_WORDS}"
        yield subject.lines.problem("P125", message, subject.front.spot("summary"), level="warn")
    take = subject.rendered.take
    if take and len(_SENTENCE.findall(take.text)) > 3:
        message = "The take is longer than three sentences"
        spots = (subject.spot(mark) for mark in ("::: take", ":::take", "[!TAKE", "[!take"))
        yield subject.lines.problem("P123", message, next((s for s in spots if s.line), Spot()), level="warn")
    level = 2
    for heading, text in seen.headings:
        if heading > level + 1 or (level == 2 and heading > 3):
            message = f"The heading “{text[:60]}” skips a level"
            yield subject.lines.problem("P124", message, subject.spot(text[:40]), level="warn")
        level = heading
