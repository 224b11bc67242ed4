"""The verbs: publish, prepare, deliver, enroll, review, send, report.

Each module is one use case: a few calls in a row into the rooms below. Edges arrive as arguments; what leaves
is a value for a door to word. All are idempotent: run again is always right. Nothing here reads a clock, a
file or the environment.
"""
