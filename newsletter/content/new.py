"""The file that `newsletter new` writes: a post's front matter with room for its text.

Promises a file that loads: what is unknown is left empty, and what must be written says so. It is a draft, so that a
post that was only begun stops nobody from publishing the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import yaml


def template(
    title: str, *, author: str, reviewer: str, date: date, topics: Sequence[str], previous: str, post_id: str
) -> str:
    """The text of a new post. `author` and `reviewer` are keys of people, `previous` a slug, `auto` or `none`."""
    people = [("author", quoted(author), ""), ("reviewer", quoted(reviewer), "must be someone else")]
    rows = [
        ("title", quoted(title), ""),
        *(row for row in people if row[1]),
        ("date", date.isoformat(), ""),
        ("topics", f"[{', '.join(quoted(topic) for topic in topics)}]", ""),
        ("previous", quoted(previous), "or a slug, a list of slugs, or none"),
        ("summary", "", "up to 60 words; shown in the digest and in search"),
        ("image", "", "a picture beside this file"),
        ("image_alt", "", "what the picture shows, for those who cannot see it"),
        ("id", quoted(post_id), "what feed readers know this post by; never change it"),
        ("draft", "true", "delete this line when the text is ready"),
    ]
    front = "\n".join(_row(*row) for row in rows)
    return f"---\n{front}\n---\n\nText…\n\n::: take\nOne to three sentences of house opinion.\n:::\n"


def _row(key: str, value: str, note: str) -> str:
    row = f"{key}: {value}".rstrip()
    return f"{row:<26} # {note}" if note else row


def quoted(text: str) -> str:
    """A YAML scalar on one line that reads back as `text`, in flow lists too; quoted only where it must be."""
    plain = text.replace(" ", "").replace("-", "").isalnum() and text.strip() == text and not text.startswith("-")
    if plain or not text:
        return text
    return yaml.dump(text, Dumper=yaml.CSafeDumper, default_style='"', width=10_000, allow_unicode=True).strip()
