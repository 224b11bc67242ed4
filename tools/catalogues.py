"""Keeps the catalogues of `newsletter/locale/` with the code: sentences that readers read, from Python and templates.

python tools/catalogues.py          take up new sentences, drop those that nobody says, compile
python tools/catalogues.py de       the same, and begin a catalogue of German
python tools/catalogues.py --check  exit 1 when one is not as this would leave it, or not whole
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from newsletter.tongue import CATALOGUES, DOMAIN

Keywords = Mapping[str, tuple[int, ...] | None]

ROOT = Path(__file__).resolve().parent.parent
IN_PYTHON: Keywords = {"say": None, "_say": None, "many": (1, 2)}
IN_TEMPLATES: Keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
OPTIONS = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}
EDITORS_PAGES = ROOT / "templates" / "web" / "preview"


def main(arguments: list[str]) -> int:
    template = sentences()
    if arguments == ["--check"]:
        wrong = [line for path in catalogues() for line in faults(path, template)]
        print("\n".join(wrong) or "The catalogues are whole.")
        return 1 if wrong else 0
    for tag in arguments:
        path = CATALOGUES / tag / "LC_MESSAGES" / f"{DOMAIN}.po"
        path.parent.mkdir(parents=True)
        path.write_bytes(written(Catalog(locale=tag, fuzzy=False)))
    for path in catalogues():
        made = updated(path, template)
        path.write_bytes(written(made))
        path.with_suffix(".mo").write_bytes(compiled(made))
        print(f"{path.relative_to(ROOT)}: {sum(1 for _ in missing(made))} of {len(made)} without words")
    return 0


def catalogues() -> list[Path]:
    return sorted(CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def sentences() -> Catalog:
    """All that the code says to readers, in the order of its files."""
    template = Catalog(fuzzy=False)
    for path in sorted((ROOT / "newsletter").rglob("*.py")):
        if "tongue" in path.read_text(encoding="utf-8"):  # who has none says nothing to readers
            _extract(template, "python", path, IN_PYTHON)
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt"} and EDITORS_PAGES not in path.parents:
            _extract(template, babel_extract, path, IN_TEMPLATES)
    return template


def _extract(template: Catalog, method: object, path: Path, keywords: Keywords) -> None:
    with path.open("rb") as file:
        for line, sentence, comments, _ in extract(method, file, keywords, ["words:"], OPTIONS):  # type: ignore[arg-type]
            template.add(sentence, None, [(str(path.relative_to(ROOT)), line)], auto_comments=comments)


def updated(path: Path, template: Catalog) -> Catalog:
    """The catalogue with every sentence of the template and no other; nothing is guessed."""
    with path.open("rb") as file:
        known = read_po(file, locale=path.parts[-3])
    known.update(template, no_fuzzy_matching=True, update_header_comment=False)
    known.obsolete.clear()
    return known


def written(catalogue: Catalog) -> bytes:
    """As a text that changes only with its sentences: no dates, no line numbers."""
    whole = BytesIO()
    write_po(whole, catalogue, width=110, omit_header=True, include_lineno=False)
    tag = str(catalogue.locale)
    head = (
        f"# Newsletter in {tag}: `make words` keeps the sentences, the words are written by people.\n"
        'msgid ""\nmsgstr ""\n'
        f'"Language: {tag}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    return head.encode() + whole.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    whole = BytesIO()
    catalogue.revision_date = catalogue.creation_date = datetime.fromtimestamp(0, UTC)  # else the time of today
    write_mo(whole, catalogue)
    return whole.getvalue()


def missing(catalogue: Catalog) -> Iterator[Message]:
    """Sentences that have no words, or lack one of their forms."""
    for message in catalogue:
        words = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(words):
            yield message


def faults(path: Path, template: Catalog) -> Iterable[str]:
    """What keeps a catalogue from being used as it is, a line each."""
    made, name = updated(path, template), path.relative_to(ROOT)
    if path.read_bytes() != written(made) or path.with_suffix(".mo").read_bytes() != compiled(made):
        yield f"{name}: not of one make with the code: make words"
    for message in missing(made):
        yield f"{name}: no words for {message.id!r}"
    for message in made:
        if message.fuzzy:
            yield f"{name}: fuzzy: {message.id!r}"
        yield from (f"{name}: {message.id!r}: {error}" for error in message.check(made))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
