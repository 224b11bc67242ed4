"""What counts as a reader's address, and the one way in which it is written down.

No look-up in the network: whether a mailbox exists is for its server to say.
"""

from __future__ import annotations

from difflib import get_close_matches

from email_validator import EmailNotValidError, validate_email

from newsletter.addresses import caseless
from newsletter.errors import Problem

LONGEST, LONGEST_LOCAL = 254, 64
"""Octets of an address (RFC 5321 4.5.3.1.3, less the angle brackets), and of what stands before its @."""

_FORMULA = "=+-＝＋－"  # spreadsheets take the wide ones for the same
_NEAR = 0.87  # one letter wrong, missing or swapped in a name of nine
_PROVIDERS = """
    aol.com btinternet.com comcast.net email.com fastmail.com free.fr freenet.de gmail.com gmx.com gmx.de gmx.net
    googlemail.com hotmail.co.uk hotmail.com hotmail.es hotmail.fr hotmail.it icloud.com laposte.net libero.it
    live.com mail.com mail.ru me.com msn.com orange.fr outlook.com proton.me protonmail.com rocketmail.com t-online.de
    web.de yahoo.co.uk yahoo.com yahoo.es yahoo.fr ymail.com
"""


def canonical(address: str) -> str | Problem:
    """The address as it is stored and mailed: trimmed, its domain in lower case and A-labels (RFC 5891), what stands
    before the @ in NFC (RFC 6532 3.1).

    Otherwise a Problem: R101 it is no address, or too long in UTF-8; R103 it is valid on paper and used only by
    attackers.
    """
    trimmed = address.strip()
    try:
        valid = validate_email(trimmed, check_deliverability=False, strict=True)
    except EmailNotValidError as refusal:
        return _no_address(trimmed, str(refusal))
    local, written = valid.local_part, f"{valid.local_part}@{valid.ascii_domain}"
    if len(local.encode()) > LONGEST_LOCAL or len(written.encode()) > LONGEST:
        return _no_address(trimmed, "The email address is too long.")
    if "=?" in local or local[0] in _FORMULA:
        why = "It could be read as a formula by a spreadsheet, as an option by a command or as an encoded header."
        return Problem("R103", f"{trimmed!r} is refused", why=why)
    return written


def _no_address(typed: str, why: str) -> Problem:
    return Problem("R101", f"{typed!r} is not an email address", why=why, fixes=_fixes(typed))


def mailbox(address: str) -> str:
    """One name for the addresses that reach one mailbox, as far as is common: without case, `+tag`, and Gmail's dots.

    For counting only: mail goes to the address as its owner wrote it.
    """
    local, _, domain = caseless(address).rpartition("@")
    local = local.partition("+")[0]
    gmail = domain in {"gmail.com", "googlemail.com"}
    return f"{local.replace('.', '') if gmail else local}@{'gmail.com' if gmail else domain}"


def suggestion(address: str) -> str | None:
    """The address that was probably meant when a well-known provider is misspelt: `ada@gmial.com` → `ada@gmail.com`."""
    local, _, domain = address.strip().rpartition("@")
    near = get_close_matches(domain.lower(), _PROVIDERS.split(), n=1, cutoff=_NEAR)
    return f"{local}@{near[0]}" if local and near and near[0] != domain.lower() else None


def _fixes(address: str) -> tuple[str, ...]:
    meant = suggestion(address)
    return (f"perhaps {meant} was meant",) if meant else ()
