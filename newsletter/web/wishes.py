"""The form of a reader's preferences: what it shows, what it accepts, and the wishes that it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from wtforms import DateField, Form, RadioField, SelectMultipleField, StringField
from wtforms.validators import Optional

from newsletter.errors import Problem
from newsletter.model import WEEKLY, Cadence, Subscriber, SubscriberStatus
from newsletter.readers.subscriptions import canonical
from newsletter.readers.wishes import Wishes, day_after
from newsletter.tongue import Tongue
from newsletter.web.forms import Fields
from newsletter.web.outlook import day_of

NOTHING, GOES_ON, KEEP, DATE = "nothing", "no", "keep", "date"
SPANS = {"2w": timedelta(weeks=2), "4w": timedelta(weeks=4), "3m": timedelta(days=91)}
FARTHEST = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class Topic:
    """One that may be left out."""

    key: str
    name: str
    posts: str  # how many come in a month, in words


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, by the id of the element that is to be changed."""

    field: str
    message: str


class WishesForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The fields by name; messages are told by `faults`."""

    often = RadioField()
    topics = SelectMultipleField(validate_choice=False)
    shown = SelectMultipleField(validate_choice=False)  # topics that the form had, ticked or not
    pause = RadioField()
    until = DateField(validators=[Optional()])
    format = RadioField()
    address = StringField()


@dataclass(frozen=True)
class Asking:
    """The form for one reader, on a site as it is now."""

    tongue: Tongue
    zone: tzinfo
    now: datetime
    reader: Subscriber
    editions: Mapping[str, Cadence]
    topics: Sequence[Topic]

    def form(self, fields: Fields | None = None) -> WishesForm:
        """As it was filled in; without fields, with what the reader has now."""
        form = WishesForm(fields, data=self._now())
        say = self.tongue.say
        editions = [(key, _capital(self.tongue.often(key, one.weekday))) for key, one in self.editions.items()]
        form.often.choices = [*editions, (NOTHING, say("Nothing for now"))]
        form.topics.choices = [(topic.key, topic.name) for topic in self.topics]
        form.pause.choices = list(self._pauses())
        form.format.choices = [("pictures", say("With pictures")), ("plain", say("Plain text"))]
        return form

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last on which a pause may end."""
        today = self.now.astimezone(self.zone).date()
        return (today + timedelta(days=1)).isoformat(), (today + FARTHEST).isoformat()

    def wishes(self, form: WishesForm) -> Wishes:
        """What a form without faults says."""
        nothing = form.often.data == NOTHING
        paused = nothing or self._pause(form) != GOES_ON
        return Wishes(
            edition=self.reader.edition if nothing else form.often.data,
            without=self._without(form),
            plain=form.format.data == "plain",
            paused=paused,
            until=self._until(form) if paused else None,
        )

    def faults(self, form: WishesForm) -> Iterator[Fault]:
        """In the order of the page."""
        say = self.tongue.say
        form.validate()
        if form.often.errors:
            yield Fault("often-0", say("Choose how often."))
        if form.shown.data and not form.topics.data and form.often.data != NOTHING:
            yield Fault("topics-0", say("Leave at least one topic, or choose “Nothing for now”."))
        if form.pause.errors:
            yield Fault("pause-0", say("Choose how long."))
        if self._pause(form) == DATE and (wrong := self._wrong_day(form)):
            yield Fault("until", wrong)
        if form.format.errors:
            yield Fault("format-0", say("Choose a format."))
        if wrong := self._wrong_address(form):
            yield Fault("address", wrong)

    def _now(self) -> dict[str, object]:
        reader = self.reader
        paused = reader.status is SubscriberStatus.PAUSED
        edition = reader.edition if reader.edition in self.editions else WEEKLY
        return {
            "often": NOTHING if paused and not reader.paused_until else edition,
            "topics": [topic.key for topic in self.topics if topic.key not in reader.without],
            "pause": KEEP if paused and reader.paused_until else GOES_ON,
            "format": "plain" if reader.plain else "pictures",
        }

    def _pauses(self) -> Iterator[tuple[str, str]]:
        say = self.tongue.say
        yield GOES_ON, say("No pause")
        if self.reader.status is SubscriberStatus.PAUSED and self.reader.paused_until:
            yield KEEP, say("Until %(day)s, as now", day=day_of(self.tongue, self.reader.paused_until, self.zone))
        yield "2w", say("2 weeks")
        yield "4w", say("4 weeks")
        yield "3m", say("3 months")
        yield DATE, say("Until a day that you choose")

    def _pause(self, form: WishesForm) -> str:
        """A day that was filled in counts, also where its button was left alone."""
        told = str(form.pause.data)
        return DATE if told in (GOES_ON, KEEP) and any(form.until.raw_data or ()) else told

    def _until(self, form: WishesForm) -> datetime | None:
        told = self._pause(form)
        if told == DATE and form.until.data:
            return datetime.combine(form.until.data, time(), tzinfo=self.zone)
        if told == KEEP:
            return self.reader.paused_until
        return day_after(self.now, SPANS[told], self.zone) if told in SPANS else None

    def _without(self, form: WishesForm) -> tuple[str, ...]:
        """Topics that the form did not have stay as they are: a new one is wanted."""
        shown, known = set(form.shown.data or ()), {topic.key for topic in self.topics}
        kept = set(self.reader.without) - shown
        return tuple(sorted(kept | (shown & known - set(form.topics.data or ()))))

    def _wrong_day(self, form: WishesForm) -> str:
        day, today = form.until.data, self.now.astimezone(self.zone).date()
        if day is None and not any(form.until.raw_data or ()):
            return self.tongue.say("Choose the day on which the pause ends.")
        if day is None:
            return self.tongue.say("Give the day as year-month-day, as in %(day)s.", day=str(today + SPANS["4w"]))
        if not today < day <= today + FARTHEST:
            return self.tongue.say("Choose a day after today, within two years.")
        return ""

    def _wrong_address(self, form: WishesForm) -> str:
        address = (form.address.data or "").strip()
        if address and isinstance(canonical(address), Problem):
            return self.tongue.say("This is not an address that mail can go to.")
        return ""


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
