"""A real SMTP server for tests: takes mail on a free loopback port, and fails as it is told to.

    with Smtpd() as server:
        server.fault("RCPT", "550 5.1.1 nobody here", to="ada@readers.example")
        server.fault("DOT", DROP_STORED)
        …
        server.messages   # what was accepted, with its envelope

As a program, `python -m tests.smtpd --port-file F --log F`, it writes a JSON line per accepted message, so that a test
may kill its client and count afterwards. The certificate in `smtpd.pem` is for 127.0.0.1 and trusted by nobody else.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import re
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult

CERTIFICATE = Path(__file__).with_name("smtpd.pem")

DROP = "drop"
"""Break the connection instead of answering; at DOT, nothing was stored."""

DROP_STORED = "drop, stored"
"""Store the message, then break the connection instead of answering the final dot."""


NOISE = "noise"
"""Over TLS, break in with bytes that are none of it, then end the connection; at DOT, nothing was stored."""

HALF = "half a line"
"""Begin to answer, and break the connection in the middle of the line; at DOT, nothing was stored."""


@dataclass(frozen=True)
class Received:
    """One accepted message."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.content)["Message-ID"]).strip("<>")


@dataclass
class Fault:
    """At a command of one kind, say this instead of what would be said."""

    stage: str  # BANNER, MAIL, RCPT, DATA (instead of 354), DOT (after the content), RSET
    reply: str
    to: str = ""  # only for this recipient
    times: int = 1
    after: int = 0  # let so many pass first


class Smtpd:
    """The server, running in a thread of its own between `start` and `stop`."""

    def __init__(
        self,
        *,
        tls: str = "none",
        user: str = "",
        password: str = "",
        pipelining: bool = True,
        dsn: bool = False,
        utf8: bool = False,
        delay: float = 0.0,
        size_limit: int = 33554432,
        accepted: Callable[[Received], None] | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.messages: list[Received] = []
        self.commands: list[str] = []  # as they came, without AUTH's secret
        self.connections = 0
        self.delay = delay
        self.pipelining = pipelining
        self.dsn = dsn
        self.utf8 = utf8
        self._tls = tls
        self._login = (user.encode(), password.encode())
        self._size_limit = size_limit
        self.accepted = accepted or (lambda _: None)  # called with each message
        self._faults: list[Fault] = []
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open: set[_Connection] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        self.listen()

    def stop(self) -> None:
        self.refuse()
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def listen(self) -> None:
        """Take connections, on the same port as before."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def refuse(self) -> None:
        """Take no connections: the port is closed, those that are open stay."""
        self._loop.call_soon_threadsafe(self._server.close if self._server else lambda: None)
        self._server = None

    def hang_up(self) -> None:
        """Break every open connection, as a restart of the server does."""
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(10)

    def fault(self, stage: str, reply: str, *, to: str = "", times: int = 1, after: int = 0) -> None:
        """At the next command of this stage (after letting `after` pass), say `reply`, DROP or DROP_STORED."""
        self._faults.append(Fault(stage, reply, to, times, after))

    def reply_at(self, stage: str, recipient: str = "") -> str:
        """What a fault says at this point; empty when there is none."""
        for fault in self._faults:
            if fault.stage != stage or (fault.to and fault.to != recipient) or not fault.times:
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            return fault.reply
        return ""

    def store(self, received: Received) -> None:
        self.messages.append(received)
        self.accepted(received)

    @property
    def wants_login(self) -> bool:
        return bool(self._login[0])

    def check_login(self, login: object) -> bool:
        return (getattr(login, "login", b""), getattr(login, "password", b"")) == self._login

    async def _listen(self) -> None:
        context = _server_context() if self._tls == "tls" else None
        self._server = await self._loop.create_server(self._connection, self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    def _connection(self) -> _Connection:
        self.connections += 1
        connection = _Connection(
            self,
            loop=self._loop,
            hostname="mail.test",
            ident="tests",
            enable_SMTPUTF8=self.utf8,
            data_size_limit=self._size_limit,
            tls_context=_server_context() if self._tls == "starttls" else None,
            require_starttls=self._tls == "starttls",
            timeout=30,
            auth_require_tls=self._tls == "starttls",
            authenticator=lambda *call: AuthResult(success=self.check_login(call[-1]), handled=False),
        )
        self._open.add(connection)
        return connection

    def forget(self, connection: _Connection) -> None:
        self._open.discard(connection)

    async def _finish(self) -> None:
        for connection in list(self._open):
            connection.hang_up()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(others, timeout=5) if others else None
        await asyncio.sleep(0)


class _Handler:
    def __init__(self, server: Smtpd) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, connection: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._server.commands.append(f"EHLO {hostname}")
        offers = {"PIPELINING": self._server.pipelining, "DSN": self._server.dsn}
        return [*responses[:-1], *(f"250-{name}" for name, offered in offers.items() if offered), responses[-1]]

    async def handle_DATA(self, connection: _Connection, session: Any, envelope: Any) -> str:  # noqa: N802
        return await connection.dot()


class _Connection(SMTP):
    """aiosmtpd's protocol, asked for faults before each command."""

    def __init__(self, server: Smtpd, **options: Any) -> None:
        super().__init__(_Handler(server), **options)
        self._server = server

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._server.forget(self)

    def hang_up(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            with suppress(AttributeError):  # Python 3.11.2: over TLS, of a transport that is closed already
                self.transport.abort()

    async def _handle_client(self) -> None:
        if not await self._says(self._server.reply_at("BANNER")):
            await super()._handle_client()
        elif isinstance(self.transport, asyncio.Transport):
            self.transport.close()

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("MAIL", arg):
            await super().smtp_MAIL(self._without_dsn(arg))

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("RCPT", arg):
            await super().smtp_RCPT(self._without_dsn(arg))

    def _without_dsn(self, arg: str) -> str:
        """aiosmtpd knows nothing of RFC 3461."""
        return re.sub(r" (RET|ENVID|NOTIFY|ORCPT)=\S+", "", arg) if self._server.dsn else arg

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("RSET", arg):
            await super().smtp_RSET(arg)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("STARTTLS", arg):
            await super().smtp_STARTTLS(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("QUIT", arg):
            await super().smtp_QUIT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._fails("DATA", arg):
            await super().smtp_DATA(arg)

    async def _fails(self, stage: str, arg: str | None) -> bool:
        self._server.commands.append(f"{stage} {arg or ''}".strip())
        envelope = self.envelope
        if stage == "RCPT" and arg:
            recipient = arg.partition("<")[2].partition(">")[0]
        else:
            recipient = envelope.rcpt_tos[0] if envelope and envelope.rcpt_tos else ""
        if stage == "MAIL" and self._server.wants_login and not (self.session and self.session.authenticated):
            return await self._says("530 5.7.0 Authentication required")
        return await self._says(self._server.reply_at(stage, recipient))

    async def _says(self, reply: str) -> bool:
        if reply == DROP:
            self.hang_up()
        elif reply == NOISE:
            self._noise()
        elif reply == HALF and isinstance(self.transport, asyncio.Transport):
            self.transport.write(b"250-2.0.0 O")
            self.transport.close()
        elif reply:
            await self.push(reply)
            if reply.startswith("421") and self.transport:
                self.transport.close()
        return bool(reply)

    def _noise(self) -> None:
        below: Any = getattr(getattr(self.transport, "_ssl_protocol", None), "_transport", self.transport)
        below.write(b"\x00" * 64)
        below.close()

    async def dot(self) -> str:
        """The content is in: store it and say so, or not."""
        envelope: Any = self.envelope
        received = Received(envelope.mail_from, envelope.rcpt_tos[0], bytes(envelope.content))
        if self._server.delay:
            await asyncio.sleep(self._server.delay)
        reply = self._server.reply_at("DOT", received.recipient)
        if reply in ("", DROP_STORED) or reply.startswith("250"):
            self._server.store(received)
        if reply in (DROP, DROP_STORED, HALF, NOISE):
            self.hang_up() if reply in (DROP, DROP_STORED) else await self._says(reply)
            raise ConnectionResetError
        return reply or f"250 2.0.0 Ok: queued as {len(self._server.messages):06d}"


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", type=Path, required=True, help="written once the port is open")
    parser.add_argument("--log", type=Path, required=True, help="a JSON line per accepted message")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each final dot is answered")
    parser.add_argument("--tls", choices=("none", "starttls", "tls"), default="none")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="STAGE:REPLY[:TO]", help="once; REPLY may be drop"
    )
    asked = parser.parse_args()
    with asked.log.open("a", encoding="utf-8") as log:

        def write(received: Received) -> None:
            line = {
                "sender": received.sender,
                "recipient": received.recipient,
                "message_id": received.message_id,
                "sha256": hashlib.sha256(received.content).hexdigest(),
            }
            log.write(json.dumps(line) + "\n")
            log.flush()

        with Smtpd(
            tls=asked.tls, user=asked.user, password=asked.password, delay=asked.delay, accepted=write
        ) as server:
            for fault in asked.fault:
                stage, reply, *to = fault.split(":")
                server.fault(stage, reply, to="".join(to))
            draft = asked.port_file.with_suffix(".draft")
            draft.write_text(f"{server.port}\n")
            draft.replace(asked.port_file)
            threading.Event().wait()


if __name__ == "__main__":
    main()
