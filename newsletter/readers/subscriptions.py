"""What counts as a reader's address, and the one way in which it is written down.

No look-up in the network: whether a mailbox exists is for its server to say.
"""

from __future__ import annotations

from difflib import get_close_matches

from email_validator import EmailNotValidError, validate_email

from newsletter.errors import Problem

_NEAR = 0.87  # one letter wrong, missing or swapped in a name of nine
_PROVIDERS = """
    aol.com btinternet.com comcast.net email.com fastmail.com free.fr freenet.de gmail.com gmx.com gmx.de gmx.net
    googlemail.com hotmail.co.uk hotmail.com hotmail.es hotmail.fr hotmail.it icloud.com laposte.net libero.it
    live.com mail.com mail.ru me.com msn.com orange.fr outlook.com proton.me protonmail.com rocketmail.com t-online.de
    web.de yahoo.co.uk yahoo.com yahoo.es yahoo.fr ymail.com
"""


def canonical(address: str) -> str | Problem:
    """The address as it is stored and compared: trimmed, its domain in lower case and A-labels (RFC 5891).

    Otherwise a Problem: R101 it is no address; R102 its local part needs SMTPUTF8, which few servers take;
    R103 it is valid on paper and used only by attackers.
    """
    trimmed = address.strip()
    try:
        valid = validate_email(trimmed, check_deliverability=False, strict=True)
    except EmailNotValidError as refusal:
        return Problem("R101", f"{trimmed!r} is not an email address", why=str(refusal), fixes=_fixes(trimmed))
    if valid.ascii_email is None:
        why = "Letters beyond ASCII before the @ are taken by few mail servers; beyond the @ they are fine."
        return Problem("R102", f"{trimmed!r} cannot be reached by every mail server", why=why)
    local = valid.ascii_email.partition("@")[0]
    if "=?" in local or local[0] in "=+-":
        why = "It could be read as a formula by a spreadsheet, as an option by a command or as an encoded header."
        return Problem("R103", f"{trimmed!r} is refused", why=why)
    return valid.ascii_email


def mailbox(address: str) -> str:
    """One name for the addresses that reach one mailbox, as far as is common: without case, `+tag`, and Gmail's dots.

    For counting only: mail goes to the address as its owner wrote it.
    """
    local, _, domain = address.lower().rpartition("@")
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
