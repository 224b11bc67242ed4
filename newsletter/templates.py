"""One Jinja environment: the site's own templates first, then the built-in ones.

A site template may extend the one it replaces: `{% extends "default/email/digest.html" %}`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from traceback import walk_tb

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    select_autoescape,
)

from newsletter.errors import Problem

_SUFFIXES = frozenset({".html", ".xml", ".txt", ".css"})


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


def fault(error: Exception, site: Path) -> Problem | None:
    """What is wrong with which line of which template (C301), or None when the error did not come out of one."""
    place = _syntax(error) or _last_line(error)
    if place is None:
        return None
    file, line = place
    told = error.message if isinstance(error, TemplateError) and error.message else f"{type(error).__name__}: {error}"
    return Problem(
        "C301",
        f"The template cannot be used: {told}",
        file=str(file.relative_to(site) if file.is_relative_to(site) else file),
        line=line,
        excerpt=_excerpt(file, line),
        why="No page can be made of it.",
        fixes=("correct that line", "or take your copy away: the built-in template is used then"),
    )


def _syntax(error: Exception) -> tuple[Path, int] | None:
    """A template that cannot be read was not entered yet, so it is in no traceback."""
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return Path(error.filename), error.lineno
    return None


def _last_line(error: Exception) -> tuple[Path, int] | None:
    """The innermost line of a template that was running: Jinja puts its lines into the traceback."""
    lines = [(Path(frame.f_code.co_filename), line) for frame, line in walk_tb(error.__traceback__)]
    inside = [place for place in lines if place[0].suffix in _SUFFIXES]
    return inside[-1] if inside else None


def _excerpt(file: Path, line: int) -> str:
    try:
        return file.read_text(encoding="utf-8").splitlines()[line - 1]
    except (OSError, ValueError, IndexError):
        return ""
