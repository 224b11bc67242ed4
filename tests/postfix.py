"""A real Postfix with a real opendkim behind it, on free ports of this machine, for as long as a test wants it.

It takes mail over STARTTLS from who signs in, has opendkim look at each signature, and delivers into one maildir.
Everything of it lies in a folder of its own; nothing is made on the machine, and an installed Postfix is left alone.
Its `master` needs root, and two accounts of Debian's that nothing else here uses.
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.smtpd import CERTIFICATE

OWNER, GROUP = "daemon", "mail"
USER, PASSWORD = "auto", "open sesame"

_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_QUEUE = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")


@dataclass(frozen=True)
class Postfix:
    """A running server."""

    port: int
    folder: Path
    _auth: _Auth = field(repr=False)

    @property
    def sign_ins(self) -> int:
        return self._auth.right

    @property
    def log(self) -> str:
        return (self.folder / "mail.log").read_text(encoding="utf-8")

    def arrived(self) -> dict[str, bytes]:
        """Queue id -> the mail as it was delivered."""
        files = (self.folder / "mail" / "inbox" / "new").glob("*")
        mails = (file.read_bytes() for file in files)
        return {re.findall(rb"\n\tby \S+ \(Postfix\) with \S+ id (\w+)", mail)[0].decode(): mail for mail in mails}

    def told(self) -> dict[str, dict[str, str]]:
        """Queue id -> what the log says of it: `from`, `to`, `status`, `size` and so on."""
        found: dict[str, dict[str, str]] = {}
        for queue_id, rest in re.findall(r"postfix/\w+\[\d+\]: ([0-9A-F]{8,}): (.*)", self.log):
            found.setdefault(queue_id, {}).update(re.findall(r"(\w+)=<?([^,>\s]+)", rest))
        return found


@contextmanager
def postfix(public_keys: dict[str, str]) -> Iterator[Postfix]:
    """`public_keys`: what stands in the DNS for opendkim, by name: `selector._domainkey.domain`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postfix-")))
        folder.chmod(0o755)  # its services have accounts of their own
        auth = stack.enter_context(_auth_server(folder / "auth"))
        milter = stack.enter_context(_opendkim(folder, public_keys))
        port = _free_port()
        environment = _configure(folder, port, milter)
        master = [_master(), "-c", str(folder / "etc"), "-d"]
        stack.enter_context(_running(master, environment, folder / "master.out", port))
        yield Postfix(port, folder, auth)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Postfix wants to be started by root")


def _prefix() -> Path:
    found = shutil.which("postfix")
    assert found, "tools/servers brings postfix"
    return Path(found).parent.parent


def _master() -> str:
    return str(_prefix() / "lib" / "postfix" / "sbin" / "master")


def _libraries(prefix: Path) -> str:
    """Where an unpacked program finds the libraries that came with it; empty for an installed one."""
    places = [prefix / "lib" / "postfix", *prefix.glob("lib/*-linux-gnu*"), *prefix.parent.glob("lib/*-linux-gnu*")]
    return "" if prefix == Path("/usr") else ":".join(map(str, places))


def _configure(folder: Path, port: int, milter: int) -> dict[str, str]:
    """Its folders and files; the environment that it runs in."""
    libraries = _libraries(_prefix())
    _make_folders(folder)
    (folder / "key.pem").write_bytes(CERTIFICATE.read_bytes())
    (folder / "key.pem").chmod(0o600)
    settings = _settings(folder, libraries, milter)
    (folder / "etc" / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (folder / "etc" / "master.cf").write_text(_SERVICES.format(port=port))
    kept = {"PATH": os.environ["PATH"], "MAIL_CONFIG": str(folder / "etc")}
    return kept | ({"LD_LIBRARY_PATH": libraries} if libraries else {})


def _make_folders(folder: Path) -> None:
    """Each with the owner that Postfix wants it to have."""
    owner, group, queue = pwd.getpwnam(OWNER), grp.getgrnam(GROUP), folder / "queue"
    for name in ("etc", "mail", "data", "queue", "queue/pid", "queue/public", "queue/maildrop"):
        (folder / name).mkdir()
    for name in _QUEUE:
        (queue / name).mkdir(mode=0o700)
    for path in (folder / "data", folder / "mail", *(queue / name for name in (*_QUEUE, "public", "maildrop"))):
        os.chown(path, owner.pw_uid, group.gr_gid if path.name in ("public", "maildrop") else owner.pw_gid)


def _settings(folder: Path, libraries: str, milter: int) -> dict[str, object]:
    """Mail for `readers.example` is taken over TLS from whoever signs in, and lies in a maildir."""
    owner, prefix = pwd.getpwnam(OWNER), _prefix()
    return {
        "compatibility_level": "3.6",
        "queue_directory": folder / "queue",
        "command_directory": prefix / "sbin",
        "daemon_directory": prefix / "lib" / "postfix" / "sbin",
        "shlib_directory": prefix / "lib" / "postfix",
        "data_directory": folder / "data",
        "mail_owner": OWNER,
        "setgid_group": GROUP,
        "default_privs": "nobody",
        "maillog_file": folder / "mail.log",
        "maillog_file_prefixes": folder,
        "import_environment": f"MAIL_CONFIG LD_LIBRARY_PATH={libraries}" if libraries else "MAIL_CONFIG",
        "myhostname": "mail.test",
        "mydestination": "",
        "mynetworks": "",
        "inet_protocols": "ipv4",
        "smtpd_tls_chain_files": folder / "key.pem",
        "smtpd_tls_security_level": "encrypt",
        "smtpd_tls_auth_only": "yes",
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": folder / "auth",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_recipient_restrictions": "check_recipient_access inline:{{gone@readers.example=550 5.1.1 no such user}},"
        "permit_sasl_authenticated, reject",
        "smtpd_milters": f"inet:127.0.0.1:{milter}",
        "milter_default_action": "tempfail",
        "virtual_mailbox_domains": "readers.example",
        "virtual_mailbox_base": folder / "mail",
        "virtual_mailbox_maps": "static:inbox/",
        "virtual_uid_maps": f"static:{owner.pw_uid}",
        "virtual_gid_maps": f"static:{owner.pw_gid}",
        "virtual_minimum_uid": "1",
        "alias_maps": "",
        "local_recipient_maps": "",
    }


@contextmanager
def _opendkim(folder: Path, public_keys: dict[str, str]) -> Iterator[int]:
    """The milter that looks at signatures and writes what it found into Authentication-Results; its port."""
    port = _free_port()
    keys, settings = folder / "public.keys", folder / "opendkim.conf"
    keys.write_text("".join(f"{name} {record}\n" for name, record in public_keys.items()))
    settings.write_text(
        f"Mode v\nSocket inet:{port}@127.0.0.1\nBackground no\nAuthservID mail.test\nAlwaysAddARHeader yes\n"
        f"TestPublicKeys {keys}\nSyslog no\nUMask 007\nPidFile {folder / 'opendkim.pid'}\n"
    )
    program = shutil.which("opendkim")
    assert program, "tools/servers brings opendkim"
    libraries = _libraries(Path(program).parent.parent)
    environment = {"PATH": os.environ["PATH"]} | ({"LD_LIBRARY_PATH": libraries} if libraries else {})
    with _running([program, "-f", "-x", str(settings)], environment, folder / "opendkim.out", port):
        yield port


@contextmanager
def _running(command: Sequence[str], environment: dict[str, str], said: Path, port: int) -> Iterator[None]:
    """A program that listens on a port, until the end of the block."""
    with said.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        _wait_for(port, process, said)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        assert process.poll() is None, said.read_text(errors="replace")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}: {said.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class _Auth:
    """Answers Postfix whether a password is right, in the words of Dovecot's authentication protocol 1.1."""

    def __init__(self, path: Path) -> None:
        self.right = 0
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        path.chmod(0o666)
        self._server.listen()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rw", encoding="ascii", newline="\n") as wire:
            wire.write("VERSION\t1\t1\nCUID\t1\nCOOKIE\t00\nMECH\tPLAIN\tplaintext\nDONE\n")
            wire.flush()
            for line in wire:
                asked = line.rstrip("\n").split("\t")
                if asked[0] == "AUTH":
                    wire.write(self._answer(asked))
                    wire.flush()

    def _answer(self, asked: Sequence[str]) -> str:
        shown = next((word[5:] for word in asked if word.startswith("resp=")), "")
        right = base64.b64decode(shown) == f"\0{USER}\0{PASSWORD}".encode()
        self.right += right
        return f"OK\t{asked[1]}\tuser={USER}\n" if right else f"FAIL\t{asked[1]}\tuser={USER}\n"


@contextmanager
def _auth_server(path: Path) -> Iterator[_Auth]:
    auth = _Auth(path)
    thread = threading.Thread(target=auth.serve, daemon=True)
    thread.start()
    try:
        yield auth
    finally:
        auth.close()
        thread.join(5)
