"""What `work` says to people and to a monitor, beside its rounds: notices, and a knock at each look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from newsletter.app import App
from newsletter.errors import NewsletterError
from newsletter.ports import Clock
from newsletter.usecases.notices import Handed

Say = Callable[..., None]


class Telling:
    """Tells once whatever is to be told; safe to call from two threads, of which the second then leaves it be."""

    def __init__(self, app: App, say: Say) -> None:
        self._app = app
        self._say = say
        self._busy = threading.Lock()
        self._knock: threading.Thread | None = None
        self._unheard = ""

    def tell(self, clock: Clock, *, sends: bool) -> Handed | None:
        """Write down what happened, and hand over what waits if this process `sends`. Raises NewsletterError."""
        if not self._busy.acquire(blocking=False):
            return None
        try:
            self._app.tell(clock())
            done = self._app.hand_over_notices(clock) if sends else None
        finally:
            self._busy.release()
        if done and done.accepted:
            self._say(f"Told: {done.accepted} notice{'' if done.accepted == 1 else 's'} handed over")
        return done

    def knock(self) -> None:
        """Call the heartbeat's address, in the background: a monitor that is slow or away delays nothing."""
        url = self._app.config.heartbeat_url
        if url and (self._knock is None or not self._knock.is_alive()):
            self._knock = threading.Thread(target=self._call, args=(url,), daemon=True)
            self._knock.start()

    def _call(self, url: str) -> None:
        try:
            status = self._app.caller.knock(url)
            fault = "" if status < 400 else f"it answered {status}"
        except NewsletterError as error:
            fault = error.problems[0].message
        if fault != self._unheard and fault:
            self._say(f"warn  {urlsplit(url).hostname} did not hear the heartbeat: {fault}")
        self._unheard = fault
