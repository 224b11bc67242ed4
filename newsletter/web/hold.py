"""The page behind the link of a notice: `/hold/TOKEN`.

Looking never changes anything, because scanners look at every link (RFC 9110, 9.2.1). A button posts: it holds what a
slot sends, or lets it go again. All tokens that are not ours get one and the same answer.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from newsletter import words
from newsletter.usecases.hold import HELD, OPEN, OVER, SENDING, Hold, Holding
from newsletter.web.forms import Fields
from newsletter.web.pages import Pages
from newsletter.web.signed import SignedPage

_DONE = {
    ("hold", HELD): "Done: no reader gets it until somebody lets it go.",
    ("release", OPEN): "Done: it goes out at its time.",
}


class HoldPage(SignedPage):
    def __init__(self, pages: Pages, hold: Hold) -> None:
        super().__init__(pages)
        self._hold = hold

    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        do, scope = form.get("do", ""), request.scope
        acts = {"hold": self._hold.hold, "release": self._hold.release}
        shown = acts.get(do, self._hold.look)(token)
        if shown is None:
            return self._unknown(scope)
        return self._pages.render(
            scope,
            "web/hold.html",
            title=_title(shown),
            about=self._about(shown),
            told=_DONE.get((do, shown.step), "Nothing was changed." if do else ""),
            commands=_commands(shown),
            step=shown.step,
            stories=shown.stories,
            why=shown.why,
            may_release=shown.may_release,
        )

    def _unknown(self, scope: Scope) -> Response:
        sentence = "It may have been cut off: copy the whole link from the mail."
        return self._pages.plain(scope, 404, "This link does not work", sentence)

    def _about(self, shown: Holding) -> str:
        local = words.when(shown.slot.due, self._pages.site.timezone)
        subject = f" “{shown.subject}”" if shown.subject else ""
        verb = {OPEN: "goes out", HELD: "would go out", SENDING: "is going out:", OVER: "was due"}[shown.step]
        return f"{shown.title}{subject} {verb} {local}."


def _title(shown: Holding) -> str:
    if shown.step == OPEN:
        return f"Hold {shown.title[:1].lower()}{shown.title[1:]}?"
    ends = {HELD: "is held", SENDING: "is going out already", OVER: "can no longer be held"}
    return f"{shown.title} {ends[shown.step]}"


def _commands(shown: Holding) -> tuple[str, ...]:
    """What to type where no button helps."""
    verbs = {SENDING: ("pause", "cancel"), OVER: ("show",)}.get(shown.step, ())
    if shown.step == HELD and not shown.may_release:
        verbs = ("show", "send", "cancel")
    return tuple(f"newsletter issue {verb} {shown.name}" for verb in verbs) if shown.name else ()
