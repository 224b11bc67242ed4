"""`issue test | rehearse | resend` and the bytes that `issue show` prints, through the installed command."""

from __future__ import annotations

from tests.acceptance.harness import FRIDAY, SiteFolder, parsed, part
from tests.acceptance.test_smtp import through
from tests.smtpd import Smtpd

THURSDAY, SATURDAY = "2026-11-26T10:00:00+01:00", "2026-11-28T10:00:00+01:00"
TESTS = 'test_recipients = ["seed@mailbox.net", "gone@mailbox.net"]\n'


def test_a_test_goes_through_the_real_server_and_says_what_it_said(site: SiteFolder) -> None:
    with Smtpd() as server:
        through(site, server, more=TESTS).readers(1)
        server.fault("RCPT", "550 5.1.1 nobody of that name", to="gone@mailbox.net")
        would = site.ok("issue", "test", "next", "--to", "seed@mailbox.net", "--dry-run", now=THURSDAY)
        assert "Would send a test of issue 1" in would.out
        assert server.messages == []
        told = site.run("issue", "test", "next", "--to", "seed@mailbox.net", "--to", "gone@mailbox.net", now=THURSDAY)
        assert told.status == 4
        assert "to seed@mailbox.net: accepted by 127.0.0.1 (250" in told.out
        assert "S311  The test to gone@mailbox.net was not accepted: 550 5.1.1 nobody of that name" in told.err
        [received] = server.messages
        assert parsed(received.content)["Subject"] == "[TEST 1] Hybrid hatch on the road"
        refused = site.run("issue", "test", "next", "--to", "reader0000@readers.example", now=THURSDAY)
        assert (refused.status, "S310" in refused.err) == (3, True)
        assert len(server.messages) == 1


def test_what_show_prints_is_what_was_sent_byte_for_byte(site: SiteFolder) -> None:
    site.readers(1)
    rehearsal = site.json("issue", "rehearse", "next", now=THURSDAY)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    [path] = (site.root / "var/outbox/new").glob("*.eml")
    sent = path.read_bytes()
    assert rehearsal["bytes"]["largest"] == len(sent)
    printed = site.ok("issue", "show", "1", "--eml", "--reader", "reader0000@readers.example", now=SATURDAY)
    assert printed.out.encode() == sent.replace(b"\r\n", b"\n")
    html = site.ok("issue", "show", "1", "--html", now=SATURDAY).out
    assert html.startswith("<!DOCTYPE html>")
    assert "Unsubscribe" in site.ok("issue", "show", "1", "--text", now=SATURDAY).out


def test_a_reader_who_missed_it_is_sent_it_again_by_name(site: SiteFolder) -> None:
    site.readers(2)
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)
    told = site.ok("issue", "resend", "1", "reader0001@readers.example", now=SATURDAY)
    assert "Sent issue 1 again to reader0001@readers.example: accepted" in told.out
    copies = [mail for mail in site.mails() if mail["To"] == "reader0001@readers.example"]
    assert len({mail["Message-ID"] for mail in copies}) == len(copies) == 2
    assert len({part(mail, "html") for mail in copies}) == 1
    assert site.run("issue", "resend", "1", "nobody@readers.example", now=SATURDAY).status == 2
    assert "  again 1   Sat 28 Nov 2026" in site.ok("explain", "reader0001@readers.example", "1", now=SATURDAY).out
    assert "Sent again to readers who asked: 1" in site.ok("issue", "report", "1", now=SATURDAY).out
