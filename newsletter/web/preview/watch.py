"""Tells when a file of the site was saved: the posts, the templates, and the files that stand beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import watchfiles

FOLDERS = ("posts", "templates")
_SETTLED, _LONGEST = 25, 400  # milliseconds without a change before it is told; and at most
_NOTICE = 200  # milliseconds after which a stop is noticed
_PASSING = (".swp", ".swx", ".tmp", ".part", ".lock", "~")


class Watch:
    """Watches the folder of a site until it is stopped; `changed` is called with the paths, one call at a time.

    A folder that does not exist yet is watched from when it does.
    """

    def __init__(self, root: Path, changed: Callable[[list[Path]], None]) -> None:
        self._root = root.resolve()
        self._changed = changed
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._watched: set[Path] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Watch from now on, in threads of its own. Raises OSError when the system refuses."""
        self._follow(self._root, recursive=False)
        self._follow_folders()

    def stop(self) -> None:
        """Ask the threads to end; `join` waits for it."""
        self._stop.set()

    def join(self, seconds: float = 1.0) -> None:
        for thread in self._threads:
            thread.join(seconds)

    def _follow_folders(self) -> None:
        for folder in (self._root / name for name in FOLDERS):
            if folder.is_dir() and folder not in self._watched:
                self._follow(folder, recursive=True)

    def _follow(self, folder: Path, *, recursive: bool) -> None:
        self._watched.add(folder)
        thread = threading.Thread(target=self._run, args=(folder, recursive), daemon=True, name=f"watch {folder.name}")
        self._threads.append(thread)
        thread.start()

    def _run(self, folder: Path, recursive: bool) -> None:
        for paths in self._batches(folder, recursive):
            with self._turn:
                if folder == self._root:
                    self._follow_folders()
                self._changed(paths)
        self._watched.discard(folder)  # it was deleted; the root tells when it is back

    def _batches(self, folder: Path, recursive: bool) -> Iterator[list[Path]]:
        """Sets of paths that were saved; by looking again and again where the system has no watches left."""
        for polling in (None, True):
            try:
                yield from self._saved(folder, recursive, polling)
            except (OSError, RuntimeError):
                continue
            return

    def _saved(self, folder: Path, recursive: bool, polling: bool | None) -> Iterator[list[Path]]:
        batches = watchfiles.watch(
            folder,
            watch_filter=None,
            recursive=recursive,
            force_polling=polling,
            step=_SETTLED,
            debounce=_LONGEST,
            rust_timeout=_NOTICE,
            stop_event=self._stop,
            yield_on_timeout=True,
        )
        for batch in batches:
            paths = sorted({Path(path) for _, path in batch})
            if wanted := [path for path in paths if self._concerns(path)]:
                yield wanted
            if not folder.is_dir():
                return

    def _concerns(self, path: Path) -> bool:
        """Whether a path is part of the site: not what an editor leaves beside it while it saves."""
        if path.name.startswith(".") or path.name.endswith(_PASSING):
            return False
        if path.parent == self._root:
            return path.suffix == ".toml" or path.name in FOLDERS
        return True
