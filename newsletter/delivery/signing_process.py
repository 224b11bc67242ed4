"""What a process that signs does, and nothing else: it loads a tenth of the program, so that it is there soon.

Standard input is a socket: first the length of the key in four octets and the key, then one more socket with each
octet. On each of these it answers SHA-256 digests with signatures. It ends when standard input does.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress

from newsletter.delivery.rsa import DIGEST, Signature, with_key


def serve() -> None:
    """Sign what comes over the wires that come over standard input, until that ends."""
    control = socket.socket(fileno=0)
    told = int.from_bytes(control.recv(4, socket.MSG_WAITALL), "big")
    sign = with_key(control.recv(told, socket.MSG_WAITALL))
    with selectors.DefaultSelector() as wires:
        wires.register(control, selectors.EVENT_READ)
        while True:
            for found, _ in wires.select():
                if wire := found.data:
                    _answer(wires, wire, sign)
                elif not _take(wires, control):
                    return


def _take(wires: selectors.BaseSelector, control: socket.socket) -> bool:
    """Listen to one more wire; False when the parent is gone."""
    told, ends, _, _ = socket.recv_fds(control, 1, 1)
    for end in ends:
        wire = socket.socket(fileno=end)
        wires.register(wire, selectors.EVENT_READ, wire)
    return bool(told)


def _answer(wires: selectors.BaseSelector, wire: socket.socket, sign: Signature) -> None:
    digest = b""
    with suppress(OSError):
        if digest := wire.recv(DIGEST, socket.MSG_WAITALL):
            wire.sendall(sign(digest))
    if not digest:
        wires.unregister(wire)
        wire.close()


if __name__ == "__main__":
    serve()
