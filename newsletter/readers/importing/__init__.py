"""A list of readers of another program moves in: what its columns, dates and words mean, and what becomes of each row.

In:    the bytes of a CSV file, and what the roster knows of the addresses in it.
Out:   a Survey of the whole file; then row by row an Entry, its Fate, and the Subscriber that it makes.
Never: a reader who said no, here or there; a name, a note or an IP address; a file held in memory as a whole.
"""
