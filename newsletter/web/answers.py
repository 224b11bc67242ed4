"""Answers without a page: another method, another address."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response


def other_method(method: str, allow: str) -> Response:
    """For a method that an address does not serve: OPTIONS is told what is allowed (204), the rest is refused (405)."""
    headers = {"allow": allow, "cache-control": "no-store"}
    if method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    return PlainTextResponse("Method not allowed\n", status_code=405, headers=headers)


def moved(location: str) -> Response:
    """For a folder that was asked for without its slash. Asked again each time: a file may stand there tomorrow."""
    return Response(status_code=301, headers={"location": location, "cache-control": "no-cache"})
