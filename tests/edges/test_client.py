"""The one outgoing client against servers that are slow, huge, lying or in the wrong place."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from newsletter.errors import NewsletterError, Outside, Refused
from newsletter.outside.client import Client
from newsletter.outside.guard import is_public
from tests.smtpd import CERTIFICATE

Answer = Callable[[socket.socket, threading.Event], None]


@dataclass
class Server:
    """Accepts on 127.0.0.1 and answers each connection with the next of `answers` (the last one again and again)."""

    answers: Sequence[Answer]
    port: int = 0
    asked: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "site.example") -> str:
        return f"http://{host}:{self.port}{path}"


def secured(plain: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context.wrap_socket(plain, server_side=True)


@contextmanager
def serving(*answers: Answer, tls: bool = False) -> Iterator[Server]:
    server, stop = Server(answers), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]

        def talk(plain: socket.socket, answer: Answer) -> None:
            with plain, suppress(OSError), secured(plain) if tls else plain as line:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    piece = line.recv(65536)
                    if not piece:
                        return
                    asked += piece
                server.asked.append(asked)
                answer(line, stop)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    answer = answers[min(len(threads), len(answers) - 1)]
                    threads.append(threading.Thread(target=talk, args=(line, answer), daemon=True))
                    threads[-1].start()

        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def says(body: bytes = b"hello", *headers: str, status: str = "200 OK", length: bool = True) -> Answer:
    head = [f"HTTP/1.1 {status}", "Content-Type: text/plain; charset=utf-8", *headers]
    if length:
        head.append(f"Content-Length: {len(body)}")
    whole = "\r\n".join((*head, "", "")).encode() + body
    return lambda line, _stop: line.sendall(whole)


def sends_to(url: str, status: str = "302 Found") -> Answer:
    return says(b"", f"Location: {url}", status=status)


def a_client(server: Server, **changes: Any) -> Client:
    """A client that may call the loopback server, under any name that is looked up."""
    defaults: dict[str, Any] = {
        "ports": {server.port},
        "may_call": lambda address: address == "127.0.0.1",
        "resolve": lambda _host, _port: ["127.0.0.1"],
    }
    return Client(**(defaults | changes))


def refused(client: Client, url: str) -> tuple[str, str]:
    with pytest.raises(NewsletterError) as caught:
        client.get(url)
    (problem,) = caught.value.problems
    return problem.code, problem.message


def test_what_stands_at_an_address_is_fetched_under_its_own_name() -> None:
    with serving(says()) as server:
        found = a_client(server).get(server.url("/feed?page=2#part"))
        assert (found.content, found.media_type) == (b"hello", "text/plain")
        asked = server.asked[0].decode()
        assert asked.startswith("GET /feed?page=2 HTTP/1.1\r\n")
        assert f"Host: site.example:{server.port}\r\n" in asked


def test_no_cookie_comes_back_and_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with serving(says(b"", "Set-Cookie: id=1", "Location: /next", status="302 Found"), says()) as server:
        a_client(server).get(server.url())
        assert len(server.asked) == 2
        assert b"cookie" not in server.asked[1].lower()


def test_a_chain_of_redirects_is_followed_five_times_and_no_more() -> None:
    with serving(*[sends_to(f"/{n}") for n in range(5)], says(b"there")) as server:
        found = a_client(server).get(server.url())
        assert (found.content, found.url) == (b"there", server.url("/4"))
    with serving(sends_to("/again")) as server:
        assert refused(a_client(server), server.url())[0] == "C805"
        assert len(server.asked) == 6


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:PORT/",
        "http://[::1]:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://2130706433:PORT/",
        "http://0x7f.1:PORT/",
        "http://localhost:PORT/",
        "file:///etc/passwd",
        "http://site.example:22/",
        "http://[",
    ],
)
def test_an_address_in_the_own_network_is_refused_at_once_and_after_a_redirect(to: str) -> None:
    def resolve(host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host in {"site.example", "localhost"} else [host]

    def redirects(line: socket.socket, stop: threading.Event) -> None:
        sends_to(to.replace("PORT", str(server.port)))(line, stop)

    with serving(redirects) as server:
        strict = a_client(server, ports={server.port, 80}, may_call=is_public, resolve=resolve)
        assert refused(strict, to.replace("PORT", str(server.port)))[0] == "C801"
        assert server.asked == []
        first = iter([True])  # the loopback server stands for a public one, once
        hopping = replace(strict, may_call=lambda address: next(first, False) or is_public(address))
        assert refused(hopping, server.url())[0] == "C801"
        assert len(server.asked) == 1


def test_a_name_that_changes_its_address_between_the_check_and_the_call_gains_nothing() -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with serving(says()) as server:
        assert a_client(server, resolve=rebinding).get(server.url()).content == b"hello"
        assert asked == ["site.example"]


def test_a_name_with_one_near_address_among_public_ones_is_refused() -> None:
    with serving(says()) as server:
        client = a_client(server, may_call=is_public, resolve=lambda _h, _p: ["93.184.216.34", "10.0.0.7"])
        with pytest.raises(Refused) as caught:
            client.get(server.url())
        assert "10.0.0.7" in caught.value.problems[0].message


def test_a_certificate_is_accepted_only_if_it_is_trusted_and_for_that_name() -> None:
    with serving(says(), tls=True) as server:
        trusting = a_client(server, tls=lambda: ssl.create_default_context(cafile=CERTIFICATE))
        address = f"https://127.0.0.1:{server.port}/"
        assert trusting.get(address).content == b"hello"
        assert refused(a_client(server), address)[0] == "C802"
        assert refused(trusting, address.replace("127.0.0.1", "site.example"))[0] == "C802"


def drip(head: bytes) -> Answer:
    def answer(line: socket.socket, stop: threading.Event) -> None:
        line.sendall(head)
        while not stop.wait(0.02):
            line.sendall(b"x")

    return answer


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"]
)
def test_a_server_that_drips_is_left_when_the_time_is_over(head: bytes) -> None:
    with serving(drip(head)) as server:
        assert refused(a_client(server, seconds=0.3), server.url())[0] == "C804"


def waits(_line: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def test_a_server_that_never_answers_is_left_when_the_time_is_over() -> None:
    with serving(waits) as server:
        assert refused(a_client(server, seconds=0.2), server.url())[0] == "C804"


def test_a_resolver_that_hangs_is_left_when_the_time_is_over() -> None:
    free = threading.Event()

    def hang(_host: str, _port: int) -> Sequence[str]:
        free.wait()
        return []

    with serving(says()) as server:
        assert refused(a_client(server, seconds=0.2, resolve=hang), server.url())[0] == "C804"
    free.set()


def endless(line: socket.socket, stop: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not stop.is_set():
        line.sendall(b"x" * 65536)


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        says(b"x" * 200_001),
        says(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"),
    ],
    ids=["endless", "long", "gzip bomb"],
)
def test_more_than_the_limit_is_not_taken_however_it_is_packed(answer: Answer) -> None:
    with serving(answer) as server:
        assert refused(a_client(server, limit=200_000), server.url())[0] == "C803"


def test_an_answer_of_just_the_limit_is_taken_packed_or_not() -> None:
    body = bytes(range(256)) * 8
    with serving(says(body), says(gzip.compress(body), "Content-Encoding: gzip")) as server:
        client = a_client(server, limit=len(body))
        assert client.get(server.url()).content == body
        assert client.get(server.url()).content == body


@pytest.mark.parametrize(
    "answer",
    [
        says(b"not gzip", "Content-Encoding: gzip"),
        says(b"what", "Content-Encoding: br"),
        lambda line, _stop: line.sendall(b"\x00\x01\x02\r\n\r\n"),
        lambda line, _stop: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
        lambda _line, _stop: None,
        lambda line, _stop: line.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"),
    ],
    ids=["damaged gzip", "another coding", "no HTTP", "cut short", "closed", "headers without end"],
)
def test_an_answer_that_is_no_proper_one_is_told_as_trouble_outside(answer: Answer) -> None:
    with serving(answer) as server:
        assert refused(a_client(server), server.url())[0] == "C802"


def test_an_error_of_the_server_is_told_with_its_number() -> None:
    with serving(says(b"no", status="404 Not Found")) as server:
        assert refused(a_client(server), server.url()) == ("C806", "It answers 404")


def test_a_closed_port_is_told_as_trouble_outside() -> None:
    with serving(says()) as server:
        pass
    with pytest.raises(Outside) as caught:
        a_client(server).get(server.url())
    assert caught.value.problems[0].code == "C802"


def test_a_form_is_posted_and_its_redirect_not_followed() -> None:
    with serving(sends_to("/elsewhere", "302 Found"), says(status="202 Accepted")) as server:
        client = a_client(server)
        assert client.post(server.url("/hub"), {"hub.mode": "publish", "hub.url": "https://a.example/ü"}) == 302
        assert client.post(server.url("/hub"), {}) == 202
        assert b"\r\n\r\nhub.mode=publish&hub.url=https%3A%2F%2Fa.example%2F%C3%BC" in server.asked[0]


def test_by_default_only_the_public_web_is_called() -> None:
    with serving(says()) as server:
        for url in (server.url(host="127.0.0.1"), f"http://127.0.0.1/?{server.port}", "http://localhost/"):
            with pytest.raises(Refused):
                Client().get(url)
        assert server.asked == []
