"""The verbs, run on a real site in a folder: SQLite, the outbox, real posts."""
