"""The built-in templates are compiled once in a process, not once for each site that a test makes: that took a third
of all that a publish takes. A site's own templates are compiled whenever they are asked for.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import Environment

from newsletter.templates import default_folder, environment

_compile = Environment.compile
_known: dict[tuple[str, str | None, str], CodeType] = {}


def once() -> None:
    """From now on in this process. The code depends on the text alone: all our environments are set up alike."""
    Environment.compile = _compiled  # type: ignore[method-assign,assignment]


def all_at_once() -> None:
    """Every built-in template; a process forked from this one has them."""
    once()
    made = environment(Path("/no/templates/of/its/own"))
    for name in made.list_templates(filter_func=lambda name: not name.startswith("default/")):
        made.get_template(name)


@cache
def _built_in() -> str:
    return f"{default_folder()}/"


def _compiled(self: Environment, source: str, name: str | None = None, filename: str | None = None, **more: Any) -> Any:
    if not filename or not filename.startswith(_built_in()):
        return _compile(self, source, name, filename, **more)
    key = source, name, filename
    if key not in _known:
        _known[key] = _compile(self, source, name, filename, **more)
    return _known[key]
