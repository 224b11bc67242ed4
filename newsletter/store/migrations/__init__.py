"""The history of the schema, one revision per change, forward only.

Enters: a connection with an open transaction, from `newsletter.store.migrate`.
Leaves: a schema equal to `newsletter.store.tables` (a test compares the two).
Each revision spells out what it does and imports nothing of ours, so that it means the same for ever.
Never here: a downgrade, a commit, data of a site.
"""
