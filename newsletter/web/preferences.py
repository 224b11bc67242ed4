"""The page behind the preferences link of a mail, `/p/TOKEN`, and the one that sends a fresh link, `/p/`.

Looking never changes anything. Each save is answered with what will happen. All tokens that are not a reader's get
one and the same answer, and so do all addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from newsletter.model import Evidence, Subscriber, SubscriberStatus, Wait
from newsletter.publish.query import Choice
from newsletter.readers.wishes import Wishes
from newsletter.usecases.catch_up import CatchUp
from newsletter.usecases.preferences import Preferences
from newsletter.web.catching import Missed, answered, missed
from newsletter.web.forms import Fields, client_of
from newsletter.web.fresh_link import later, show_form
from newsletter.web.outlook import besides, outlook
from newsletter.web.pages import Pages
from newsletter.web.patience import in_beats
from newsletter.web.signed import SignedPage
from newsletter.web.wishes import Asking, Fault, Topic, WishesForm
from newsletter.words import masked

PAGE = "/p/"
"""What the record of consent calls the page: its address without the token."""

Topics = Callable[[date], Sequence[Choice]]
"""All topics, each with how many posts it had since a day."""

_YEAR = timedelta(days=365)
_READS = {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}


class PreferencesPage(SignedPage):
    def __init__(self, pages: Pages, preferences: Preferences, topics: Topics, catch_up: CatchUp | None) -> None:
        super().__init__(pages)
        self._preferences = preferences
        self._topics = topics
        self._catch_up = catch_up

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return await super()._answer(request)
        async with in_beats(self._preferences.intake.answer_after.total_seconds()):
            return await super()._answer(request)

    def _respond(self, request: Request, token: str, form: Fields) -> Response:
        reader = self._preferences.look(token)
        if reader is None:
            return self._unknown(request.scope)
        do, reads = form.get("do", ""), reader.status in _READS
        if do == "data":
            return self._data(request, reader)
        if do == "save" and reads:
            return self._save(request, token, reader, form)
        if do == "resume" and reads:
            return self._resume(request, token)
        if do == "catch-up" and reads and self._catch_up:
            answer = self._catch_up.send(reader, self._preferences.clock())
            return self._show(request.scope, reader, told=[answered(self._pages.tongue, answer)])
        return self._show(request.scope, reader)

    def _save(self, request: Request, token: str, reader: Subscriber, fields: Fields) -> Response:
        asking = self._asking(reader)
        form = asking.form(fields)
        if faults := list(asking.faults(form)):
            return self._show(request.scope, reader, form=form, faults=faults)
        wishes = asking.wishes(form)
        evidence = Evidence("link", self._told(_as_wished(reader, wishes)), PAGE)
        after = self._preferences.save(token, wishes, evidence)
        if after is None:
            return self._unknown(request.scope)
        told = [self._say("Saved."), self._told(after)]
        if after.edition != reader.edition and self._missed(after):
            told.append(self._say("Some stories went out that this change skips: “Catch me up” below brings them."))
        if address := (form.address.data or "").strip():
            told.append(self._moving(request, after, address))
        return self._show(request.scope, after, told=told)

    def _resume(self, request: Request, token: str) -> Response:
        after = self._preferences.resume(token, Evidence("link", self._say("Resume now"), PAGE))
        if after is None:
            return self._unknown(request.scope)
        return self._show(request.scope, after, told=[self._say("The emails come again."), self._told(after)])

    def _data(self, request: Request, reader: Subscriber) -> Response:
        wait = self._preferences.ask_data(reader, client_of(request))
        sent = self._say(
            "Check %(address)s: a link is on its way, good for a day. The page behind it has both: "
            "what we hold about you, and the button that makes us forget you.",
            address=masked(reader.address),
        )
        return self._show(request.scope, reader, told=[later(self._pages, wait) if wait else sent])

    def _moving(self, request: Request, reader: Subscriber, address: str) -> str:
        wait = self._preferences.ask_move(reader, address, client_of(request))
        if isinstance(wait, Wait):
            return later(self._pages, wait)
        return self._say(
            "Check %(address)s: we sent a link. Until it is pressed, everything goes on coming to the old address.",
            address=masked(address),
        )

    def _show(
        self,
        scope: Scope,
        reader: Subscriber,
        *,
        told: Sequence[str] = (),
        form: WishesForm | None = None,
        faults: Sequence[Fault] = (),
    ) -> Response:
        asking = self._asking(reader)
        return self._pages.render(
            scope,
            "web/preferences.html",
            title=self._title(faults=bool(faults), done=bool(told)),
            status=422 if faults else 200,
            heading=self._say("Your emails from %(publication)s", publication=self._pages.site.title),
            address=masked(reader.address),
            standing=reader.status.value,
            about=self._about(reader),
            told=told,
            faults=faults,
            wrong={fault.field: fault.message for fault in faults},
            form=form or asking.form(),
            topics={topic.key: topic for topic in asking.topics},
            days=asking.days,
            missed=self._missed(reader),
            unsubscribe=self._preferences.unsubscribe_token(reader),
        )

    def _title(self, *, faults: bool, done: bool) -> str:
        heading = self._say("Your emails from %(publication)s", publication=self._pages.site.title)
        if faults:
            return self._say("To be corrected: %(page)s", page=heading)
        return self._say("Done: %(page)s", page=heading) if done else heading

    def _about(self, reader: Subscriber) -> str:
        if reader.status is SubscriberStatus.BLOCKED:
            return self._say("This address is blocked: mail to it came back, or it asked never to be written to.")
        if reader.status is SubscriberStatus.LEFT:
            return self._say("You have left: nothing is sent to %(address)s.", address=masked(reader.address))
        return self._told(reader)

    def _told(self, reader: Subscriber) -> str:
        """What will happen, in a sentence or three."""
        names = {topic.key: topic.name for topic in self._named()}
        left_out = [names[key] for key in reader.without if key in names]
        sentences = (
            outlook(self._pages.tongue, reader, *self._preferences.outlook(reader)),
            besides(self._pages.tongue, reader, left_out),
        )
        return " ".join(sentence for sentence in sentences if sentence)

    def _missed(self, reader: Subscriber) -> Missed | None:
        return missed(self._pages.tongue, self._catch_up, reader, self._preferences.clock())

    def _asking(self, reader: Subscriber) -> Asking:
        site, now = self._pages.site, self._preferences.clock()
        return Asking(self._pages.tongue, site.timezone, now, reader, self._preferences.editions(), self._named())

    def _named(self) -> Sequence[Topic]:
        today = self._preferences.clock().astimezone(self._pages.site.timezone).date()
        return [Topic(one.value, one.name, self._a_month(one.posts)) for one in self._topics(today - _YEAR)]

    def _a_month(self, in_a_year: int) -> str:
        if in_a_year < 12:
            return self._say("less than one a month")
        return self._pages.tongue.many("about %(num)s a month", "about %(num)s a month", round(in_a_year / 12))

    def _unknown(self, scope: Scope) -> Response:
        return show_form(self._pages, scope, status=404)

    def _say(self, sentence: str, **values: str) -> str:
        return self._pages.tongue.say(sentence, **values)


def _as_wished(reader: Subscriber, wishes: Wishes) -> Subscriber:
    """The reader as they are once it is saved."""
    return replace(
        reader,
        status=SubscriberStatus.PAUSED if wishes.paused else SubscriberStatus.ACTIVE,
        paused_until=wishes.until,
        edition=wishes.edition,
        without=wishes.without,
        plain=wishes.plain,
    )
