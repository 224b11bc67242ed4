"""Which column is what: by the headers of programs that are known, and by what people call such columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.errors import Problem, UsageError, nearest
from newsletter.readers.importing.table import COLUMNS, refused

_NAMES = {
    "email": """
        email, mail, e-mail address, mail address, address, subscriber email, user email, contact email, recipient,
        primary email, your email, email 1, e-mail 1 - value, subscriber,
        e-mailadresse, mailadresse, e-post, e-postadress, e-mailadres, adresse e-mail, adresse mail, courriel,
        adresse electronique, correo, correo electronico, direccion de correo, email del suscriptor, indirizzo email,
        posta elettronica, endereco de email, e-posta, adres e-mail, sahkoposti, почта, электронная почта, имейл,
        البريد الإلكتروني, البريد, メールアドレス, 邮箱, 电子邮件, 이메일
    """,
    "status": """
        status, state, subscriber status, subscription status, email status, subscriber type, member status,
        statut, etat, estado, stato, tilstand, staat, статус, الحالة, 状态
    """,
    "subscribed": "subscribed, subscribed to emails, is subscribed, opted in, opt-in, newsletter, abonniert, abonne",
    "unsubscribed": """
        unsubscribed, email disabled, is unsubscribed, opted out, opt-out, email blacklisted, globally unsubscribed,
        abgemeldet, desabonne, desinscrit, dado de baja
    """,
    "left": """
        left, unsub time, unsubscribed at, unsubscribe date, unsubscribed on, unsubscription date, date unsubscribed,
        opt-out date, opt-out time, abmeldedatum, date de desinscription, fecha de baja
    """,
    "bounced": "clean time, bounced, bounced at, bounce date, hard bounced, complained, complained at",
    "joined": """
        joined, confirm time, optin time, opt-in date, opt-in time, created at, creation date, created, date created,
        subscribed at, subscribed on, subscription date, subscribe date, signup date, sign-up date, signed up,
        signup timestamp, date added, added time, added, start date, joined at, date joined, registered,
        date registered,
        anmeldedatum, angemeldet am, eintragedatum, date d'inscription, date d'abonnement, inscrit le, fecha de alta,
        fecha de suscripcion, fecha de registro, data di iscrizione, data de inscricao, aanmelddatum,
        дата подписки, تاريخ الاشتراك
    """,
    "edition": "edition, frequency, how often, rhythm, frequenz, haufigkeit, frequence, frecuencia, frequenza",
    "without": "topics left out",
    "format": "format, email type, mail format",
    "paused": "paused until",
}
"""What is used of a reader → names of such a column, the better ones first: to confirm is worth more than to ask."""

FIELDS = tuple(_NAMES)

_PROGRAMS = {
    "Newsletter": ("address", "status", "topics left out", "consent way"),
    "Mailchimp": ("email address", "leid", "euid"),
    "Substack": ("email", "active subscription", "email disabled"),
    "Ghost": ("email", "subscribed to emails", "complimentary plan"),
    "Buttondown": ("email address", "creation date", "subscriber type"),
    "listmonk": ("uuid", "email", "attributes", "status"),
}
_OTHER_SETS = {
    "Buttondown": [("email address", "creation date", "type"), ("email", "creation date", "subscriber type")],
    "Substack": [("email", "stripe plan", "emails received 6mo"), ("email", "active subscription", "expiry")],
}
_OF_PROGRAM = {"Buttondown": {"type": "status"}}

_BY_NAME = {"unsubscribed": "left", "cleaned": "blocked", "nonsubscribed": "unasked"}
"""What Mailchimp calls the files of an audience → what everyone in it is."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file."""

    headers: tuple[str, ...]
    used: Mapping[str, int]  # field -> position
    program: str = ""
    everyone: str = ""  # the standing of everyone, where the name of the file says it
    headless: bool = False
    unused: tuple[str, ...] = field(default=())

    def of(self, name: str) -> str:
        """The header of a field."""
        return self.headers[self.used[name]]


def folded(header: str) -> str:
    """A header without case, accents and punctuation: "E-Mail address" and "EMAIL_ADDRESS" are the same."""
    plain = unicodedata.normalize("NFKD", header).casefold()
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", "", letters)


def columns_of(first: Sequence[str], given: Mapping[str, str], file: str) -> Columns:
    """From the first record of a file and what was said with `--column`.

    Raises NewsletterError (R123, R124) when no column holds addresses or there are too many, UsageError (R125) for a
    column that is not there.
    """
    if not first:
        raise refused("R123", f"{file} has no row of headers", file=file)
    if len(first) > COLUMNS:
        raise refused("R124", f"{file} has {len(first):,} columns; {COLUMNS} are read", file=file)
    headless = any("@" in cell for cell in first)
    headers = tuple(f"{n}" if headless else cell.strip() for n, cell in enumerate(first, 1))
    program = "" if headless else _program(headers)
    used = _used(headers, program) if not headless else _addresses_in(first)
    used |= {name: _given(headers, name, header, file) for name, header in given.items() if header}
    used = {name: place for name, place in used.items() if given.get(name) != ""}
    if "email" not in used:
        raise refused(
            "R123",
            f"no column of {file} is known to hold email addresses",
            file=file,
            why=f"Its columns: {', '.join(headers[:12])}.",
            fix="name it: --column email=HEADER",
        )
    unused = tuple(header for n, header in enumerate(headers) if n not in used.values() and header)
    everyone = _everyone(file) if program == "Mailchimp" else ""
    return Columns(headers, used, program, everyone, headless, unused)


def _used(headers: Sequence[str], program: str) -> dict[str, int]:
    names = {folded(name): where for where, each in _NAMES.items() for name in each.split(",")}
    names |= {folded(name): where for name, where in _OF_PROGRAM.get(program, {}).items()}
    places = {folded(header): n for n, header in reversed(list(enumerate(headers)))}
    found: dict[str, int] = {}
    for name, where in names.items():
        if name in places:
            found.setdefault(where, places[name])
    return found


def _addresses_in(first: Sequence[str]) -> dict[str, int]:
    return {"email": next(n for n, cell in enumerate(first) if "@" in cell)}


def _program(headers: Sequence[str]) -> str:
    there = {folded(header) for header in headers}
    return next((name for name, marks in _marks() if there.issuperset(map(folded, marks))), "")


def _marks() -> Iterator[tuple[str, Sequence[str]]]:
    yield from _PROGRAMS.items()
    yield from ((name, marks) for name, sets in _OTHER_SETS.items() for marks in sets)


def _everyone(file: str) -> str:
    return next((standing for start, standing in _BY_NAME.items() if file.lower().startswith(start)), "")


def _given(headers: Sequence[str], name: str, header: str, file: str) -> int:
    """Where a column stands that was named by hand."""
    if header in headers:
        return headers.index(header)
    alike = [n for n, each in enumerate(headers) if folded(each) == folded(header)]
    if len(alike) == 1:
        return alike[0]
    guess = nearest(header, headers)
    raise UsageError(
        Problem(
            "R125",
            f'{file} has no column "{header}" for --column {name}',
            file=file,
            why=f"Its columns: {', '.join(headers[:12])}.",
            fixes=(f"Did you mean {guess}?",) if guess else (),
        )
    )
