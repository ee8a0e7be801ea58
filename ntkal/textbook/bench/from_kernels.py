"""Scores, reveals and picks from made-up kernels beside equation (12), fits anew and plain NumPy."""

import time
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal.acquisition import eer, emoc, get, mlmoc, mlmoc_norm, probabilities
from ntkal.acquisition.candidates import MEMORY
from ntkal.acquisition.sequential import pick, pick_compiled
from ntkal.experiments.rivals.closed_form import Linearised, refit
from ntkal.inputs import ArrayLike
from ntkal.lookahead import ImplicitLookahead, Lookahead
from ntkal.lookahead.condition import mean_given
from ntkal.lookahead.row_sums import walk
from ntkal.textbook.bench.timing import (
    Peer,
    best_seconds,
    compiled_bytes,
    gap,
    numpy_bytes,
    product_rate,
    row,
    rows,
)

FEW, BLOCK, COUNT = 8, 1000, 1000
"""Candidates that peers without blocks are timed on, those in a block of equation (12), and labels revealed.

The seconds of a part of the pool are scaled to the whole. At most a quarter of the pool is revealed.
"""


@dataclass(frozen=True)
class Case:
    """Kernels k_ll, k_pl, k_pp of n labelled and m pool inputs, and in ``rest`` f_l, f_p and y_l.

    ``post`` is the look-ahead fitted to them. The kernels are the products of the rows of ``features``, the
    labelled inputs first.

    Example:
        >>> made_up(5, 8, 2).post.mean.shape
        (8, 2)
    """

    kernels: tuple[ArrayLike, ArrayLike, ArrayLike]
    rest: tuple[ArrayLike, ArrayLike, ArrayLike]
    ridge: float
    post: Lookahead
    features: np.ndarray

    def fit(self) -> Lookahead:
        """Fit the look-ahead anew."""
        return Lookahead.fit(*self.kernels, *self.rest, ridge=self.ridge)

    def implicit(self) -> ImplicitLookahead:
        """Fit it without its covariance."""
        return ImplicitLookahead.fit(*self.kernels, *self.rest, ridge=self.ridge)


def made_up(n: int, m: int, classes: int, seed: int = 0, ridge: float = 1e-3) -> Case:
    """Return kernels of random features, more of them than labelled inputs and fewer than all.

    Example:
        >>> made_up(5, 8, 3).kernels[1].shape
        (8, 5)
    """
    rng = np.random.default_rng(seed)
    width = n + m // 4
    features = rng.normal(size=(n + m, width)) / np.sqrt(width)
    labelled, pool = features[:n], features[n:]
    kernels = tuple(jnp.asarray(k) for k in (labelled @ labelled.T, pool @ labelled.T, pool @ pool.T))
    y = np.eye(classes)[rng.integers(classes, size=n)]
    rest = tuple(jnp.asarray(a) for a in (np.zeros((n, classes)), 0.1 * rng.normal(size=(m, classes)), y))
    return Case(kernels, rest, ridge, Lookahead.fit(*kernels, *rest, ridge=ridge), features)


def norm_form(case: Case) -> list[dict[str, Any]]:
    """Compare the norm form from kernels with a product of matrices, equation (12) and refitting.

    Example:
        >>> [made["needed"] for made in norm_form(made_up(5, 10, 3))]
        [0.6, 3, 400]
    """
    (k_ll, k_pl, k_pp), (_, f_p, y_l), (m, n) = case.kernels, case.rest, case.kernels[1].shape
    state = Linearised(*case.kernels, *case.rest, ridge=case.ridge)
    candidates, what = min(m, BLOCK), "norm-form scores from kernels"
    arguments = [jnp.asarray(a) for a in (state.inverse, k_pl, k_pp, state.residual, f_p)]
    arguments += [case.ridge, jnp.asarray(state.mean), jnp.asarray(state.label), jnp.arange(candidates)]

    def ours():
        return mlmoc_norm(case.implicit())

    def refitted():
        outputs = (outputs[0] for _, outputs in islice(state.after(refit), FEW))
        return np.array([np.linalg.norm(out - state.mean, axis=1).sum() for out in outputs])

    size, once = 2 * n if n < 1000 else 2000, jnp.ones(m)
    rate, counted = product_rate(size), n**3 / 3 + n**2 * m + m**2 * n
    # Bytes of NumPy and of the compiled steps, as if none of them could have the memory of another.
    memory = numpy_bytes(ours) + compiled_bytes(jnp.linalg.cholesky, k_ll)
    memory += compiled_bytes(mean_given, k_ll, k_pl, f_p, y_l) + compiled_bytes(walk, k_pp, k_pl, once, once)
    theirs = compiled_bytes(_equation_12, *arguments)
    block = f"equation (12), vmapped over blocks of {candidates}"
    by_block, by_one = rows(
        what,
        ours,
        Peer(block, lambda: _equation_12(*arguments), 3, m / candidates, 1e-8, theirs),
        Peer("refitting on L+, candidate by candidate", refitted, 400, m / FEW, 1e-8),
        memory=memory,
        memory_at_most=theirs / 10,
    )
    rate, own = max(rate, product_rate(size)), by_block["seconds"]
    note = f"{counted / own / 1e9:.1f} of {rate / 1e9:.1f} gigaflops a second"
    peer = "a product of matrices, for as many operations"
    return [row(what, own, peer, counted / rate, needed=0.6, memory=memory, note=note), by_block, by_one]


@jax.jit
def _equation_12(inverse, k_pl, k_pp, residual, f_p, ridge, mean, label, at):
    """The scores of the candidates ``at``, all at once: the block inverse gives each its outputs."""
    weights = inverse @ residual

    def outputs(c):
        v = inverse @ k_pl[c]
        s = k_pp[c, c] + ridge - k_pl[c] @ v
        last = (label[c] - f_p[c] - k_pl[c] @ weights) / s
        return f_p + k_pl @ (weights - jnp.outer(v, last)) + jnp.outer(k_pp[:, c], last)

    return jnp.sum(jnp.linalg.norm(jax.vmap(outputs)(at) - mean[None], axis=2), axis=1)


def by_candidate(case: Case) -> list[dict[str, Any]]:
    """Compare flips, EMOC and EER with NumPy that goes candidate by candidate.

    Example:
        >>> {made["needed"] for made in by_candidate(made_up(5, 10, 3))}
        {20}
    """
    post, (m, classes) = case.post, case.post.mean.shape
    mean, cov, eye, probs = (
        np.asarray(post.mean),
        np.asarray(post.cov),
        np.eye(classes),
        probabilities(post.mean),
    )

    def plain(score, weights):
        scores = np.zeros(FEW)
        for c in range(FEW):
            for k in np.flatnonzero(weights[c]):
                after = mean + np.outer(cov[c], (eye[k] - mean[c]) / (cov[c, c] + case.ridge))
                scores[c] += weights[c, k] * score(after)
        return scores

    def risk(after):
        weight = np.exp(after - after.max(axis=1, keepdims=True))
        total = weight.sum(axis=1)
        return np.sum((weight * np.log(weight)).sum(axis=1) / total - np.log(total))

    def flips(after):
        return np.sum(after.argmax(axis=1) != mean.argmax(axis=1))

    def change(after):
        return np.sqrt(((after - mean) ** 2).sum(axis=1)).sum()

    made = []
    for name, ours, arguments, score, weights in (
        ("flip-form scores", mlmoc, [post], flips, eye[mean.argmax(axis=1)]),
        ("EMOC", emoc, [post, probs], change, probs),
        ("EER over all classes", partial(eer, link="softmax"), [post, probs], risk, probs),
    ):
        theirs = partial(plain, score, np.asarray(weights))
        made += rows(
            f"{name} from mean and covariance",
            partial(ours, *arguments),
            Peer("NumPy, candidate by candidate", theirs, 20, m / FEW, 1e-8, numpy_bytes(theirs)),
            see=np.floor if ours is mlmoc else np.asarray,  # what is below one breaks ties
            memory=compiled_bytes(ours, *arguments),
            memory_at_most=MEMORY,
        )
    return made


def reveals(case: Case) -> list[dict[str, Any]]:
    """Compare one reveal with copying the covariance, and many with a fit after each.

    Of the fits, one on no new label and one on all are timed; those between are taken for their mean.

    Example:
        >>> [made["what"] for made in reveals(made_up(5, 8, 2))][:2]
        ['one reveal', '2 reveals, together']
    """
    post, (m, classes) = case.post, case.post.mean.shape
    plain, label = np.asarray(post.cov), np.eye(classes)[0]
    (ours, *copies), (have, *_) = best_seconds(
        [lambda: post.reveal(0, label).cov, lambda: np.copy(plain), lambda: jnp.copy(post.cov)], repeats=7
    )
    want = plain - np.outer(plain[:, 0], plain[:, 0]) / (plain[0, 0] + case.ridge)
    bounds = {"needed": 0.5, "difference": gap(have, want), "difference_at_most": 1e-12}
    bounds |= {"memory": numpy_bytes(lambda: post.reveal(0, label)), "peer_memory": plain.nbytes}
    peer = "copying the covariance once, by NumPy or JAX"
    made = [row("one reveal", ours, peer, min(copies), **bounds)]

    count, rng = min(COUNT, m // 4), np.random.default_rng(1)
    at, labels = rng.permutation(m)[:count], np.eye(classes)[rng.integers(classes, size=count)]
    (first, last, together), (_, fresh, whole) = best_seconds(
        [case.fit, lambda: _with(case, at, labels), lambda: post.reveal_all(at, labels)], 2
    )
    ways = [("together", together, whole)]
    for how, kept in (("covariance stored", case.fit()), ("covariance as a product", case.implicit())):
        began = time.perf_counter()
        for c, y in zip(at.tolist(), labels, strict=True):
            kept = kept.reveal(c, y)
        jax.block_until_ready(kept)
        ways.append((f"one after another, {how}", time.perf_counter() - began, kept))
    for how, seconds, kept in ways:
        difference = max(gap(kept.mean, fresh.mean), gap(kept.columns(0, m), fresh.cov))
        bounds = {"needed": 100, "difference": difference, "difference_at_most": 1e-8}
        anew = count * (first + last) / 2
        made.append(row(f"{count} reveals, {how}", seconds, "a new fit after each", anew, **bounds))
    return made


def _with(case: Case, at: np.ndarray, labels: np.ndarray) -> Lookahead:
    (k_ll, k_pl, k_pp), (f_l, f_p, y_l) = case.kernels, case.rest
    grown = jnp.block([[k_ll, k_pl[at].T], [k_pl[at], k_pp[at][:, at]]])
    wide = jnp.concatenate([k_pl, k_pp[:, at]], axis=1)
    outputs, targets = jnp.concatenate([f_l, f_p[at]]), jnp.concatenate([y_l, labels])
    return Lookahead.fit(grown, wide, k_pp, outputs, f_p, targets, ridge=case.ridge)


def picks(case: Case) -> list[dict[str, Any]]:
    """Compare picks by the norm form inside one ``jax.lax.scan`` with picks that come back to Python.

    Example:
        >>> picks(made_up(5, 8, 2))[0]["difference"]
        0.0
    """
    strategy, post, count = get("mlmoc_norm"), case.post, min(COUNT, len(case.post.mean) // 4)

    def one_by_one():
        return pick(strategy, post, count, np.random.default_rng(0))

    peer = Peer("each pick from Python", one_by_one, needed=1, admitted=0.0)
    ours = f"{count} picks inside one lax.scan"
    return rows(ours, lambda: pick_compiled(strategy, post, count), peer, repeats=1)
