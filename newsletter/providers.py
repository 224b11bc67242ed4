"""Whose mailbox an address is, as far as its domain tells: what one provider takes slowly must not hold up the others.

A table of domains and no look into the DNS: a wrong guess costs speed, never a mail.
"""

from __future__ import annotations

OTHER = "other"

_DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "outlook": "outlook.com outlook.de outlook.es outlook.fr hotmail.com hotmail.co.uk hotmail.de hotmail.es "
    "hotmail.fr hotmail.it live.com live.co.uk live.de live.fr live.nl msn.com",
    "yahoo": "yahoo.com yahoo.ca yahoo.co.in yahoo.co.uk yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.de "
    "yahoo.es yahoo.fr yahoo.it aol.com rocketmail.com ymail.com",
    "icloud": "icloud.com mac.com me.com",
}

PROVIDERS = tuple((name, tuple(domains.split())) for name, domains in _DOMAINS.items())
"""Each group with its domains; an address of none of them is of OTHER."""

GROUPS = (*(name for name, _ in PROVIDERS), OTHER)

_BY_DOMAIN = {domain: name for name, domains in PROVIDERS for domain in domains}


def provider_of(address: str) -> str:
    """The group of an address: `gmail`, `outlook`, `yahoo`, `icloud` or `other`."""
    return _BY_DOMAIN.get(address.rpartition("@")[2].lower(), OTHER)
