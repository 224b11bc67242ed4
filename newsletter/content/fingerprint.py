"""The hash that an Approval is bound to.

Promises one value for all that a reader would see of a post, the same on every machine, and independent
of what happens to any other post. `updated`, slug and draft are not part of it: they say nothing new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from newsletter.content.header import Header
from newsletter.model import Link


def content_hash(header: Header, body: str, links: Sequence[Link], assets: Mapping[str, bytes]) -> str:
    """`sha256:…` of title, people, date, topics, summary, text with its take, links by id, pictures and their words.

    `previous: auto` counts as the word: which post it finds depends on others.
    """
    seen = {
        "title": header.title,
        "author": header.author.key,
        "reviewer": header.reviewer.key if header.reviewer else None,
        "published": header.published.isoformat(),
        "topics": header.topics,
        "summary": header.summary,
        "body": body,
        "links": _written(header, links),
        "image": [header.image, header.image_alt],
        "assets": {name: hashlib.sha256(content).hexdigest() for name, content in assets.items()},
    }
    if header.judgement:  # what was approved before there were verdicts keeps its hash
        seen["judgement"] = header.judgement.value
    if header.corrections:
        seen["corrections"] = [[one.day.isoformat(), one.text] for one in header.corrections]
    encoded = json.dumps(seen, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(encoded.encode()).hexdigest()}"


def _written(header: Header, links: Iterable[Link]) -> list[list[str]]:
    kinds = {reference.kind for reference in header.references}
    own = sorted([link.kind.value, link.target] for link in links if link.kind in kinds)
    return [*own, ["previous", "auto"]] if header.previous_auto else own
