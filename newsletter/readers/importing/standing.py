"""What another program says of somebody: whether they want the mail, never confirmed it, left, or cannot be mailed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from newsletter.readers.importing.headers import folded


class Standing(StrEnum):
    """How somebody stood there. Of two things that are said of one address, the later one of this list counts."""

    WANTS = "wants"
    PAUSED = "paused"
    UNCONFIRMED = "unconfirmed"  # asked for it, and never confirmed
    UNASKED = "unasked"  # known there, and never asked for it
    LEFT = "left"
    BLOCKED = "blocked"  # bounced, complained, or blocked there


_WORDS = {
    Standing.WANTS: """
        active, subscribed, enabled, confirmed, opted in, opt-in, member, free, paid, comped, regular, premium, gifted,
        trialed, unpaid, churning, churned, past due, yes, true, 1, on, aktiv, abonniert, actif, abonne, activo,
        suscrito, attivo, iscritto, ativo
    """,
    Standing.PAUSED: "paused",
    Standing.UNCONFIRMED: """
        unconfirmed, unactivated, pending, not confirmed, waiting, awaiting confirmation, opt-in pending, unverified,
        unbestatigt, ausstehend, en attente, pendiente
    """,
    Standing.UNASKED: "nonsubscribed, non-subscribed, not subscribed, transactional, never subscribed, archived",
    Standing.LEFT: """
        left, unsubscribed, unsub, opted out, opt-out, inactive, disabled, removed, deleted, cancelled, canceled, no,
        false, 0, off, abgemeldet, inaktiv, desabonne, desinscrit, inactif, baja, inactivo, disiscritto, inattivo
    """,
    Standing.BLOCKED: """
        blocked, cleaned, bounced, bounce, hard bounce, hard bounced, undeliverable, invalid, malformed, complained,
        complaint, spam, spammy, marked as spam, reported spam, blocklisted, blacklisted, suppressed, banned, junk
    """,
}
_BY_WORD = {folded(word): standing for standing, words in _WORDS.items() for word in words.split(",")}
_OF_PROGRAM = {"Buttondown": {"paused": Standing.WANTS}}  # there it is the paying that is paused
SEVERITY: Mapping[Standing, int] = {standing: n for n, standing in enumerate(Standing)}
_SPEAKING = frozenset({"status", "subscribed", "unsubscribed", "left", "bounced"})
_NO = frozenset({"", "0", "false", "no", "n", "f", "off", "none", "null"})


def worse(one: Standing, other: Standing) -> Standing:
    """Of two things said of one address the one that is safer to believe."""
    return max(one, other, key=SEVERITY.__getitem__)


class Judge:
    """Reads the cells that say how somebody stood, for one program."""

    def __init__(self, program: str, everyone: str) -> None:
        self._words: Mapping[str, Standing] = _BY_WORD | _OF_PROGRAM.get(program, {})
        self._base = Standing(everyone) if everyone else Standing.WANTS
        self._known: dict[str, Standing | None] = {}
        self._silent: bool | None = None

    def word(self, said: str) -> Standing | None:
        """What a status means; None for a word that is not known. Nothing said is as everyone."""
        if said not in self._known:
            self._known[said] = self._words.get(folded(said)) if said else self._base
            if len(self._known) > 1000:  # a column of other things
                self._known.clear()
                return self._words.get(folded(said))
        return self._known[said]

    def together(self, cells: Mapping[str, str]) -> Standing | None:
        """All that is said of one reader; None when the word of their status is not known."""
        if self._silent is None:
            self._silent = not _SPEAKING.intersection(cells)  # every record of a file has the same ones
        if self._silent:
            return self._base
        found = self.word(cells.get("status", ""))
        if found is None:
            return None
        found = worse(found, self._base)
        if "subscribed" in cells:
            found = worse(found, _agreed(cells["subscribed"]))
        if _says(cells.get("unsubscribed", "")) or _says(cells.get("left", "")):
            found = worse(found, Standing.LEFT)
        return Standing.BLOCKED if _says(cells.get("bounced", "")) else found


def _says(cell: str) -> bool:
    """Whether a cell says yes, or when."""
    return cell.lower() not in _NO


def _agreed(cell: str) -> Standing:
    """What stands under "subscribed"; nothing there does not say that anybody agreed."""
    if not cell:
        return Standing.UNASKED
    return Standing.WANTS if _says(cell) else Standing.LEFT
