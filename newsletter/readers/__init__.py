"""Who gets it: what an address is, and the signed links that speak for a reader.

In:    an address as someone typed it; the number of a reader; the keys of this site.
Out:   the one way to write that address, or why it is none; tokens for links, and readers found by them.
Never: a database, a mail, a look-up in the network, an address inside of a link.
"""
