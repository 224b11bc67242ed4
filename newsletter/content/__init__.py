"""Room 1: a folder of Markdown posts becomes a Library.

Enters:  Sources (bytes decoded, by path), the Site, the approvals, the time.
Leaves:  Posts with sanitised HTML and absolute URLs, resolved into a Library; and every Problem, together.
Never:   a file is written but by `newsletter new`; a clock, a zone of this machine or the network is asked;
         a broken post is skipped; HTML leaves without having passed the sanitiser.
"""
