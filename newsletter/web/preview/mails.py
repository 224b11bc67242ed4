"""`/next/` and `/outbox/`: the mail that comes next, and those that were caught; each part and look has an address."""

from __future__ import annotations

from dataclasses import dataclass
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NewsletterError, Problem
from newsletter.issues.selection import Choice, Verdict
from newsletter.model import Message
from newsletter.usecases.coming import Coming
from newsletter.web.preview import letter as letters
from newsletter.web.preview.frame import Frame
from newsletter.web.preview.letter import LOOKS, PARTS, READERS, WIDTHS
from newsletter.web.preview.live import Caught, Live

_LISTED = 200


@dataclass(frozen=True, slots=True)
class Option:
    """A link that shows the same mail in another way."""

    name: str
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A caught mail in the list."""

    address: str
    subject: str
    to: str
    when: str
    size: str


class Mails:
    """The endpoints; they may take a while, so Starlette calls them in threads."""

    def __init__(self, live: Live, frame: Frame) -> None:
        self._live = live
        self._frame = frame

    # -- the mail that comes next

    def next_page(self, request: Request) -> Response:
        coming, problems = self._coming()
        message = _for_readers(coming, request)
        return self._frame.render(
            "mail.html",
            self._live.state,
            title="Next mail",
            here="next",
            about=coming.about if coming else "The next mail cannot be shown.",
            letter=letters.read(message.content) if message else None,
            preheader=coming.preheader if coming else "",
            findings=problems,
            waiting=_waiting(coming),
            varies=bool(coming and coming.shortest),
            back=None,
            **_choices(request),
        )

    def next_framed(self, request: Request) -> Response:
        return self._framed(request, self._next_content(request))

    def next_file(self, request: Request) -> Response:
        return _file(self._next_content(request), "next")

    def _coming(self) -> tuple[Coming | None, tuple[Problem, ...]]:
        try:
            coming = self._live.world.coming(self._live.state.preview.library)
        except NewsletterError as error:
            return None, error.problems
        return coming, coming.problems

    def _next_content(self, request: Request) -> bytes:
        message = _for_readers(self._coming()[0], request)
        if message is None:
            raise HTTPException(404, "There is no next mail")
        return message.content

    # -- those that were caught

    def outbox(self, _request: Request) -> Response:
        found = self._live.world.outbox.caught()
        lines = [line for mail in found[:_LISTED] if (line := self._line(mail))]
        older = max(0, len(found) - _LISTED)
        sandbox = self._live.world.sandbox
        return self._frame.render(
            "outbox.html",
            self._live.state,
            title="Outbox",
            here="outbox",
            lines=lines,
            count=len(found),
            older=older,
            sandbox=sandbox,
        )

    def outbox_page(self, request: Request) -> Response:
        content = self._caught(request)
        return self._frame.render(
            "mail.html",
            self._live.state,
            title="Mail in the outbox",
            here="outbox",
            about="Caught on this machine.",
            letter=letters.read(content),
            preheader="",
            findings=(),
            waiting=(),
            varies=False,
            back="/outbox/",
            **_choices(request),
        )

    def outbox_framed(self, request: Request) -> Response:
        return self._framed(request, self._caught(request))

    def outbox_file(self, request: Request) -> Response:
        return _file(self._caught(request), request.path_params["name"])

    def _caught(self, request: Request) -> bytes:
        content = self._live.world.outbox.read(request.path_params["name"])
        if content is None:
            raise HTTPException(404, "There is no such mail")
        return content

    def _line(self, mail: Caught) -> Line | None:
        content = self._live.world.outbox.read(mail.name)
        if content is None:  # it went away meanwhile
            return None
        head = BytesHeaderParser().parsebytes(content.partition(b"\r\n\r\n")[0])
        when = mail.at.astimezone(self._live.state.site.timezone)
        return Line(
            f"/outbox/{quote(mail.name)}/",
            _words(str(head.get("Subject", ""))) or "(no subject)",
            _words(str(head.get("To", ""))),
            f"{when:%Y-%m-%d %H:%M:%S}",
            f"{mail.size / 1000:.1f} kB",
        )

    def _framed(self, request: Request, content: bytes) -> Response:
        look = _chosen(request, "look", LOOKS)
        page = letters.framed(letters.read(content), look, self._live.state.site)
        port = int(request.scope["server"][1])
        headers = {"content-security-policy": letters.policy(look, port), "cache-control": "no-store"}
        return Response(page, headers=headers, media_type="text/html; charset=utf-8")


def _choices(request: Request) -> dict[str, object]:
    """What is chosen, and the links that choose otherwise."""
    chosen = {
        "part": _chosen(request, "part", PARTS),
        "width": _chosen(request, "width", WIDTHS),
        "look": _chosen(request, "look", LOOKS),
        "readers": _chosen(request, "readers", READERS),
    }
    kinds = {"part": PARTS, "width": WIDTHS, "look": LOOKS, "readers": READERS}
    options = {
        kind: [
            Option(name, "?" + urlencode(chosen | {kind: value}), value == chosen[kind])
            for value, name in kinds[kind].items()
        ]
        for kind in kinds
    }
    return {**chosen, "options": options}


def _chosen(request: Request, kind: str, known: dict[str, str]) -> str:
    """The value of a query parameter; the first known one where it names none."""
    wanted = request.query_params.get(kind, "")
    return wanted if wanted in known else next(iter(known))


def _for_readers(coming: Coming | None, request: Request) -> Message | None:
    """The coming mail with every segment, or as those get it who get none."""
    if coming is None:
        return None
    wants_shortest = _chosen(request, "readers", READERS) == "none"
    return coming.shortest if wants_shortest and coming.shortest else coming.message


def _waiting(coming: Coming | None) -> tuple[Choice, ...]:
    """The posts that could have been in it."""
    if coming is None:
        return ()
    return tuple(choice for choice in coming.selection.left if choice.verdict is Verdict.WAIT)


def _file(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.eml"', "cache-control": "no-store"}
    return Response(content, headers=headers, media_type="message/rfc822")


def _words(header: str) -> str:
    try:
        return str(make_header(decode_header(header)))
    except (ValueError, LookupError):
        return header
