"""The page that sends a fresh link to one's preferences, `/p/`: the same answer to every address.

It also stands where a link of that kind does not work, so that whoever has an old mail gets on from there.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsletter import words
from newsletter.errors import Problem
from newsletter.model import Wait
from newsletter.usecases.preferences import LETTERS, Preferences
from newsletter.web.answers import other_method
from newsletter.web.forms import Fields, client_of, fields
from newsletter.web.pages import Pages
from newsletter.web.patience import in_beats
from newsletter.words import masked


class FreshLinkPage:
    """An ASGI application for the one address."""

    def __init__(self, pages: Pages, preferences: Preferences) -> None:
        self._pages = pages
        self._preferences = preferences

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method not in ("GET", "HEAD", "POST"):
            response = other_method(request.method, "GET, HEAD, POST, OPTIONS")
        elif request.method == "POST":
            async with in_beats(self._preferences.intake.answer_after.total_seconds()):
                response = await run_in_threadpool(self._ask, request, await fields(request))
        else:
            response = show_form(self._pages, scope)
        await response(scope, receive, send)

    def _ask(self, request: Request, form: Fields) -> Response:
        address = form.get("address", "").strip()
        answer = self._preferences.ask_link(address, client_of(request))
        say = self._pages.tongue.say
        if isinstance(answer, Problem):
            return show_form(self._pages, request.scope, status=422, address=address, wrong=True)
        if answer:
            response = self._pages.plain(request.scope, 429, say("Too many tries"), later(self._pages, answer))
            seconds = (answer.until - self._preferences.clock()).total_seconds()
            response.headers["retry-after"] = str(max(1, round(seconds)))
            return response
        sentence = say(
            "If %(address)s is on our list, we have sent a fresh link there. It should arrive within five minutes; "
            "if it does not, look among spam.",
            address=masked(address),
        )
        return self._pages.plain(request.scope, 200, say("Check your mail"), sentence)


def show_form(pages: Pages, scope: Scope, *, status: int = 200, address: str = "", wrong: bool = False) -> Response:
    """The form; `status` 404 for a link that does not work."""
    say = pages.tongue.say
    dead = status == 404
    title = say("This link does not work any more") if dead else say("Get a fresh link")
    return pages.render(
        scope,
        "web/fresh-link.html",
        title=say("To be corrected: %(page)s", page=title) if wrong else title,
        status=status,
        heading=title,
        dead=dead,
        address=address,
        wrong=wrong,
    )


def later(pages: Pages, wait: Wait) -> str:
    """When a letter may be asked for again."""
    local = wait.until.astimezone(pages.site.timezone)
    clock = f"{local:%H:%M}"
    if wait.limit.key.startswith(LETTERS):
        return pages.tongue.say("Too many tries from your network. Please try again after %(time)s.", time=clock)
    return pages.tongue.say(
        "A mail of this kind was asked for a short while ago: please look for it. "
        "Another one can be asked for from %(day)s, %(time)s (%(zone)s) on.",
        day=pages.tongue.long_date(local.date()),
        time=clock,
        zone=words.zone_name(local.tzinfo),
    )
