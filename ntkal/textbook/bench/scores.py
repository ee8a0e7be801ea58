"""Scores of a whole pool beside a product of matrices, equation (12), refitting, and plain NumPy."""

from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal.acquisition import candidates as blocks
from ntkal.acquisition import eer, emoc, mlmoc, mlmoc_norm, probabilities
from ntkal.acquisition.change import expected_change
from ntkal.acquisition.expected_error import expected_entropy
from ntkal.experiments.rivals.closed_form import linearised, refit_after
from ntkal.lookahead import condition as conditioning
from ntkal.lookahead import implicit
from ntkal.lookahead import row_sums as tiles
from ntkal.textbook.bench.problem import FEW, Case
from ntkal.textbook.bench.timing import best, compiled_bytes, gap, numpy_bytes, product_rate, row

BLOCK = 1000
"""Candidates in a block of equation (12)."""


def rows(case: Case) -> list[dict[str, Any]]:
    """Return the rows of the norm form and those of the flip form, EMOC and EER.

    Example:
        >>> from ntkal.bench.problem import made_up
        >>> len(rows(made_up(5, 10, 3)))
        6
    """
    return [*_norm_form(case), *_by_candidate(case)]


def operations(n: int, m: int) -> float:
    """Return the multiplications and additions of the norm form from kernels.

    A Cholesky factor n^3 / 3, a triangular solve n^2 m, and half of the symmetric m x m product, m^2 n. What
    is O(m^2) is not counted.

    Example:
        >>> operations(3, 2)
        39.0
    """
    return n**3 / 3 + n**2 * m + m**2 * n


def _norm_form(case: Case) -> list[dict[str, Any]]:
    n, m = len(case.kernels[0]), len(case.kernels[1])
    state = linearised(*case.kernels, *case.rest, ridge=case.ridge, invert=True)
    candidates = min(m, BLOCK)
    arguments = [jnp.asarray(a) for a in (state.inverse, *case.kernels[1:], state.residual, case.rest[1])]
    arguments += [case.ridge, jnp.asarray(state.mean), jnp.asarray(state.label), jnp.arange(candidates)]
    tasks = [
        lambda: mlmoc_norm(case.implicit()),
        lambda: _equation_12(*arguments),
        lambda: _refitted(state),
    ]
    rate = product_rate(2 * n if n < 1000 else 2000)
    (ours, block, refit), (scores, want, few) = best(tasks)
    again = product_rate(2 * n if n < 1000 else 2000)
    spent = operations(n, m)
    memory = numpy_bytes(tasks[0]) + _compiled(case)
    peer_memory = compiled_bytes(_equation_12, *arguments)
    what = "norm-form scores from kernels"
    return [
        row(
            what,
            ours,
            "a product of matrices, for as many operations",
            spent / max(rate, again),
            needed=0.6,
            memory=memory,
            note=f"{spent / ours / 1e9:.1f} of {max(rate, again) / 1e9:.1f} gigaflops a second",
        ),
        row(
            what,
            ours,
            f"equation (12), vmapped over blocks of {candidates}",
            block * m / candidates,
            needed=3,
            difference=gap(scores[:candidates], want),
            difference_at_most=1e-8,
            memory=memory,
            memory_at_most=peer_memory / 10,
            peer_memory=peer_memory,
        ),
        row(
            what,
            ours,
            "refitting on L+, candidate by candidate",
            refit * m / FEW,
            needed=400,
            difference=gap(scores[:FEW], few),
            difference_at_most=1e-8,
        ),
    ]


def _compiled(case: Case) -> float:
    """Bytes of the compiled steps of the norm form, as if none of them could have the memory of another."""
    (k_ll, k_pl, k_pp), (_, f_p, y_l) = case.kernels, case.rest
    once = jnp.ones(len(k_pl))
    return (
        compiled_bytes(jnp.linalg.cholesky, k_ll)
        + compiled_bytes(conditioning._mean, k_ll, k_pl, f_p, y_l)
        + compiled_bytes(implicit._variances, k_pp, k_pl)
        + compiled_bytes(tiles.walk, k_pp, k_pl, once, once)
    )


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


def _refitted(state) -> np.ndarray:
    outputs = (outputs[0] for _, outputs in islice(refit_after(state), FEW))
    return np.array([np.linalg.norm(out - state.mean, axis=1).sum() for out in outputs])


def _by_candidate(case: Case) -> list[dict[str, Any]]:
    post, m = case.post, len(case.post.mean)
    probs = probabilities(post.mean)
    plain = np.asarray(post.mean), np.asarray(post.cov), np.asarray(probs), case.ridge
    made = []
    compiled = {
        _flips: compiled_bytes(mlmoc, post),
        _emoc: compiled_bytes(expected_change, post, probs),
        _eer: compiled_bytes(lambda post, probs: expected_entropy(post, probs, "softmax"), post, probs),
    }
    for name, ours, peer in (
        ("flip-form scores", lambda: mlmoc(post), _flips),
        ("EMOC", lambda: emoc(post, probs), _emoc),
        ("EER over all classes", lambda: eer(post, probs), _eer),
    ):
        (seconds, few), (have, want) = best([ours, lambda peer=peer: peer(*plain)])
        have = np.floor(have) if peer is _flips else have
        made.append(
            row(
                f"{name} from mean and covariance",
                seconds,
                "NumPy, candidate by candidate",
                few * m / FEW,
                needed=20,
                difference=gap(have[: len(want)], want),
                difference_at_most=1e-8,
                memory=compiled[peer],
                memory_at_most=blocks.MEMORY,
                peer_memory=numpy_bytes(lambda peer=peer: peer(*plain)),
            )
        )
    return made


def _flips(mean, cov, probs, ridge):
    present, counts = mean.argmax(axis=1), []
    for c in range(FEW):
        label = np.eye(mean.shape[1])[present[c]]
        after = mean + np.outer(cov[c], (label - mean[c]) / (cov[c, c] + ridge))
        counts.append(np.sum(after.argmax(axis=1) != present))
    return np.array(counts, dtype=float)


def _emoc(mean, cov, probs, ridge):
    scores = np.zeros(FEW)
    for c in range(FEW):
        for k, label in enumerate(np.eye(mean.shape[1])):
            change = np.outer(cov[c], (label - mean[c]) / (cov[c, c] + ridge))
            scores[c] += probs[c, k] * np.sqrt((change**2).sum(axis=1)).sum()
    return scores


def _eer(mean, cov, probs, ridge):
    scores = np.zeros(FEW)
    for c in range(FEW):
        for k, label in enumerate(np.eye(mean.shape[1])):
            after = mean + np.outer(cov[c], (label - mean[c]) / (cov[c, c] + ridge))
            after -= after.max(axis=1, keepdims=True)
            weight = np.exp(after)
            total = weight.sum(axis=1)
            scores[c] -= probs[c, k] * np.sum(np.log(total) - (weight * after).sum(axis=1) / total)
    return scores
