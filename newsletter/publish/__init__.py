"""Room 2: the Library becomes what is published in `feeds/`.

Enters: a Site, the Library, the public Issues, a Jinja environment. Leaves: Files (feeds, pages, assets),
and Changes once `output` has put them into the folder. Everything but `output` is a function of its
arguments: the same posts give the same bytes, whatever the hour, the machine or the locale.
Never here: choosing posts for an Issue, mail, readers, and any change to a source.
"""
