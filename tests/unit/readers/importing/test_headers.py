"""Which column is what."""

from __future__ import annotations

import pytest

from newsletter.errors import NewsletterError, UsageError
from newsletter.readers.importing.headers import columns_of
from newsletter.readers.importing.standing import Standing
from tests.unit.readers.importing import exports
from tests.unit.readers.importing.walking import surveyed

WANTS, LEFT, BLOCKED, UNCONFIRMED = Standing.WANTS, Standing.LEFT, Standing.BLOCKED, Standing.UNCONFIRMED


@pytest.mark.parametrize(
    ("export", "name", "program", "standings"),
    [
        (exports.MAILCHIMP_SUBSCRIBED, "subscribed_members_export_1.csv", "Mailchimp", [WANTS]),
        (exports.MAILCHIMP_UNSUBSCRIBED, "unsubscribed_members_export_1.csv", "Mailchimp", [LEFT]),
        (exports.MAILCHIMP_UNSUBSCRIBED, "renamed.csv", "Mailchimp", [LEFT]),
        (exports.MAILCHIMP_CLEANED, "cleaned_members_export_1.csv", "Mailchimp", [BLOCKED]),
        (exports.MAILCHIMP_SUBSCRIBED, "cleaned_members_export_1.csv", "Mailchimp", [BLOCKED]),
        (exports.MAILCHIMP_SUBSCRIBED, "nonsubscribed_members_export_1.csv", "Mailchimp", [Standing.UNASKED]),
        (exports.SUBSTACK, "email_list.weekly.csv", "Substack", [WANTS, WANTS, LEFT]),
        (exports.GHOST, "members.2026-11-27.csv", "Ghost", [WANTS, LEFT]),
        (exports.BUTTONDOWN, "subscribers.csv", "Buttondown", [WANTS, UNCONFIRMED, LEFT, WANTS, BLOCKED]),
        (exports.LISTMONK, "subscribers.csv", "listmonk", [WANTS, LEFT, BLOCKED]),
    ],
)
def test_the_exports_of_five_programs_are_known(
    export: str, name: str, program: str, standings: list[Standing]
) -> None:
    found, entries = surveyed(export, name=name)
    assert found.columns.program == program
    assert [entry.fault for entry in entries] == [""] * len(standings)
    assert [entry.standing for entry in entries] == standings
    assert entries[0].address == "ada@readers.example"
    joined = entries[0].joined
    assert joined
    assert f"{joined:%Y-%m-%d %H:%M:%S}" == "2021-05-03 10:15:25"  # confirmed, where both are there
    assert not [sighting for sighting in found.dates.values() if sighting.unread]


def test_when_they_left_is_read_too() -> None:
    for export in (exports.MAILCHIMP_UNSUBSCRIBED, exports.BUTTONDOWN):
        left = next(entry.left for entry in surveyed(export)[1] if entry.standing is LEFT)
        assert left
        assert f"{left:%Y-%m-%d %H}" == "2022-06-01 08"


@pytest.mark.parametrize(
    "header",
    ["E-Mail", "EMAIL_ADDRESS", " email ", "E-Mail-Adresse", "Adresse électronique", "Correo electrónico", "Sähköposti",
     "Электронная почта", "البريد الإلكتروني", "メールアドレス", "Adres e-mail"],
)  # fmt: skip
def test_a_column_of_addresses_is_known_in_many_languages(header: str) -> None:
    assert columns_of(["Name", header], {}, "list.csv").used["email"] == 1


def test_lists_of_other_programs_are_read_by_what_their_columns_are_called() -> None:
    brevo = surveyed("EMAIL;LASTNAME;EMAIL_BLACKLISTED;ADDED_TIME\nada@readers.example;L;true;27-11-2025 10:00:00\n")[1]
    assert (brevo[0].standing, brevo[0].joined and brevo[0].joined.month) == (LEFT, 11)
    google = surveyed("Name,E-mail 1 - Value\nAda,ada@readers.example\n")[1]
    assert google[0].address == "ada@readers.example"
    mailerlite = surveyed("Subscriber,Subscribed\nada@readers.example,2021-05-03 10:00:00\n")[1]
    assert mailerlite[0].standing is WANTS


def test_a_file_without_headers_is_known_by_its_first_address() -> None:
    found, entries = surveyed("Ada;ada@readers.example\nBob;bob@readers.example\n")
    assert found.columns.headless
    assert [(entry.row, entry.address) for entry in entries] == [(1, "ada@readers.example"), (2, "bob@readers.example")]


def test_what_is_said_by_hand_wins_and_an_empty_name_takes_a_column_away() -> None:
    headers = ["email", "other email", "status", "joined"]
    used = columns_of(headers, {"email": "Other Email", "status": ""}, "list.csv").used
    assert used == {"email": 1, "joined": 3}


def test_of_two_columns_of_one_name_the_first_counts() -> None:
    assert columns_of(["Email", "Status", "Email"], {}, "list.csv").used["email"] == 0


@pytest.mark.parametrize(
    ("headers", "given", "code"),
    [
        ([], {}, "R123"),
        (["Name", "Score"], {}, "R123"),
        (["email"] * 257, {}, "R124"),
        (["email", "Opt-in date"], {"joined": "Optin day"}, "R125"),
    ],
)
def test_what_cannot_be_used_is_refused(headers: list[str], given: dict[str, str], code: str) -> None:
    with pytest.raises((NewsletterError, UsageError)) as refusal:
        columns_of(headers, given, "list.csv")
    assert refusal.value.problems[0].code == code


def test_a_status_that_is_not_known_is_not_guessed_at() -> None:
    entries = surveyed("email,status\nada@readers.example,VIP\nbob@readers.example,active\n")[1]
    assert entries[0].fault == 'the status "VIP" is not known'
    assert not entries[1].fault


def test_saying_nothing_under_subscribed_is_not_agreeing() -> None:
    entries = surveyed("email,newsletter\nada@readers.example,yes\nbob@readers.example,no\ncleo@readers.example,\n")[1]
    assert [entry.standing for entry in entries] == [WANTS, LEFT, Standing.UNASKED]


def test_a_row_that_is_shifted_is_not_understood() -> None:
    entries = surveyed("email,name,status\nada@readers.example,Lovelace, Ada,left\nbob@readers.example\n")[1]
    assert "4 cells" in entries[0].fault
    assert "1 cell" in entries[1].fault


def test_a_cell_of_a_thousand_characters_is_refused_where_it_is_used() -> None:
    entries = surveyed(f"email,note\nada@readers.example,{'n' * 5000}\n{'a' * 5000}@readers.example,x\n")[1]
    assert not entries[0].fault
    assert "1,000 characters" in entries[1].fault


def test_what_readers_chose_comes_along() -> None:
    entry = surveyed(
        "email,frequency,topics left out,format,paused until,status\n"
        "ada@readers.example,Once a month,cars trains,text,2027-01-05,paused\n"
    )[1][0]
    assert (entry.edition, entry.without, entry.plain) == ("monthly", ("cars", "trains"), True)
    assert entry.paused_until
    assert entry.standing is Standing.PAUSED
