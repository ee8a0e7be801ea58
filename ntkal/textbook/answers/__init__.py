"""The right answer of each exercise that has a checker, and the likely wrong ones, by the book's parts."""

from ntkal.textbook.answers import part1_foundations, part2_looking_ahead, part3_experiments, part4_further

_PARTS = (part1_foundations, part2_looking_ahead, part3_experiments, part4_further)
CHECKERS = {name: checker for part in _PARTS for name, checker in part.CHECKERS.items()}

__all__ = ["CHECKERS"]
