"""The site as its writer sees it, on the writer's machine, while it is being written.

In:    requests from this machine; the news that a file changed.
Out:   every page, drafts too and marked, the coming mail, the mails that were caught, and what is wrong, with its line.
Never: a change: nothing is written for readers, no form is answered, no other host is spoken to.
"""
