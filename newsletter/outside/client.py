"""The one client for the web: an edge.

Promises that a name is looked up once and that the connection goes to the very address that was checked,
for each redirect again; that all of it together ends within its time and size, whatever the server does;
that certificates are verified; and that neither cookies nor the environment's proxies take part.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode, urljoin

from newsletter.errors import Outside, Problem, Refused
from newsletter.model import Fetched
from newsletter.outside.guard import PORTS, Place, is_public, place

MEGABYTE = 1_000_000
AGENT = "newsletter"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_PIECE = 64 * 1024

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port -> the addresses of the host, as texts. Raises OSError."""


def look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, as the system's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def trusted() -> ssl.SSLContext:
    """What the system trusts. Reading it takes a sixteenth of a second, which those who call nobody need not wait."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class Client:
    """Calls addresses that strangers wrote. The defaults are the safe ones; tests pass their own."""

    seconds: float = 10.0  # for one call, redirects and all
    limit: int = 5 * MEGABYTE  # octets of an answer, also when it comes compressed
    ports: Collection[int] = frozenset(PORTS.values())
    may_call: Callable[[str], bool] = is_public
    resolve: Resolve = look_up
    tls: Callable[[], ssl.SSLContext] = trusted

    def get(self, url: str) -> Fetched:
        """What stands at `url`. Raises Refused (C801) for an address that is not called, Outside (C802–C806)."""
        call = _Call(self, time.monotonic() + self.seconds)
        here = url
        for _ in range(_MOST_REDIRECTS + 1):
            answer = call.ask("GET", here, {}, b"")
            if answer.status not in _REDIRECTS or not answer.location:
                return _good(answer, here)
            here = _onward(here, answer.location)
        raise Outside(_problem("C805", url, f"It redirects more than {_MOST_REDIRECTS} times"))

    def post(self, url: str, fields: Mapping[str, str]) -> int:
        """Send a form (x-www-form-urlencoded) and give the status of the answer; no redirect is followed.

        Raises as `get`, but not for the status.
        """
        return self.send(url, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})

    def send(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Post `content`; the rest as `post`."""
        return _Call(self, time.monotonic() + self.seconds).ask("POST", url, headers, content).status

    def knock(self, url: str) -> int:
        """The status of what stands at `url`, whatever it is; no redirect is followed. Raises as `post`."""
        return _Call(self, time.monotonic() + self.seconds).ask("GET", url, {}, b"").status


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class _Call:
    """One call with its deadline."""

    client: Client
    deadline: float

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> _Answer:
        to = place(url, self.client.ports)
        if isinstance(to, str):
            raise Refused(_refusal(url, to))
        try:
            with self._connected(to, url) as line:
                return self._exchange(line, to, method, headers, body, url)
        except ssl.SSLError as error:
            raise Outside(_problem("C802", url, f"Its certificate is not trusted: {_said(error)}")) from error
        except TimeoutError as error:
            raise Outside(_problem("C804", url, f"No whole answer within {self.client.seconds:g} seconds")) from error
        except (OSError, http.client.HTTPException) as error:
            raise Outside(_problem("C802", url, f"It cannot be reached: {_said(error)}")) from error

    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _connected(self, to: Place, url: str) -> _Line:
        addresses = self._addresses(to)
        strange = [address for address in addresses if not self.client.may_call(address)]
        if strange or not addresses:
            reason = f"{to.host} is {strange[0]}, which is not on the public internet" if strange else "no such host"
            raise Refused(_refusal(url, reason))
        fault: OSError | None = None
        for address in addresses:
            try:
                plain = socket.create_connection((address, to.port), timeout=self.left())
            except TimeoutError:
                raise
            except OSError as error:
                fault = error
                continue
            return _Line(self._secured(plain, to), self.left)
        raise fault or OSError("no such host")

    def _secured(self, plain: socket.socket, to: Place) -> socket.socket:
        if to.scheme == "http":
            return plain
        try:
            plain.settimeout(self.left())
            return self.client.tls().wrap_socket(plain, server_hostname=to.host)
        except BaseException:
            plain.close()
            raise

    def _addresses(self, to: Place) -> Sequence[str]:
        """The resolver knows no time limit, so it is asked from a thread that may be left behind."""
        found: list[Sequence[str] | OSError] = []

        def ask() -> None:
            try:
                found.append(self.client.resolve(to.host, to.port))
            except (OSError, UnicodeError) as error:
                found.append(OSError(f"no such host {to.host} ({_said(error)})"))

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self.left())
        if not found:
            raise TimeoutError
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]

    def _exchange(
        self, line: _Line, to: Place, method: str, headers: Mapping[str, str], body: bytes, url: str
    ) -> _Answer:
        sent = {"Host": to.authority, "User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
        sent |= {"Connection": "close", **headers}
        if method == "POST":
            sent["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        line.sendall(f"{method} {to.target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
        response = http.client.HTTPResponse(line, method=method)  # type: ignore[arg-type]  # all of a socket it uses
        try:
            response.begin()
            location = response.getheader("Location", "")
            skip = response.status in _REDIRECTS or method == "POST"
            content = b"" if skip else self._content(response, url)
            return _Answer(response.status, location, response.headers.get_content_type(), content)
        finally:
            response.close()

    def _content(self, response: http.client.HTTPResponse, url: str) -> bytes:
        """The body, unpacked, never more than the limit in memory."""
        coding = response.getheader("Content-Encoding", "identity").strip().lower()
        if coding not in {"identity", "", "gzip", "x-gzip"}:
            raise Outside(_problem("C802", url, f"It answers in a coding that was not asked for: {coding[:40]}"))
        unpack = zlib.decompressobj(wbits=31) if "gzip" in coding else None
        content = bytearray()
        while piece := response.read(_PIECE):
            room = self.client.limit + 1 - len(content)
            try:
                content += unpack.decompress(piece, room) if unpack else piece
            except zlib.error as error:
                raise Outside(_problem("C802", url, "Its gzip is damaged")) from error
            if len(content) > self.client.limit:
                raise Outside(_problem("C803", url, f"It is over {self.client.limit / MEGABYTE:g} MB"))
        if response.length or (unpack and content and not unpack.eof):
            raise Outside(_problem("C802", url, "The answer was cut short"))
        return bytes(content)


class _Line:
    """A connected socket that never waits past the deadline: the little that http.client needs of one."""

    def __init__(self, plain: socket.socket, left: Callable[[], float]) -> None:
        self._socket = plain
        self._left = left

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._socket, self._left))


class _Incoming(io.RawIOBase):
    """What comes in. Each read has only the time that the whole call has left: a drip ends it, too."""

    def __init__(self, plain: socket.socket, left: Callable[[], float]) -> None:
        self._socket = plain
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the buffer is always one
        self._socket.settimeout(self._left())
        return self._socket.recv_into(buffer)


def _onward(here: str, location: str) -> str:
    """Where a redirect leads. Raises Refused for what is no address."""
    try:
        return urljoin(here, location).partition("#")[0]
    except ValueError:
        raise Refused(_refusal(here, "it redirects to what is no address")) from None


def _good(answer: _Answer, url: str) -> Fetched:
    if answer.status != 200:
        raise Outside(_problem("C806", url, f"It answers {answer.status}"))
    return Fetched(url, answer.media_type, answer.content)


def _said(error: BaseException) -> str:
    return getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__


def _refusal(url: str, reason: str) -> Problem:
    return Problem(
        "C801",
        f"The address is not called: {reason}",
        file=url[:200],
        why="Addresses in feeds and exports are written by others; they must not lead into this network.",
        fixes=("save the file yourself, and name the file",),
    )


def _problem(code: str, url: str, message: str) -> Problem:
    return Problem(code, message, file=url[:200], fixes=("try again later, or save the file and name the file",))
