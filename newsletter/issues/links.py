"""Where the links of a mail may lead: to absolute https addresses that a reader's machine can reach."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from newsletter.errors import Problem
from newsletter.model import Sentinel

# RFC 2606 and 6761, and what a home router answers to.
_RESERVED = (
    "localhost",
    "example",
    "test",
    "invalid",
    "local",
    "internal",
    "example.com",
    "example.net",
    "example.org",
)
_SAYS_NOTHING = frozenset({"here", "click here", "read more", "more", "link", "this", "this link", "continue"})


def check(targets: Iterable[tuple[str, str]], home: str, *, sandbox: bool) -> list[Problem]:
    """Problems of the links given as (text, URL). `home` is the site's own base URL.

    I308 not absolute or not https, I309 a host that readers cannot reach, I310 the site's own base URL is one of
    these (once, not for each link); I310 and I309 are warnings in the sandbox. I318 and I319 concern the link texts.
    """
    pairs = sorted(set(targets))
    own = home.rstrip("/") + "/"
    outside = "warn" if sandbox else "stop"
    foreign = sorted({url for _, url in pairs if url != Sentinel.UNSUBSCRIBE and not f"{url}/".startswith(own)})
    found = [problem for url in foreign if (problem := _check(url, outside))]
    if home_problem := _check(home, outside):
        found.append(_base_url(home, home_problem, outside))
    return [*found, *_texts(pairs)]


def is_public_host(host: str) -> bool:
    """Whether a name can be looked up by a reader: no bare word, no reserved domain, no address in digits."""
    name = host.rstrip(".").lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." in name and not any(name == end or name.endswith(f".{end}") for end in _RESERVED)
    return False


def _check(url: str, outside: str) -> Problem | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return _problem("I308", f"The link {url!r} cannot be read", "stop")
    if parts.scheme == "mailto" and parts.path:
        return None
    if not parts.scheme or (not host and parts.scheme in {"http", "https"}):
        return _problem("I308", f"The link {url!r} is not absolute", "stop")
    if parts.scheme != "https":
        level = outside if parts.scheme == "http" else "stop"
        return _problem("I308", f"The link {url} is {parts.scheme}:, not https", level)
    if not is_public_host(host):
        return _problem("I309", f"The link {url} leads to {host}, which readers cannot reach", outside)
    return None


def _base_url(home: str, problem: Problem, level: str) -> Problem:
    return Problem(
        "I310",
        f"The site's own address {home} is not one that readers can open over https",
        why=problem.message,
        fixes=("set [site] url in newsletter.toml to the public https address of feeds/",),
        level=level,
    )


def _texts(pairs: list[tuple[str, str]]) -> Iterator[Problem]:
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for text, url in pairs:
        if text:
            targets[text].add(url)
    for text, urls in targets.items():
        if text.casefold().strip(" .…:»→") in _SAYS_NOTHING:
            yield _problem("I318", f"The link text {text!r} says nothing by itself", "warn")
        if len(urls) > 1:
            yield _problem("I319", f"{len(urls)} links say {text!r} but lead to different pages", "warn")


def _problem(code: str, message: str, level: str) -> Problem:
    why = {
        "I308": "A mail has no base address, and each of its links must be encrypted.",
        "I309": "It works on this machine only.",
        "I318": "Screen readers list links without the text around them.",
        "I319": "Who listens to the list of links cannot tell them apart.",
    }[code]
    fix = "name what it leads to" if level == "warn" and code in {"I318", "I319"} else "write the whole https address"
    return Problem(code, message, why=why, fixes=(fix,), level=level)
