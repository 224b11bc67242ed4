"""How long a test takes says nothing where others work too: no property fails for being slow."""

from __future__ import annotations

from hypothesis import settings

from tests import compiled

settings.register_profile("newsletter", deadline=None)
settings.load_profile("newsletter")
compiled.once()
