"""When an issue must stop by itself: too many of its last results are bad, in all or at one provider.

Whoever goes on mailing mailboxes that are not there, or what is taken for spam, is soon taken for a spammer everywhere.
A person looks at the numbers and resumes; then the counting begins anew.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from newsletter import replies, words
from newsletter.model import Chunk, DeliveryState, Settlement
from newsletter.providers import OTHER

SHOWN = 200
"""Results that are looked at, the last ones."""

FEWEST = 50
"""With fewer nothing is said."""

PERMANENT, UNCERTAIN = 0.05, 0.01
"""More than such a share of them may not be refused since the mailbox is not there, or stay without an answer; one
alone is no share.
"""

POLICY, OF_LAST = 3, 100
"""So many of the last so many may not be refused as unwanted."""

_REPLIES = 10
_POLICY = frozenset({"policy", "content"})


class Window:
    """The last results of one issue, in all or at one provider: how many, and which of them were bad."""

    def __init__(self) -> None:
        self._seen = 0
        self._bad: deque[tuple[int, str]] = deque()  # the number of each among all results, and its kind
        self._replies: deque[str] = deque(maxlen=_REPLIES)

    def add(self, kind: str, reply: str = "", count: int = 1) -> None:
        """Some results: `permanent`, `policy`, `uncertain`, or empty for any other."""
        self._seen += count
        if kind:
            self._bad.append((self._seen, kind))
            self._replies.append(reply)
        while self._bad and self._bad[0][0] <= self._seen - SHOWN:
            self._bad.popleft()

    def verdict(self, where: str) -> str:
        """Why it must stop, with the numbers and the last answers; empty while it may go on."""
        many = self._too_many() if self._bad and self._seen >= FEWEST else ""
        return f"{many}{where}. The last answers: {self._answers()}" if many else ""

    def _too_many(self) -> str:
        seen, counts = min(self._seen, SHOWN), Counter(kind for _, kind in self._bad)
        if counts["permanent"] > PERMANENT * seen:
            return f"{counts['permanent']} of the last {seen} mailboxes are not there (more than 5 %)"
        unwanted = sum(kind == "policy" and at > self._seen - OF_LAST for at, kind in self._bad)
        if unwanted >= POLICY:
            return f"{unwanted} of the last {min(seen, OF_LAST)} messages were refused as unwanted"
        if counts["uncertain"] > max(1, UNCERTAIN * seen):
            return f"{counts['uncertain']} of the last {seen} messages got no answer (more than 1 %)"
        return ""

    def _answers(self) -> str:
        counted = Counter(reversed(self._replies))
        return "; ".join(f"{reply} ({count} times)" if count > 1 else reply for reply, count in counted.items())


class Breaker:
    """The windows of all issues that are on their way. They last from one send to the next, and not longer than the
    process.
    """

    def __init__(self) -> None:
        self._windows: dict[tuple[str, int], dict[str, Window]] = {}

    def note(self, chunk: Chunk, settlements: Sequence[Settlement]) -> str:
        """Count what became of some Messages; why their issue must stop now, or an empty string.

        What was put back, or could not be written, says nothing about readers. An issue that must stop begins anew.
        """
        issue = (chunk.edition, chunk.issue_number)
        windows = self._windows.setdefault(issue, {})
        whole, group = windows.setdefault("", Window()), windows.setdefault(chunk.provider, Window())
        bad = [(kind, _reply(one)) for one in settlements if one.counted and (kind := _kind(one))]
        for window in (whole, group):
            window.add("", count=sum(one.counted for one in settlements) - len(bad))
            for kind, reply in bad:
                window.add(kind, reply)
        why = group.verdict(_at(chunk.provider)) or whole.verdict("")
        if why:
            del self._windows[issue]
        return why


def _at(provider: str) -> str:
    return " at other providers" if provider == OTHER else f" at {provider}"


def _kind(one: Settlement) -> str:
    if one.state is DeliveryState.UNCERTAIN:
        return "uncertain"
    if one.state is not DeliveryState.FAILED:
        return ""
    return "permanent" if one.is_dead else "policy" if one.reason in _POLICY else ""


def _reply(one: Settlement) -> str:
    """In the server's words, and in ours where they speak of how we are set up."""
    if one.receipt is None:
        return one.reason
    said, ours = words.shorten(words.nameless(one.receipt.words), 120), replies.setup(one.receipt.reply)
    return f"{said} ({ours})" if ours else said
