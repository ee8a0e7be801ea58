"""Answers to queries, one by one: each goes through the look-ahead, with no training in between."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Int

from ntkal.acquisition import mlmoc
from ntkal.inputs import ArrayLike, check_int
from ntkal.lookahead import Lookahead
from ntkal.lookahead.posterior import Posterior

__all__ = ["Oracle", "Reply"]


@dataclass(frozen=True)
class Reply:
    """One answer and what it did; :meth:`Oracle.tell` makes them.

    Attributes:
        query: Position in the pool of the candidate that was asked for.
        label: The class that the oracle gave it.
        truth: The class that it has.
        guess: The class that the model gave it before.
        believed: The class that the model gives it now.
        changed: Number of held-out predictions that the answer changed.
        accuracy: Accuracy on the held-out inputs now, 0 to 1.
        seconds: What the update and the next query took.

    Example:
        >>> print(Reply(7, 3, truth=5, guess=9, believed=3, changed=4, accuracy=0.7, seconds=0.01))
        You said 3, it was a 5: the model now believes you (before, it took it for a 9).
    """

    query: int
    label: int
    truth: int
    guess: int
    believed: int
    changed: int
    accuracy: float
    seconds: float

    def __str__(self) -> str:
        said, before = f"You said {self.label}", f"(before, it took it for a {self.guess})."
        if self.label == self.truth:
            return f"{said}, and so it is {before}"
        convinced = self.believed == self.label
        belief = "now believes you" if convinced else f"still takes it for a {self.believed}"
        return f"{said}, it was a {self.truth}: the model {belief} {before}"


class Oracle:
    """A stream of queries over a pool: its first inputs may be asked for, the others are held out.

    Args:
        post: The look-ahead over the whole pool of m inputs, of any kind.
        truth: The true classes, whole numbers from 0 to C - 1, shape (m,). Queries and updates never look at
            them; accuracies do.
        candidates: How many inputs, from the first on, may be asked for: 1 to m - 1.
        score: Ranks the candidates, one number each; MLMOC if not given.

    Attributes:
        post: The look-ahead after all answers.
        replies: The answers so far, in order.
        query: Position of the candidate to label next; None when all have been.
        at_first: Accuracy before any answer.

    Raises:
        ValueError: For classes or a number of candidates out of range, and for scores that rank nothing.

    Source:
        The sequential setting of Mohamadi, Bae and Sutherland (2022), section 4.

    Example:
        >>> post = Lookahead(jnp.array([[0.5, 0.5]] * 3), jnp.eye(3) + 1.0, ridge=0.1)
        >>> oracle = Oracle(post, np.array([0, 1, 1]), 2)
        >>> print(oracle.tell(1))
        You said 1, it was a 0: the model now believes you (before, it took it for a 0).
        >>> oracle.undo()
        >>> oracle.tell(0).believed, oracle.query
        (0, 1)
    """

    def __init__(
        self,
        post: Posterior,
        truth: Int[ArrayLike, " m"],
        candidates: int,
        score: Callable[[Posterior], Float[Array, " q"]] = mlmoc,
    ):
        self.truth, self.score, (m, classes) = np.asarray(truth), score, post.mean.shape
        if self.truth.shape != (m,):
            raise ValueError(f"truth: expected shape ({m},), one class each, got {self.truth.shape}.")
        if self.truth.dtype.kind not in "iu" or not set(self.truth) <= set(range(classes)):
            raise ValueError(f"truth: expected whole numbers from 0 to {classes - 1}, got {self.truth}.")
        self.candidates = check_int("candidates", candidates, low=1, high=m - 1)
        self.replies: list[Reply] = []
        self._start = self.post = post
        self.query, self.at_first = self._next([]), self.accuracy

    @property
    def accuracy(self) -> float:
        """Share of the held-out inputs that the linearised network gets right now."""
        return float(np.mean((self.predictions() == self.truth)[self.candidates :]))

    def predictions(self) -> Int[np.ndarray, " m"]:
        """Return the class that the linearised network gives each input of the pool now."""
        return np.asarray(self.post.mean).argmax(axis=1)

    def tell(self, label: int) -> Reply:
        """Give the query a label from 0 to C - 1, right or wrong; return what that did.

        Raises:
            ValueError: For a label out of range, or when every candidate has one.
        """
        if self.query is None:
            raise ValueError("label: every candidate has one already; undo() takes the last one back.")
        label = check_int("label", label, low=0, high=self.post.mean.shape[1] - 1)
        c, before, start = self.query, self.predictions(), time.perf_counter()
        self._reveal(c, label)
        self.query = self._next([*(reply.query for reply in self.replies), c])
        seconds, now = time.perf_counter() - start, self.predictions()
        changed = int(np.sum((before != now)[self.candidates :]))
        truth, guess, believed = (int(classes[c]) for classes in (self.truth, before, now))
        self.replies.append(Reply(c, label, truth, guess, believed, changed, self.accuracy, seconds))
        return self.replies[-1]

    def undo(self) -> None:
        """Take the last answer back: its query is asked again, and nothing of it is left."""
        if self.replies:
            self.query, self.post = self.replies.pop().query, self._start
        for reply in self.replies:  # a reveal is quick and its order is free, so the past is not stored
            self._reveal(reply.query, reply.label)

    def table(self) -> pd.DataFrame:
        """Return the answers, one a row, with the columns of :class:`Reply`."""
        return pd.DataFrame(map(asdict, self.replies), columns=[column.name for column in fields(Reply)])

    def _reveal(self, c: int, label: int) -> None:
        self.post = self.post.reveal(c, jnp.eye(self.post.mean.shape[1])[label])

    def queries(self, k: int) -> list[int]:
        """Positions of the k best candidates without a label, best first; of all there are, if fewer."""
        return self._best([reply.query for reply in self.replies], check_int("k", k, low=1))

    def _next(self, taken: list[int]) -> int | None:
        return next(iter(self._best(taken, 1)), None)

    def _best(self, taken: list[int], k: int) -> list[int]:
        """Rank the candidates without a label; the pool stays whole, so that nothing recompiles."""
        q, post = self.candidates, self.post
        if len(taken) == q:
            return []
        asked = Lookahead(post.mean[:q], post.columns(0, q)[:q], post.ridge, post.floor)
        scores = np.array(self.score(asked), dtype=float)
        if scores.shape != (q,) or np.isnan(scores).any():
            raise ValueError(f"score: expected {q} numbers, got shape {scores.shape} or NaN.")
        scores[taken] = -np.inf
        return np.argsort(-scores, kind="stable")[: min(k, q - len(taken))].tolist()
