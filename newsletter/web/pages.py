"""Pages made on request, in the frame of the site: never stored, never indexed, never leaking their address."""

from __future__ import annotations

from dataclasses import dataclass

import jinja2
from starlette.responses import HTMLResponse
from starlette.types import Scope

from newsletter.model import Site
from newsletter.tongue import tongue_of
from newsletter.web.paths import path_of, root_of

PRIVATE_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    """What `web/base.html` needs to know of a page."""

    title: str
    root: str  # the way to the web root: "./", "../"
    description: str = ""
    canonical: str = ""
    robots: str = "noindex"


class Pages:
    """Renders the templates of `web/` for one site."""

    def __init__(self, site: Site, templates: jinja2.Environment) -> None:
        self.site = site
        self.tongue = tongue_of(site)
        self._templates = templates

    def render(self, scope: Scope, template: str, *, title: str, status: int = 200, **context: object) -> HTMLResponse:
        """The page as a response with PRIVATE_HEADERS; `context` goes to the template beside `site` and `page`."""
        page = Page(title=title, root=root_of(path_of(scope)))
        body = self._templates.get_template(template).render(site=self.site, page=page, **context)
        return HTMLResponse(body, status_code=status, headers=PRIVATE_HEADERS)

    def plain(self, scope: Scope, status: int, title: str, sentence: str) -> HTMLResponse:
        """A page that only says something."""
        return self.render(scope, "web/plain.html", title=title, status=status, sentence=sentence)
