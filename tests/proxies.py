"""nginx and Caddy as `docs/deploy` configures them, on free ports of this machine, in front of any port."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

from tests.acceptance.harness import until

DEPLOY = Path(__file__).parent.parent / "docs" / "deploy"
CERTIFICATE = Path(__file__).with_name("smtpd.pem")
HOST = "weekly.auto-trendy.net"
"""The domain in place of the one that the documents name."""


@dataclass(frozen=True)
class Proxy:
    """One that runs."""

    folder: Path
    plain: int
    secure: int

    @property
    def log(self) -> str:
        path = self.folder / "newsletter.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def client(self, *, host: str = HOST, address: str = "127.0.0.1") -> httpx.Client:
        """What finds HOST here, asks for pages of `host`, and asks from `address`."""
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        transport = _Here(verify=anybody, local_address=address)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.secure}", headers={"host": host}, transport=transport, timeout=20
        )


class _Here(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = HOST
        return super().handle_request(request)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(name: str, folder: Path, port: int) -> Iterator[Proxy]:
    """The proxy `name` in front of what listens on `port`."""
    assert shutil.which(name), f"tools/servers brings {name}"
    proxy = Proxy(folder, free_port(), free_port())
    command = CONFIGURED[name](proxy, port)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
    try:
        until(lambda: _answers(proxy.secure) or process.poll() is not None, what=name)
        assert process.poll() is None, (folder / "said").read_text(encoding="utf-8")
        yield proxy
    finally:
        process.terminate()
        process.wait(20)


def sound(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the proxy itself says of its configuration."""
    command = CONFIGURED[name](Proxy(folder, free_port(), free_port()), 8000)
    asked = [*command, "-t"] if name == "nginx" else ["caddy", "validate", *command[2:]]
    return subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(folder)})


def text_of(name: str) -> str:
    return (DEPLOY / {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]).read_text(encoding="utf-8")


def _nginx(proxy: Proxy, port: int) -> Sequence[str]:
    folder = proxy.folder
    text = _here(text_of("nginx"), folder, port)
    text = re.sub(r"^ *listen \[.*\n", "", text, flags=re.M)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{proxy.plain};")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{proxy.secure} ")
    text = re.sub(r"/etc/letsencrypt/\S+\.pem", str(CERTIFICATE), text)
    (folder / "newsletter.conf").write_text(text, encoding="utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = (
        f"{user}pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}include newsletter.conf;\n}}\n"
    )
    (folder / "main.conf").write_text(main, encoding="utf-8")
    return ["nginx", "-p", str(folder), "-c", str(folder / "main.conf"), "-e", "stderr", "-g", "daemon off;"]


def _caddy(proxy: Proxy, port: int) -> Sequence[str]:
    ports = f"http_port {proxy.plain}\nhttps_port {proxy.secure}\ndefault_bind 127.0.0.1\n"
    ours = f"{{\nadmin off\nlocal_certs\nskip_install_trust\n{ports}storage file_system {proxy.folder}/storage\n}}\n"
    path = proxy.folder / "Caddyfile"
    path.write_text(ours + _here(text_of("caddy"), proxy.folder, port), encoding="utf-8")
    return ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]


CONFIGURED: dict[str, Callable[[Proxy, int], Sequence[str]]] = {"nginx": _nginx, "caddy": _caddy}


def _here(text: str, folder: Path, port: int) -> str:
    text = re.sub(r"/var/log/(nginx|caddy)", str(folder), text)
    return text.replace("weekly.example", HOST).replace("127.0.0.1:8000", f"127.0.0.1:{port}")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
