"""Whose mailbox an address is, as far as its domain tells: what one provider takes slowly must not hold up the others.

A table of domains and no look into the DNS: a wrong guess costs speed, never a mail.
"""

from __future__ import annotations

OTHER = "other"

PROVIDERS = (
    ("gmail", ("gmail.com", "googlemail.com")),
    (
        "outlook",
        ("outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.fr", "outlook.es", "outlook.de", "hotmail.co.uk")
        + ("hotmail.fr", "hotmail.es", "hotmail.de", "hotmail.it", "live.co.uk", "live.fr", "live.nl", "live.de"),
    ),
    (
        "yahoo",
        ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.es")
        + ("yahoo.it", "yahoo.ca", "yahoo.co.in", "yahoo.com.br", "yahoo.com.mx", "yahoo.com.ar", "yahoo.com.au"),
    ),
    ("icloud", ("icloud.com", "me.com", "mac.com")),
)
"""Each group with its domains; an address of none of them is of OTHER."""

GROUPS = (*(name for name, _ in PROVIDERS), OTHER)

_BY_DOMAIN = {domain: name for name, domains in PROVIDERS for domain in domains}


def provider_of(address: str) -> str:
    """The group of an address: `gmail`, `outlook`, `yahoo`, `icloud` or `other`."""
    return _BY_DOMAIN.get(address.rpartition("@")[2].lower(), OTHER)
