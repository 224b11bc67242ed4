"""What is remembered: issues, deliveries, readers, approvals, secrets.

Enters: decisions of other rooms, as values of `newsletter.model`, and the time as an argument.
Leaves: the same values, read back as they were written; times are aware UTC, kept to the millisecond.
Each method is one short transaction (start_send: several); uniqueness is a matter of the schema, not of care.
Never here: a decision about what to send or to whom, a clock, a template, a socket to anything but the database.
"""
