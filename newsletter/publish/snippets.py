"""What hosts are told of the published folder: types, how long to keep, where old addresses lead, what is gone.

`addresses.json` is for `newsletter serve`; `nginx.conf` and `Caddyfile` are pieces to include; `_headers` and
`_redirects` are what Netlify and Cloudflare Pages read in the published folder itself. All are stable bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from newsletter.model import Library, Site
from newsletter.publish.paths import ARCHIVE, ATOM_FEED, JSON_FEED, RSS_FEED, absolute_root, post_path
from newsletter.publish.redirects import Redirect

ADDRESSES = "addresses.json"
FEED_SECONDS = 900
ASSET_SECONDS = 3600
_TYPES = {
    RSS_FEED: "application/rss+xml; charset=utf-8",
    ATOM_FEED: "application/atom+xml; charset=utf-8",
    JSON_FEED: "application/feed+json",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Old addresses: where they lead, and what was withdrawn (paths below the web root)."""

    site: Site
    moved: Sequence[Redirect]
    gone: Sequence[str]
    feeds: Sequence[str]  # paths of the polled documents

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Old path -> target, both as a browser has them: paths of the site's host, or an address elsewhere."""
        root, inside = absolute_root(self.site), f"{self.site.url}/"
        return [
            (
                f"{root}{one.path}",
                f"{root}{one.target.removeprefix(inside)}" if one.target.startswith(inside) else one.target,
            )
            for one in self.moved
        ]

    @property
    def gone_paths(self) -> list[str]:
        return [f"{absolute_root(self.site)}{path}" for path in self.gone]

    def links(self, path: str) -> str:
        """The Link header of a feed (WebSub 4); empty where there is no hub."""
        if not self.site.hubs:
            return ""
        relations = [*((hub, "hub") for hub in self.site.hubs), (self.site.address_of(path), "self")]
        return ", ".join(f'<{address}>; rel="{relation}"' for address, relation in relations)


def addresses(site: Site, library: Library, moved: Sequence[Redirect], files: Iterable[str]) -> Addresses:
    """What hosts need to know, from the paths of all files."""
    feeds = sorted(path for path in files if path.rpartition("/")[2] in _TYPES and not path.startswith(ARCHIVE))
    gone = sorted(post_path(post.slug) for post in library.withdrawn)
    return Addresses(site, moved, gone, feeds)


def beside(known: Addresses, hosts: Collection[str]) -> dict[str, bytes]:
    """File name -> bytes, of what is kept beside the published folder."""
    made: Mapping[str, Callable[[Addresses], str]] = {"nginx": nginx, "caddy": caddy}
    names = {"nginx": "nginx.conf", "caddy": "Caddyfile"}
    return {ADDRESSES: table(known)} | {names[host]: made[host](known).encode() for host in names if host in hosts}


def within(known: Addresses, hosts: Collection[str]) -> dict[str, bytes]:
    """Path -> bytes, of what these hosts read in the published folder."""
    if not {"netlify", "cloudflare"} & set(hosts):
        return {}
    force = "netlify" in hosts and "cloudflare" not in hosts
    return {"_headers": headers(known).encode(), "_redirects": redirects(known, force=force).encode()}


def table(known: Addresses) -> bytes:
    """For `newsletter serve`: paths below the web root; targets too, where they are on the site."""
    inside = f"{known.site.url}/"
    moved = {one.path: one.target.removeprefix(inside) for one in known.moved}
    document = {"version": 1, "moved": moved, "gone": list(known.gone)}
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def nginx(known: Addresses) -> str:
    """To be included in the `server` block whose `root` is the published folder."""
    return "\n".join([*_nginx(known)]) + "\n"


def _nginx(known: Addresses) -> Iterator[str]:
    root = absolute_root(known.site)
    yield "# For the server block whose root is the published folder. Made by newsletter publish; do not edit."
    yield "error_page 404 /404.html;"
    yield "gzip_static on;"
    yield f'location {root} {{ add_header Cache-Control "no-cache"; }}'
    yield 'location ~* "\\.(jpe?g|png|gif|webp|avif|svg|woff2)$" {'
    yield f'    add_header Cache-Control "public, max-age={ASSET_SECONDS}";'
    yield "}"
    yield "location ~ /\\. { return 404; }"
    for path in known.feeds:
        kind, _, charset = _TYPES[path.rpartition("/")[2]].partition("; charset=")
        yield f"location = {_nginx_word(root + path)} {{"
        yield f"    types {{ }} default_type {kind};"
        if charset:
            yield f"    charset {charset}; charset_types {kind};"
        yield f'    add_header Cache-Control "public, max-age={FEED_SECONDS}";'
        if links := known.links(path):
            yield f"    add_header Link {_nginx_word(links)};"
        yield "}"
    for path, target in known.rows:
        yield f"location = {_nginx_word(_plain(path))} {{ return 301 {_nginx_word(target)}; }}"
    for path in known.gone_paths:
        yield f"location = {_nginx_word(path)} {{ error_page 410 {_nginx_word(f'{path}index.html')}; return 410; }}"
        yield f"location = {_nginx_word(f'{path}index.html')} {{ internal; }}"


def caddy(known: Addresses) -> str:
    """To be imported in the site block, after its `root`."""
    return "\n".join([*_caddy(known)]) + "\n"


def _caddy(known: Addresses) -> Iterator[str]:
    root = absolute_root(known.site)
    yield "# For the site block, after its root. Made by newsletter publish; do not edit."
    for path, target in known.rows:
        yield f"redir {_caddy_word(_plain(path))} {_caddy_word(target)} permanent"
    for path in known.gone_paths:
        yield f"handle {_caddy_word(path)} {{"
        yield f"    rewrite * {_caddy_word(f'{path}index.html')}"
        yield "    file_server {"
        yield "        status 410"
        yield "    }"
        yield "}"
    yield f'header {root}* ?Cache-Control "no-cache"'
    yield "@pictures path *.jpg *.jpeg *.png *.gif *.webp *.avif *.svg *.woff2"
    yield f'header @pictures Cache-Control "public, max-age={ASSET_SECONDS}"'
    for path in known.feeds:
        place = _caddy_word(root + path)
        yield f'header {place} Content-Type "{_TYPES[path.rpartition("/")[2]]}"'
        yield f'header {place} Cache-Control "public, max-age={FEED_SECONDS}"'
        if links := known.links(path):
            yield f"header {place} Link {_caddy_word(links)}"
    yield "@hidden path */.*"
    yield "respond @hidden 404"
    yield "file_server {"
    yield "    precompressed br gzip"
    yield "}"
    yield "handle_errors 404 {"
    yield f"    rewrite * {root}404.html"
    yield "    file_server"
    yield "}"


def headers(known: Addresses) -> str:
    """`_headers` of Netlify and Cloudflare Pages."""
    root = absolute_root(known.site)
    lines = [f"{root}*", "  X-Content-Type-Options: nosniff"]
    for path in known.feeds:
        lines += [f"{root}{path}", f"  Content-Type: {_TYPES[path.rpartition('/')[2]]}"]
        lines += [f"  Cache-Control: public, max-age={FEED_SECONDS}"]
        lines += [f"  Link: {links}"] if (links := known.links(path)) else []
    return "\n".join(lines) + "\n"


def redirects(known: Addresses, *, force: bool) -> str:
    """`_redirects`; Netlify needs `force` (301!) where a page stands at the old address, Cloudflare knows no such mark.

    Neither can answer 410 for a page that is there: it is shown with 200 and asks not to be indexed.
    """
    mark = "301!" if force else "301"
    return "".join(f"{path} {target} {mark}\n" for path, target in known.rows)


def _plain(path: str) -> str:
    """As nginx and Caddy match it: decoded."""
    return unquote(path)


def _nginx_word(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "%24")
    return f'"{escaped}"'


def _caddy_word(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("{", "%7B").replace("}", "%7D")
    return f'"{escaped}"'
