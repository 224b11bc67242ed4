"""The square-bracket tags of WordPress that stand in texts: `[caption]`, `[gallery]`, `[embed]`, `[code]`.

Promises HTML in place of those that are known, and to tell of each that only WordPress could fill.
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape, unescape

_CAPTION = re.compile(r"\[caption\b[^\]]{0,500}\](.{0,5000}?)\[/caption\]", re.DOTALL)
_PICTURE = re.compile(r"(?:<a\b[^>]{0,2000}>\s*)?<img\b[^>]{0,2000}>(?:\s*</a>)?", re.IGNORECASE)
_EMBED = re.compile(r"\[embed\b[^\]]{0,200}\]\s*(https?://[^\s\[\]<>\"']{1,1000})\s*\[/embed\]")
_MEDIA = re.compile(r"\[(audio|video)\b([^\]]{0,1000})\](?:\s*\[/\1\])?")
_SOURCE = re.compile(r"""(?:src|mp3|m4a|ogg|mp4|webm)=["']?(https?://[^"'\s\]]{1,1000})""")
_CODE = re.compile(
    r"\[(sourcecode|code)\b([^\]]{0,200})\](.{0,50000}?)\[/\1\]",
    re.DOTALL,
)
_LANGUAGE = re.compile(r"""(?:language|lang)=["']?([A-Za-z0-9+#_-]{1,30})""")
_LOST = re.compile(
    r"\[/?(gallery|playlist|contact-form|contact-form-7|wpforms|more|gravityform|jetpack[\w-]*)\b[^\]]{0,1000}\]"
)


def spelled_out(html: str, told: Counter[str]) -> str:
    """`html` with its shortcodes as HTML; what cannot be is taken out and counted in `told`."""
    html = _CAPTION.sub(_caption, html)
    html = _EMBED.sub(lambda match: _link(match.group(1)), html)
    html = _MEDIA.sub(_media, html)
    html = _CODE.sub(_code, html)

    def lost(match: re.Match[str]) -> str:
        told[f"[{match.group(1)}], which only WordPress can fill, was left out"] += 1
        return ""

    return _LOST.sub(lost, html)


def _caption(match: re.Match[str]) -> str:
    picture = _PICTURE.search(match.group(1))
    if not picture:
        return match.group(1)
    said = match.group(1)[picture.end() :].strip()
    caption = f"<figcaption>{said}</figcaption>" if said else ""
    return f"\n\n<figure>{picture.group()}{caption}</figure>\n\n"


def _media(match: re.Match[str]) -> str:
    source = _SOURCE.search(match.group(2))
    return _link(source.group(1)) if source else ""


def _code(match: re.Match[str]) -> str:
    """Its text is written as HTML, though not always all of it."""
    language = _LANGUAGE.search(match.group(2))
    told = f' class="language-{language.group(1)}"' if language else ""
    return f"\n\n<pre><code{told}>{escape(unescape(match.group(3)).strip(chr(10)), quote=False)}</code></pre>\n\n"


def _link(url: str) -> str:
    safe = escape(url)
    return f'<a href="{safe}">{safe}</a>'
