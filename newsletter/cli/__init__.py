"""The command line: a door.

In come words that a person or a script typed; out go an answer on stdout, everything else on stderr, and an
exit status. A command parses, calls one use case, and words what came back. No rule of the product lives here,
and no module here is imported before its command is called.
"""
