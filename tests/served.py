"""The published folder of any test's site, as a static host would serve it, on one loopback port for all tests.

A file called MOVED in a folder holds the address to which the host leads on from there.
"""

from __future__ import annotations

import threading
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote


class _Host(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = Path(unquote(self.path.partition("?")[0]))
        if (moved := place / "MOVED").is_file():
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", moved.read_text(encoding="utf-8"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        place = place / "index.html" if place.is_dir() else place
        content = place.read_bytes() if place.is_file() else b""
        self.send_response(HTTPStatus.OK if place.is_file() else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/html" if place.suffix == ".html" else "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the answers are what a test looks at."""


@cache
def _port() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def served(folder: Path) -> str:
    """The address at which the files of a folder are answered, as long as the tests run; no trailing slash."""
    return f"http://127.0.0.1:{_port()}{quote(str(folder.resolve()))}"
