"""The program's entry: small, so that Ctrl-C finds it ready, or ends it without a word while it is being read."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the program and leave with its exit status."""
    ready = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from newsletter.cli import program

    signal.signal(signal.SIGINT, ready)
    program.main()
