"""Other ways to look ahead, behind one face, for figures 1a and 1b.

Each :class:`Rival` takes a :class:`Situation` and says what the pool's outputs would be once a candidate has
its most likely label; ``score(rival, rival.prepare(situation))`` are the scores that a query is chosen by.

===================  ===================================================================================
``ntk``              this book's form: :class:`ntkal.Lookahead` with the empirical kernel
``ntk_block``        the same by equation (12), candidate by candidate, one inverse for all
``ntk_refit``        the same by equation (11), a solve for each candidate
``infinite``         :class:`ntkal.Lookahead` with the kernel of an infinitely wide network
``step``             one step of gradient descent on the candidate, to first order
``retrain``          SGD for 15 epochs on the labelled set and the candidate, a block of candidates at once
``retrain_centred``  the same, with changes counted from their mean over the candidates
===================  ===================================================================================
"""

from ntkal.experiments.rivals.closed_form import INFINITE, NTK, NTK_BLOCK, NTK_REFIT
from ntkal.experiments.rivals.retrain import EPOCHS, RETRAIN, RETRAIN_CENTRED
from ntkal.experiments.rivals.situation import Rival, Situation, score
from ntkal.experiments.rivals.step import STEP
from ntkal.inputs import check_choice
from ntkal.kernels.infinite import kernel_fn

__all__ = ["EPOCHS", "Rival", "Situation", "get", "kernel_fn", "names", "score"]

_ALL = (NTK, NTK_BLOCK, NTK_REFIT, INFINITE, STEP, RETRAIN, RETRAIN_CENTRED)
_REGISTRY = {rival.name: rival for rival in _ALL}


def names() -> tuple[str, ...]:
    """Return the names of all ways to look ahead.

    Example:
        >>> "retrain" in names()
        True
    """
    return tuple(_REGISTRY)


def get(name: str) -> Rival:
    """Return the way to look ahead of that name, one of :func:`names`; refuse another with the known ones.

    Example:
        >>> get("infinite").closed
        True
    """
    return _REGISTRY[check_choice("lookahead", name, _REGISTRY)]
