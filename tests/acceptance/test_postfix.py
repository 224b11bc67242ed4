"""An issue through a real Postfix, with opendkim behind it: its log, the mailbox and the ledger say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.envelope import Returned, ReturnPath
from newsletter.store.keys import load_keys
from tests.acceptance.harness import FRIDAY, SiteFolder, until
from tests.postfix import PASSWORD, USER, Postfix, needs_root, postfix
from tests.served import served
from tests.smtpd import CERTIFICATE
from tests.unit.delivery.test_dkim import pem, public_record

pytestmark = needs_root

READERS = 200
BEYOND = "ädä+x=y@readers.example"
BOUNCES = "b@bounces.auto-trendy.net"


@dataclass(frozen=True)
class Sent:
    """An issue that went out, the server that took it, and what the ledger says."""

    site: SiteFolder
    server: Postfix
    rows: list[dict[str, Any]]

    def queued(self) -> dict[str, str]:
        """Queue id that the server named -> whose mail it was, as the ledger has it."""
        ids = (re.fullmatch(r"2\.0\.0 Ok: queued as (\w+)", str(row["reply"])) for row in self.rows)
        return {found[1]: str(row["address"]) for found, row in zip(ids, self.rows, strict=True) if found}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    site = SiteFolder(tmp_path_factory.mktemp("postfix") / "site").configure()
    site.post("hybrid-hatch")
    (site.root / "dkim.pem").write_bytes(pem())
    (site.root / "dkim.pem").chmod(0o600)
    (site.root / "smtp.password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    with postfix({"newsletter._domainkey.auto-trendy.net": public_record(pem()).decode()}) as server:
        site.configure(more=_mail(site.root, server.port))
        site.readers(READERS - 1)
        for address in (BEYOND, "gone@readers.example"):
            site.ok("reader", "add", address, "--consent", "on paper", now="2026-11-20T12:00:00+01:00")
        site.ok("prepare", now=FRIDAY)
        site.ok("deliver", now=FRIDAY)
        until(lambda: server.log.count("status=sent") == READERS, what="Postfix delivers what it took")
        yield Sent(site, server, site.json("issue", "report", "1", "--accepted"))


def _mail(root: Path, port: int) -> str:
    return f"""
[publish]
seen_at = "{served(root / "feeds")}"

[mail]
transport = "smtp"
host = "127.0.0.1"
port = {port}
tls = "starttls"
ca_file = "{CERTIFICATE}"
user = "{USER}"
password_file = "smtp.password"
dkim_key_file = "dkim.pem"
connections = 4
bounce_address = "{BOUNCES}"
envelope = "verp"
"""


def test_the_log_the_mailbox_and_the_ledger_agree_for_every_message(sent: Sent) -> None:
    queued, log, arrived = sent.queued(), sent.server.told(), sent.server.arrived()
    assert len(queued) == READERS
    assert {queue_id: told["to"] for queue_id, told in log.items()} == queued
    assert {told["status"] for told in log.values()} == {"sent"}
    delivered = {queue_id: re.findall(rb"^To: (\S+)$", mail, re.MULTILINE) for queue_id, mail in arrived.items()}
    assert delivered == {queue_id: [address.encode()] for queue_id, address in queued.items()}


def test_opendkim_finds_every_signature_good(sent: Sent) -> None:
    found = [re.findall(rb"dkim=(\w+) \(?[^;]*header\.d=([\w.-]+)", mail) for mail in sent.server.arrived().values()]
    assert found == [[(b"pass", b"auto-trendy.net")]] * READERS


def test_every_envelope_names_its_delivery(sent: Sent) -> None:
    path = ReturnPath(BOUNCES, load_keys(sent.site.root / "var" / "keys.toml").bounce)
    told = {told["to"]: path.read(told["from"]) for told in sent.server.told().values()}
    ids = {row["address"]: row["id"] for row in sent.site.json("reader", "list")}
    assert told == {row["address"]: Returned("weekly", 1, ids[row["address"]]) for row in sent.rows}


def test_it_was_handed_over_encrypted_by_whoever_signed_in_once_for_each_connection(sent: Sent) -> None:
    protocols = [re.findall(rb"\(Postfix\) with (\w+) id", mail) for mail in sent.server.arrived().values()]
    assert sorted(protocols) == [[b"ESMTPSA"]] * (READERS - 1) + [[b"UTF8SMTPSA"]]  # one address is beyond ASCII
    assert 1 <= sent.server.sign_ins <= 4


def test_who_has_no_mailbox_is_told_apart_and_blocked(sent: Sent) -> None:
    [refused] = sent.site.json("issue", "report", "1", "--failed")
    assert (refused["address"], refused["reason"], refused["enhanced"]) == (
        "gone@readers.example",
        "no-mailbox",
        "5.1.1",
    )
    assert "550 5.1.1" in sent.site.ok("issue", "report", "1").out
    shown = sent.site.ok("reader", "show", "gone@readers.example").out
    assert "blocked: no mailbox: 550 5.1.1" in shown
