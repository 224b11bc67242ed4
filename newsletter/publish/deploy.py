"""Edge: the command that brings the published folder to where readers fetch it, run after each publish that changed it.

What stood in the folder when it last went well is remembered, so that a deploy that failed is made up for by the next
publish, changed or not.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from newsletter.errors import Outside, Problem
from newsletter.publish.manifest import MANIFEST

LONGEST = 600  # seconds
_SHOWN = 3  # lines of what it said last


class Deploy:
    """`ports.Deploy` by a line for the shell, run in the folder of the site."""

    def __init__(self, command: str, root: Path, output: Path, mark: Path) -> None:
        """`mark` is the file that remembers."""
        self._command = command
        self._root = root
        self._output = output
        self._mark = mark

    @property
    def pending(self) -> bool:
        """Whether the folder is other than it was when it was last brought there."""
        return not self._mark.is_file() or self._mark.read_text(encoding="utf-8") != self._stands()

    def run(self) -> None:
        """Bring it there, if that is pending. Raises Outside (F460) when the command fails or does not end."""
        stands = self._stands()
        if not self.pending:
            return
        try:
            done = subprocess.run(  # noqa: S603  the line stands in newsletter.toml, beside the templates
                ["/bin/sh", "-c", self._command],
                cwd=self._root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Outside(self._failed(f"it did not end within {LONGEST} seconds", "")) from None
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()[-_SHOWN:]
            raise Outside(self._failed(f"it ended with {done.returncode}", " ".join(said)))
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        self._mark.write_text(stands, encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        """That of this process, less what is meant for it alone, such as the password of the mail server."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        return ours | {"NEWSLETTER_PUBLISHED": str(self._output)}

    def _stands(self) -> str:
        manifest = self._output / MANIFEST
        return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""

    def _failed(self, how: str, said: str) -> Problem:
        return Problem(
            "F460",
            f"What was published could not be brought to its readers: {how}",
            why=said or f"The command is: {self._command}",
            fixes=("run it yourself: [publish] after in newsletter.toml", "newsletter publish   tries it again"),
        )
