"""A mail taken apart for a person to look at, and its HTML as different programs would show it.

A look is made here, on this side: a frame inherits neither darkness nor the lack of pictures from its page.
"""

from __future__ import annotations

import email.policy
import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage

from newsletter.model import Site
from newsletter.web.preview.bars import at_home

LOOKS = {
    "light": "light",
    "dark": "dark",
    "inverted": "inverted (simulated)",
    "no-pictures": "no pictures",
    "no-styles": "no styles",
}
WIDTHS = {"600": "600", "375": "375", "320": "320"}
READERS = {"all": "with all that some get", "none": "with what everybody gets"}
PARTS = {"html": "HTML", "text": "plain text", "source": "source", "headers": "headers"}

_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_LIGHT = re.compile(r"\(\s*prefers-color-scheme\s*:\s*light\s*\)")
_ALWAYS, _NEVER = "(min-width: 0)", "(max-width: 0)"
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_INVERTED = (
    "html { background: #fff; filter: invert(1) hue-rotate(180deg) } img { filter: invert(1) hue-rotate(180deg) }"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail program shows, and what it is given."""

    subject: str
    sender: str
    to: str
    date: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    headers: str = field(repr=False)  # as they are on the wire
    size: int = 0  # octets of the whole message


def read(content: bytes) -> Letter:
    """The mail in these octets; what cannot be read of it is empty."""
    mail = message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)  # noqa: S101  the policy makes it one
    head = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return Letter(
        subject=_header(mail, "Subject"),
        sender=_header(mail, "From"),
        to=_header(mail, "To"),
        date=_header(mail, "Date"),
        html=_body(mail, "html"),
        text=_body(mail, "plain"),
        headers=head.decode("utf-8", "replace"),
        size=len(content),
    )


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail.get(name, ""))
    except (ValueError, LookupError, AttributeError):  # what the parser stumbles over is shown under "headers"
        return ""


def _body(mail: EmailMessage, kind: str) -> str:
    try:
        part = mail.get_body((kind,))
        return str(part.get_content()) if part else ""
    except (ValueError, LookupError, AttributeError):
        return ""


def framed(letter: Letter, look: str, site: Site) -> bytes:
    """The HTML part as it is shown in a frame: its links open beside, those to the site on this machine."""
    dark = look == "dark"
    page = _DARK.sub(_ALWAYS if dark else _NEVER, letter.html)
    page = _LIGHT.sub(_NEVER if dark else _ALWAYS, page)
    more = f"<style>:root {{ color-scheme: {'dark' if dark else 'light'} !important }}</style>"
    more += f"<style>{_INVERTED}</style>" if look == "inverted" else ""
    page = page.replace("</head>", f"{more}</head>", 1)
    page = _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', page, count=1)
    return at_home(page.encode("utf-8", "replace"), site)


def policy(look: str, port: int) -> str:
    """The Content-Security-Policy of a framed mail: it runs nothing, and some programs load less.

    A sandboxed document has no origin of its own, so this machine is named.
    """
    here = f"http://127.0.0.1:{port} http://localhost:{port}"
    pictures = "img-src 'none'" if look == "no-pictures" else f"img-src {here} https: data:"
    styles = "style-src 'none'" if look == "no-styles" else "style-src 'unsafe-inline'"
    return (
        f"default-src 'none'; {styles}; {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
