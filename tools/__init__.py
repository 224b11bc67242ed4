"""What keeps the house: each a program of its own."""
