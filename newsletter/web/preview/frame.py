"""The pages of the preview itself, and what it lays over the pages of the site."""

from __future__ import annotations

import jinja2
from starlette.responses import HTMLResponse, Response

from newsletter.errors import Problem
from newsletter.web import media
from newsletter.web.preview import bars
from newsletter.web.preview.live import Live, State

EVENTS, SCRIPT, STYLE, MARKS = (f"/_preview/{name}" for name in ("events", "reload.js", "preview.css", "drafts.css"))
"""No post and no page can have an address below `/_preview/`: slugs have no underscore."""

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
PRIVATE = {"cache-control": "no-store", "x-robots-tag": "noindex, nofollow", "referrer-policy": "no-referrer"}


class Frame:
    """Renders the built-in templates of `web/preview/`; the site's own may be broken just now."""

    def __init__(self, live: Live, templates: jinja2.Environment) -> None:
        self._live = live
        self._templates = templates

    def render(self, template: str, state: State, *, here: str, **values: object) -> Response:
        """A page of the preview itself; `here` names it in the navigation."""
        stream = f"{EVENTS}?outbox" if here == "outbox" else EVENTS
        version = self.version(state, outbox=here == "outbox")
        page = self._page(template, state, here=here, version=version, stream=stream, **values)
        return HTMLResponse(page, headers={**PRIVATE, "content-security-policy": _POLICY})

    def dress(self, path: str, page: bytes, state: State, *, status: int = 200) -> Response:
        """A page of the site with what a writer must know of it."""
        slug = path.removeprefix("posts/").removesuffix("/index.html") if path.startswith("posts/") else ""
        values = {"version": self.version(state), "stream": EVENTS}
        dressed = bars.dressed(
            bars.at_home(page, state.site),
            head=self._page("head.html", state, **values),
            top=self._page("top.html", state, hidden=state.preview.hidden.get(slug, "")),
            bottom=self._page("bottom.html", state, notes=_notes(state, slug)),
        )
        policy = media.content_policy(path, form_origin="")
        return HTMLResponse(dressed, status, headers={**PRIVATE, "content-security-policy": policy})

    def version(self, state: State, *, outbox: bool = False) -> str:
        """What a page was made of: when the stream names another one, the page reloads."""
        if not outbox:
            return state.version
        return f"{state.version}-{hash(self._live.world.outbox.stamp()) & 0xFFFFFFFF:x}"

    def _page(self, template: str, state: State, **values: object) -> str:
        page = self._templates.get_template(f"web/preview/{template}")
        return page.render(site=state.site, state=state, script=SCRIPT, style=STYLE, marks=MARKS, **values)


def _notes(state: State, slug: str) -> tuple[Problem, ...]:
    return state.preview.notes.get(slug, ())
