"""From the Library and what the ledger remembers to a Digest.

Enters: a Cadence, the Library, the facts of the ledger (slot records, which Posts are carried), the present time.
Leaves: Slots, a Decision about the slot that is due, and a Digest whose bytes are final but for its Sentinels.
Never happens here: reading a clock, a file or a socket; writing to the ledger; knowing who the readers are.
Decisions are values: what to do, and the reason in words that a person reads.
"""
