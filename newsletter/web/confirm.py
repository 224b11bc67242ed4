"""The page behind the link of a confirmation: `/c/TOKEN`.

Looking never confirms anything, because scanners look at every link. A POST lets the reader in, once, or deletes the
address for whoever says that it was not them. All tokens that are not a reader's get one and the same answer.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from newsletter.model import EACH_POST, Evidence, Subscriber, SubscriberStatus, Wait
from newsletter.readers.limits import network_of
from newsletter.usecases.confirm import Confirm, Standing, Step
from newsletter.usecases.showcase import Coming, Showcase
from newsletter.usecases.signup import KEPT_V6, Rest
from newsletter.web.catching import missed
from newsletter.web.forms import Fields, client_of
from newsletter.web.offer import last
from newsletter.web.pages import Pages
from newsletter.web.signed import SignedPage
from newsletter.web.subscribe import Desk, sent_title
from newsletter.words import masked, zone_name

PAGE = "/c/"
"""As it is kept as evidence: without the token."""


class ConfirmPage(SignedPage):
    def __init__(self, pages: Pages, desk: Desk) -> None:
        super().__init__(pages)
        self._confirm = Confirm(desk.signup)
        self._desk = desk
        self._say = pages.tongue.say

    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        found = self._confirm.look(token)
        if found is None:
            return self._unknown(request.scope)
        if request.method == "POST":
            return self._press(request, token, found, form.get("do", ""))
        return self._standing(request.scope, found)

    def _standing(self, scope: Scope, found: Standing) -> Response:
        if found.step is Step.USED:
            return self._show(scope, "used", self._say("You are already in"), found.reader)
        if found.step is Step.EXPIRED:
            return self._show(scope, "expired", self._say("This link is too old"), found.reader)
        return self._show(scope, "ask", self._question(found.reader), found.reader)

    def _press(self, request: Request, token: str, found: Standing, do: str) -> Response:
        if do == "deny" and found.step is not Step.USED:
            return self._denied(request.scope, token)
        if do == "again" and found.step is Step.EXPIRED:
            return self._again(request, token, found.reader)
        if found.step is not Step.ASK or do != "confirm":
            return self._standing(request.scope, found)
        return self._come_in(request, token, found)

    def _come_in(self, request: Request, token: str, found: Standing) -> Response:
        client = client_of(request)
        text = f"{self._question(found.reader)}\n[{self._say('Yes, send it to me')}]"
        network = network_of(client, v6=KEPT_V6) if self._confirm.signup.keep_network else ""
        after = self._confirm.confirm(token, Evidence("link", text, PAGE, network))
        if after is None:
            return self._unknown(request.scope)
        if after.step is not Step.ASK:
            return self._standing(request.scope, after)
        return self._show(request.scope, "welcome", self._say("You’re in."), after.reader)

    def _denied(self, scope: Scope, token: str) -> Response:
        before = self._confirm.deny(token)
        if before is None:
            return self._unknown(scope)
        gone = before.reader.status is SubscriberStatus.UNCONFIRMED
        return self._show(scope, "deleted" if gone else "denied", self._say("Nothing will come"), before.reader)

    def _again(self, request: Request, token: str, reader: Subscriber) -> Response:
        text = f"{self._say('This link is too old')}\n[{self._say('Send me a new link')}]"
        answer = self._confirm.again(token, client=client_of(request), text=text, page=PAGE)
        if isinstance(answer, (Wait, Rest)):
            until = f"{answer.until.astimezone(self._pages.site.timezone):%H:%M}"
            sentence = self._say("Nothing was sent. Please try again after %(time)s.", time=until)
            return self._pages.plain(request.scope, 429, self._say("Too many tries"), sentence)
        return self._show(request.scope, "sent", sent_title(self._pages, reader.address), reader)

    def _question(self, reader: Subscriber) -> str:
        return self._say(
            "Confirm %(address)s for %(publication)s, %(often)s",
            address=masked(reader.address),
            publication=self._pages.site.title,
            often=self._pages.tongue.often(reader.edition, self._desk.showcase().weekday),
        )

    def _show(self, scope: Scope, step: str, title: str, reader: Subscriber) -> Response:
        tongue, showcase = self._pages.tongue, self._desk.showcase()
        link = self._desk.preferences_url(reader.id, reader.token_version) if step == "welcome" else ""
        return self._pages.render(
            scope,
            "web/confirm.html",
            title=title,
            step=step,
            address=masked(reader.address),
            next_issue=self._next(reader, showcase) if step in {"welcome", "used"} else "",
            last=last(tongue, showcase.latest) if showcase.latest else None,
            preferences=link,
            choices=f"p/{link.rpartition('/')[2]}",
            missed=missed(tongue, self._desk.catch_up, reader, self._confirm.signup.clock()) if link else None,
        )

    def _next(self, reader: Subscriber, showcase: Showcase) -> str:
        """`Issue 48 arrives Friday 4 December 2026, 08:00 Madrid.`; where nobody can say when, what comes."""
        coming = (showcase.coming or {}).get(reader.edition, Coming())
        if reader.status is SubscriberStatus.PAUSED:
            return self._say("Your emails are paused at the moment.")
        if coming.slot is None and reader.edition == EACH_POST:
            return self._say("You get the next new post.")
        if coming.slot is None:
            return self._say("You get the next issue.")
        local = coming.slot.local
        when = {
            "day": self._pages.tongue.full_date(local),
            "time": f"{local:%H:%M}",
            "zone": zone_name(local.tzinfo),
        }
        if not coming.number:
            return self._say("The next issue arrives %(day)s, %(time)s %(zone)s.", **when)
        return self._say("Issue %(number)s arrives %(day)s, %(time)s %(zone)s.", number=str(coming.number), **when)

    def _unknown(self, scope: Scope) -> Response:
        return self._pages.plain(
            scope,
            404,
            self._say("This link does not work"),
            self._say("It may have been cut off: copy the whole link from the mail. Or sign up once more."),
        )
