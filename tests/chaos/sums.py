"""What all tests of a run did together: `make chaos` prints it at its end."""

from __future__ import annotations

from collections import Counter

SUMS: Counter[str] = Counter()
"""Kills, messages that mail servers took, deliveries in doubt after a kill, copies beyond the first of each message."""
