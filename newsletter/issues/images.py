"""The pictures of a mail: what those get who do not see them, and how long the others wait."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.errors import Problem
from newsletter.issues.mail import Mail, stop, warn
from newsletter.model import SHOWN_BYTES

WIDEST = 1200  # pixels; twice the column of a mail, and a little
_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|avif|svg)|(?:img|dsc|image|screenshot|pxl)[-_ ]?\d*", re.IGNORECASE
)


def check(mail: Mail) -> Iterator[Problem]:
    """I314 and I324 for the words of pictures, I323 for their weight and width."""
    for image in mail.page.iter("img"):
        source, alt = image.get("src", ""), image.get("alt", "").strip()
        if not alt:
            why = "Many readers never load pictures."
            yield stop("I314", f"The picture {source} has no alt text", why, "give the post an image_alt")
        elif _FILE_NAME.fullmatch(alt):
            message = f"The words for a picture are a file name: {alt[:60]}"
            yield warn("I324", message, "It is read aloud letter by letter.", "say in image_alt what it shows")
        yield from _weight(mail, source)


def _weight(mail: Mail, source: str) -> Iterator[Problem]:
    weight = mail.facts.weights.get(source)
    if weight and weight.octets > SHOWN_BYTES:
        message = f"The picture {source} has {weight.octets // 1000:,} kB, more than {SHOWN_BYTES // 1000}"
        yield warn("I323", message, "On a telephone the mail is read before it is there.", "save it as a smaller JPEG")
    if weight and weight.width > WIDEST:
        message = f"The picture {source} is {weight.width:,} pixels wide, more than {WIDEST:,}"
        yield warn("I323", message, "Outlook shows it in full width, beside the text.", "save it 1,072 pixels wide")
