"""Scores of a whole pool beside a product of matrices, equation (12), refitting, and plain NumPy."""

from functools import partial
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal.acquisition import eer, emoc, mlmoc, mlmoc_norm, probabilities
from ntkal.acquisition.candidates import MEMORY
from ntkal.experiments.rivals.closed_form import Linearised, refit_after
from ntkal.lookahead.condition import mean_given
from ntkal.lookahead.row_sums import walk
from ntkal.textbook.bench.problem import FEW, Case
from ntkal.textbook.bench.timing import Peer, compiled_bytes, numpy_bytes, product_rate, row, rows

BLOCK = 1000
"""Candidates in a block of equation (12)."""


def operations(n: int, m: int) -> float:
    """Return the multiplications and additions of the norm form from kernels.

    A Cholesky factor n^3 / 3, a triangular solve n^2 m, and half of the symmetric m x m product, m^2 n. What
    is O(m^2) is not counted.

    Example:
        >>> operations(3, 2)
        39.0
    """
    return n**3 / 3 + n**2 * m + m**2 * n


def norm_form(case: Case) -> list[dict[str, Any]]:
    """Compare the norm form from kernels with a product of matrices, equation (12) and refitting.

    Example:
        >>> from ntkal.textbook.bench.problem import made_up
        >>> [made["needed"] for made in norm_form(made_up(5, 10, 3))]
        [0.6, 3.0, 400.0]
    """
    n, m = len(case.kernels[0]), len(case.kernels[1])
    state = Linearised(*case.kernels, *case.rest, ridge=case.ridge)
    candidates, what = min(m, BLOCK), "norm-form scores from kernels"
    arguments = [jnp.asarray(a) for a in (state.inverse, *case.kernels[1:], state.residual, case.rest[1])]
    arguments += [case.ridge, jnp.asarray(state.mean), jnp.asarray(state.label), jnp.arange(candidates)]

    def ours():
        return mlmoc_norm(case.implicit())

    def refitted():
        outputs = (outputs[0] for _, outputs in islice(refit_after(state), FEW))
        return np.array([np.linalg.norm(out - state.mean, axis=1).sum() for out in outputs])

    size = 2 * n if n < 1000 else 2000
    rate, counted = product_rate(size), operations(n, m)
    memory = numpy_bytes(ours) + _compiled(case)
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
    product = row(what, own, peer, counted / rate, needed=0.6, memory=memory, note=note)
    return [product, by_block, by_one]


def _compiled(case: Case) -> float:
    """Bytes of the compiled steps of the norm form, as if none of them could have the memory of another."""
    (k_ll, k_pl, k_pp), (_, f_p, y_l), once = case.kernels, case.rest, jnp.ones(len(case.kernels[1]))
    factor = compiled_bytes(jnp.linalg.cholesky, k_ll) + compiled_bytes(mean_given, k_ll, k_pl, f_p, y_l)
    return factor + compiled_bytes(walk, k_pp, k_pl, once, once)


@jax.jit
def _equation_12(inverse, k_pl, k_pp, residual, f_p, ridge, mean, label, at):
    """The scores of the candidates ``at``, all at once: the block inverse gives each its outputs."""
    weights = inverse @ residual

    def outputs(c):
        v = inverse @ k_pl[c]
        s = k_pp[c, c] + ridge - k_pl[c] @ v
        last = (label[c] - f_p[c] - k_pl[c] @ weights) / s
        return f_p + k_pl @ (weights - jnp.outer(v, last)) + jnp.outer(k_pp[:, c], last)

    after = jax.vmap(outputs)(at)
    return jnp.sum(jnp.linalg.norm(after - mean[None], axis=2), axis=1)


def by_candidate(case: Case) -> list[dict[str, Any]]:
    """Compare flips, EMOC and EER with NumPy that goes candidate by candidate.

    Example:
        >>> from ntkal.textbook.bench.problem import made_up
        >>> {made["needed"] for made in by_candidate(made_up(5, 10, 3))}
        {20.0}
    """
    post, m = case.post, len(case.post.mean)
    mean, cov, probs = np.asarray(post.mean), np.asarray(post.cov), probabilities(post.mean)
    likely = np.eye(mean.shape[1])[mean.argmax(axis=1)]

    def plain(score, weights):
        scores = np.zeros(FEW)
        for c in range(FEW):
            for k in np.flatnonzero(weights[c]):
                label = np.eye(mean.shape[1])[k]
                after = mean + np.outer(cov[c], (label - mean[c]) / (cov[c, c] + case.ridge))
                scores[c] += weights[c, k] * score(after)
        return scores

    def risk(after):
        weight = np.exp(after - after.max(axis=1, keepdims=True))
        total = weight.sum(axis=1)
        return np.sum((weight * np.log(weight)).sum(axis=1) / total - np.log(total))

    made = []
    for name, ours, arguments, score, weights in (
        ("flip-form scores", mlmoc, [post], lambda after: np.sum(after.argmax(1) != mean.argmax(1)), likely),
        ("EMOC", emoc, [post, probs], lambda after: np.sqrt(((after - mean) ** 2).sum(axis=1)).sum(), probs),
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
