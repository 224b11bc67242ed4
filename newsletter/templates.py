"""One Jinja environment: the site's own templates first, then the built-in ones.

A site template may extend the one it replaces: `{% extends "default/email/digest.html" %}`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, select_autoescape


def default_folder() -> Path:
    """Where the built-in templates lie: inside an installed package, else beside it in a checkout."""
    package = Path(str(files("newsletter")))
    for place in (package / "_templates", package.parent / "templates"):
        if (place / "email" / "digest.html").is_file():
            return place
    raise FileNotFoundError("the built-in templates are missing: reinstall the package")


def environment(site_templates: Path) -> Environment:
    """Autoescape in `.html`, an undefined name is an error, blocks leave no blank lines."""
    default = FileSystemLoader(default_folder())
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(site_templates), default, PrefixLoader({"default": default})]),
        autoescape=select_autoescape(enabled_extensions=("html", "xml"), default=False, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
