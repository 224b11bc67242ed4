"""A mail server in bad weather: at each turn of a conversation it may do what real ones do on a bad day."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence

from tests.smtpd import DROP, DROP_STORED, HALF, NOISE, Received, Smtpd

STORMS: Mapping[str, Sequence[str]] = {
    "BANNER": ("554 5.3.2 not today", DROP, HALF),
    "STARTTLS": ("454 4.7.0 no TLS now", DROP, HALF, NOISE),
    "MAIL": ("451 4.3.0 later", "421 4.3.2 going down", "553 5.7.1 not with this sender", DROP),
    "RCPT": ("450 4.2.0 greylisted", "550 5.1.1 nobody here", "421 4.7.0 too fast", "gibberish", DROP, HALF, NOISE),
    "DATA": ("451 4.3.0 later", DROP, HALF, NOISE),
    "DOT": (
        "451 4.3.0 try again",
        "554 5.6.0 it looks like spam",
        "421 4.3.2 going down",
        "gibberish",
        DROP,
        DROP_STORED,
        HALF,
        NOISE,
    ),
    "RSET": (DROP, "421 4.3.2 going down"),
}


class Lossy(Smtpd):
    """`bad` is how likely something happens at each turn; 0 is fair weather. The same seed throws the same dice."""

    def __init__(self, chance: random.Random, *, bad: float, delay: float, tls: str = "none") -> None:
        super().__init__(tls=tls)
        self._chance = chance
        self._longest = delay
        self.bad = bad
        self.asked_at: dict[str, float] = {}  # recipient -> when RCPT named it last, by the monotonic clock
        self.stored_at: list[tuple[float, float, Received]] = []  # RCPT, final dot, message

    def reply_at(self, stage: str, recipient: str = "") -> str:
        if stage == "RCPT":
            self.asked_at[recipient] = time.monotonic()
            self.delay = self._chance.uniform(0, self._longest)  # before the answer to the dot
        if self._chance.random() < self.bad and stage in STORMS:
            return self._chance.choice(STORMS[stage])
        return super().reply_at(stage, recipient)

    def store(self, received: Received) -> None:
        super().store(received)
        self.stored_at.append((self.asked_at[received.recipient], time.monotonic(), received))
