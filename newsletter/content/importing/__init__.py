"""Posts that come from elsewhere.

The export of another program enters (WordPress, Squarespace, Ghost) or a feed (RSS 2.0, Atom), as octets;
posts leave, each as the text of a file of ours that reads back with the same words, links and pictures.
Nothing is written, fetched or decided about the site here: `disk` alone opens and stages files,
and what a post of ours must be is asked of the rest of this room.
"""
