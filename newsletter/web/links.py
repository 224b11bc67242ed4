"""The `Link` header of a feed (RFC 8288): where it is and which hubs tell of its changes, as WebSub 4 asks."""

from __future__ import annotations

from newsletter.model import Site
from newsletter.web.media import FEEDS


def link_header(site: Site, path: str) -> str:
    """For the polled document at a path below the web root; empty for all else, and where there is no hub."""
    if not site.hubs or path.rpartition("/")[2] not in FEEDS or path.startswith("archive/"):
        return ""
    relations = [*((hub, "hub") for hub in site.hubs), (site.address_of(path), "self")]
    return ", ".join(f'<{address}>; rel="{relation}"' for address, relation in relations)
