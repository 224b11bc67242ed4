"""Which program this is, since what another one worked out and kept is no use to it; and where its templates lie."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path

_NEIGHBOURS = ("pyromark", "nh3", "jinja2", "babel")  # an upgrade of any library touches the folder that it lies in


def version() -> str:
    """Changes with every release of Newsletter or of a library that it renders with, and with every edit of
    either, catalogues included.
    """
    package = Path(__file__).parent
    found = [path.stat() for path in sorted([*package.rglob("*.py"), *package.rglob("*.mo")])]
    whole = hashlib.sha256(sys.version.encode())
    whole.update(repr([(stat.st_mtime_ns, stat.st_size) for stat in found]).encode())
    for name in _NEIGHBOURS:
        spec = find_spec(name)
        if spec and spec.origin:
            folder = Path(spec.origin).parent.parent
            whole.update(f"{folder}{folder.stat().st_mtime_ns}".encode())
    return whole.hexdigest()


def default_folder() -> Path:
    """Where the built-in templates lie: inside an installed package, else beside it in a checkout."""
    package = Path(__file__).parent
    for place in (package / "_templates", package.parent / "templates"):
        if (place / "email" / "digest.html").is_file():
            return place
    raise FileNotFoundError("the built-in templates are missing: reinstall the package")
