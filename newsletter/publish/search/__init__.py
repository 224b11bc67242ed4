"""Edge: the search index, an SQLite file with FTS5 beside the other state, made from the Library alone.

Enters: the Library of a publish (`index`), and a Query (`asking`). Leaves: the file, and what was Found.
`schema` says what the file holds. Never here: words of a Post that is not public, and operators in a reader's words.
The file may be thrown away at any time; the next publish makes it anew.
"""
