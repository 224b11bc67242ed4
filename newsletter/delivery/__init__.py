"""Digest × readers → accepted: what is owed becomes mail, and each answer is written down.

In:    the frozen Digest, the rows that the ledger says are owed, a Transport, a Clock.
Out:   Settlements, one per row that was handed over; a count of what became of them.
Never: choosing who is in the audience, writing a Digest, reading configuration, deciding by itself to mail twice.
"""
