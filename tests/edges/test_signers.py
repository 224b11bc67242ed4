"""Signing processes: what they sign is what this process would, and none of them costs a message or stays behind."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from newsletter.delivery import signers
from newsletter.delivery.dkim import Signer
from newsletter.delivery.rsa import Signature
from newsletter.delivery.signers import ALONE, Signers
from tests.unit.delivery.test_dkim import BODY, HEAD, holds, pem

SIGNER = Signer(pem(), domain="autotrendy.example", selector="mail")
DIGESTS = [hashlib.sha256(str(n).encode()).digest() for n in range(ALONE + 8)]
SIGNATURES = [SIGNER.signature(digest) for digest in DIGESTS]


def children(of: int | str = "self") -> set[int]:
    """The processes that sign for a process."""
    found = (int(pid) for path in Path(f"/proc/{of}/task").glob("*/children") for pid in path.read_text().split())
    return {pid for pid in found if b"newsletter.delivery.signing_process" in command(pid)}


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def lanes() -> Iterator[list[Signature]]:
    """Three lanes over two processes, each past what it signs alone."""
    signers = Signers(SIGNER, processes=2)
    with ExitStack() as stack:
        opened = [stack.enter_context(signers.open()) for _ in range(3)]
        for lane in opened:
            assert [lane(digest) for digest in DIGESTS] == SIGNATURES
        yield opened
    assert not children()


def test_what_processes_sign_is_what_this_one_would_and_a_verifier_finds_it_good(lanes: list[Signature]) -> None:
    assert len(children()) == 2
    for lane in lanes:
        assert lane(DIGESTS[0]) == SIGNATURES[0]
        assert holds(SIGNER.sign(HEAD, BODY, lane) + HEAD + b"\r\n" + b"".join(BODY))


def test_a_process_that_is_killed_costs_no_signature_and_is_replaced(lanes: list[Signature]) -> None:
    before = children()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    for _ in range(2):
        for lane in lanes:
            assert [lane(digest) for digest in DIGESTS] == SIGNATURES
    assert len(children()) == 2
    assert not children() & before


def test_a_process_that_was_stopped_is_waited_for_once_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signers, "_PATIENCE", 1)
    both = Signers(SIGNER, processes=2)
    with both.open() as lane:
        assert [lane(digest) for digest in DIGESTS] == SIGNATURES
        (stopped,) = children()
        os.kill(stopped, signal.SIGSTOP)
        assert [lane(digest) for digest in DIGESTS] == SIGNATURES
        assert stopped not in children()
    assert not children()


def test_ctrl_c_ends_no_process_that_signs(lanes: list[Signature]) -> None:
    assert {os.getsid(pid) for pid in children()} == children()
    assert os.getsid(0) not in children()


def test_no_process_starts_for_a_few_messages_nor_on_a_single_processor() -> None:
    with Signers(SIGNER, processes=2).open() as lane:
        assert [lane(digest) for digest in DIGESTS[:ALONE]] == SIGNATURES[:ALONE]
        assert not children()
    with Signers(SIGNER, processes=1).open() as lane:
        assert [lane(digest) for digest in DIGESTS] == SIGNATURES
        assert not children()


def test_where_no_process_can_start_each_lane_signs_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.delivery.signers._COMMAND", ("/nowhere/python",))
    with Signers(SIGNER, processes=2).open() as lane:
        assert [lane(digest) for digest in (*DIGESTS, *DIGESTS)] == [*SIGNATURES, *SIGNATURES]


def test_they_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem())
    script = (
        "import pathlib, sys, time\n"
        "from newsletter.delivery.dkim import Signer\n"
        "from newsletter.delivery.signers import Signers\n"
        "signer = Signer(pathlib.Path(sys.argv[1]).read_bytes(), domain='autotrendy.example', selector='mail')\n"
        "with Signers(signer, 2).open() as lane:\n"
        f"    [lane(bytes(32)) for _ in range({ALONE + 1})]\n"
        "    print('signed', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path / "key.pem"], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"signed\n"
        theirs = children(parent.pid)
        parent.kill()
    assert theirs
    for _ in range(600):
        if not any(map(command, theirs)):
            return
        time.sleep(0.1)
    raise AssertionError("they outlive their parent")
