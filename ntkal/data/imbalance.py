"""Data sets with rare classes."""

import math
from collections.abc import Sequence

import numpy as np

from ntkal.data.dataset import Dataset
from ntkal.inputs import as_positions, check_int, check_number


def imbalanced(
    dataset: Dataset,
    *,
    share: float = 0.1,
    classes: Sequence[int] | None = None,
    test: bool = True,
    seed: int = 0,
) -> Dataset:
    r"""Make some classes rare: of each, keep a share of the images.

    Of a rare class with :math:`n` images stay :math:`\max(1, \lfloor s n \rfloor)`, drawn without
    replacement; the other classes stay whole, and what stays keeps its order.

    Args:
        dataset: A data set with classes.
        share: The share :math:`s`, above 0 and at most 1.
        classes: Labels of the rare classes; default the first half of them (rounded down).
        test: Whether the test part is thinned too; with False it stays as it is.
        seed: At least 0; decides which images stay.

    Returns:
        The thinned :class:`Dataset`. Inputs are not scaled anew.

    Raises:
        ValueError: For a data set without classes, or a number out of range.

    Source:
        The defaults are those of the released code of Mohamadi, Bae and Sutherland (2022), where the first
        images of a class stay and not a draw; its reader of the thinned CIFAR-10 in fact returns the first
        27,500 images, unthinned. Other shares and classes, and the whole test part, are this package's own.

    Example:
        >>> from ntkal import load
        >>> data = imbalanced(load("moons"), share=0.25)
        >>> np.bincount(data.y_train), np.bincount(data.y_test)
        (array([ 50, 200]), array([ 50, 200]))
    """
    C = len(dataset.classes)
    if C == 0:
        raise ValueError(
            "dataset: a regression problem has no classes to make rare; expected one with classes."
        )
    share = check_number("share", share, low=0, high=1)
    if share == 0:
        raise ValueError("share: expected a number above 0 and at most 1, got 0.")
    rare = range(C // 2)
    if classes is not None:
        none = np.size(classes) == 0
        rare = [] if none else np.unique(as_positions("classes", classes, C - 1, distinct=False))
    rng = np.random.default_rng(check_int("seed", seed, low=0))

    def thin(x, y):
        stays = np.ones(len(y), dtype=bool)
        for label in rare:
            rows = np.flatnonzero(y == label)
            kept = min(len(rows), max(1, math.floor(share * len(rows) + 1e-9)))
            stays[rng.permutation(rows)[kept:]] = False
        return x[stays], y[stays]

    x_train, y_train = thin(dataset.x_train, dataset.y_train)
    x_test, y_test = thin(dataset.x_test, dataset.y_test) if test else (dataset.x_test, dataset.y_test)
    return Dataset(x_train, y_train, x_test, y_test, dataset.classes)
