"""All of the program, read at once; what a migration is, Alembic alone can read."""

from __future__ import annotations

import gc
import pkgutil
from importlib import import_module

import newsletter

for found in pkgutil.walk_packages(newsletter.__path__, "newsletter."):
    if ".migrations" not in found.name:
        import_module(found.name)
gc.freeze()  # its memory stays shared
