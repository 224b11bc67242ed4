"""The allow-list that every piece of HTML passes, and the one place where URLs become absolute.

Promises that no script, style, form, frame or event handler leaves, that each URL is absolute and is
http, https or mailto, and that ids carry the slug, since readers put many posts into one page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit

import nh3

from newsletter.content.lines import FORBIDDEN
from newsletter.model import Site

_COMMON = {"id", "class", "title", "lang", "dir"}
_MEASURES = {"width", "height"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _COMMON,
    "a": {"href", "hreflang"},
    "img": {"src", "srcset", "sizes", "alt", *_MEASURES},
    "source": {"src", "srcset", "sizes", "media", "type"},
    "video": {"src", "poster", "controls", *_MEASURES},
    "audio": {"src", "controls"},
    "ol": {"start", "reversed"},
    "li": {"value"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "time": {"datetime"},
    "details": {"open"},
}
_TAG_NAMES = (
    "p br hr h2 h3 h4 h5 h6 a em strong b i s u del ins code pre kbd samp var sub sup small mark abbr cite q time "
    "blockquote ul ol li dl dt dd table caption thead tbody tfoot tr th td img picture source figure figcaption "
    "video audio section div span details summary wbr"
)
TAGS = frozenset(_TAG_NAMES.split())
_CLASS_NAMES = (
    "footnote-ref footnote-backref footnotes footnotes-list footnote-item footnotes-sep "
    "align-left align-center align-right"
)
_CLASSES = frozenset(_CLASS_NAMES.split())
_SCHEMES = ("http://", "https://", "mailto:")


@dataclass(slots=True)
class Address:
    """Where a post stands: what its relative URLs and fragments are read against."""

    slug: str
    page: str  # its absolute URL, with the final slash
    root: str  # `site.url`
    files: dict[str, str] = field(default_factory=dict)  # name of a file beside the post -> as it was written

    @classmethod
    def of(cls, slug: str, site: Site) -> Address:
        return cls(slug, site.address_of(f"posts/{slug}/"), site.url)

    def own_id(self, name: str) -> str:
        """An id with the slug in it, so that no other post in the same page can have it."""
        prefixes = (f"{self.slug}-", f"fn-{self.slug}-", f"fnref-{self.slug}-")
        return name if name.startswith(prefixes) else f"{self.slug}-{name}"

    def absolute(self, url: str) -> str | None:
        """`url` as the rest of the world can follow it, or None when it cannot be one. Notes files of the post."""
        url = url.strip()
        try:
            scheme = urlsplit(url).scheme
            whole = url if scheme else self._joined(url)
        except ValueError:
            return None
        return whole if whole.lower().startswith(_SCHEMES) else None

    def _joined(self, url: str) -> str:
        if url.startswith("//"):
            return f"https:{url}"
        if url.startswith("#"):
            return f"{self.page}#{self.own_id(url[1:])}"
        if url.startswith("/"):
            return f"{self.root}{url}"
        path = urlsplit(url).path
        if path:
            self.files[unquote(path).removeprefix("./")] = url
        return urljoin(self.page, url)


def clean(html: str, address: Address) -> str:
    """`html` with nothing but what is allowed, every URL absolute."""
    cleaned = nh3.clean(
        html,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        attribute_filter=lambda tag, name, value: _attribute(tag, name, value, address),
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    return FORBIDDEN.sub("", cleaned)


def _attribute(_tag: str, name: str, value: str, address: Address) -> str | None:
    match name:
        case "href" | "src" | "poster" | "cite":
            return address.absolute(value)
        case "srcset":
            return _srcset(value, address)
        case "id":
            return address.own_id("-".join(value.split())) if value.strip() else None
        case "class":
            return " ".join(c for c in value.split() if c in _CLASSES or c.startswith("language-")) or None
    return value


def _srcset(value: str, address: Address) -> str | None:
    """The candidates of a srcset, each `URL descriptor`, separated by a comma and a space."""
    candidates = []
    for part in value.replace(",\n", ", ").split(", "):
        url, _, descriptor = part.strip().rstrip(",").partition(" ")
        whole = address.absolute(url) if url else None
        if whole:
            candidates.append(f"{whole} {descriptor.strip()}".strip())
    return ", ".join(candidates) or None
