"""Feed readers of the world read what we publish: all of them must find the same."""
