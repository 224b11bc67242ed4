"""`issue resend`: one more copy, for a reader who missed it."""

from __future__ import annotations

import click

from newsletter.cli.door import Door, command
from newsletter.cli.naming import named
from newsletter.errors import Outside


@command("resend")
@click.argument("number", metavar="N")
@click.argument("address", metavar="ADDRESS")
@click.option("--dry-run", is_flag=True, help="Say what would be sent.")
def resend(door: Door, number: str, address: str, dry_run: bool) -> None:
    """Send one active reader an issue again, as they got it or should have.

    \b
    newsletter issue resend 46 reader@example.org
    newsletter issue resend 12 ada@readers.example --dry-run
    """
    from newsletter.usecases import readers
    from newsletter.usecases import resend as again
    from newsletter.usecases.report import issue_named

    app = door.app
    if not dry_run:
        app.own()
    one = issue_named(app.ledger, *named(number))
    copy = again.copy(app.ledger, one, readers.known(app.roster, address))
    data = {"number": one.number, "address": copy.addressee.address, "dry_run": dry_run}
    if dry_run:
        door.answer(data, f"Would send issue {one.name} again to {copy.addressee.address}.")
        return
    receipt = again.resend(
        copy,
        ledger=app.ledger,
        transport=app.transport,
        site=app.config.site,
        unsubscribe_url=app.unsubscribe_url(copy.addressee.subscriber_id, copy.addressee.token_version),
        preferences_url=app.preferences_url(copy.addressee.subscriber_id, copy.addressee.token_version),
        message_id_key=app.keys.message_id,
        hand=door.hand,
    )
    if refusal := again.refused(copy, receipt):
        raise Outside(refusal)
    data |= {"outcome": receipt.outcome.value, "reply": receipt.words}
    door.answer(data, f"Sent issue {one.name} again to {copy.addressee.address}: accepted ({receipt.words})")
