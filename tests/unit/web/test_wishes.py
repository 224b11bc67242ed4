"""The form of preferences, whatever is filled in: it has faults, or says wishes that can be granted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import EACH_POST, MONTHLY, WEEKLY, Subscriber, SubscriberStatus
from newsletter.tongue import spoken
from newsletter.web.forms import Fields
from newsletter.web.wishes import FARTHEST, Asking, Topic
from tests.builders import a_cadence

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OFFERED = {one: replace(a_cadence(), edition=one) for one in (WEEKLY, EACH_POST, MONTHLY)}
KEYS = ("batteries", "vans", "racing")
READER = Subscriber(1, "ada@readers.example", SubscriberStatus.ACTIVE, WEEKLY, NOW, without=("gone", "vans"))
PAUSED = replace(READER, status=SubscriberStatus.PAUSED, paused_until=NOW + timedelta(days=9))

some = st.text(max_size=8) | st.sampled_from(["", "x\x00", "2026-11-26", "2026-11-25", "2028-11-25", "2028-11-26"])
keys = st.lists(st.sampled_from([*KEYS, "gone", "made-up"]), max_size=5)
filled: st.SearchStrategy[dict[str, str | list[str]]] = st.fixed_dictionaries(
    {"do": st.just("save")},
    optional={
        "often": st.sampled_from([*OFFERED, "nothing"]) | some,
        "topics": keys,
        "shown": keys,
        "pause": st.sampled_from(["no", "keep", "2w", "4w", "3m", "date"]) | some,
        "until": some | st.dates().map(str),
        "format": st.sampled_from(["pictures", "plain"]) | some,
        "address": some,
    },
)


def fields(values: dict[str, str | list[str]]) -> Fields:
    pairs = ((name, value) for name, value in values.items())
    return Fields([(name, one) for name, value in pairs for one in (value if isinstance(value, list) else [value])])


@given(filled, st.sampled_from([READER, PAUSED, replace(PAUSED, paused_until=None)]))
def test_a_form_without_faults_says_wishes_that_can_be_granted(
    values: dict[str, str | list[str]], reader: Subscriber
) -> None:
    topics = [Topic(key, key, "") for key in KEYS]
    asking = Asking(spoken("en"), a_cadence().zone, NOW, reader, OFFERED, topics)
    form = asking.form(fields(values))
    if list(asking.faults(form)):
        return
    wishes = asking.wishes(form)
    assert wishes.edition in OFFERED
    assert set(wishes.without) <= {*KEYS, *reader.without}
    assert ("gone" in wishes.without) == ("gone" not in (form.shown.data or ()))
    assert wishes.until is None or (wishes.paused and NOW < wishes.until <= NOW + FARTHEST)
    assert wishes.paused or values.get("often") != "nothing"


@given(st.sampled_from([READER, PAUSED, replace(PAUSED, paused_until=None), replace(READER, plain=True)]))
def test_a_form_that_is_sent_as_it_was_shown_asks_for_what_is_so_already(reader: Subscriber) -> None:
    topics = [Topic(key, key, "") for key in KEYS]
    asking = Asking(spoken("en"), a_cadence().zone, NOW, reader, OFFERED, topics)
    shown = asking.form()
    sent: dict[str, str | list[str]] = {
        "often": shown.often.data,
        "topics": shown.topics.data,
        "shown": list(KEYS),
        "pause": shown.pause.data,
        "format": shown.format.data,
    }
    form = asking.form(fields(sent))
    assert list(asking.faults(form)) == []
    wishes = asking.wishes(form)
    assert (wishes.edition, wishes.without, wishes.plain) == (reader.edition, reader.without, reader.plain)
    assert (wishes.paused, wishes.until) == (reader.status is SubscriberStatus.PAUSED, reader.paused_until)
