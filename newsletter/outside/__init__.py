"""What lies beyond this machine and its mail server.

An address that somebody wrote enters; what its server answered leaves, with its final address and type.
Here alone an outgoing HTTP connection is made, always to a public address and always with limits.
Nothing is decided here about what the answer means, and nothing is kept between two calls:
no cookie, no cache, no connection.
"""
