"""The digest through a real SMTP server: what arrives, and what the ledger says when the server says no."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from newsletter.delivery.engine import drain
from tests.acceptance.forked import command
from tests.acceptance.harness import FRIDAY, SiteFolder, parsed, part
from tests.edges.sending import HURRY
from tests.served import served
from tests.smtpd import CERTIFICATE, DROP_STORED, Smtpd
from tests.unit.delivery.test_dkim import holds, pem


@pytest.fixture
def server() -> Iterator[Smtpd]:
    with Smtpd() as running:
        yield running


def through(site: SiteFolder, server: Smtpd, tls: str = "none", more: str = "") -> SiteFolder:
    """The site, live: its mail goes to this server, and its pages are on a static host."""
    pages = f'\n[publish]\nseen_at = "{served(site.root / "feeds")}"\n'
    mail = f'\n[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\ntls = "{tls}"\n'
    site.configure(more=pages + mail + more)
    return site


def send(site: SiteFolder) -> None:
    site.ok("prepare", now=FRIDAY)
    site.ok("deliver", now=FRIDAY)


def test_each_reader_gets_one_message_with_all_that_a_bulk_mail_must_have(site: SiteFolder, server: Smtpd) -> None:
    through(site, server).readers(5)
    send(site)
    assert sorted(m.recipient for m in server.messages) == [f"reader{n:04}@readers.example" for n in range(5)]
    for received in server.messages:
        mail = parsed(received.content)
        assert mail["To"] == received.recipient
        assert mail["Subject"] == "Hybrid hatch on the road"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        one_click = re.search(r"<(https://weekly\.auto-trendy\.net/u/[^>]+)>", str(mail["List-Unsubscribe"]))
        assert one_click
        assert one_click[1] in part(mail, "html")
        assert one_click[1] in part(mail, "plain").replace("\n", "")
        assert str(mail["List-Id"]).endswith("<weekly.weekly.auto-trendy.net>")
        assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]
        assert part(mail, "html").startswith("<!DOCTYPE html>")
        assert "1 Calle Mayor" in part(mail, "html")
        assert "x.invalid" not in part(mail, "html") + part(mail, "plain")
        assert max(len(line) for line in received.content.splitlines()) <= 998
    assert len({m.message_id for m in server.messages}) == 5


def test_the_password_comes_from_a_file_and_goes_over_checked_tls_only(site: SiteFolder) -> None:
    with Smtpd(tls="starttls", user="auto", password="open sesame") as server:
        (site.root / "smtp.password").write_text("open sesame\n", encoding="utf-8")
        more = f'user = "auto"\npassword_file = "smtp.password"\nca_file = "{CERTIFICATE}"\n'
        through(site, server, "starttls", more).readers(2)
        send(site)
        assert len(server.messages) == 2


def test_a_certificate_that_nobody_vouches_for_stops_the_send(site: SiteFolder) -> None:
    with Smtpd(tls="starttls") as server:
        through(site, server, "starttls").readers(2)
        site.ok("prepare", now=FRIDAY)
        result = site.run("deliver", now=FRIDAY)
        assert result.status == 4
        assert "ertificate" in result.err
        assert server.messages == []
        (issue,) = site.issues()
        assert issue["deliveries"] == {"waiting": 2}


def test_a_server_without_starttls_is_never_spoken_to_in_the_clear(site: SiteFolder, server: Smtpd) -> None:
    through(site, server, "starttls").readers(1)
    site.ok("prepare", now=FRIDAY)
    assert site.run("deliver", now=FRIDAY).status == 4
    assert not any(c.startswith("MAIL") for c in server.commands)


def without_rests(words: tuple[str, ...]) -> None:
    """The command, asking a server that is away again at once; how long it rests is `test_sending`'s."""
    assert drain.__kwdefaults__
    drain.__kwdefaults__["patience"] = HURRY
    command(words)


def test_with_the_server_away_nothing_is_called_sent_and_it_goes_on_later(site: SiteFolder, server: Smtpd) -> None:
    through(site, server).readers(3)
    server.refuse()
    site.ok("prepare", now=FRIDAY)
    result = site.run("deliver", now=FRIDAY, by=without_rests)
    assert result.status == 4
    (issue,) = site.issues()
    assert (issue["state"], issue["deliveries"]) == ("sending", {"waiting": 3})
    server.listen()
    site.ok("deliver", now="2026-11-27T08:30:00+01:00")
    assert len(server.messages) == 3
    assert [i["state"] for i in site.issues()] == ["sent"]


def test_no_means_failed_later_means_waiting_and_explain_has_the_servers_words(site: SiteFolder, server: Smtpd) -> None:
    through(site, server).readers(3)
    server.fault("RCPT", "550 5.1.1 nobody of that name", to="reader0000@readers.example")
    server.fault("RCPT", "451 4.7.1 greylisted, come back", to="reader0001@readers.example")
    send(site)
    (issue,) = site.issues()
    assert (issue["state"], issue["deliveries"]) == ("sending", {"accepted": 1, "failed": 1, "waiting": 1})
    told = site.ok("explain", "reader0000@readers.example", "1").out
    assert "nobody of that name" in told
    assert "failed" in told
    report = site.ok("issue", "report", "1").out
    assert "  failed   550 5.1.1 nobody of that name: 1" in report
    assert "  waiting  451 4.7.1 greylisted, come back: 1, tried again from Fri 27 Nov 2026, 08:" in report
    [failed] = site.json("issue", "report", "1", "--failed")
    assert (failed["address"], failed["code"]) == ("reader0000@readers.example", 550)
    site.ok("deliver", now="2026-11-27T08:20:00+01:00")
    assert [m.recipient for m in server.messages].count("reader0001@readers.example") == 1
    told = site.ok("explain", "reader0001@readers.example", "1").out
    assert "greylisted" in told
    assert "accepted" in told
    assert [i["state"] for i in site.issues()] == ["sent"]


@pytest.mark.parametrize("offered", [True, False])
def test_a_reader_with_an_address_beyond_ascii_is_mailed_where_that_can_be_done_and_kept_where_not(
    site: SiteFolder, offered: bool
) -> None:
    with Smtpd(utf8=offered) as server:
        through(site, server).readers(1)
        agreed = ("--consent", "On paper.", "--now", "2026-11-20T12:00:00+01:00")
        site.ok("reader", "add", "用户@例子.example", *agreed)
        send(site)
        (issue,) = site.issues()
        report = site.ok("issue", "report", "1").out
        told = site.ok("explain", "用户@例子.example", "1").out
        arrived = {m.recipient: m.content for m in server.messages}
    assert site.json("reader", "show", "用户@例子.example")["status"] == "active"
    if offered:
        assert issue["deliveries"] == {"accepted": 2}
        assert "To: 用户@xn--fsqu00a.example\r\n" in arrived["用户@xn--fsqu00a.example"].decode()
    else:
        assert (issue["state"], issue["deliveries"]) == ("sent", {"accepted": 1, "failed": 1})
        assert "  failed  not ASCII, and the mail server has no SMTPUTF8: 1\n" in report
        assert "the mail server has no SMTPUTF8" in told
        assert [*arrived] == ["reader0000@readers.example"]


def test_a_refusal_that_speaks_of_us_is_told_as_such_and_blocks_nobody(site: SiteFolder, server: Smtpd) -> None:
    through(site, server).readers(2)
    server.fault("RCPT", "550 5.7.26 This mail is unauthenticated", to="reader0000@readers.example")
    server.fault("RCPT", "550 5.1.1 nobody of that name", to="reader0001@readers.example")
    send(site)
    report = site.ok("issue", "report", "1").out
    assert "550 5.7.26 This mail is unauthenticated: 1\n" in report
    assert "550 5.1.1 nobody of that name: 1 → blocked\n" in report
    assert "Not the readers' fault: 5.7.26 says that the sending domain does not vouch for this mail" in report
    readers = {row["address"]: row["status"] for row in site.json("reader", "list")}
    assert readers == {"reader0000@readers.example": "active", "reader0001@readers.example": "blocked"}


def test_no_answer_after_the_text_is_uncertain_shown_and_never_repeated_unasked(
    site: SiteFolder, server: Smtpd
) -> None:
    through(site, server, more="connections = 1\n").readers(3)
    server.fault("DOT", DROP_STORED, to="reader0001@readers.example")
    send(site)
    site.ok("deliver", now="2026-11-28T08:00:00+01:00")
    assert sorted(m.recipient for m in server.messages) == [f"reader{n:04}@readers.example" for n in range(3)]
    (issue,) = site.issues()
    assert (issue["state"], issue["deliveries"]) == ("needs-attention", {"accepted": 2, "uncertain": 1})
    assert "reader0001@readers.example" in site.ok("issue", "show", "1").out
    assert "uncertain" in site.run("status", now=FRIDAY).out
    assert "may have arrived" in site.ok("explain", "reader0001@readers.example", "1").out


def test_a_site_whose_links_nobody_can_open_sends_nothing(site: SiteFolder, server: Smtpd) -> None:
    through(site, server).readers(1)
    toml = site.root / "newsletter.toml"
    toml.write_text(toml.read_text().replace("https://weekly.auto-trendy.net", "http://localhost:8000"))
    assert site.json("prepare", now=FRIDAY)["state"] == "held"
    site.ok("deliver", now=FRIDAY)
    assert server.messages == []


def test_the_sandbox_opens_no_socket(site: SiteFolder, server: Smtpd) -> None:
    site.configure(more=f'\n[mail]\nhost = "127.0.0.1"\nport = {server.port}\n').readers(2)
    send(site)
    assert len(site.mails()) == 2
    assert server.connections == 0


def test_what_is_signed_here_is_good_to_whoever_receives_it_and_the_same_on_a_retry(
    site: SiteFolder, server: Smtpd
) -> None:
    (site.root / "dkim.pem").write_bytes(pem())
    (site.root / "dkim.pem").chmod(0o600)
    through(site, server, more='dkim_key_file = "dkim.pem"\ndkim_selector = "mail"\n').readers(2)
    server.fault("DOT", "451 later", to="reader0001@readers.example")
    send(site)
    site.ok("deliver", now="2026-11-27T09:00:00+01:00")
    assert len(server.messages) == 2
    assert all(holds(message.content, b"mail._domainkey.auto-trendy.net.") for message in server.messages)
    told = [parsed(message.content)["DKIM-Signature"] for message in server.messages]
    assert all("List-Unsubscribe-Post" in one and one.count("From") == 2 for one in told)


def test_an_issue_that_is_refused_as_unwanted_is_paused_and_everybody_who_asks_hears_why(
    site: SiteFolder, server: Smtpd
) -> None:
    through(site, server, more="connections = 1\n").readers(60)
    server.fault("RCPT", "550 5.7.1 looks like spam", times=3)
    site.ok("prepare", now=FRIDAY)
    why = "messages were refused as unwanted"
    told = site.ok("deliver", now=FRIDAY).out
    assert re.search(rf"Issue 1 is paused, 3 of the last \d+ {why}", told)
    assert "It goes on with: newsletter issue resume 1" in told
    assert why in site.ok("issue", "report", "1").out
    assert f"{why} at other providers: newsletter issue report 1" in site.ok("status").out
