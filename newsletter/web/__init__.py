"""Pages for readers, over HTTP.

In:    requests, from anybody: readers, feed readers, the scanners of mail providers, attackers.
Out:   the published folder as it is on disk, and the pages behind a reader's own links.
Never: a change by GET, a cookie, a script, a token in a log, a word about who is a reader and who is not.
"""
