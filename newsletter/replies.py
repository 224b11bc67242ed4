"""What a mail server's answer says, whoever wrote it: its enhanced code (RFC 2034, RFC 3463), and whom it blames.

Most refusals speak of a mailbox or of a mail. Some speak of us: of how the sending domain is set up. Those are for the
operator to mend, and no reader is ever taken for gone because of them.
"""

from __future__ import annotations

import re

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_OF_US = re.compile(
    r"\b(relay(ing)?|rcpthosts|spam|bulk|block(ed|list(ed)?)|black ?list(ed)?|banned|polic(y|ies)|denied|reputation"
    r"|sender|authenticat(ed|ion)|spf|dkim|dmarc|tls|rate|too many)\b",
    re.IGNORECASE,
)

_NOT_ALLOWED = "The sending domain does not vouch for this mail: look at its SPF, DKIM and DMARC records"
_SETUP = {
    "1.7": "The sender's address is refused: look at sender.address and mail.bounce_address",
    "1.8": "The domain of the sender's address does not exist or takes no mail: look at its DNS records",
    "7.20": _NOT_ALLOWED,
    "7.21": _NOT_ALLOWED,
    "7.22": _NOT_ALLOWED,
    "7.23": _NOT_ALLOWED,
    "7.24": _NOT_ALLOWED,
    "7.25": "The mail server's address has no name in the DNS that leads back to it (PTR)",
    "7.26": _NOT_ALLOWED,
    "7.27": _NOT_ALLOWED,
    "7.28": "Too much mail that looks unwanted comes from your mail server or domain: send less, and only to who asked",
    "7.29": "Your mail server hands mail on without TLS",
    "7.30": _NOT_ALLOWED,
    "7.32": _NOT_ALLOWED,
    "7.40": _NOT_ALLOWED,
    "7.515": _NOT_ALLOWED,
}
"""By the enhanced code without its class (RFC 3463, RFC 7372, RFC 7505, and what Gmail and Outlook made of them)."""


def enhanced(reply: str) -> str:
    """The enhanced status code with which a reply begins, or an empty string."""
    found = _ENHANCED.match(reply)
    return found[1] if found else ""


def of_utf8(reply: str) -> bool:
    """Whether a refusal is of an address beyond ASCII for being one (RFC 6531 4.3)."""
    return enhanced(reply) in {"5.6.7", "5.6.9"}


def setup(reply: str) -> str:
    """What is wrong with how we are set up, if that is what a refusal or a deferral says; else an empty string."""
    return _SETUP.get(enhanced(reply).partition(".")[2], "")


def speaks_of_us(reply: str) -> bool:
    """Whether the words of a refusal without an enhanced code are about the sender or the mail, not about a mailbox."""
    return _OF_US.search(reply) is not None
