"""What hubs are owed: told of changes and of nothing else, patiently, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.publish.pings import Book, Ping, done, due, failed, noticed

NOW = datetime(2022, 3, 1, tzinfo=UTC)
HUBS = ("https://one.example/", "https://two.example/")


def test_each_hub_is_told_of_each_new_feed() -> None:
    book = noticed(Book({}), {"rss.xml": "a", "atom.xml": "b"}, HUBS, NOW)

    assert [(ping.hub, ping.path) for ping in due(book, NOW)] == [
        (hub, path) for hub in HUBS for path in ("atom.xml", "rss.xml")
    ]


def test_what_did_not_change_is_not_told_again() -> None:
    book = noticed(Book({"rss.xml": "a", "atom.xml": "b"}), {"rss.xml": "a", "atom.xml": "c"}, HUBS[:1], NOW)

    assert book.waiting == (Ping(HUBS[0], "atom.xml", NOW),)
    assert noticed(done(book, book.waiting[0]), {"rss.xml": "a", "atom.xml": "c"}, HUBS[:1], NOW).waiting == ()


def test_a_ping_that_fails_is_tried_again_later_and_later() -> None:
    book, waits, now = noticed(Book({}), {"rss.xml": "a"}, HUBS[:1], NOW), [], NOW
    while book.waiting:
        book = failed(book, book.waiting[0], now)
        if book.waiting:
            waits.append(book.waiting[0].not_before - now)
            assert due(book, now) == ()
            now = book.waiting[0].not_before

    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    assert now - NOW > timedelta(hours=20)


def test_a_feed_that_changes_while_its_ping_waits_is_told_once_and_soon() -> None:
    book = noticed(Book({}), {"rss.xml": "a"}, HUBS[:1], NOW)
    book = failed(book, book.waiting[0], NOW)
    book = noticed(book, {"rss.xml": "b"}, HUBS[:1], NOW)

    assert book.waiting == (Ping(HUBS[0], "rss.xml", NOW),)


def test_a_feed_that_is_gone_and_a_hub_that_was_taken_out_are_owed_nothing() -> None:
    book = noticed(Book({}), {"rss.xml": "a", "topics/x/rss.xml": "b"}, HUBS, NOW)

    assert noticed(book, {"rss.xml": "a"}, HUBS[1:], NOW).waiting == (Ping(HUBS[1], "rss.xml", NOW),)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3), max_size=6))
def test_no_feed_waits_twice_for_one_hub(looks: list[dict[str, str]]) -> None:
    book = Book({})
    for digests in looks:
        book = noticed(book, digests, HUBS, NOW)
        owed = [(ping.hub, ping.path) for ping in book.waiting]
        assert len(owed) == len(set(owed))
        assert book.known == digests
