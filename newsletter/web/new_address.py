"""The pages behind the links of the letters MOVE, `/m/TOKEN`, and MOVED, `/b/TOKEN`: a button that lets the mail come
to a new address, and one that takes that back.

Looking never changes anything. All wrong tokens get one answer.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from newsletter.model import Evidence
from newsletter.usecases.new_address import Move, NewAddress
from newsletter.web.forms import Fields
from newsletter.web.pages import Pages
from newsletter.web.signed import SignedPage
from newsletter.words import masked


class NewAddressPage(SignedPage):
    page = "/m/"  # what the record of consent calls it: its address without the token
    ask, done = "ask", "done"  # what the template calls its steps

    def __init__(self, pages: Pages, address: NewAddress) -> None:
        super().__init__(pages)
        self._address = address

    def _respond(self, request: Request, token: str, form: Fields) -> Response:  # noqa: ARG002  # the one button
        before = self._address.look(token)
        if before is None:
            return self._unknown(request.scope)
        if before.made:
            return self._show(request.scope, "already", self._say("This is your address already"), before)
        if request.method != "POST":
            return self._show(request.scope, self.ask, self._ask(before), before)
        after = self._address.move(token, Evidence("link", self._ask(before), self.page))
        if after and after.made:
            return self._show(request.scope, self.done, self._done(), after)
        return self._show(request.scope, "over", self._say("This cannot be done any more"), before)

    def _ask(self, move: Move) -> str:
        publication, address = self._pages.site.title, masked(move.address)
        return self._say("Get %(publication)s at %(address)s?", publication=publication, address=address)

    def _done(self) -> str:
        return self._say("Your address is changed")

    def _show(self, scope: Scope, step: str, title: str, move: Move) -> Response:
        address = masked(move.address)
        return self._pages.render(
            scope, "web/move.html", title=title, step=step, address=address, preferences=move.preferences
        )

    def _unknown(self, scope: Scope) -> Response:
        return self._pages.plain(
            scope,
            404,
            self._say("This link does not work"),
            self._way(),
        )

    def _way(self) -> str:
        return self._say("It works for 14 days. A new one can be asked for on the page of your preferences.")

    def _say(self, sentence: str, **values: str) -> str:
        return self._pages.tongue.say(sentence, **values)


class TakeBackPage(NewAddressPage):
    page = "/b/"
    ask, done = "ask-back", "done-back"

    def _ask(self, move: Move) -> str:
        publication, address = self._pages.site.title, masked(move.address)
        return self._say("Get %(publication)s at %(address)s again?", publication=publication, address=address)

    def _done(self) -> str:
        return self._say("It comes to your address again")

    def _way(self) -> str:
        return self._say("It works for 7 days. After that, please reply to the email in which it was.")
