"""What readers see of a mail before they open it: its subject and the line beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.errors import Problem
from newsletter.issues.mail import Mail, stop, warn
from newsletter.issues.view import PREHEADER_MAX, PREHEADER_MIN, SUBJECT_MAX, SUBJECT_MIN

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FALSE_START = re.compile(r"(?:re|fwd?|aw|sv)\s*:", re.IGNORECASE)
_SUBJECT = 'change the title of the lead story, or   newsletter issue plan --subject "…"'
_PREHEADER = 'change the summary of the lead story, or   newsletter issue plan --preheader "…"'


def check(mail: Mail) -> Iterator[Problem]:
    """I315 and I316 for the subject, I317 for the preheader."""
    yield from _subject(mail.digest.subject)
    yield from _preheader(mail.digest.preheader, mail.digest.subject)


def _subject(subject: str) -> Iterator[Problem]:
    if not subject.strip() or _CONTROL.search(subject):
        why = "It is what readers see first."
        yield stop("I315", "The subject is empty or has control characters", why, _SUBJECT)
    elif not SUBJECT_MIN <= len(subject) <= SUBJECT_MAX:
        why = f"{SUBJECT_MIN} to {SUBJECT_MAX} show whole."
        yield warn("I316", f"The subject has {len(subject)} characters", why, _SUBJECT)
    if subject.isupper():
        yield warn("I316", "The subject is all capitals", "It reads as shouting and is filtered as spam.", _SUBJECT)
    if _FALSE_START.match(subject):
        why = "Mail services refuse a false Re: or Fwd:."
        yield warn("I316", "The subject begins like an answer", why, _SUBJECT)


def _preheader(preheader: str, subject: str) -> Iterator[Problem]:
    if not PREHEADER_MIN <= len(preheader) <= PREHEADER_MAX:
        why = f"{PREHEADER_MIN} to {PREHEADER_MAX} fill the line beside the subject."
        yield warn("I317", f"The preheader has {len(preheader)} characters", why, _PREHEADER)
    if preheader.strip().casefold() == subject.strip().casefold():
        why = "It is a second chance to say something."
        yield warn("I317", "The preheader repeats the subject", why, _PREHEADER)
