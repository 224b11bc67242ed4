"""What a Post's page says to machines: schema.org Article as JSON-LD, author and reviewer included."""

from __future__ import annotations

import json

from markupsafe import Markup

from newsletter.model import Person, Post, Site
from newsletter.publish.paths import post_path

# A script element ends at the first "</script", whatever JSON string it stands in; these cannot then occur.
_INERT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def json_ld(site: Site, post: Post) -> Markup:
    """The Article as JSON that is safe inside a script element, whatever the Post holds."""
    address = site.address_of(post_path(post.slug))
    page: dict[str, object] = {"@type": "WebPage", "@id": address}
    if post.reviewer:
        page["reviewedBy"] = _person(post.reviewer)  # a property of WebPage, not of Article
    article: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": post.title,
        "description": post.summary,
        "inLanguage": site.language,
        "datePublished": post.published.isoformat(),
        "dateModified": post.updated.isoformat(),
        "author": _person(post.author),
        "publisher": {"@type": "Organization", "name": site.title, "url": site.address_of("")},
        "mainEntityOfPage": page,
    }
    if post.image:
        article["image"] = post.image
    if post.topics:
        article["keywords"] = list(post.topics)
    return Markup(json.dumps(article, ensure_ascii=False).translate(_INERT))  # noqa: S704  # made inert above


def _person(person: Person) -> dict[str, str]:
    return {"@type": "Person", "name": person.name}
