"""Signing up by mail: `/subscribe/`, where its forms lead (`/subscribe/sent/`), and one to copy (`/subscribe/embed/`).

Nobody learns who is a reader: every address that can be mailed gets the same page, after the same time. Forms of
static pages and of other sites have no signed time; they, and those that come back too soon, get one more button
instead of a refusal. What fills the field that people do not see gets the page that it hoped for, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from wtforms import Form, RadioField, StringField

from newsletter.errors import Problem
from newsletter.model import Wait
from newsletter.readers.subscriptions import canonical, suggestion
from newsletter.usecases.catch_up import CatchUp
from newsletter.usecases.showcase import Showcase
from newsletter.usecases.signup import Rest, Signup, Wish
from newsletter.web.answers import other_method
from newsletter.web.forms import client_of, fields
from newsletter.web.offer import Offer, offer
from newsletter.web.pages import PRIVATE_HEADERS, Pages
from newsletter.web.patience import in_beats
from newsletter.words import masked

LONGEST = 320
"""Characters of an address with its @ (RFC 5321, 4.5.3.1)."""


class SubscribeForm(Form):  # type: ignore[misc]  # WTForms comes without types
    """What the form sends; `website` is the field that people do not see."""

    email = StringField(filters=[lambda typed: (typed or "").strip()])
    edition = RadioField(validate_choice=False)
    website = StringField()
    shown = StringField()  # the signed time
    keep = StringField()  # the address as it is, though it looks mistyped
    way = StringField()
    back = StringField()  # where an embedded form leads afterwards


@dataclass(frozen=True, slots=True)
class Desk:
    """Who takes readers in."""

    signup: Signup
    showcase: Callable[[], Showcase]
    preferences_url: Callable[[int, int], str]  # reader, token version
    catch_up: CatchUp | None = None


class SubscribePage:
    """An ASGI application for `/subscribe/`."""

    def __init__(self, pages: Pages, desk: Desk) -> None:
        self._pages = pages
        self._desk = desk
        self._say = pages.tongue.say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method in {"GET", "HEAD"}:
            return await run_in_threadpool(self._look, request)
        if request.method != "POST":
            return other_method(request.method, "GET, HEAD, POST, OPTIONS")
        async with in_beats(self._desk.signup.intake.answer_after.total_seconds()):
            form = SubscribeForm(await fields(request))
            return await run_in_threadpool(self._take, request, form)

    def _look(self, request: Request) -> Response:
        return self._closed(request.scope) or self._rest(request.scope) or self._show(request.scope, "form")

    def _take(self, request: Request, form: SubscribeForm) -> Response:
        """One after the other: whatever says something ends it."""
        scope, address = request.scope, canonical(form.email.data[:LONGEST])
        if closed := self._closed(scope):
            return closed
        if form.website.data:
            return self._sent(scope, form, address if isinstance(address, str) else "")
        if isinstance(address, Problem):
            return self._mistyped(scope, form, address)
        if (meant := suggestion(address)) and not form.keep.data:
            return self._meant(scope, form, meant)
        if not self._desk.signup.in_time(form.shown.data or ""):
            return self._rest(scope) or self._once_more(scope, form, address)
        return self._ask(request, form, address)

    def _ask(self, request: Request, form: SubscribeForm, address: str) -> Response:
        made = self._offer(form)
        client = client_of(request)
        way = "embed" if form.way.data == "embed" else "form"
        answer = self._desk.signup.ask(Wish(address, made.edition, client, way, made.text, "/subscribe/"))
        if isinstance(answer, Rest):
            return self._resting(request.scope)
        if isinstance(answer, Wait):
            return self._too_many(request.scope, form, answer)
        return self._sent(request.scope, form, address)

    # -- pages

    def _closed(self, scope: Scope) -> Response | None:
        if self._desk.signup.intake.open and self._pages.site.mail_day is not None:
            return None
        return self._show(scope, "closed", title=self._say("Signing up by email is closed"))

    def _rest(self, scope: Scope) -> Response | None:
        return self._resting(scope) if self._desk.signup.rest() else None

    def _resting(self, scope: Scope) -> Response:
        response = self._show(scope, "resting", title=self._say("Signing up is paused for the moment"), status=503)
        response.headers["retry-after"] = "1800"
        return response

    def _mistyped(self, scope: Scope, form: SubscribeForm, problem: Problem) -> Response:
        typed = form.email.data[:LONGEST]
        return self._show(
            scope, "form", form, error=self._told(problem, typed), meant=suggestion(typed) or "", status=422
        )

    def _meant(self, scope: Scope, form: SubscribeForm, meant: str) -> Response:
        error = self._say("“%(typed)s”: did you mean %(meant)s?", typed=form.email.data, meant=meant.partition("@")[2])
        return self._show(scope, "form", form, error=error, meant=meant, valid=True, status=422)

    def _too_many(self, scope: Scope, form: SubscribeForm, wait: Wait) -> Response:
        until = f"{wait.until.astimezone(self._pages.site.timezone):%H:%M}"
        error = self._say(
            "Too many tries from your network. Please try again after %(time)s, or follow the feed meanwhile.",
            time=until,
        )
        response = self._show(scope, "form", form, error=error, status=429)
        seconds = (wait.until - self._desk.signup.clock()).total_seconds()
        response.headers["retry-after"] = str(max(1, round(seconds)))
        return response

    def _once_more(self, scope: Scope, form: SubscribeForm, address: str) -> Response:
        response = self._show(scope, "more", form, title=self._say("One more press"), typed=address)
        if back := self._back(form):  # browsers hold a form to this policy wherever it is led on to
            parts = urlsplit(back)
            policy = PRIVATE_HEADERS["content-security-policy"]
            elsewhere = f"form-action 'self' {parts.scheme}://{parts.netloc}"
            response.headers["content-security-policy"] = policy.replace("form-action 'self'", elsewhere)
        return response

    def _sent(self, scope: Scope, form: SubscribeForm, address: str) -> Response:
        if form.way.data == "embed":
            return RedirectResponse(self._back(form) or "sent/", 303, headers=PRIVATE_HEADERS)
        return self._show(scope, "sent", form, title=sent_title(self._pages, address), typed=address)

    def _show(
        self,
        scope: Scope,
        step: str,
        form: SubscribeForm | None = None,
        *,
        title: str = "",
        error: str = "",
        meant: str = "",
        valid: bool = False,
        typed: str = "",
        status: int = 200,
    ) -> Response:
        site = self._pages.site
        title = title or self._say("Subscribe to %(publication)s", publication=site.title)
        return self._pages.render(
            scope,
            "web/subscribe.html",
            title=self._say("To be corrected: %(page)s", page=title) if status == 422 else title,
            status=status,
            heading=title,
            step=step,
            offer=self._offer(form),
            shown=self._desk.signup.form((form.shown.data or "") if form else ""),
            email=(form.email.data if form else "")[:LONGEST],
            way=(form.way.data or "") if form else "",
            back=self._back(form) if form else "",
            keep=(form.keep.data or "") if form else "",
            error=error,
            meant=meant,
            valid=valid,
            typed=typed,
        )

    def _offer(self, form: SubscribeForm | None) -> Offer:
        wanted = form.edition.data or "" if form else ""
        return offer(self._pages, self._desk.showcase(), wanted, self._desk.signup.keep_network)

    def _back(self, form: SubscribeForm) -> str:
        """The page to lead on to, if the site lists it."""
        return form.back.data if form.back.data in self._desk.signup.intake.return_to else ""

    def _told(self, problem: Problem, typed: str) -> str:
        if not typed:
            return self._say("Please write your email address.")
        if problem.code == "R101":
            return self._say("“%(typed)s” is not an email address. One looks like name@example.org.", typed=typed[:80])
        return self._say("Mail to “%(typed)s” would not arrive. Please use another address.", typed=typed[:80])


def sent_title(pages: Pages, address: str) -> str:
    """What to do now."""
    if not address:
        return pages.tongue.say("Check your email: we sent a link")
    return pages.tongue.say("Check %(address)s: we sent a link", address=masked(address))


class Beside:
    """An ASGI application for a page beside the form that only says something."""

    def __init__(self, pages: Pages, desk: Desk, step: str) -> None:
        self._pages = pages
        self._desk = desk
        self._step = step

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            response: Response = await run_in_threadpool(self._look, scope)
        else:
            response = other_method(scope["method"], "GET, HEAD, OPTIONS")
        await response(scope, receive, send)

    def _look(self, scope: Scope) -> Response:
        pages = self._pages
        made = offer(pages, self._desk.showcase(), "", self._desk.signup.keep_network)
        title = sent_title(pages, "") if self._step == "sent" else pages.tongue.say("A form for another page")
        return pages.render(scope, f"web/subscribe-{self._step}.html", title=title, offer=made)
