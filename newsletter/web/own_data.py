"""The page behind the link of a letter DATA, `/d/TOKEN`: what is held about a reader, and the end of it.

Looking shows nothing but the buttons, so that what scans mail does not fetch it. All wrong tokens get one answer.
"""

from __future__ import annotations

import json
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from newsletter.usecases.own_data import OwnData
from newsletter.web.forms import Fields
from newsletter.web.fresh_link import show_form
from newsletter.web.pages import PRIVATE_HEADERS, Pages
from newsletter.web.signed import SignedPage
from newsletter.words import masked


class OwnDataPage(SignedPage):
    def __init__(self, pages: Pages, data: OwnData) -> None:
        super().__init__(pages)
        self._data = data

    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        do = form.get("do", "")
        if do == "download":
            return self._download(request.scope, token)
        if do == "forget":
            return self._forget(request.scope, token)
        reader = self._data.look(token)
        if reader is None:
            return self._unknown(request.scope)
        title = self._say("What we hold about you")
        return self._pages.render(
            request.scope, "web/data.html", title=title, step="ask", address=masked(reader.address)
        )

    def _download(self, scope: Scope, token: str) -> Response:
        held = self._data.held(token)
        if held is None:
            return self._unknown(scope)
        headers = {**PRIVATE_HEADERS, "content-disposition": 'attachment; filename="about-me.json"'}
        body = json.dumps(held, ensure_ascii=False, indent=2, default=datetime.isoformat)
        return Response(f"{body}\n", media_type="application/json", headers=headers)

    def _forget(self, scope: Scope, token: str) -> Response:
        reader = self._data.forget(token)
        if reader is None:
            return self._unknown(scope)
        title = self._say("You are forgotten")
        return self._pages.render(scope, "web/data.html", title=title, step="gone", address=masked(reader.address))

    def _unknown(self, scope: Scope) -> Response:
        return show_form(self._pages, scope, status=404)

    def _say(self, sentence: str, **values: str) -> str:
        return self._pages.tongue.say(sentence, **values)
