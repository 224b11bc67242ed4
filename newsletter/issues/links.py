"""Where the links of a mail may lead: to absolute https addresses that a reader's machine can reach."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from lxml import etree

from newsletter.errors import Problem
from newsletter.issues.facts import Facts
from newsletter.issues.page import text_of
from newsletter.model import READERS_LINKS

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
_SHORTENERS = frozenset({"bit.ly", "buff.ly", "cutt.ly", "dlvr.it", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy"})
_SHORTENERS |= {"rebrand.ly", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "trib.al", "v.gd"}


def check(targets: Iterable[tuple[str, str]], home: str, facts: Facts) -> list[Problem]:
    """Problems of the links given as (text, URL). `home` is the site's own base URL.

    I308 not absolute or not https, I309 a host that readers cannot reach, I310 the site's own base URL is one of
    these (once, not for each link); I310 and I309 are warnings in the sandbox. I321 an own page that is not there,
    I322 a shortened address, I330 one that does not answer. I318 and I319 concern the link texts.
    """
    pairs = sorted(set(targets))
    foreign = sorted({url for _, url in pairs if url not in READERS_LINKS and not is_own(url, home)})
    found = [problem for url in foreign for problem in _foreign(url, facts)]
    if home_problem := _check(home, facts.outside):
        found.append(_base_url(home, home_problem, facts.outside))
    lost = sorted({url for _, url in pairs} & facts.absent)
    found += [_problem("I321", f"The link {url} leads to no page of this site", "stop") for url in lost]
    return [*found, *_texts(pairs)]


def in_page(page: etree._Element) -> list[tuple[str, str]]:
    """Every link and picture of a mail, as (text, URL); a picture has no text."""
    anchors = [(text_of(a), a.get("href", "")) for a in page.iter("a")]
    return [*anchors, *(("", image.get("src", "")) for image in page.iter("img"))]


def is_own(url: str, home: str) -> bool:
    """Whether an address is on the site itself."""
    return f"{url}/".startswith(home.rstrip("/") + "/")


def is_public_host(host: str) -> bool:
    """Whether a name can be looked up by a reader: no bare word, no reserved domain, no address in digits."""
    name = host.rstrip(".").lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." in name and not any(name == end or name.endswith(f".{end}") for end in _RESERVED)
    return False


def _foreign(url: str, facts: Facts) -> Iterator[Problem]:
    if problem := _check(url, facts.outside):
        yield problem
    elif (host := urlsplit(url).hostname or "").removeprefix("www.") in _SHORTENERS:
        yield _problem("I322", f"The link {url} hides behind {host} where it leads", "warn")
    if url in facts.silent:
        yield _problem("I330", f"The link {url} does not answer: {facts.silent[url]}", "warn")


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
    why, fix = _TOLD[code]
    return Problem(code, message, why=why, fixes=(fix,), level=level)


_TOLD: Mapping[str, tuple[str, str]] = {
    "I308": ("A mail has no base address, and each of its links must be encrypted.", "write the whole https address"),
    "I309": ("It works on this machine only.", "write the whole https address"),
    "I318": ("Screen readers list links without the text around them.", "name what it leads to"),
    "I319": ("Who listens to the list of links cannot tell them apart.", "name what it leads to"),
    "I321": ("Neither the last publish nor the next one writes it.", "correct the link, or publish what it means"),
    "I322": ("Readers see who they trust, and spam filters distrust what hides.", "write the address it leads to"),
    "I330": ("Readers would press a dead link.", "try it in a browser; leave it out if it is gone"),
}
