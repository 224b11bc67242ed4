"""How each kind of published file is labelled: media type, time to live, content security policy.

A table of our own: the operating system's, which `mimetypes` reads, is another on every machine.
"""

from __future__ import annotations

from pathlib import PurePosixPath

FEEDS = {
    "rss.xml": ("application/rss+xml; charset=utf-8", "application/xml; charset=utf-8"),
    "atom.xml": ("application/atom+xml; charset=utf-8", "application/xml; charset=utf-8"),
    "feed.json": ("application/feed+json", "application/json"),
}
"""File name -> (the registered type, the type that browsers show instead of offering a download)."""

_TEXT = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
_BINARY = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/vnd.microsoft.icon",
    ".pdf": "application/pdf",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".woff2": "font/woff2",
    ".eml": "message/rfc822",
}
_UNKNOWN = "application/octet-stream"

_FEED_SECONDS = 900
_ASSET_SECONDS = 3600

_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https: data:; media-src 'self' https:; font-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'{form_origin}; base-uri 'none'; frame-ancestors 'none'"
)
_DRAWING_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def media_type(name: str, *, for_browser: bool = False) -> str:
    """The Content-Type of a published file, by its name."""
    if name in FEEDS:
        return FEEDS[name][for_browser]
    suffix = PurePosixPath(name).suffix.lower()
    return _TEXT.get(suffix) or _BINARY.get(suffix, _UNKNOWN)


def cache_control(name: str) -> str:
    """Feeds are polled, so they carry a time to live; text is asked for again each time (304 is cheap), so that
    a corrected page and its style are never mixed; pictures and the like may be kept for an hour.
    """
    if name in FEEDS:
        return f"public, max-age={_FEED_SECONDS}"
    if PurePosixPath(name).suffix.lower() in _TEXT:
        return "no-cache"
    return f"public, max-age={_ASSET_SECONDS}"


def content_policy(name: str, *, form_origin: str) -> str:
    """The Content-Security-Policy of a published file. An SVG opened by itself may run nothing."""
    if name.lower().endswith(".svg"):
        return _DRAWING_POLICY
    return _PAGE_POLICY.format(form_origin=f" {form_origin}" if form_origin else "")
