"""Small problems with exact answers, shared by the tests."""

from dataclasses import dataclass, replace

import numpy as np

from ntkal import FactorLookahead, ImplicitLookahead, Lookahead
from ntkal.lookahead import Posterior

KINDS = (Lookahead, FactorLookahead, ImplicitLookahead)


@dataclass(frozen=True)
class Problem:
    """A linear model: features of labelled and pool points, outputs before training, labels, ridge."""

    phi_l: np.ndarray
    phi_p: np.ndarray
    f_l: np.ndarray
    f_p: np.ndarray
    y_l: np.ndarray
    ridge: float

    @property
    def blocks(self):
        return self.phi_l @ self.phi_l.T, self.phi_p @ self.phi_l.T, self.phi_p @ self.phi_p.T

    def fit(self, kind: type[Posterior] = Lookahead) -> Posterior:
        kernel = (self.phi_l, self.phi_p) if kind is FactorLookahead else self.blocks
        return kind.fit(*kernel, self.f_l, self.f_p, self.y_l, ridge=self.ridge)

    def with_copies(self) -> "Problem":
        """The pool's last is a copy of the first labelled input, the one before it of the pool's first."""
        phi_p = np.vstack([self.phi_p[:-2], self.phi_p[:1], self.phi_l[:1]])
        return replace(self, phi_p=phi_p)

    def refit(self, extra=()):
        """Outputs over the pool, fitted from nothing on the labelled set and the (candidate, label) pairs."""
        at = [c for c, _ in extra]
        phi = np.vstack([self.phi_l, self.phi_p[at]])
        y = np.vstack([self.y_l, *[label[None] for _, label in extra]])
        f = np.vstack([self.f_l, self.f_p[at]])
        kernel = phi @ phi.T + self.ridge * np.eye(len(phi))
        return self.f_p + self.phi_p @ phi.T @ np.linalg.solve(kernel, y - f)


def problem(seed=0, n=6, m=9, classes=3, parameters=40, ridge=0.1) -> Problem:
    rng = np.random.default_rng(seed)
    return Problem(
        phi_l=rng.normal(size=(n, parameters)),
        phi_p=rng.normal(size=(m, parameters)),
        f_l=rng.normal(size=(n, classes)),
        f_p=rng.normal(size=(m, classes)),
        y_l=np.eye(classes)[rng.integers(classes, size=n)],
        ridge=ridge,
    )
