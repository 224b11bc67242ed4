"""One Jinja environment: the site's own templates first, then the built-in ones.

A site template may use the one it replaces: `{% extends "default/web/post.html" %}`, or
`{% include "default/email/blocks/take.html" %}`. A fault in a template is its writer's, not a bug of ours: whoever
loads or renders one gets ConfigError (C301) with its line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from traceback import walk_tb
from typing import Any, NoReturn

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    pass_context,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup, escape

from newsletter.errors import ConfigError, NewsletterError, Problem
from newsletter.program import default_folder as default_folder
from newsletter.tongue import Tongue, spoken

_SUFFIXES = frozenset({".html", ".xml", ".txt", ".css"})


def environment(site_templates: Path, tongue: Tongue | None = None) -> Environment:
    """Autoescape in `.html`, an undefined name is an error, blocks leave no blank lines; English unless told."""
    default = FileSystemLoader(default_folder())
    made = _Environment(
        site_templates.parent,
        loader=ChoiceLoader([_Folder(site_templates), default, PrefixLoader({"default": default})]),
        autoescape=select_autoescape(enabled_extensions=("html", "xml"), default=False, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    _speak(made, tongue or spoken("en"))
    return made


def broken(site_templates: Path, environment: Environment) -> list[Problem]:
    """The site's own templates that cannot be read (C301). An unknown name is found only by whoever renders them."""
    problems: list[Problem] = []
    for path in sorted(site_templates.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file():
            try:
                environment.get_template(path.relative_to(site_templates).as_posix())
            except ConfigError as error:
                problems += error.problems
    return problems


def _speak(environment: Environment, tongue: Tongue) -> None:
    """Jinja's own wiring, except that a number in a sentence is written as the tongue does."""

    @pass_context
    def say(context: Context, sentence: str, **values: Any) -> str:
        return _filled(context, tongue.catalogue.gettext(sentence), values)

    @pass_context
    def many(context: Context, one: str, more: str, number: int, **values: Any) -> str:
        values["num"] = tongue.number(number)
        return _filled(context, tongue.catalogue.ngettext(one, more, number), values)

    @pass_eval_context
    def isolated(context: EvalContext, text: str) -> str:
        if context.autoescape and tongue.runs_against(str(text)):
            return Markup("<bdi>{}</bdi>").format(text)
        return text if context.autoescape else tongue.isolated(text)

    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's: values go in by name
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals.update(_=say, gettext=say, ngettext=many)
    environment.filters.update(isolated=isolated, unbroken=_unbroken)


def _filled(context: Context, sentence: str, values: dict[str, Any]) -> str:
    """A sentence of ours is HTML where the template is; what is put into it is escaped."""
    if not context.eval_ctx.autoescape:
        return sentence % values
    # Not Markup's own %, which takes three times as long: a page has dozens of sentences.
    return Markup(sentence % {name: escape(value) for name, value in values.items()})  # noqa: S704  # from a catalogue


def _unbroken(text: str) -> Markup:
    """On one line of a page: no-break spaces as entities, which an editor of pages can see."""
    return Markup("&nbsp;").join(text.split())


class _Environment(Environment):
    """Tells faults with their place, wherever a template is used: also in a process of its own, which sends no
    traceback home.
    """

    def __init__(self, site: Path, **options: Any) -> None:
        super().__init__(**options)
        self._site = site

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Jinja calls this for whatever goes wrong while a template is read or rendered."""
        try:
            super().handle_exception(source)
        except NewsletterError:
            raise
        except Exception as error:
            problem = _fault(error, self._site)
            if problem is None:
                raise
            raise ConfigError(problem) from error


class _Folder(FileSystemLoader):
    """The site's own templates, which may be anything."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except TemplateNotFound:  # an OSError, too: the built-in one is asked next
            raise
        except (UnicodeDecodeError, OSError) as error:
            told = "It is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
            raise ConfigError(_problem(f"templates/{template}", 0, told, "")) from error


def _fault(error: Exception, site: Path) -> Problem | None:
    """What is wrong with which line of which template, or None when the error did not come out of one."""
    place = _syntax(error) or _last_line(error)
    if place is None:
        return None
    file, line = place
    told = error.message if isinstance(error, TemplateError) and error.message else f"{type(error).__name__}: {error}"
    name = str(file.relative_to(site) if file.is_relative_to(site) else file)
    return _problem(name, line, told, _excerpt(file, line))


def _problem(file: str, line: int, told: str, excerpt: str) -> Problem:
    return Problem(
        "C301",
        f"The template cannot be used: {told}",
        file=file,
        line=line,
        excerpt=excerpt,
        why="Nothing can be made of it, neither page nor mail.",
        fixes=("correct that line", "take your copy away: the built-in template is used then"),
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
