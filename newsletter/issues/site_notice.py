"""What editors and operators are told of posts and of the machine.

Every function makes one Notice from values. The key names the fact, so that whoever notices it again writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from newsletter import words
from newsletter.issues.reasons import sentence
from newsletter.model import Notice, NoticeKind, Post, Site, Slot


def edited(post: Post, signed: str, lines: Sequence[str], effect: str, at: datetime, site: Site, slot: Slot) -> Notice:
    """A post is not any more what was approved. `signed` is the hash that was, `effect` what that does to the issue."""
    reviewer = post.reviewer.key if post.reviewer else "REVIEWER"
    return Notice(
        f"edited:{post.id}:{signed}",
        NoticeKind.EDITED,
        at,
        f"post {post.slug}",
        subject=f"Changed after approval: {post.title}",
        what=f"{post.title} ({post.path}) was changed after it was approved. {effect}",
        why="An approval is of one very text; these lines have changed."
        if lines
        else "An approval is of one very text. The lines that changed are not known here.",
        otherwise="the post waits, and the issue goes without it.",
        lines=tuple(lines),
        fixes=(
            f"newsletter post show {post.slug} --diff",
            f"newsletter post approve {post.slug} --as {reviewer}",
        ),
        links=(("The page", site.address_of(f"posts/{post.slug}/")),),
        hold=slot.key,
    )


def mail_broken(message: str, at: datetime, site: Site) -> Notice:
    """The mail server takes nothing; for the webhook, since a mail would not arrive. Once a day."""
    day = at.astimezone(site.timezone).date()
    return Notice(
        f"mail:{day}",
        NoticeKind.MAIL,
        at,
        "mail",
        subject="Mail cannot be handed over",
        what="The mail server takes no mail. Readers and notices wait, and nobody is lost.",
        why=sentence(message),
        otherwise="it is tried again, ever more seldom, and each reader for 48 hours at the most.",
        fixes=("newsletter status",),
    )


def intake_paused(until: datetime, at: datetime, site: Site) -> Notice:
    """Nobody can sign up: far more did than usual. Once a day."""
    return Notice(
        f"intake:{at.astimezone(site.timezone).date()}",
        NoticeKind.INTAKE,
        at,
        "signing up",
        subject="Signing up is paused",
        what="Far more people than usual asked for the mail. Nobody can sign up for now; the page says so.",
        why="Somebody may be writing strangers' addresses into the form. The limit is signup.brake_factor times the "
        "usual number in an hour, and at least signup.brake_from.",
        otherwise="it goes on by itself once it was quiet for half an hour: at the earliest "
        f"{words.when(until, site.timezone)}.",
        fixes=("newsletter reader list --status unconfirmed",),
    )


def no_backup(trouble: str, at: datetime, site: Site) -> Notice:
    """The nightly backup could not be made. Once a day."""
    return Notice(
        f"backup:{at.astimezone(site.timezone).date()}",
        NoticeKind.BACKUP,
        at,
        "backup",
        subject="There is no backup of last night",
        what="The backup could not be made. Older ones are kept.",
        why=sentence(trouble),
        otherwise="it is tried again at each look of work.",
        fixes=("newsletter backup",),
    )


def locked(doubt: str, at: datetime, site: Site) -> Notice:
    """This may be a copy of a site that runs elsewhere. Once a day."""
    return Notice(
        f"locked:{at.astimezone(site.timezone).date()}:{doubt}",
        NoticeKind.LOCKED,
        at,
        "site",
        subject="A copy of the site is locked",
        what="A copy of the site was started. It is locked: it sends nothing to readers.",
        why=sentence(doubt),
        otherwise="it stays locked. The original, if it runs, is not touched.",
        fixes=("newsletter claim",),
    )
