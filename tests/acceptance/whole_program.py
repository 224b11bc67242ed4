"""All of the program, read at once, with what it reads only where it is needed; a migration, Alembic alone can read."""

from __future__ import annotations

import gc
import pkgutil
from importlib import import_module

import newsletter
from tests import compiled

for late in ("encodings.idna", "premailer", "PIL.JpegImagePlugin", "PIL.PngImagePlugin"):
    import_module(late)
for found in pkgutil.walk_packages(newsletter.__path__, "newsletter."):
    if ".migrations" not in found.name:
        import_module(found.name)
compiled.all_at_once()
gc.freeze()  # its memory stays shared
