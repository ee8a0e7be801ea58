"""Checkers of the book's exercises, one file per chapter."""
