"""What the pages of the book use: checked claims and answers, figures, the oracle, the bench.

In: measured numbers, answers, stored tables. Out: sentences that hold or fail, drawings, ratios of times.
"""

from ntkal.textbook.check import Checker, ClaimError, WrongAnswer, answer, claim

__all__ = ["Checker", "ClaimError", "WrongAnswer", "answer", "claim"]
