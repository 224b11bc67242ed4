"""Newsletter: a folder of Markdown posts becomes feeds, a web archive and a weekly email digest."""
